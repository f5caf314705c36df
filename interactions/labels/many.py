"""Labelling everything that a filter finds, and taking such work back: what is asked for, and what one slice does.

The walk through the filter is the worker's (tasks.py). All of it is Jobs, whose `place` says how far they are.
"""

from uuid import UUID

from django.db import transaction
from django.urls import reverse

from interactions import ids
from interactions.labels.changes import back_to, change
from interactions.labels.dictionary import names_of, resolve_labels, unfit_keys
from interactions.labels.keys import refuse_value
from interactions.models import Label, LabelEvent
from interactions.rules import Conflict, label_fault, text_fault
from interactions.times import pinned
from jobs.models import Job, State
from jobs.services import begin
from jobs.work import Work

LABEL, UNDO = "interactions.label", "interactions.label_undo"
NEW = {"at": None, "looked": 0, "changed": 0, "left": 0}  # the place of work that begins


@transaction.atomic
def begin_labelling(*, project, by, query, key, value=None, at_once=()):
    """Give everything that the filter's query string finds this label, or with no value take the key away; a Job.
    Interactions of the ids `at_once` get it now, and are undone with the rest. ValueError for what is no label, or a
    value that its key does not allow."""
    names = names_of(project.pk)
    if value is None:
        if not key or text_fault(key):
            raise ValueError("Name the key that is to be taken away.")
        key = names.key(key)
        title = f"Take the label {key} away"
    else:
        if fault := label_fault(key, value):
            raise ValueError(fault)
        key, value = names.pair(key, value)
        refuse_value(project, key, value)
        for fault in unfit_keys(project=project, keys=[key]).values():
            raise ValueError(fault)
        title = f"Label {key}:{value}"
    parameters = {"query": pinned(query, ids.now()), "key": key, "value": value}
    job = begin(project=project, by=by, kind=LABEL, title=title, parameters=parameters)
    if at_once:
        work = Work(job)
        place = label_slice(work=work, ids=at_once, place=NEW | {"over": False})
        tell(work=work, place=place)
        work.advance(len(at_once), place)
    return job


def label_slice(*, work, ids, place):
    """Label these ids of a labelling under way; the place behind them, but for where the walk goes on."""
    names = names_of(work.project.pk)
    key, value = work.parameters["key"], work.parameters["value"]
    wanted = value and resolve_labels(project=work.project, pairs={(key, value)})[key, value]
    done = change(
        project=work.project, interaction_ids=ids, keys=names.all_of(key), target=lambda one, held: wanted,
        by=work.by, job=work.job, skip_full=True,
    )  # fmt: skip
    return {
        **place,
        "looked": place["looked"] + len(ids),
        "changed": place["changed"] + done.number,
        "left": place["left"] + done.full,
    }


def begin_undo(*, project, by, job):
    """Take back what a labelling, or an undoing of one, has done; a Job. Conflict while that is under way, and where it
    is no labelling."""
    if job.kind not in {LABEL, UNDO}:
        raise Conflict("This is no labelling; it cannot be undone.")
    if not job.has_ended:
        raise Conflict("This is under way; cancel it first, or wait for its end.")
    title = f"Undo: {job.title}" if job.kind == LABEL else f"Do again: {job.title.removeprefix('Undo: ')}"
    number = (job.place or NEW)["changed"]
    return begin(project=project, by=by, kind=UNDO, title=title, parameters={"job": str(job.pk)}, total=number)


def undo_slice(*, work, place, limit):
    """Take back the next `limit` interactions that a job changed; (how many, the place behind them, None where there
    are no more). What somebody changed since stays as it is."""
    job_id = UUID(work.parameters["job"])
    rows = LabelEvent.objects.filter(job_id=job_id)
    if place["at"]:
        rows = rows.filter(interaction_id__gt=place["at"])
    ids = list(rows.order_by("interaction_id").values_list("interaction_id", flat=True).distinct()[:limit])
    if not ids:
        return 0, None
    events = list(LabelEvent.objects.filter(interaction_id__in=ids).order_by("id"))
    keys = _keys(work.project, events)
    undoes, former = _undoings(work.project), {}
    for (key, one), history in _histories(events, keys, job_id, undoes).items():
        if history[-1].job_id == job_id:
            former.setdefault(key, {})[one] = _own(history, job_id, undoes)
    back = sum(_restore(work, key, changed) for key, changed in former.items())
    return len(ids), {
        "at": str(ids[-1]),
        "looked": place["looked"] + len(ids),
        "changed": place["changed"] + back,
        "left": place["left"] + len(ids) - back,
    }


def _keys(project, events):
    """{label id: the name in force of its key} of all labels in these events."""
    names = names_of(project.pk)
    labels = Label.objects.in_bulk({pk for one in events for pk in (one.label_id, one.former_id) if pk is not None})
    return {pk: names.key(label.key) for pk, label in labels.items()}


def _undoings(project):
    """{job id: the id of the job that it undoes} of the undoings that hold, as they were asked for or are done."""
    rows = Job.objects.filter(project=project, kind=UNDO).exclude(state__in=[State.CANCELLED, State.FAILED])
    undoes = {pk: UUID(of) for pk, of in rows.order_by("created_at").values_list("pk", "parameters__job")}
    for pk in reversed(list(undoes)):  # an undoing is always asked for after what it undoes
        if pk in undoes:
            undoes.pop(undoes[pk], None)
    return undoes


def _histories(events, keys, job_id, undoes):
    """{(key, interaction id): [LabelEvent]} of what was done and was not taken back, but for the job's own; the events
    are in their order. What a job did and another took back again is no change."""
    found = {}
    for one in events:
        key = keys.get(one.label_id if one.label_id is not None else one.former_id)
        there = found.setdefault((key, one.interaction_id), [])
        last = there[-1] if there else None
        takes_back = last and last.job_id != job_id and one.job_id and undoes.get(one.job_id) == last.job_id
        if takes_back and (one.label_id, one.former_id) == (last.former_id, last.label_id):
            there.pop()
        else:
            there.append(one)
    return {place: there for place, there in found.items() if there}


def _own(history, job_id, undoes):
    """(label id or None, label id before or None) of what the job did last in this history. Where what was before was
    given by a job that was undone since, which left it alone because this came after it, it is the one before that."""
    while history and history[-1].job_id == job_id:  # several, of an interaction that had two keys of a merge
        own = history.pop()
    before, undone = own.former_id, set(undoes.values())
    for one in reversed(history):
        if one.label_id != before or one.job_id not in undone:
            break
        before = one.former_id
    return own.label_id, before


def _restore(work, key, former):
    """How many of these interactions have again what they had; {interaction id: (label id, former id)}."""
    return change(
        project=work.project, interaction_ids=list(former), keys=names_of(work.project.pk).all_of(key),
        target=back_to(former), by=work.by, job=work.job, skip_full=True,
    ).number  # fmt: skip


@transaction.atomic
def tell(*, work, place):
    """Write down what is done so far, so that it is told however the work ends; and what takes it back."""
    address = reverse("label_job_undo", kwargs={"project": work.project.uid, "job_id": work.job.pk})
    told = {"text": _text(work.job, place), "changed": place["changed"]}
    if place["changed"]:
        name = "Undo" if work.job.kind == LABEL else "Undo this too"
        told["actions"] = [{"name": name, "href": address, "method": "post"}]
    Job.objects.filter(pk=work.job.pk).update(result=told)
    return told


def _text(job, place):
    changed, left, sets = place["changed"], place["left"], job.parameters.get("value") is not None
    if job.kind == UNDO:
        told = [f"{_number(changed)} as before"]
        told += [f"{left:,} changed since and left as they are"] if left else []
    else:
        had = place["looked"] - changed - left
        told = [f"{_number(changed)} {'labelled' if sets else 'freed of it'}"]
        told += [f"{had:,} had {'it already' if sets else 'none'}"] if had else []
        told += [f"{left:,} have as many labels as one may"] if left else []
    return "; ".join(told) + "."


def _number(n):
    return f"{n:,} interaction{'' if n == 1 else 's'}"
