"""What is counted for the table, by requests of its own: the rows never wait for it.

Each answers htmx with the part that shows it; without scripts the filters with their counts are a page.
"""

from django.shortcuts import redirect, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from accounts import prepared
from feedback.services import keys_of
from interactions.models import Source
from interactions.search import Counted
from interactions.search.facets import SHOWN, Matches, count_shown, facets, histogram
from interactions.search.told import number
from interactions.views.address import Address
from interactions.views.chips import chips_of
from interactions.views.facets import SHOWN_LABELS, panel_of
from interactions.views.reading import wanted_of
from interactions.views.timeline import timeline_of
from interactions.wanted import Wanted
from projects.access import project_or_404


@require_safe
def interaction_facets(request, project):
    """The filter form with its counts, and how many match; for people without scripts a page, with the histogram."""
    project = project_or_404(request.user, project)
    address = Address.read(project, request.GET)
    wanted, errors = wanted_of(project, address)
    if errors:
        return redirect(address.url)  # where it is told
    context = {"project": project, "nav": "interactions", **counts_context(project, address, wanted)}
    if request.htmx:
        response = render(request, "interactions/_facets_counted.html", context)
    else:
        context |= {"timeline": timeline_of(histogram(project, wanted), wanted), "alone": True}
        response = render(request, "interactions/facets_page.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
def interaction_histogram(request, project):
    """How what is wanted lies over time."""
    project = project_or_404(request.user, project)
    address = Address.read(project, request.GET)
    wanted, errors = wanted_of(project, address)
    if errors:
        return redirect(address.url)
    if not request.htmx:
        return redirect(address.facets)
    context = {"address": address, "timeline": timeline_of(histogram(project, wanted), wanted)}
    return render(request, "interactions/_timeline_drawn.html", context)


def counts_context(project, address, wanted):
    """The filter form with its counts, and how many there are of how many."""
    matches = Matches(project, wanted)
    counted = count_shown(project, wanted, matches)
    keys = list(keys_of(project).values())
    return {
        **form_context(address, []),
        "counted": counted,
        "total": count_shown(project, Wanted()) if address.has_filters else None,
        "facets": panel_of(address, facets(project, wanted, matches), counted, keys),
        "counts_come": True,
    }


def uncounted_context(project, address, wanted, errors, keys):
    """The same before anything is counted, but for what the roll-up tells at once."""
    panel = panel_of(address, None, None, keys)
    panel.waiting = not errors
    panel.ghosts = {} if errors else _ghosts(project, panel)
    return {
        **form_context(address, errors),
        "counted": None if errors else _at_once(project, wanted),
        "facets": panel,
        "counts_come": not errors,
    }


_THERE = """
    SELECT (SELECT count(*) FROM (SELECT FROM interactions_label WHERE project_id = %s LIMIT %s) AS labels),
        (SELECT count(*) FROM (SELECT FROM registry_model WHERE team_id = %s LIMIT %s) AS models)
"""


def _ghosts(project, panel):
    """Lines kept free for the options to come, so that what is below them stays where it is: as many as there can be
    of each that is not set."""
    [(labels, models)] = prepared.rows(_THERE, [project.pk, SHOWN_LABELS, project.team_id, SHOWN])
    return {"labels": range(labels - len(panel.labels)), "models": range(models - len(panel.models))}


def form_context(address, errors):
    """What the filter form, the chips and the toolbar ask for besides."""
    faults = {fault.name: fault.text for fault in errors}
    return {"address": address, "faults": faults, "chips": chips_of(address, faults), "sources": Source.choices}


def _at_once(project, wanted):
    """How many there are where the roll-up tells it as one sum over hours, else None."""
    n = number(project, wanted) if wanted.only("after", "before", "labels", "models") else None
    return None if n is None else Counted(n, False)
