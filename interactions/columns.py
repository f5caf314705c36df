"""The columns of the table of interactions: which there are, and which a person chose for a project."""

from typing import NamedTuple

from accounts import prepared
from interactions.models import ChosenColumns, Interaction


class Column(NamedTuple):
    """A column, its head, and the fields of the row that it shows. Texts share one cell; figures are set to its end."""

    name: str
    title: str
    fields: tuple
    kind: str = ""  # or "text", "figure"


# in the order of the table
COLUMNS = (
    Column("prompt", "Prompt", ("prompt_preview", "images", "tools"), kind="text"),
    Column("completion", "Completion", ("completion_preview", "failed"), kind="text"),
    Column("model", "Model", ("model",)),
    Column("user", "User", ("user",)),
    Column("session", "Session", ("session",)),
    Column("source", "Source", ("source",)),
    Column("logged_by", "Logged by", ("logged_by",)),
    Column("arm", "A/B arm", ("arm",)),
    Column("labels", "Labels", ("label_ids",)),
    Column("feedback", "Feedback", ("feedbacks",)),
    Column("prompt_tokens", "Tokens in", ("prompt_tokens",), kind="figure"),
    Column("completion_tokens", "Tokens out", ("completion_tokens",), kind="figure"),
    Column("latency", "Latency", ("latency_ms",), kind="figure"),
    Column("time", "Time", (), kind="figure"),  # the id's
)
ALWAYS = "prompt"  # leads to the interaction
ALIKE = Column("alike", "Alike", ())  # of a folded table; shown with the labels where these are
USUAL = ("prompt", "completion", "model", "labels", "feedback", "time")
_PLACE = [column.name for column in COLUMNS].index("labels")
_WORKED_WITH = {"id", "received_at"}  # by the page itself: what is new is told by when it came
_CHOSEN = "SELECT columns FROM interactions_chosencolumns WHERE project_id = %s AND user_id = %s"


def columns_for(project, user):
    """The Columns of the project's table that this person sees, in their order."""
    chosen = prepared.rows(_CHOSEN, [project.pk, user.pk])
    return named(chosen[0][0] if chosen else USUAL)


def named(names):
    """The Columns of these names, in their order; a name that is none is passed over."""
    return tuple(column for column in (*COLUMNS[:_PLACE], ALIKE, *COLUMNS[_PLACE:]) if column.name in names)


def choose_columns(*, project, user, names):
    """The table shows this person these columns from now on, and always the prompt; ValueError for a name that is
    none. The usual ones are not kept, so that she has them also when they become others."""
    if unknown := set(names) - {column.name for column in COLUMNS}:
        among = ", ".join(column.name for column in COLUMNS)
        raise ValueError(f"{min(unknown)[:40]!r} is no column; send some of {among} as 'column'.")
    names = [column.name for column in named({ALWAYS, *names})]
    if names == list(USUAL):
        ChosenColumns.objects.filter(project=project, user=user).delete()
    else:
        ChosenColumns.objects.update_or_create(project=project, user=user, defaults={"columns": names})


def folded(columns):
    """The same in a folded table: how many are alike stands with the labels, else in a column in their place."""
    names = {column.name for column in columns}
    return columns if "labels" in names else named({*names, ALIKE.name})


def unread(columns, *others):
    """The fields of an interaction that a table of these columns does not read, for `search`; the `others` it does."""
    read = {name for column in columns for name in column.fields}.union(_WORKED_WITH, others)
    return tuple(field.name for field in Interaction._meta.concrete_fields if field.name not in read)
