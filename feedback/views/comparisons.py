"""Comparisons under a key: which model wins against which, the pairs behind each count, and one pair side by side."""

from dataclasses import dataclass

from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.permissions import MANAGE_PROJECT
from feedback.matrix import win_matrix
from feedback.models import Outcome, Preference
from feedback.preferences import pairs_behind
from feedback.rollups import comparisons
from feedback.services import key_or_404, keys_of
from feedback.views import links
from feedback.views.figures import Estimate, axis_of, interval_row
from interactions.differences import differences, sides, visible_text
from interactions.messages import blobs_of
from interactions.models import Interaction
from interactions.plain import PREVIEW
from interactions.rules import text_fault
from interactions.transcript import BUDGET, Transcript
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
    """The comparisons of two models, newest first, 50 a page."""
    project = project_or_404(request.user, project)
    key = key_or_404(keys_of(project), key)
    if not {"a", "b"} <= request.GET.keys():
        return redirect(links.of_key("feedback_comparisons", project, key))
    a, b = (_model(project, request.GET[name]) for name in ("a", "b"))
    outcome, cursor = request.GET.get("outcome", ""), request.GET.get("cursor", "")
    names = {name: model.key if model else "" for name, model in (("a", a), ("b", b))}
    context = {**_of_key(project, key), "a": a, "b": b, "outcome": outcome, "ways": _ways(project, key, names, outcome)}
    try:
        if outcome and outcome not in OUTCOMES:
            raise ValueError(f"Send one of {', '.join(OUTCOMES)} as the outcome.")
        ids = (model.pk if model else 0 for model in (a, b))
        page = pairs_behind(project, key, *ids, OUTCOMES.get(outcome), cursor=cursor or None)
    except ValueError as fault:
        return render(request, "feedback/feedback_pairs.html", {**context, "fault": str(fault)}, status=400)
    more = {"outcome": outcome} if outcome else {}
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


def _ways(project, key, names, outcome):
    """(how it ended, its address, whether it is shown) of what the list can be narrowed to."""
    a, b = (names[name] or "no model" for name in ("a", "b"))
    ways = [("", "All"), ("won", f"{a} won"), ("tied", "Tied"), ("lost", f"{b} won")]
    if a == b:
        ways = [("", "All"), ("won", "Decided"), ("tied", "Tied")]
    return [
        (text, _pairs(project, key, *names.values(), **({"outcome": way} if way else {})), way == outcome)
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


# -- one pair -------------------------------------------------------------------------------------
@dataclass
class Side:
    """One of the two answers as the page shows it; with `pieces` where the differences are marked."""

    letter: str
    interaction: Interaction
    transcript: Transcript
    address: str
    preferred: bool
    pieces: list | None = None  # (whether only this side says it, the text, the white space behind)

    @property
    def raw_address(self):
        return f"{self.address}?raw=1"


@require_safe
def comparison_detail(request, project, interaction, pk):
    """Two answers side by side, the one of the address on the left, with what was said of them."""
    project = project_or_404(request.user, project)
    row = _preference(project, interaction, pk)
    found = Interaction.objects.select_related("model", "body").in_bulk([row.interaction_id, row.other_id])
    if len(found) < len({row.interaction_id, row.other_id}):
        raise EntityNotFound("Comparison", pk)
    pair = [found[row.interaction_id], found[row.other_id]]
    outcomes = (Outcome.WON, Outcome.LOST)
    both = [
        Side(letter, one, transcript, _detail(project, one), row.outcome == outcome)
        for letter, one, transcript, outcome in zip("AB", pair, _transcripts(project, pair), outcomes, strict=True)
    ]
    marked = request.GET.get("diff") == "1"
    compared = _mark(both) if marked else True
    context = {
        "project": project,
        "nav": "feedback",
        "row": row,
        "key": row.feedback_key,
        "sides": both,
        "same_prompt": pair[0].body.messages == pair[1].body.messages,
        "marked": marked,
        "compared": compared,
        "alike": marked and compared and not any(only for side in both for only, *_ in side.pieces),
    }
    return render(request, "feedback/comparison_detail.html", context)


def _preference(project, interaction_id, pk):
    row = (
        Preference.objects.filter(
            project=project, interaction_id=interaction_id, id=pk, feedback_key__links__project=project
        )
        .select_related("feedback_key", "model", "other_model", "by")
        .first()
    )
    if row is None:
        raise EntityNotFound("Comparison", pk)
    return row


def _transcripts(project, pair):
    """Both as people read them, their pictures looked up in one go."""
    blobs = blobs_of(project, [message for one in pair for message in one.body.messages])

    def address(sha256):
        return reverse("blob", kwargs={"project_id": project.uid, "sha256": sha256})

    return [
        Transcript(one.body.messages, one.body.completion, address=address, blobs=blobs, budget=BUDGET // 2)
        for one in pair
    ]


def _mark(both):
    """Give both sides their pieces; False where the texts are too long to compare."""
    pieces = differences(*(visible_text(side.transcript.completion.html) for side in both))
    if pieces is None:
        return False
    for side, own in zip(both, sides(pieces), strict=True):
        side.pieces = [(piece.kind != "same", *_tail(piece.text)) for piece in own]
    return True


def _tail(text):
    """(the text, the white space behind it), which is not marked."""
    words = text.rstrip()
    return words, text[len(words) :]


def _detail(project, interaction):
    return reverse("interaction_detail", kwargs={"project": project.ref, "pk": interaction.pk})
