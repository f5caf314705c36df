"""An arm against the control by the values of a label: exploratory, and a part of the page that comes by itself."""

from dataclasses import dataclass

from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from experiments.gates import LETTERS
from experiments.models import Arm, JudgedBy
from experiments.report import by_label, label_keys
from experiments.templatetags.experiments import Words
from experiments.views import drawing
from experiments.views.drawn import span
from experiments.views.gate import test_for
from interactions.labels import names_of


@require_safe
@vary_on_headers("HX-Request", "HX-History-Restore-Request")
def ab_test_labels(request, project, test):
    """An arm against the control by the values of a label; a part of the page, or without scripts one of its own."""
    project, test = test_for(request, project, test)
    arms = list(Arm.objects.filter(test=test).select_related("model"))
    keys, letter = label_keys(test), request.GET.get("arm", "B")
    arm = next((one for one in arms[1:] if one.letter == letter), arms[1])
    label = names_of(project.pk).key(request.GET.get("label", "")) or (keys[0] if keys else "")
    found = by_label(test, label, arm) if label in keys else None
    words = Words(test.judged_by == JudgedBy.PREFERENCE or test.feedback_key.kind == "bool")
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
        "rows": label_rows(found, words, lower_is_better=test.lower_is_better) if found else [],
    }
    alone = request.htmx and not request.htmx.history_restore_request
    return render(request, f"experiments/{'_by_label' if alone else 'ab_test_labels'}.html", context)


@dataclass(frozen=True)
class OfLabel:
    """A row of the table by label."""

    row: object
    values: list
    at: drawing.Row
    difference: str
    between: str
    tone: str


def label_rows(found, words, *, lower_is_better):
    """OfLabels of a ByLabel, their intervals on one axis."""
    spans = drawing.interval_rows([span(row.difference, *(row.interval or (None, None))) for row in found.rows])
    return [
        OfLabel(
            row,
            [(letter, words.value(mean), n) for letter, (n, mean) in zip(LETTERS, row.arms, strict=False)],
            at,
            words.difference(row.difference),
            words.between(row.interval),
            _tone(row, lower_is_better),
        )
        for row, at in zip(found.rows, spans, strict=True)
    ]


def _tone(row, lower_is_better):
    """Whether the interval of one look leaves 0 out: good, bad, or nothing of the kind."""
    if row.interval is None or row.interval[0] <= 0 <= row.interval[1]:
        return ""
    return "good" if (row.difference > 0) is not lower_is_better else "bad"
