"""A test's record, to keep: what was decided, with which numbers and by which rule."""

from dataclasses import asdict

from django.http import JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from experiments.report import report
from experiments.views.gate import test_for


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
    return {
        "project": project.key,
        "test": _test(found),
        "arms": [{"letter": one.letter, "model": one.model.key, "weight": one.arm.weight} for one in found.arms],
        "decision": _decision(found.decision),
        "now": {
            "as_of": found.as_of,
            "verdict": found.verdict._asdict(),
            "gates": [gate._asdict() for gate in found.gates],
            "figures": asdict(found.judgement) | {"watched": [asdict(one) for one in found.watched]},
        },
        "log": [
            {"at": event.at, "by": event.by.email if event.by else None, "text": event.text} for event in found.events
        ],
    }


def _test(found):
    test = found.test
    return {
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
