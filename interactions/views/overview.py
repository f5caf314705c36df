"""The overview of a project: how much, by which models, how good, about what; every figure leads to its table."""

from urllib.parse import urlencode

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from feedback.rollups import comparisons, given
from feedback.services import keys_of
from interactions import rollups
from interactions.models import Interaction
from interactions.views.chips import Fault
from interactions.views.overview_bad import judged, latest_bad, usual
from interactions.views.overview_charts import trends, volume_of
from interactions.views.overview_figures import Figures
from interactions.views.overview_parts import label_rows, model_rows, tiles
from interactions.views.overview_period import DAY, PRESETS, USUAL, read_period
from projects.access import project_or_404

KEYS = 4  # feedback keys that are shown, the oldest


@require_safe
def overview(request, project):
    """The page; 400, and the usual period, where what was asked for cannot be read."""
    project = project_or_404(request.user, project)
    period, faults = read_period(request.GET, timezone.now(), timezone.get_current_timezone())
    linked = keys_of(project)
    keys = _keys(project, linked)
    bad_key, bad_faults = _bad_key(request, keys)
    faults += bad_faults
    figures = Figures(project, period, keys[:KEYS], bad_key)
    if not figures.total and not Interaction.objects.filter(project=project).exists():
        return render(request, "interactions/empty_page.html", {"project": project, "nav": "overview"})
    context = {
        "project": project,
        "nav": "overview",
        "faults": faults,
        **_period_context(request, period, bad_key),
        **_parts(figures, bad_key),
        "more_keys": len(keys) > KEYS,
        "is_compared": bool(linked) and not keys,
        "judged": judged(keys),
    }
    return render(request, "interactions/overview.html", context, status=400 if faults else 200)


def _keys(project, linked):
    """The project's linked keys but those under which there are comparisons alone: these have a page of their own."""
    compared, valued = comparisons(project), given(project, by=("key_id",))
    return [key for key in linked.values() if (key.pk,) in valued or key.pk not in compared]


def _parts(figures, bad_key):
    """What is shown of the period."""
    return {
        "figures": figures,
        "tiles": tiles(figures),
        "volume": volume_of(figures),
        "trends": trends(figures),
        "keys": figures.keys,
        "models": model_rows(figures),
        "labels": label_rows(figures),
        "bad": latest_bad(figures, bad_key, figures.project) if bad_key else None,
        "newest": None if figures.total else _newest(figures.project),
    }


def _period_context(request, period, bad_key):
    """The period with the addresses of the other ones and of the other keys to be judged by."""
    zone = timezone.get_current_timezone()
    here = {"period": period.preset} if period.preset else {"after": _iso(period.start), "before": _iso(period.end)}
    bad = {"bad": bad_key.key} if "bad" in request.GET and bad_key else {}
    return {
        "period": period,
        "presets": [(name, f"?{urlencode({'period': name, **bad})}", name == period.preset) for name in PRESETS],
        "asked_bad": bad.get("bad", ""),
        "here": urlencode({} if period.preset == USUAL else here),
        "after": f"{period.start.astimezone(zone):%Y-%m-%dT%H:%M}",
        "before": f"{period.end.astimezone(zone):%Y-%m-%dT%H:%M}",
    }


def _iso(moment):
    return f"{moment:%Y-%m-%dT%H:%MZ}"


def _bad_key(request, keys):
    """(the key whose bad values are shown, or None, [Fault])"""
    name = request.GET.get("bad", "")
    if not name:
        return usual(keys), []
    found = [key for key in judged(keys) if key.key == name]
    if found:
        return found[0], []
    text = f"This project has no feedback key {name[:100]!r} of which it is known what is bad."
    return usual(keys), [Fault("bad", "Bad ones:", text, "")]


def _newest(project):
    """The query of a period that ends with the newest interaction, or "" where none is counted."""
    extent = rollups.extent(project)
    if extent is None:
        return ""
    return urlencode({"after": _iso(extent[1] - 28 * DAY), "before": _iso(extent[1])})
