"""What may drive a search: indexes that yield interactions' ids in their order, and about how many.

The rarest drives, the rest is tested on the row. Labels, feedback keys, models, sessions, users, queues, notes,
pictures, tool calls and calls that failed have such an index; whatever has none leaves the project's newest to be
walked.
"""

from dataclasses import dataclass

from interactions.search import sizes

MOST_SOURCES = 50  # that are merged: values of one label key, feedback keys of a team
MOST_CORRECTIONS = 20_000  # better answers that are looked through in a fraction of a second
SESSION, USER = 1e-4, 1e-3  # shares of a project that one is taken to have
ALIKE = 10  # interactions that are taken to be alike, or to answer the same messages
TESTED = 0.02  # share of a project that an arm of an A/B test is taken to have
PARTLY = 0.05  # share of interactions that are taken to have pictures, or tool calls
FAILED = 0.01  # share of calls that are taken to have failed

# all that a test may look at, so that the row need not be fetched again
ROW = (
    'id, project_id, source, model_id, session, "user", latency_ms, images, tools, label_ids, feedbacks, received_at,'
    " prompt_hash, near_hash, arm, failed, api_key_id"
)


@dataclass(frozen=True)
class Source:
    """Rows of a table that meet a condition, in the order of the interaction's id `column`, by an index."""

    table: str
    column: str
    picked: str
    condition: str
    values: tuple


@dataclass(frozen=True)
class Driver:
    """Sources to be merged, about how many entries they have, what to test on an entry `e`, and which share of them
    probably meets that. `holds_row`: an entry is a row of the interactions, else it has the id alone."""

    sources: tuple
    size: float
    holds_row: bool = False
    rest: tuple = ()
    yields: float = 1.0


def newest(project, wanted, picked=ROW):
    """The project's own order; and all drivers that are rows of the interactions are rows of these sources."""
    return Driver(_rows(project, wanted.sources, picked), sizes.total(project), holds_row=True)


def of_labels(labels):
    """By the postings of these labels, any of them."""
    sources = tuple(
        Source(
            "interactions_labelposting",
            "interaction_id",
            "interaction_id AS id",
            "label_id = %s",
            (label.pk,),
        )
        for label in labels
    )
    return Driver(sources, sum(label.uses for label in labels))


def of_feedback(project, condition):
    """By the current values of one key."""
    rest = [(f"e.value {sign} %s", bound) for sign, bound in ((">=", condition.least), ("<=", condition.most))]
    return Driver(
        (_given(condition.key_id, "interaction_id AS id, value"),),
        sizes.of_key(project, condition.key_id),
        rest=tuple((sql, [bound]) for sql, bound in rest if bound is not None),
        yields=sizes.share_of(project, condition),
    )


def of_any_feedback(project, key_id, reviewed):
    """By the current values of all keys of the team, or by reviewers' alone; None where the keys are too many.
    `key_id` is the roll-up's word for it."""
    keys = sizes.team_keys(project)
    if not 0 < len(keys) <= MOST_SOURCES:
        return None
    more = " AND origin = 'reviewer'" if reviewed else ""
    return Driver(tuple(_given(one, "interaction_id AS id", more) for one in keys), sizes.of_key(project, key_id))


def of_models(project, model_ids):
    """By the models' own order."""
    sources = tuple(
        Source("interactions_interaction", "id", ROW, "project_id = %s AND model_id = %s", (project.pk, one))
        for one in model_ids
    )
    return Driver(sources, sum(sizes.of_model(project, one) for one in model_ids), holds_row=True)


def of_column(project, column, value):
    """By a session or a user."""
    condition = f'project_id = %s AND "{column}" = %s' + (""" AND "user" <> ''""" if column == "user" else "")
    share = USER if column == "user" else SESSION
    source = Source("interactions_interaction", "id", ROW, condition, (project.pk, value))
    return Driver((source,), sizes.total(project) * share, holds_row=True)


def of_arms(project, arms):
    """By the arms of A/B tests."""
    sources = tuple(
        Source("interactions_interaction", "id", ROW, "project_id = %s AND arm = %s", (project.pk, one)) for one in arms
    )
    return Driver(sources, sizes.total(project) * TESTED * len(arms), holds_row=True)


def of_queues(queues):
    """By the items of review queues, of a pair by either."""
    condition = "queue_id = %s AND removed_at IS NULL"
    sources = tuple(
        Source("reviews_item", column, f"{column} AS id", f"{condition} AND {column} IS NOT NULL", (one,))
        for one in queues
        for column in ("interaction_id", "other_id")
    )
    return Driver(sources, sizes.of_queues(queues))


def of_corrections():
    """By the better answers of all projects; None where they are too many to pass those of others."""
    n = sizes.corrections(MOST_CORRECTIONS)
    source = Source("feedback_correction", "interaction_id", "interaction_id AS id", "superseded_by IS NULL", ())
    return None if n is None else Driver((source,), n)


def of_notes(project):
    """By the notes on the project's interactions."""
    condition = "project_id = %s AND superseded_by IS NULL"
    source = Source("interactions_note", "interaction_id", "interaction_id AS id", condition, (project.pk,))
    return Driver((source,), sizes.notes(project))


def of_near(project, hashes):
    """By what is alike."""
    condition = "project_id = %s AND near_hash = %s"
    sources = tuple(Source("interactions_interaction", "id", ROW, condition, (project.pk, one)) for one in hashes)
    return Driver(sources, ALIKE * len(sources), holds_row=True)


def of_prompt(project, prompt):
    """By the messages that they answer."""
    source = Source("interactions_interaction", "id", ROW, "project_id = %s AND prompt_hash = %s", (project.pk, prompt))
    return Driver((source,), ALIKE, holds_row=True)


def of_parts(project, column):
    """By those that have pictures, or tool calls."""
    source = Source("interactions_interaction", "id", ROW, f"project_id = %s AND {column} > 0", (project.pk,))
    return Driver((source,), sizes.total(project) * PARTLY, holds_row=True)


def of_failed(project):
    """By the calls that failed."""
    source = Source("interactions_interaction", "id", ROW, "project_id = %s AND failed", (project.pk,))
    return Driver((source,), sizes.total(project) * FAILED, holds_row=True)


def _rows(project, wanted_sources, picked):
    """Real and simulated traffic have an index each."""
    table, owned = ("interactions_interaction", "id", picked), "project_id = %s AND source"
    simulated = Source(*table, f"{owned} = 'simulation'", (project.pk,))
    real = Source(*table, f"{owned} <> 'simulation'", (project.pk,))
    if "simulation" not in wanted_sources:
        return (real,)
    return (simulated,) if set(wanted_sources) == {"simulation"} else (real, simulated)


def _given(key_id, picked, more=""):
    condition = f"feedback_key_id = %s AND superseded_by IS NULL{more}"
    return Source("feedback_feedback", "interaction_id", picked, condition, (key_id,))
