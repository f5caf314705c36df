"""Comparisons under a key: which model wins against which, and the pairs behind each count."""

from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts.permissions import MANAGE_PROJECT
from experiments.models import CountedVote
from experiments.services import test_or_404
from feedback.matrix import win_matrix
from feedback.models import Outcome
from feedback.preferences import pairs_behind
from feedback.rollups import comparisons
from feedback.services import key_or_404, keys_of
from feedback.views import links
from feedback.views.figures import Estimate, axis_of, interval_row
from interactions.models import Interaction
from interactions.plain import PREVIEW
from interactions.rules import text_fault
from projects.access import EntityNotFound, project_or_404
from registry.models import Model

TIES = (Outcome.TIED, Outcome.TIED_GOOD, Outcome.TIED_BAD)
OUTCOMES = {
    "won": (Outcome.WON,),
    "lost": (Outcome.LOST,),
    "tied": TIES,
    "tied_good": (Outcome.TIED_GOOD,),
    "tied_bad": (Outcome.TIED_BAD,),
}


# -- the matrix -----------------------------------------------------------------------------------
@require_safe
def feedback_comparisons(request, project, key):
    """Strengths of the models and the matrix of their win rates, exact from the roll-up."""
    project = project_or_404(request.user, project)
    key = key_or_404(keys_of(project), key)
    matrix = win_matrix(project, key)
    strengths = [Estimate(one.strength, one.low, one.high) for one in matrix.models]
    axis = axis_of([*strengths, Estimate(0)], 300)
    context = {
        **_of_key(project, key),
        "standings": [(one, interval_row(at, axis)) for one, at in zip(matrix.models, strengths, strict=True)],
        "zero": axis.at(0),
        "grid": _grid(project, key, matrix),
        "within": [(one, _pairs(project, key, one.model, one.model)) for one in matrix.within],
        "matrix": matrix,
    }
    return render(request, "feedback/feedback_comparisons.html", context)


def _of_key(project, key):
    """What the head of a key's page shows."""
    return {
        "project": project,
        "nav": "feedback",
        "key": key,
        "tab": "comparisons",
        "may_manage": MANAGE_PROJECT in project.permissions,
        "comparisons": comparisons(project).get(key.pk, 0),
    }


def _grid(project, key, matrix):
    """[(a row's Standing, [(Pair as the row sees it or None, the address of what is behind it)])]"""
    met = {}
    for pair in matrix.pairs:
        met[pair.a_id, pair.b_id], met[pair.b_id, pair.a_id] = pair, pair.turned()

    def cell(a, b):
        pair = met.get((a.model_id, b.model_id))
        return pair, _pairs(project, key, a.model, b.model) if pair else ""

    return [(a, [cell(a, b) for b in matrix.models]) for a in matrix.models]


def _pairs(project, key, a, b, **more):
    """The address of the pairs of two models; the empty word is no model."""
    return links.with_words(links.of_key("feedback_pairs", project, key), {"a": a or "", "b": b or "", **more})


# -- the pairs behind a count ---------------------------------------------------------------------
@require_safe
def feedback_pairs(request, project, key):
    """The comparisons of two models, newest first, 50 a page; those of one A/B test with its key as `test`."""
    project = project_or_404(request.user, project)
    key = key_or_404(keys_of(project), key)
    if not {"a", "b"} <= request.GET.keys():
        return redirect(links.of_key("feedback_comparisons", project, key))
    a, b = (_model(project, request.GET[name]) for name in ("a", "b"))
    outcome, cursor = request.GET.get("outcome", ""), request.GET.get("cursor", "")
    names = {name: model.key if model else "" for name, model in (("a", a), ("b", b))}
    test = test_or_404(project, request.GET["test"]) if request.GET.get("test") else None
    of_test = {"test": test.key} if test else {}
    context = {**_of_key(project, key), "a": a, "b": b, "outcome": outcome, "test": test}
    context["ways"] = _ways(project, key, names, outcome, of_test)
    try:
        if outcome and outcome not in OUTCOMES:
            raise ValueError(f"Send one of {', '.join(OUTCOMES)} as the outcome.")
        ids = (model.pk if model else 0 for model in (a, b))
        among = CountedVote.objects.filter(test_id=test.pk, sequence=test.sequence) if test else None
        page = pairs_behind(project, key, *ids, OUTCOMES.get(outcome), cursor=cursor or None, among=among)
    except ValueError as fault:
        return render(request, "feedback/feedback_pairs.html", {**context, "fault": str(fault)}, status=400)
    more = of_test | ({"outcome": outcome} if outcome else {})
    context |= {
        "rows": _with_texts(page.rows),
        "newest": _pairs(project, key, *names.values(), **more) if cursor else "",
        "older": _pairs(project, key, *names.values(), **more, cursor=page.next) if page.next else "",
    }
    return render(request, "feedback/feedback_pairs.html", context)


def _model(project, name):
    """The team's model of this key, None for the empty one."""
    if not name:
        return None
    model = None if text_fault(name) else Model.objects.filter(team=project.team_id, key=name).first()
    if model is None:
        raise EntityNotFound("Model", name)
    return model


def _ways(project, key, names, outcome, more):
    """(how it ended, its address, whether it is shown) of what the list can be narrowed to."""
    a, b = (names[name] or "no model" for name in ("a", "b"))
    ways = [("", "All"), ("won", f"{a} won"), ("tied", "Tied"), ("lost", f"{b} won")]
    if a == b:
        ways = [("", "All"), ("won", "Decided"), ("tied", "Tied")]
    return [
        (text, _pairs(project, key, *names.values(), **more, **({"outcome": way} if way else {})), way == outcome)
        for way, text in ways
    ]


def _with_texts(rows):
    """(Preference, the prompt and both sides of it)"""
    found = Interaction.objects.in_bulk({one for row in rows for one in (row.interaction_id, row.other_id)})
    # who deletes an interaction takes its comparisons along; one may be on its way
    there = [row for row in rows if row.interaction_id in found and row.other_id in found]
    return [(row, _texts(row, found[row.interaction_id], found[row.other_id])) for row in there]


def _texts(row, own, other):
    """What a pair shows of both sides."""
    return {
        "prompt": _begun(own.prompt_preview),
        "sides": [
            (row.model, _begun(own.completion_preview), row.outcome == Outcome.WON),
            (row.other_model, _begun(other.completion_preview), row.outcome == Outcome.LOST),
        ],
    }


def _begun(preview):
    """The beginning of a text, marked where the text most likely goes on."""
    return f"{preview}…" if len(preview) >= PREVIEW else preview
