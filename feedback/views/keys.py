"""The keys of a project: how they are doing, a new one, changing, linking and unlinking one."""

import datetime
from collections import defaultdict
from dataclasses import dataclass, field

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.permissions import MANAGE_PROJECT
from experiments.uses import unlink_key
from feedback.forms import FeedbackKeyForm, LinkForm
from feedback.models import FeedbackKey, Given
from feedback.rollups import Totals, comparisons, given
from feedback.services import (
    create_feedback_key,
    guard_key,
    is_used,
    key_or_404,
    keys_of,
    link_feedback_key,
    update_feedback_key,
)
from feedback.views import links
from feedback.views.figures import Estimate, of_moments
from interactions import rollups
from interactions.charts import spark
from interactions.models import Dimension
from interactions.rules import Conflict
from projects.access import project_or_404

DAYS = 28


@dataclass
class KeyRow:
    """A key as the list shows it."""

    key: FeedbackKey
    totals: Totals
    estimate: Estimate | None
    comparisons: int
    address: str
    table: str
    days: list = field(default_factory=list)

    @property
    def spark(self):
        """(lines, areas) of the days' means."""
        return spark([one and one.value for one in self.days], width=120, height=28)

    @property
    def unlinking(self):
        """What the question before says."""
        return f"{self.key.name}: nothing is deleted. What was given is hidden, and shows again once it is linked."

    @property
    def newest(self):
        """The first and the last of the days' estimates that there are."""
        there = [one for one in self.days if one]
        return (there[0], there[-1]) if there else None


@require_safe
def feedback_key_list(request, project):
    """All keys of the project with what was given, exact from the roll-ups."""
    return _list(request, project_or_404(request.user, project))


def _list(request, project, link_form=None):
    keys = keys_of(project)
    may_manage = MANAGE_PROJECT in project.permissions
    linkable = _linkable(request.user, project) if may_manage else FeedbackKey.objects.none()
    context = {
        "project": project,
        "nav": "feedback",
        "rows": _rows(project, keys),
        "coverage": _coverage(project),
        "days": DAYS,
        "may_manage": may_manage,
        "link_form": link_form or (LinkForm(keys=linkable) if may_manage and linkable else None),
        "address": request.build_absolute_uri("/").rstrip("/"),
    }
    status = 422 if link_form else 200
    return render(request, "feedback/feedback_key_list.html", context, status=status)


def _linkable(user, project):
    """The team's keys that the project does not use. A guest from another team is shown none: they are not hers."""
    if not project.team.members.filter(pk=user.pk).exists():
        return FeedbackKey.objects.none()
    return project.team.feedback_keys.exclude(projects=project).order_by("name", "pk")


def _rows(project, keys):
    sums, days, pairs = given(project, by=("key_id",)), _by_day(project), comparisons(project)
    rows = []
    for key in keys.values():
        totals, is_bool = sums.get((key.pk,), Totals()), key.kind == FeedbackKey.Kind.BOOL
        own = [of_moments(is_bool, day[key.pk].moments) if key.pk in day else None for day in days]
        estimate = of_moments(is_bool, totals.moments)
        address = links.of_key("feedback_key_detail", project, key)
        table = links.table(project, ("feedback", key.key))
        rows.append(KeyRow(key, totals, estimate, pairs.get(key.pk, 0), address, table, own))
    return rows


def _by_day(project):
    """[{key id: Totals}] of the last days in the reader's zone, today last."""
    today = timezone.localdate()
    first = today - datetime.timedelta(days=DAYS - 1)
    start = timezone.make_aware(datetime.datetime.combine(first, datetime.time()))
    hours = given(project, by=("hour", "key_id"), after=rollups.hour_of(start.astimezone(datetime.UTC)))
    days = [defaultdict(Totals) for _ in range(DAYS)]
    for (hour, key_id), totals in hours.items():
        # a day of a zone that is half an hour off takes in the hour that its midnight falls into
        place = (timezone.localtime(hour).date() - first).days
        if place < DAYS:
            days[max(place, 0)][key_id] += totals
    return days


def _coverage(project):
    """How many interactions there are, with any feedback, and with a reviewer's; their shares and tables."""
    total = rollups.totals(project, Dimension.ALL).get(0, 0)
    sums = given(project, by=("key_id",), keys=[Given.ANY, Given.REVIEWED])
    found = {"total": total, "table": links.table(project)}
    for name, place, word in (("given", Given.ANY, "has_feedback"), ("reviewed", Given.REVIEWED, "reviewed")):
        n = sums[(place,)].interactions if (place,) in sums else 0
        share = n / total if total else None
        found[name] = {"n": n, "share": share, "table": links.table(project, (word, "true"))}
    return found


@require_http_methods(["GET", "POST"])
def feedback_key_create(request, project):
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    form = FeedbackKeyForm(request.POST or None)
    if form.is_valid():
        guard_key(user=request.user, project=project, name=form.cleaned_data["key"])
        try:
            key, created = create_feedback_key(
                team=project.team, projects=[project], by=request.user, **form.cleaned_data
            )
        except Conflict as taken:
            form.add_error("key", str(taken))
        else:
            if created:
                messages.success(request, f"{key.name} is ready to take values.")
            else:
                messages.success(request, f"The team had {key.key} already: it is linked as it is.")
            return redirect("feedback_key_list", project=project.ref)
    context = {"project": project, "nav": "feedback", "form": form}
    return render(request, "feedback/feedback_key_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def feedback_key_edit(request, project, key):
    """What may still be changed of a key, in all projects that use it."""
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    key = key_or_404(keys_of(project), key)
    guard_key(user=request.user, project=project, name=key.key, changes=True)
    form = FeedbackKeyForm(request.POST or None, instance=key, is_used=is_used(key))
    if form.is_valid():
        try:
            update_feedback_key(key=key, **form.cleaned_data)
        except Conflict as conflict:  # somebody gave a value, or changed the range, in the meantime
            form.add_error(None, str(conflict))
        else:
            messages.success(request, "Saved.")
            return redirect("feedback_key_detail", project=project.ref, key=key.key)
    others = key.projects.exclude(pk=project.pk).count()
    context = {"project": project, "nav": "feedback", "form": form, "key": key, "others": others}
    return render(request, "feedback/feedback_key_form.html", context, status=422 if form.errors else 200)


@require_POST
def feedback_key_link(request, project):
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    form = LinkForm(request.POST, keys=_linkable(request.user, project))
    if not form.is_valid():
        return _list(request, project, link_form=form)
    key = form.cleaned_data["key"]
    link_feedback_key(project=project, key=key, by=request.user)
    messages.success(request, f"{key.name} is linked.")
    return redirect("feedback_key_list", project=project.ref)


@require_POST
def feedback_key_unlink(request, project, key):
    project = project_or_404(request.user, project, MANAGE_PROJECT)
    key = key_or_404(keys_of(project), key)
    try:
        unlink_key(project=project, key=key, by=request.user)
    except Conflict as fault:
        messages.error(request, str(fault))
    else:
        messages.success(request, f"{key.name} is unlinked. What was given is kept, and shows again once it is linked.")
    return redirect("feedback_key_list", project=project.ref)
