"""Legal holds. A held interaction is kept whole: what it is compared with is kept too, since a comparison is of both.

Who deletes and who holds lock the interaction first, so that one of the two comes too late and is told.
"""

from django.db import connection, transaction

from accounts.audit import ids_told, record
from interactions import ids as time_ids
from interactions.models import Hold, Interaction
from interactions.rules import Conflict, RecordError, text_fault
from projects.access import EntityNotFound
from projects.models import Project

MAX_REASON = 500
_KEPT = """
    SELECT h.interaction_id FROM interactions_hold h WHERE h.released_at IS NULL AND {held}
    UNION
    SELECT p.other_id FROM interactions_hold h JOIN feedback_preference p ON p.interaction_id = h.interaction_id
    WHERE h.released_at IS NULL AND {compared}
"""


class Held(Conflict):
    """What is to be deleted is under a legal hold, or compared with what is."""


def checked_reason(text, *, required=True):
    """The reason as one text; RecordError says why it is none."""
    if text is None and not required:
        return ""
    if not isinstance(text, str) or len(text) > MAX_REASON or (required and not text.strip()):
        raise RecordError({"reason": [f"Say why in 1 to {MAX_REASON} characters."]})
    if fault := text_fault(text):
        raise RecordError({"reason": [fault]})
    return text.strip()


@transaction.atomic
def hold(*, project, ids, reason, by):
    """Hold these interactions of the project; those that are held stay as they are. Returns the ids newly held.

    RecordError for a reason that is none, EntityNotFound where an interaction or the project has gone.
    """
    reason = checked_reason(reason)
    # a project that is being deleted at this moment is waited for: it goes only without holds
    if not Project.objects.select_for_update(no_key=True).filter(pk=project.pk, deleted_at=None).exists():
        raise EntityNotFound("Project", project.key)
    found = _locked(project, ids)
    if missing := set(ids) - found:
        raise EntityNotFound("Interaction", min(missing))
    standing = Hold.objects.filter(interaction_id__in=found, released_at=None)
    new = found - set(standing.values_list("interaction_id", flat=True))
    Hold.objects.bulk_create(Hold(project=project, interaction_id=pk, reason=reason, by=by) for pk in sorted(new))
    _record("hold.place", project, new, by, reason)
    return new


@transaction.atomic
def release(*, project, ids, by, reason=""):
    """End the holds on these interactions of the project; returns the ids that were held."""
    reason = checked_reason(reason, required=False)
    standing = Hold.objects.select_for_update().filter(project=project, interaction_id__in=ids, released_at=None)
    held = set(standing.values_list("interaction_id", flat=True))
    Hold.objects.filter(interaction_id__in=held, released_at=None).update(
        released_by=by, released_at=time_ids.now(), released_because=reason
    )
    _record("hold.release", project, held, by, reason)
    return held


def _record(verb, project, ids, by, reason):
    if ids:
        what = f"{len(ids):,} interactions" if len(ids) > 1 else f"the interaction {min(ids)}"
        record(verb, by=by, project=project, what=what, after={"reason": reason, **ids_told(ids)})


def _locked(project, ids):
    """Which of them there are. What they are compared with is locked too: who is deleting that is waited for."""
    compared = _ids("SELECT other_id FROM feedback_preference WHERE interaction_id = ANY(%s)", [list(ids)])
    both = compared.union(ids)
    rows = Interaction.objects.select_for_update(of=("self",)).filter(project=project, pk__in=both).order_by("pk")
    return set(rows.values_list("pk", flat=True)).intersection(ids)


def history(interaction_id):
    """All holds there were on the interaction with their people, newest first; one that stands is not released."""
    return list(
        Hold.objects.filter(interaction_id=interaction_id).select_related("by", "released_by").order_by("-at", "-pk")
    )


def standing(project, limit=None):
    """The holds that stand in the project with their people, newest first."""
    rows = Hold.objects.filter(project=project, released_at=None).select_related("by").order_by("-at", "-pk")
    return list(rows[:limit])


def number(project):
    """How many of the project's interactions are held."""
    return Hold.objects.filter(project=project, released_at=None).count()


def kept_among(interaction_ids):
    """Which of these may not be deleted: the held ones, and what is compared with one."""
    asked = list(interaction_ids)
    # from the few that are asked for to the holds, not from all holds to these
    query = """
        SELECT interaction_id FROM interactions_hold WHERE released_at IS NULL AND interaction_id = ANY(%s)
        UNION
        SELECT p.interaction_id FROM feedback_preference p WHERE p.interaction_id = ANY(%s)
            AND EXISTS (SELECT FROM interactions_hold h WHERE h.interaction_id = p.other_id AND h.released_at IS NULL)
    """
    return _ids(query, [asked, asked])


def refuse_held(interaction_id):
    """Held where this may not be deleted: it says why, and what to do."""
    if not kept_among([interaction_id]):
        return
    if Hold.objects.filter(interaction_id=interaction_id, released_at=None).exists():
        raise Held("This interaction is under a legal hold. Release it before you delete it.")
    raise Held("This interaction is compared with one under a legal hold. Release that before you delete this.")


def kept_between(lower, upper, project=None):
    """The same of all ids from `lower` to before `upper`, of one project where given."""
    only = " AND h.project_id = %(project)s" if project else ""
    inside = "{0} >= %(lower)s AND {0} < %(upper)s" + only
    query = _KEPT.format(held=inside.format("h.interaction_id"), compared=inside.format("p.other_id"))
    return _ids(query, {"lower": lower, "upper": upper, "project": project and project.pk})


def _ids(query, values):
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return {pk for (pk,) in cursor.fetchall()}
