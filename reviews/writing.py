"""What answers become: labels, feedback, preferences, corrections; and taking it back.

What was written is told as JSON, so that it can be taken back whenever: what somebody changed since is left alone.
"""

from uuid import UUID

from django.db import transaction
from django.http import QueryDict

from feedback.corrections import correct_completion, correction_of, withdraw_correction
from feedback.giving import give_feedback, withdraw_feedback
from feedback.models import Correction, Feedback, Origin, Outcome
from feedback.preferences import NewPreference, insert_preferences, withdraw_preference
from feedback.services import key_or_404, keys_of
from interactions import ids
from interactions.labels import remove_labels, set_labels
from interactions.models import Interaction, InteractionBody, Label
from interactions.rules import Conflict
from projects.access import EntityNotFound
from reviews.models import Review
from reviews.questions import CORRECTION, PAIR, SEVERAL, YES_NO, plain

TIES = {"tie": Outcome.TIED, "both_bad": Outcome.TIED_BAD}
MOST_ALIKE = 1_000
FAILS = (ValueError, Conflict, EntityNotFound)  # the key is gone, or takes other values now; too many labels


def locked_sides(item):
    """{interaction id: Interaction} of the item's one or two that are still there; they are locked in one order, with
    all that the item stands for."""
    wanted = [one for one in (item.interaction_id, item.other_id) if one]
    everything = [*wanted, *alike(item)]
    rows = Interaction.objects.select_for_update(of=("self",)).filter(project=item.queue.project, pk__in=everything)
    rows = {row.pk: row for row in rows.order_by("pk") if row.pk in wanted}
    for row in rows.values():
        row.project = item.queue.project
    return rows


def alike(item):
    """The ids of the interactions that the item stands for, itself aside: of a folded sample all of the project that
    are alike, the newest 1,000."""
    sample = item.sample
    if sample is None or "near" not in QueryDict(sample.query).getlist("fold"):
        return []
    own = Interaction.objects.filter(pk=item.interaction_id, images=0).values_list("near_hash", flat=True).first()
    if own is None:
        return []
    rows = Interaction.objects.filter(project=item.queue.project, images=0, near_hash=own).exclude(source="simulation")
    return list(rows.exclude(pk=item.interaction_id).order_by("-pk").values_list("pk", flat=True)[:MOST_ALIKE])


# -- what one person says -------------------------------------------------------------------------
def write_own(review, sides):
    """Her feedback, preferences and corrections, under her name. A list of {"what", …}; what cannot be written is
    {"failed": question key, "why"}."""
    written, keys = [], None
    for question in review.form.questions:
        name, key = next(iter((question["writes"] or {}).items()), (None, None))
        answer = review.answers.get(question["key"])
        if name in {None, "label"} or answer is None:
            continue
        keys = keys_of(review.queue.project) if keys is None else keys
        try:
            with transaction.atomic():
                written.append(_OWN[name](review, question, key, answer, sides, keys))
        except FAILS as why:
            written.append({"failed": question["key"], "why": str(why)})
    return [one for one in written if one]


def _feedback(review, question, key, answer, sides, keys):
    interaction = sides.get(review.item.interaction_id)
    if interaction is None:
        return None
    key = key_or_404(keys, key)
    value = answer if isinstance(answer, (bool, int)) else float(answer)
    value = int(value) if question["kind"] == YES_NO else value
    change = give_feedback(
        interaction=interaction, key=key, value=value, by=review.by, details=review.comment, origin=Origin.REVIEWER
    )
    return {"what": "feedback", "interaction": str(interaction.pk), "id": str(change.id)}


def _preference(review, question, key, answer, sides, keys):
    item = review.item
    if item.other_id is None or len(sides) < 2:
        return None
    meant = plain(question, answer, review.swapped)
    first, second = (item.other_id, item.interaction_id) if meant == "b" else (item.interaction_id, item.other_id)
    row = NewPreference(
        ids.make(ids.now()), key_or_404(keys, key), first, second, TIES.get(meant, Outcome.WON), origin=Origin.REVIEWER
    )
    insert_preferences(project=item.queue.project, rows=[row], by=review.by)
    return {"what": "preference", "interaction": str(first), "id": str(row.id)}


def _correction(review, question, key, answer, sides, keys):
    interaction = sides.get(review.item.interaction_id)
    if interaction is None:
        return None
    said = InteractionBody.objects.filter(pk=interaction.pk).values_list("completion", flat=True).first()
    if answer == said:
        return None  # left as it was: nothing is corrected
    former = correction_of(interaction.pk)
    row = correct_completion(interaction=interaction, completion=answer, by=review.by)
    former = str(former.id) if former else None
    return {"what": "correction", "interaction": str(interaction.pk), "id": str(row.id), "former": former}


_OWN = {"feedback": _feedback, "preference": _preference, "correction": _correction}


def take_back_own(written, sides, by):
    """Undo what `write_own` told of."""
    for one in written:
        interaction = sides.get(UUID(one["interaction"])) if "what" in one else None
        if interaction is None:
            continue
        try:
            with transaction.atomic():
                _BACK[one["what"]](interaction, one, by)
        except FAILS:
            pass  # somebody changed it since: hers is history already


def _back_feedback(interaction, one, by):
    row = Feedback.objects.current().filter(interaction_id=interaction.pk, id=one["id"]).first()
    if row:
        withdraw_feedback(interaction=interaction, feedback_id=row.id, by=by)


def _back_preference(interaction, one, by):
    withdraw_preference(project=interaction.project, interaction_id=interaction.pk, preference_id=one["id"])


def _back_correction(interaction, one, by):
    """The one before it stands again; of one that stands no more, no later undo finds it as the one before."""
    current = correction_of(interaction.pk)
    if current is None or str(current.id) != one["id"]:
        _rename_correction(interaction, one["id"], one["former"])
        return
    withdraw_correction(interaction=interaction, by=by)
    if one["former"]:
        former = Correction.objects.select_related("by").get(interaction_id=interaction.pk, id=one["former"])
        again = correct_completion(interaction=interaction, completion=former.completion, by=former.by)
        _rename_correction(interaction, one["former"], str(again.id))


def _rename_correction(interaction, old, new):
    """Where reviews of the interaction, of whatever queue, tell of the one they now tell of the other, or of None."""
    for review in Review.objects.filter(item__interaction_id=interaction.pk, written__has_key="own"):
        told = [one for one in review.written["own"] if one.get("what") == "correction"]
        stale = [(one, name) for one in told for name in ("id", "former") if one[name] == old]
        for one, name in stale:
            one[name] = new
        if stale:
            review.save(update_fields=["written"])


_BACK = {"feedback": _back_feedback, "preference": _back_preference, "correction": _back_correction}


# -- what all say ---------------------------------------------------------------------------------
def write_labels(item, said, sides, by):
    """Set the labels that these answers mean, on all that the item stands for: `said` is [(question, answer)]. A list
    of what was changed, {"key", "value", "former", "interactions"}; what cannot be written is {"failed": question key,
    "why"}."""
    written = []
    on = [item.interaction_id, *alike(item)] if item.interaction_id in sides else []
    for question, answer in said if on else ():
        for key, value in labels_of_answer(question, answer):
            try:
                written += _set_label(item.queue.project, on, key, value, by)
            except FAILS as why:
                written.append({"failed": question["key"], "why": str(why)})
    return written


def labels_of_answer(question, answer):
    """[(label key, value)] that an answer means. One of several options has a key of its own, key/option: yes."""
    key = (question["writes"] or {}).get("label")
    if key is None or question["kind"] in {PAIR, CORRECTION}:
        return []
    if question["kind"] == SEVERAL:
        return [(f"{key}/{one}", "yes") for one in answer]
    return [(key, {True: "yes", False: "no"}[answer] if isinstance(answer, bool) else str(answer))]


def _set_label(project, on, key, value, by, restores=False):
    change = set_labels(project=project, ids=on, key=key, value=value, by=by, restores=restores)
    former = {label for *_, label in change.events if label is not None}
    values = dict(Label.objects.filter(pk__in=former).values_list("pk", "value"))
    groups = {}
    for one, _, label in change.events:
        groups.setdefault(values.get(label), []).append(str(one))
    return [{"key": key, "value": value, "former": before, "interactions": ids} for before, ids in groups.items()]


def take_back_labels(item, written, by):
    """Undo what `write_labels` told of, the last first; labels that somebody changed since are left alone."""
    project = item.queue.project
    for one in reversed([one for one in written if "failed" not in one]):
        held = Label.objects.filter(project=project, key=one["key"], value=one["value"]).first()
        rows = Interaction.objects.filter(project=project, pk__in=one["interactions"])
        still = [row.pk for row in rows.only("pk", "label_ids") if held and held.pk in row.label_ids]
        if still and one["former"] is None:
            remove_labels(project=project, ids=still, key=one["key"], by=by)
        elif still:
            _set_label(project, still, one["key"], one["former"], by, restores=True)
