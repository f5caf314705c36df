"""Who keeps what: the rule of days by project, and what it would take at a moment."""

import datetime
from dataclasses import dataclass, fields

from django.db import connection

from interactions import ids, rollups
from interactions.models import Dimension, Interaction, Source
from interactions.partitions import spans
from interactions.retention import holds
from projects.models import Project

NIGHTLY = datetime.time(4, 17, tzinfo=ids.UTC)


@dataclass(frozen=True)
class Expiry:
    """What would go of a project: `n` interactions from `start` to before `end`, `months` of them in months that are
    dropped whole; `held` ones stay."""

    project: Project
    start: datetime.datetime | None
    end: datetime.datetime
    n: int
    months: int
    held: int

    def as_dict(self):
        """All but the project."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "project"}


def next_run(now):
    """When the worker applies the rule next."""
    today = datetime.datetime.combine(now.astimezone(ids.UTC).date(), NIGHTLY)
    return today if today > now else today + datetime.timedelta(days=1)


def end_of(keep_days, now):
    """What was created before this goes: midnight UTC, so many whole days before the one of `now`."""
    midnight = now.astimezone(ids.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return max(midnight - datetime.timedelta(days=keep_days), ids.EPOCH)


def expiring(now):
    """[(project, end)] of all that keep for a limited time; deleted ones are cleared by other means."""
    projects = Project.objects.filter(deleted_at=None).exclude(keep_days=None).order_by("pk")
    return [(project, end_of(project.keep_days, now)) for project in projects]


def still_expires(project, end, now):
    """Whether the project's rule takes all before `end`; until the transaction is over nobody changes it."""
    rule = Project.objects.select_for_update(no_key=True).filter(pk=project.pk, deleted_at=None)
    days = rule.values_list("keep_days", flat=True).first()
    return days is not None and end <= end_of(days, now)


def plan(now, project=None):
    """[Expiry] by project of what the rule would take at `now`, which is what `run(now)` takes; of one project where
    given."""
    rules = [rule for rule in expiring(now) if project in (None, rule[0])]
    return [_expiry(project, end, now) for project, end in rules]


def _expiry(project, end, now):
    upper = ids.first(end)
    kept = holds.kept_between(ids.first(ids.EPOCH), upper, project)
    there = sum(rollups.by_hour(project, Dimension.ALL, before=end).values())
    there += Interaction.objects.filter(project=project, source=Source.SIMULATION, id__lt=upper).count()
    start = _first(project, upper)
    over = [span for span in spans() if start and start < ids.time_of(span[1]) and span[1] <= upper]
    months = sum(_goes_whole(*span, now) for span in over)
    return Expiry(project, start, end, there - len(kept), months, len(kept))


def _first(project, upper):
    """When the first interaction was created that is not after `upper`; asked by the index of each kind."""
    rows = Interaction.objects.filter(project=project, id__lt=upper).order_by("id").values_list("id", flat=True)
    firsts = [rows.exclude(source=Source.SIMULATION).first(), rows.filter(source=Source.SIMULATION).first()]
    return min((ids.time_of(pk) for pk in firsts if pk), default=None)


def whole_spans(now):
    """(lower, upper) of the partitions that nobody keeps any more, oldest first; there may be nothing in them, but not
    what is held alone."""
    ends = [ids.first(end) for _, end in expiring(now)]
    over = [span for span in reversed(spans()) if ends and span[1] <= max(ends)]
    return [span for span in over if _goes_whole(*span, now)]


def _goes_whole(lower, upper, now):
    if kept_by_any(lower, upper, now):
        return False
    kept = holds.kept_between(lower, upper)
    there = Interaction.objects.filter(id__gte=lower, id__lt=upper)
    return not kept or there.exclude(id__in=kept).exists()


def kept_by_any(lower, upper, now):
    """Whether a project has interactions in this span that it keeps."""
    rules = expiring(now)
    with connection.cursor() as cursor:
        cursor.execute(
            _KEPT,
            {
                "projects": [project.pk for project, _ in rules],
                "ends": [ids.first(end) for _, end in rules],
                "lower": lower,
                "upper": upper,
            },
        )
        return cursor.fetchone()[0]


# pairs and their order leave the planner the project's index alone, where it would read a month for who has none in it
_FIRST = """(
    SELECT true FROM interactions_interaction WHERE {which}
        AND (project_id, id) >= (p.id, %(lower)s) AND (project_id, id) < (p.id, %(upper)s)
        AND id >= %(lower)s AND id < %(upper)s
    ORDER BY project_id, id LIMIT 1)"""
_KEPT = f"""
    SELECT EXISTS (
        SELECT FROM projects_project p
        LEFT JOIN unnest(%(projects)s::integer[], %(ends)s::uuid[]) AS rule(project_id, until)
            ON rule.project_id = p.id
        WHERE p.deleted_at IS NULL AND (rule.until IS NULL OR rule.until < %(upper)s) AND coalesce(
            {_FIRST.format(which="source <> 'simulation'")}, {_FIRST.format(which="source = 'simulation'")}, false))
"""
