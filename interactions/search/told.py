"""What the roll-ups tell of what is wanted, exactly and at once: how many, and in which hours."""

from dataclasses import replace

from accounts import prepared
from feedback.models import Given
from interactions import bulk, rollups
from interactions.labels import meant
from interactions.models import Dimension
from interactions.wanted import Feedback, Wanted
from registry.models import Model

COUNTED = "interactions_rollup", "interactions_rollupdelta"
GIVEN = "feedback_givenrollup", "feedback_givendelta"
_COLUMNS = {(None, None): "interactions", (1, 1): "ones", (0, 0): "zeros"}


def number(project, wanted):
    """How many match, or None where the roll-ups cannot tell."""
    if not is_hourly(wanted):
        return None
    if wanted.not_models and not wanted.models:
        every = replace(wanted, not_models=())
        parts = [number(project, one) for one in (every, replace(every, models=wanted.not_models))]
        return None if None in parts else parts[0] - parts[1]
    span = {"after": wanted.after, "before": wanted.before}
    if (found := _dimension(project, wanted)) is not None:
        dimension, only = found
        return sum(rollups.totals(project, dimension, only=only, **span).values())
    asked = _given(wanted)
    if asked is None:
        return None
    models = model_ids(project, wanted) if wanted.models else None
    given = _given_in_all(project, asked, models, wanted)
    if not asked.none:
        return given
    dimension = Dimension.ALL if models is None else Dimension.MODEL
    every = sum(rollups.totals(project, dimension, only=models, **span).values())
    return every - given


def hours(project, wanted):
    """{hour: how many match}, the hours counted since 1970; None where the roll-ups cannot tell."""
    if not is_hourly(wanted):
        return None
    if (found := _dimension(project, wanted)) is not None:
        return _by_hour(project, wanted, COUNTED, "n", dimension=[found[0]], value=found[1])
    asked = _given(wanted)
    if asked is None or asked.none:
        return None
    return _given_by_hour(project, asked, model_ids(project, wanted) if wanted.models else None, wanted)


def extent(project):
    """(first hour, hour after the last) that hold anything, counted since 1970; None for an empty project."""
    found = _by_hour(project, Wanted(), COUNTED, "n", dimension=[Dimension.ALL])
    return (min(found), max(found) + 1) if found else None


def model_ids(project, wanted):
    """The ids of the models that are wanted."""
    return list(Model.objects.filter(team=project.team_id, key__in=wanted.models).values_list("pk", flat=True))


def is_hourly(wanted):
    """Whether the span of time ends at whole hours, as the roll-ups count."""
    return all(moment is None or moment == rollups.hour_of(moment) for moment in (wanted.after, wanted.before))


def _dimension(project, wanted):
    """(dimension, its values or None) that count what is wanted, where one alone does."""
    if wanted.only("after", "before"):
        return Dimension.ALL, None
    if wanted.only("after", "before", "models"):
        return Dimension.MODEL, model_ids(project, wanted)
    if wanted.only("after", "before", "labels") and len(wanted.labels) == 1:
        [labels] = meant(project, wanted.labels)
        return Dimension.LABEL, [label.pk for label in labels]
    return None


def _given(wanted):
    """The one condition on feedback that is all that is asked, of certain models or all; None where there is more."""
    if not wanted.only("after", "before", "models", "feedback", "has_feedback", "reviewed"):
        return None
    asked = [*wanted.feedback]
    asked += [Feedback(Given.ANY, none=not wanted.has_feedback)] if wanted.has_feedback is not None else []
    asked += [Feedback(Given.REVIEWED, none=not wanted.reviewed)] if wanted.reviewed is not None else []
    return asked[0] if len(asked) == 1 and (asked[0].least, asked[0].most) in _COLUMNS else None


def _given_by_hour(project, asked, models, wanted):
    """{hour: interactions}; of the roll-up's sums nothing else is read, they are many."""
    column = _COLUMNS[asked.least, asked.most]
    return _by_hour(project, wanted, GIVEN, column, key_id=[asked.key_id], model_id=models)


def _given_in_all(project, asked, models, wanted):
    """How many interactions."""
    column = _COLUMNS[asked.least, asked.most]
    both, values = _both(project, wanted, GIVEN, column, key_id=[asked.key_id], model_id=models)
    [[n]] = prepared.rows(f"SELECT coalesce(sum({column}), 0)::bigint FROM ({both}) AS both_", values)
    return n


def _by_hour(project, wanted, tables, column, **only):
    """{hour: n}; whole numbers, for thousands of moments take long to be made."""
    both, values = _both(project, wanted, tables, column, **only)
    found = prepared.rows(
        f"""
        SELECT extract(epoch FROM hour)::bigint / 3600, sum({column})::bigint FROM ({both}) AS both_
        GROUP BY hour HAVING sum({column}) <> 0
        """,
        values,
    )
    return dict(found)


def _both(project, wanted, tables, column, **only):
    """(SQL, values) of hour and column of a roll-up and its deltas. `only` names the values of a column, None for
    all."""
    (table, deltas), where, values = tables, "project_id = %s", [project.pk]
    tests = [
        (f"{name} = ANY(%s::integer[])", None if one is None else bulk.array(map(int, one)))
        for name, one in only.items()
    ]
    for condition, value in (*tests, ("hour >= %s", wanted.after), ("hour < %s", wanted.before)):
        if value is not None:
            where, values = f"{where} AND {condition}", [*values, value]
    both = " UNION ALL ".join(f"SELECT hour, {column} FROM {one} WHERE {where}" for one in (table, deltas))
    return both, values * 2
