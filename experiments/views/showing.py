"""A test's page: what its figures say at this moment, why, and what may be done about it."""

from dataclasses import asdict

from django.http import JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.permissions import DEPLOY
from experiments.forms import DecideForm
from experiments.models import Arm, JudgedBy, State
from experiments.report import by_label, label_keys, report
from experiments.templatetags.experiments import Words
from experiments.views import drawing
from experiments.views.drawn import drawn, label_rows, pairs_address
from experiments.views.gate import may, status, test_for
from feedback.rollups import comparisons


@require_safe
@vary_on_headers("HX-Request", "HX-History-Restore-Request")
def ab_test_detail(request, project, test):
    """The page; its figures alone for htmx, which asks for them every few seconds while the test runs."""
    project, test = test_for(request, project, test)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "experiments/_live.html", {**_context(project, test), "live": True})
    return page(request, project, test)


def page(request, project, test, form=None):
    """The whole page, with a decision that was refused in its `form`."""
    context = _context(project, test)
    if DEPLOY in project.permissions and not context["is_over"]:
        arms, best = context["arms"], context["drawn"].leader
        chosen = best.reported.letter if best else arms[0].letter
        context["form"] = form or DecideForm(arms=arms, initial={"winner": chosen})
    context["refused"] = form if context["is_over"] else None
    return render(request, "experiments/ab_test_detail.html", context, status=422 if form else 200)


def _context(project, test):
    found = report(test)
    test = found.test
    one, other = (arm.model.key for arm in found.arms[:2])
    has_pairs = bool(comparisons(project).get(test.feedback_key_id))
    return {
        "project": project,
        "nav": "ab_tests",
        "test": test,
        "report": found,
        "arms": [arm.arm for arm in found.arms],
        "drawn": drawn(project, found),
        "decision": found.decision,
        "is_over": test.state in {State.DONE, State.CANCELLED},
        "status": status(test),
        "pairs": pairs_address(project, test, other, one) if has_pairs else "",
        "by_preference": test.judged_by == JudgedBy.PREFERENCE,
        **may(project),
    }


@require_safe
@vary_on_headers("HX-Request", "HX-History-Restore-Request")
def ab_test_labels(request, project, test):
    """An arm against the control by the values of a label; a part of the page, or without scripts one of its own."""
    project, test = test_for(request, project, test)
    arms = list(Arm.objects.filter(test=test).select_related("model"))
    keys, letter = label_keys(test), request.GET.get("arm", "B")
    arm = next((one for one in arms[1:] if one.letter == letter), arms[1])
    label = request.GET.get("label") or (keys[0] if keys else "")
    found = by_label(test, label, arm) if label in keys else None
    words = Words(test.judged_by == JudgedBy.PREFERENCE or test.feedback_key.kind == "bool")
    lower = test.feedback_key.lower_is_better and test.judged_by == JudgedBy.METRIC
    context = {
        "project": project,
        "nav": "ab_tests",
        "test": test,
        "keys": keys,
        "label": label,
        "arm": arm,
        "arms": arms,
        "colour": drawing.colour(arm.position),
        "found": found,
        "words": words,
        "rows": label_rows(found, words, lower_is_better=lower) if found else [],
    }
    alone = request.htmx and not request.htmx.history_restore_request
    return render(request, f"experiments/{'_by_label' if alone else 'ab_test_labels'}.html", context)


# -- to keep --------------------------------------------------------------------------------------
@require_safe
def ab_test_record(request, project, test):
    """What was decided, with which numbers and by which rule; of a test that runs what its figures say now."""
    project, test = test_for(request, project, test)
    found = report(test)
    answer = JsonResponse(record_of(project, found), json_dumps_params={"ensure_ascii": False, "indent": 2})
    day = timezone.localdate().isoformat()
    answer.headers["Content-Disposition"] = f'attachment; filename="{test.key}-record-{day}.json"'
    return answer


def record_of(project, found):
    """A Report as plain values."""
    test = found.test
    return {
        "project": project.key,
        "test": {
            "key": test.key,
            "name": test.name,
            "feedback_key": test.feedback_key.key,
            "judged_by": test.judged_by,
            "state": test.state,
            "sequence": found.sequence,
            "traffic_split": test.traffic_split,
            "smallest_effect": test.smallest_effect,
            "planned_n": test.planned_n,
            "planned_days": test.planned_days,
            "auto_deploy": test.auto_deploy,
            "created_at": test.created_at,
            "sequence_started_at": test.sequence_started_at,
            "ended_at": test.ended_at,
        },
        "arms": [{"letter": one.letter, "model": one.model.key, "weight": one.arm.weight} for one in found.arms],
        "decision": _decision(found.decision),
        "now": {
            "as_of": found.as_of,
            "verdict": found.verdict._asdict(),
            "gates": [gate._asdict() for gate in found.gates],
            "figures": asdict(found.judgement),
        },
        "log": [
            {"at": event.at, "by": event.by.email if event.by else None, "text": event.text} for event in found.events
        ],
    }


def _decision(decision):
    if decision is None:
        return None
    winner = decision.winner
    return {
        "at": decision.at,
        "winner": winner.letter if winner else None,
        "by": decision.by.email if decision.by else None,
        "reason": decision.reason,
        "rule": decision.rule,
        "deployed": decision.deployed,
        "former_default": decision.former.key if decision.former else None,
        "rolled_back_at": decision.rolled_back_at,
        "gates": decision.gates,
        "figures": decision.figures,
    }
