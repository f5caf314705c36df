"""What changes A/B tests. Keywords only, each in one transaction; each leaves a line in the test's log.

All lock the project first, as changes of its models do, then the test: nobody waits in a circle.
"""

import datetime

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.audit import record
from accounts.permissions import DEPLOY
from experiments import buckets, figures, folding
from experiments.gates import rule
from experiments.models import BUCKETS, RUNNING, ABTest, Arm, Decision, Event, JudgedBy, State, WatchedKey
from experiments.rules import check, watched_keys
from feedback.services import keys_of
from interactions.rules import Conflict, RecordError, text_fault
from projects.access import EntityNotFound
from projects.models import Project
from registry.models import Attachment
from registry.services import default_of, default_serves, set_default


# -- finding --------------------------------------------------------------------------------------
def tests_of(project):
    """The project's ABTests, the newest first, each with its arms and their models."""
    tests = ABTest.objects.filter(project=project).select_related("feedback_key", "created_by")
    return tests.prefetch_related("arms__model", "watched_keys__feedback_key").order_by("-pk")


def test_or_404(project, key):
    """The project's test; EntityNotFound. Its `.project` is this one."""
    found = None if text_fault(str(key)) else tests_of(project).filter(key=key).first()
    if found is None:
        raise EntityNotFound("A/B test", key)
    found.project = project
    return found


test_or_404.__test__ = False  # its name is no test of pytest's


# -- making ---------------------------------------------------------------------------------------
def create_test(
    *,
    project,
    by,
    key,
    name,
    feedback_key,
    models,
    judged_by="metric",
    weights=None,
    traffic_split=1.0,
    smallest_effect=0.0,
    planned_n=200,
    planned_days=3.0,
    auto_deploy=False,
    watched=(),
):
    """A running ABTest. `feedback_key` is a FeedbackKey of the project, `models` are its attached Models, the control
    first, `weights` one for each (equal where None), `watched` is (another FeedbackKey, its margin or None) each,
    `project` comes from the gate with its `.permissions`.

    RecordError tells faults by field (key, name, feedback_key, judged_by, models, weights, traffic_split,
    smallest_effect, planned_n, planned_days, auto_deploy, watched); Conflict: the key is taken, or the project is
    archived; PermissionDenied: auto_deploy without DEPLOY.
    """
    weights = [1.0] * len(models) if weights is None else weights
    plan = {"smallest_effect": smallest_effect, "planned_n": planned_n, "planned_days": planned_days}
    plan |= {"name": name, "judged_by": judged_by, "auto_deploy": auto_deploy}
    turned = judged_by == JudgedBy.METRIC and feedback_key.lower_is_better
    check(key=key, models=models, weights=weights, traffic_split=traffic_split, **plan)
    also = watched_keys(watched, judged_by=judged_by, feedback_key=feedback_key)
    if auto_deploy and DEPLOY not in project.permissions:
        raise PermissionDenied(f"A test that decides by itself needs the permission {DEPLOY} in {project.key}.")
    with transaction.atomic():
        Project.objects.lock(project)
        _check_known(project, feedback_key, models, [key for key, _ in watched])
        own = _taken(project, traffic_split)
        try:
            with transaction.atomic():
                test = ABTest.objects.create(
                    project=project, key=key, feedback_key=feedback_key, traffic_split=traffic_split, buckets=own,
                    lower_is_better=turned, created_by=by, **plan,
                )  # fmt: skip
        except IntegrityError:
            raise Conflict(f"{project.key} has, or had, an A/B test {key}; send another key.") from None
        Arm.objects.bulk_create(
            Arm(test=test, position=place, model=model, weight=weight)
            for place, (model, weight) in enumerate(zip(models, weights, strict=True))
        )
        for one in also:
            one.test = test
        WatchedKey.objects.bulk_create(also)
        tell(test, by, f"Started with {_percent(traffic_split)} of the units: {', '.join(m.key for m in models)}.")
    test.refresh_from_db()
    test.project = project
    return test


def _check_known(project, feedback_key, models, watched):
    known = keys_of(project)
    for field, key in (("feedback_key", feedback_key), *(("watched", key) for key in watched)):
        if key.key not in known:
            raise RecordError({field: [f"{project.key} has no feedback key {key.key}."]})
    attached = Attachment.objects.filter(project=project, detached_at=None).values_list("model_id", flat=True)
    if missing := [model.key for model in models if model.pk not in set(attached)]:
        raise RecordError({"models": [f"{missing[0]} is not attached to {project.key}; attach it first."]})
    if project.archived_at:
        raise Conflict(f"The project {project.key} is archived and takes no interactions.")


def free_share(project):
    """The share of the project's units, from 0 to 1, that no running test has."""
    return buckets.size(_free(project)) / BUCKETS


def _free(project, besides=None):
    running = ABTest.objects.filter(project=project, state__in=RUNNING).exclude(pk=besides)
    taken = [pair for pairs in running.values_list("buckets", flat=True) for pair in pairs]
    return buckets.free_of(taken, BUCKETS)


def _taken(project, share, test=None):
    """Buckets for this share of the units, as many as can be those that the test has."""
    number = max(1, round(share * BUCKETS))
    others = _free(project, test and test.pk)  # the test's own among them
    if number > buckets.size(others):
        free = buckets.size(others) / BUCKETS
        told = f"only {free:g} is free" if free else "nothing is free"
        raise RecordError(
            {"traffic_split": [f"Other tests run: {told}, {share:g} was asked. Units are never in two tests."]}
        )
    own = test.buckets if test else []
    return buckets.resized(own, buckets.free_of([*_complement(others), *own], BUCKETS), number)


def _complement(pairs):
    return buckets.free_of(pairs, BUCKETS)


# -- while it runs --------------------------------------------------------------------------------
@transaction.atomic
def pause(*, test, by):
    """No unit meets an arm until it is resumed; the split stays reserved. Conflict where it is over, or paused."""
    test = running(test)
    if test.paused_at:
        raise Conflict(f"{test.key} is paused already.")
    _change(test, paused_at=timezone.now())
    goes = "all traffic goes to the default" if default_serves(test.project) else "no default serves calls meanwhile"
    tell(test, by, f"Paused: {goes}.")
    return test


@transaction.atomic
def resume(*, test, by):
    """Go on after a pause. Conflict where it is over, or not paused."""
    test = running(test)
    if not test.paused_at:
        raise Conflict(f"{test.key} is not paused.")
    _change(test, paused_for=test.pauses(timezone.now()), paused_at=None)
    tell(test, by, "Resumed.")
    return test


def cancel(*, test, by, reason=""):
    """End it without a decision. Conflict where it is over."""
    if reason:
        check(reason=reason)
    folding.settle()
    with transaction.atomic():
        test = running(test)
        _end(test, State.CANCELLED)
        tell(test, by, f"Cancelled: {reason}" if reason else "Cancelled.")
        record("ab-test.cancel", by=by, project=test.project, what=test.key, after={"reason": reason})
    return test


def change_split(*, test, by, weights=None, traffic_split=None):
    """Other weights begin a new sequence: units are dealt anew, and so the figures begin anew. Another share of the
    units alone leaves everybody her arm, and the figures go on. None leaves it as it is. RecordError by field, Conflict
    where the test is over."""
    folding.settle()
    with transaction.atomic():
        test = running(test)
        arms = list(test.arms.select_related("model"))
        # as it is under the lock: what is not sent stays as somebody has just made it
        former = [arm.weight for arm in arms], test.traffic_split
        weights = former[0] if weights is None else weights
        traffic_split = former[1] if traffic_split is None else traffic_split
        check(weights=weights, traffic_split=traffic_split, models=[arm.model for arm in arms])
        if (list(weights), traffic_split) == former:
            return test
        own = _taken(test.project, traffic_split, test)
        _change(test, traffic_split=traffic_split, buckets=own)
        if is_dealt_anew := list(weights) != former[0]:
            _begin_anew(test, arms, weights)
        before, after = _told(former[1], former[0]), _told(traffic_split, weights)
        goes_on = "The figures begin anew." if is_dealt_anew else "Who met an arm keeps it, and the figures go on."
        tell(test, by, f"Split changed from {before} to {after}. {goes_on}")
    return test


def _begin_anew(test, arms, weights):
    """The next sequence, by these weights."""
    for arm, weight in zip(arms, weights, strict=True):
        Arm.objects.filter(pk=arm.pk).update(weight=weight)
    begun = {"state": State.WARMUP, "first_unit_at": None, "paused_for": datetime.timedelta()}
    # by the database's clock, as the arrival of what is counted
    _change(test, **begun, sequence=test.sequence + 1, sequence_started_at=Now())
    test.refresh_from_db(fields=["sequence_started_at"])


# -- its end --------------------------------------------------------------------------------------
def decide(*, test, winner, reason, by):
    """End it with a Decision, which is returned: `winner` is an Arm, whose model becomes the project's default, or
    None. `by` None is the worker. RecordError without a reason, Conflict where it is over or the model is detached."""
    check(reason=reason)
    folding.settle()
    with transaction.atomic():
        test = running(test)
        found = figures.judged(test)
        former = default_of(test.project)
        if winner:
            _deploy(test.project, winner.model, by)
        _end(test, State.DONE)
        decision = Decision.objects.create(
            test=test, winner=winner, by=by, reason=reason.strip(),
            rule=rule(found.judgement, found.gates, is_by_hand=by is not None),
            figures=found.figures, gates=figures.gates_told(found.gates), deployed=bool(winner),
            former=former if winner else None,
        )  # fmt: skip
        won = f"Decided: {winner.letter}, {winner.model.key}, is the default now." if winner else ""
        tell(test, by, won or "Ended without a winner.")
        told = {"winner": winner.model.key if winner else None, "reason": decision.reason}
        record("ab-test.decide", by=by, project=test.project, what=test.key, after=told)
    return decision


def roll_back(*, test, by):
    """Make the former default the default again; the Decision. Conflict where nothing was deployed, where it was rolled
    back already, or where somebody made another model the default since."""
    with transaction.atomic():
        Project.objects.lock(test.project)
        found = Decision.objects.select_for_update(of=["self"]).select_related("winner__model", "former")
        decision = found.filter(test=test).first()
        _check_undoable(test, decision)
        _deploy(test.project, decision.former, by)
        decision.rolled_back_at, decision.rolled_back_by = timezone.now(), by
        decision.save(update_fields=["rolled_back_at", "rolled_back_by"])
        again = f"{decision.former.key} is the default again" if decision.former else "the project has no default again"
        tell(test, by, f"Rolled back: {again}.")
        record("ab-test.roll-back", by=by, project=test.project, what=test.key)
    return decision


def _check_undoable(test, decision):
    if decision is None or not decision.deployed:
        raise Conflict(f"{test.key} has not made any model the default: there is nothing to roll back.")
    if decision.rolled_back_at:
        raise Conflict(f"{test.key} was rolled back already.")
    current = default_of(test.project)
    if current is None or current.pk != decision.winner.model_id:
        now = current.key if current else "none"
        raise Conflict(f"Somebody changed the default since: it is {now}. Set it among the project's models.")


def _deploy(project, model, by):
    try:
        set_default(project=project, model=model, by=by)
    except EntityNotFound:
        raise Conflict(f"{model.key} is not attached to {project.key} any more: it cannot be the default.") from None


# -- what they have in common ---------------------------------------------------------------------
def running(test):
    """The test as it is now, locked; Conflict where it is over."""
    Project.objects.lock(test.project)
    locked = ABTest.objects.select_for_update(of=["self"]).select_related("feedback_key").get(pk=test.pk)
    locked.project = test.project
    if locked.state not in RUNNING:
        raise Conflict(f"{test.key} is over: it was {'decided' if locked.state == State.DONE else 'cancelled'}.")
    return locked


def _change(test, **values):
    for name, value in values.items():
        setattr(test, name, value)
    test.save(update_fields=list(values))


def _end(test, state):
    now = timezone.now()
    _change(test, state=state, ended_at=now, paused_for=test.pauses(now), paused_at=None)


def tell(test, by, text):
    Event.objects.create(test=test, by=by, text=text[:500])


def _percent(share):
    return f"{100 * share:g} %"


def _told(share, weights):
    return f"{_percent(share)} by {' : '.join(f'{weight:g}' for weight in weights)}"
