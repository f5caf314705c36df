"""Comparisons of two completions: one row a side, each with its interaction, both in one transaction."""

from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q

from feedback.models import FeedbackKey, Origin, Outcome, Preference
from feedback.rollups import PairDeltas
from interactions import bulk, claims
from interactions.models import Claim, Interaction, Source
from interactions.rules import Conflict
from interactions.touches import insert_touches

DECIDED = {Outcome.WON: Outcome.LOST, Outcome.LOST: Outcome.WON}
SHOWN = 200  # comparisons of one interaction, the newest


class Moved(Conflict):
    """What a comparison is about was deleted since it was looked up: look again."""

    def __init__(self):
        super().__init__("What this is about changed while it was being stored; send it again.")


@dataclass(slots=True)
class NewPreference:
    """A comparison, ready to be stored: `outcome` is that of the preferred one, won or one of the ties. What became
    of it: stored under its `id`, or a `duplicate` of what has this id, or the `error`."""

    id: UUID
    key: FeedbackKey
    preferred_id: UUID | None
    other_id: UUID | None
    outcome: str
    user: str = ""
    origin: str = Origin.USER
    external_id: str | None = None
    payload_sha256: bytes = b""
    duplicate: bool = False
    error: Exception | None = None


# -- giving ---------------------------------------------------------------------------------------
def unclaimed(*, project, rows):
    """The rows (NewPreference) whose external id is free so far, each id once. The others are told to be duplicates of
    what has theirs, or Conflicts."""
    digests = {id(row): _digest(project, row) for row in rows if row.external_id is not None}
    taken = claims.standing(Claim.objects.in_bulk(set(digests.values())))
    known = _known(taken, rows) if taken else {}
    free, firsts = [], {}
    for row in rows:
        claim = taken.get(digests.get(id(row)))
        if claim:
            _answer(row, bytes(claim.payload_sha256), known.get((claim.interaction_id, row.external_id)))
        elif row.external_id is None or (first := firsts.setdefault(row.external_id, row)) is row:
            free.append(row)
        else:
            _answer(row, first.payload_sha256, first.id)
    return free


def insert_preferences(*, project, rows, by):
    """Store both sides of these NewPreferences of the project, and count them; the caller has the transaction.

    The external ids must differ. Those taken meanwhile make their rows duplicates or Conflicts. Raises Moved, and
    nothing is to be kept, where an interaction is gone. The interactions are locked first, all in one order, then the
    ids are claimed, as deleting frees them after locking: nobody waits in a circle.
    """
    sides = _locked(project, {one for row in rows for one in (row.preferred_id, row.other_id)})
    rows = _claim(project, rows)
    ways = [(row, row.preferred_id, row.other_id, row.outcome) for row in rows]
    ways += [(row, row.other_id, row.preferred_id, DECIDED.get(row.outcome, row.outcome)) for row in rows]
    bulk.insert(
        "feedback_preference",
        {
            "interaction_id": ("uuid", [own for _, own, _, _ in ways]),
            "id": ("uuid", [row.id for row, *_ in ways]),
            "other_id": ("uuid", [other for _, _, other, _ in ways]),
            "project_id": ("integer", [project.pk] * len(ways)),
            "feedback_key_id": ("integer", [row.key.pk for row, *_ in ways]),
            "model_id": ("integer", [sides[own][0] for _, own, _, _ in ways]),
            "other_model_id": ("integer", [sides[other][0] for _, _, other, _ in ways]),
            "outcome": ("text", [str(outcome) for *_, outcome in ways]),
            "user": ("text", [row.user for row, *_ in ways]),
            "origin": ("text", [str(row.origin) for row, *_ in ways]),
            "by_id": ("bigint", [by.pk if by else None] * len(ways)),
            "external_id": ("text", [row.external_id for row, *_ in ways]),
        },
    )
    deltas = PairDeltas(project.pk)
    for row, own, other, outcome in ways:
        side = _Side(own, other, row.key.pk, sides[own][0], sides[other][0], str(outcome))
        _count(deltas, side, {sides[own][1], sides[other][1]})
    deltas.append()
    _touch({one: arm for one, (*_, arm) in sides.items()}, [(r.id, r.preferred_id, r.other_id) for r in rows])


def _touch(arms, compared):
    """The A/B tests are to look at these (comparison id, interaction id, other id), where both are of an arm."""
    arms = {one: arm for one, arm in arms.items() if arm is not None}
    both = [(pk, own) for pk, own, other in compared if own in arms and other in arms and arms[own] != arms[other]]
    insert_touches([(arms[own], own, pk) for pk, own in both])


def _digest(project, row):
    return claims.claim_digest(project.pk, "preference", row.external_id)


def _known(taken, rows):
    """{(interaction id, external id): preference id} of what is stored."""
    stored = Preference.objects.filter(
        interaction_id__in={claim.interaction_id for claim in taken.values()},
        external_id__in={row.external_id for row in rows if row.external_id is not None},
    )
    return {tuple(place): pk for *place, pk in stored.values_list("interaction_id", "external_id", "id")}


def _answer(row, payload_sha256, known_id):
    if payload_sha256 == row.payload_sha256 and known_id:
        row.id, row.duplicate = known_id, True
    else:
        why = "is being freed at this moment; send it again" if not known_id else "is taken by another payload"
        row.error = Conflict(f"The external_id {row.external_id!r} {why}.")


def _locked(project, ids):
    """{interaction id: (model id, source, arm)}; none of them can be deleted until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, model_id, source, arm FROM interactions_interaction WHERE project_id = %s AND id = ANY(%s)
            ORDER BY id FOR KEY SHARE
            """,
            [project.pk, sorted(ids)],
        )
        found = {pk: tuple(rest) for pk, *rest in cursor.fetchall()}
    if ids - found.keys():
        raise Moved
    return found


def _claim(project, rows):
    """The rows that are to be stored."""
    digests = {_digest(project, row): row for row in rows if row.external_id is not None}
    won = claims.take({digest: (row.preferred_id, row.payload_sha256) for digest, row in digests.items()})
    lost = [digests[digest] for digest in digests.keys() - won]
    if unclaimed(project=project, rows=lost):
        raise Moved  # taken a moment ago, and free again by now
    gone = set(map(id, lost))
    return [row for row in rows if id(row) not in gone]


# -- counting -------------------------------------------------------------------------------------
class _Side(NamedTuple):
    """One row as far as it counts."""

    interaction_id: UUID
    other_id: UUID
    key_id: int
    model_id: int | None
    other_model_id: int | None
    outcome: str
    comparison_id: UUID | None = None


def _count(deltas, side, sources, sign=1):
    """Of the two rows of a comparison one counts: that of the smaller model; of one model alone the winner's, or that
    of the smaller id where they tied. Simulated traffic is counted nowhere."""
    if Source.SIMULATION in sources:
        return
    own, other = side.model_id or 0, side.other_model_id or 0
    first = side.outcome == Outcome.WON or (side.outcome != Outcome.LOST and side.interaction_id < side.other_id)
    if own < other or (own == other and first):
        deltas.comparison(side.key_id, own, other, side.outcome, sign)


# -- deleting -------------------------------------------------------------------------------------
def withdraw_preference(*, project, interaction_id, preference_id):
    """Delete and uncount one comparison, which has no external id, on both sides; nothing where it is gone already.
    The caller has the transaction."""
    sides = Preference.objects.filter(project=project, interaction_id=interaction_id, id=preference_id)
    for one in sides.values_list("interaction_id", "other_id"):
        rows = Preference.objects.select_for_update().filter(interaction_id__in=one, id=preference_id)
        found = list(rows.order_by("interaction_id"))
        Preference.objects.filter(interaction_id__in=one, id=preference_id).delete()
        _uncount(
            project,
            [
                _Side(
                    row.interaction_id,
                    row.other_id,
                    row.feedback_key_id,
                    row.model_id,
                    row.other_model_id,
                    row.outcome,
                    row.id,
                )  # fmt: skip
                for row in found
            ],
        )


def forget_preferences(*, project, rows, touch=True):
    """Delete and uncount the comparisons of these interactions, on both sides; their external ids are free again.

    The interactions are locked and still there; the caller has the transaction. Who deletes the other side at the
    same moment waits here, and finds nothing left: both lock the rows of comparisons in one order. Running A/B tests
    are to `touch` what went.
    """
    gone = [row.pk for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH sides AS (
                SELECT interaction_id, other_id, id FROM feedback_preference WHERE interaction_id = ANY(%s)
            ), places AS (
                SELECT interaction_id, id FROM sides UNION SELECT other_id, id FROM sides
            )
            SELECT p.id, p.external_id, p.interaction_id, p.other_id, p.feedback_key_id, p.model_id, p.other_model_id,
                p.outcome
            FROM feedback_preference p JOIN places USING (interaction_id, id)
            ORDER BY p.id, p.interaction_id FOR UPDATE OF p
            """,
            [gone],
        )
        found = [(pk, external_id, _Side(*side, pk)) for pk, external_id, *side in cursor.fetchall()]
        cursor.execute(
            """
            DELETE FROM feedback_preference p USING unnest(%s::uuid[], %s::uuid[]) AS gone(interaction_id, id)
            WHERE p.interaction_id = gone.interaction_id AND p.id = gone.id
            """,
            [[side.interaction_id for *_, side in found], [pk for pk, *_ in found]],
        )
    _uncount(project, [side for *_, side in found], touch)
    claims.release(project, "preference", {text for _, text, _ in found if text is not None})


def _uncount(project, sides, touch=True):
    """The other interactions are still there: whoever deleted one would have deleted the comparison before."""
    involved = {one for side in sides for one in (side.interaction_id, side.other_id)}
    rows = list(Interaction.objects.filter(pk__in=involved).values_list("pk", "source", "arm"))
    sources, arms = {pk: source for pk, source, _ in rows}, {pk: arm for pk, _, arm in rows}
    deltas = PairDeltas(project.pk)
    for side in sides:
        _count(deltas, side, {sources.get(side.interaction_id), sources.get(side.other_id)}, sign=-1)
    deltas.append()
    if touch:
        _touch(arms, [(side.comparison_id, side.interaction_id, side.other_id) for side in sides])


# -- reading --------------------------------------------------------------------------------------
def preferences_of(interaction):
    """The interaction's own sides of its comparisons under the keys that its project uses, newest first, up to 200:
    Preferences with `feedback_key`, `other_model` and `by`."""
    return list(
        Preference.objects.filter(interaction_id=interaction.pk, feedback_key__links__project=interaction.project_id)
        .select_related("feedback_key", "other_model", "by")
        .order_by("-id")[:SHOWN]
    )


class Behind(NamedTuple):
    """A page of Preferences as the first model's side tells them, and the cursor to go on, None at the end."""

    rows: list
    next: str | None


def pairs_behind(project, key, model_id, other_model_id, outcome=None, cursor=None, limit=50, among=None):
    """The comparisons that a count is made of, newest first, as a Behind: `outcome` is the first model's, one or
    several of Outcome. Model ids as in the matrix, 0 for none; within one model each comparison comes once,
    as the winner's side. `among`: a queryset with `comparison_id`, of those alone. ValueError for a cursor that is
    none."""
    simulated = Interaction.objects.filter(source=Source.SIMULATION)
    rows = Preference.objects.filter(
        ~Exists(simulated.filter(pk=OuterRef("interaction_id"))),
        ~Exists(simulated.filter(pk=OuterRef("other_id"))),
        project=project,
        feedback_key=key,
        model=model_id or None,
        other_model=other_model_id or None,
    )
    if among is not None:
        rows = rows.filter(Exists(among.filter(comparison_id=OuterRef("id"))))
    if outcome is not None:
        rows = rows.filter(outcome__in=[outcome] if isinstance(outcome, str) else list(outcome))
    if model_id == other_model_id:
        ordered = Q(interaction_id__lt=F("other_id"))
        rows = rows.filter(Q(outcome=Outcome.WON) | ~Q(outcome=Outcome.LOST) & ordered)
    if cursor:
        rows = rows.filter(id__lt=_read_cursor(cursor))
    found = list(rows.select_related("by", "model", "other_model").order_by("-id")[: limit + 1])
    return Behind(found[:limit], str(found[limit - 1].id) if len(found) > limit else None)


def _read_cursor(cursor):
    try:
        return UUID(cursor)
    except ValueError:
        raise ValueError("This is no cursor of this list.") from None
