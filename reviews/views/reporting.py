"""What comes out: a queue's report as a page, JSON and CSV; and how much of a period a human has seen."""

import csv
import dataclasses
import datetime
import io

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from interactions.rules import RecordError
from projects.access import project_or_404
from reviews.coverage import coverage
from reviews.figures import Interval
from reviews.report import report
from reviews.views.gate import audited_queue

PERIODS = (("24 h", 1), ("7 d", 7), ("28 d", 28), ("90 d", 90))
USUAL = "28"  # days
ENDS = (("after", "From"), ("before", "To"))
FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = ("part", "of", "measure", "value", "low", "high", "n")


@require_safe
def queue_report(request, project, queue):
    project, queue = audited_queue(request, project, queue)
    context = {"project": project, "nav": "review", "queue": queue, "tab": "report", "report": report(queue)}
    return render(request, "reviews/queue_report.html", context)


@require_safe
def queue_report_file(request, project, queue, form):
    """The same figures to keep: json or csv."""
    project, queue = audited_queue(request, project, queue)
    if form not in {"json", "csv"}:
        raise Http404("A report comes as report.json or report.csv.")
    found = report(queue)
    if form == "json":
        answer = JsonResponse(as_json(found), json_dumps_params={"ensure_ascii": False, "indent": 2})
    else:
        answer = HttpResponse(as_csv(found), content_type="text/csv; charset=utf-8")
    day = timezone.localdate().isoformat()
    answer.headers["Content-Disposition"] = f'attachment; filename="{queue.key}-report-{day}.{form}"'
    return answer


# -- as files -------------------------------------------------------------------------------------
def as_json(found):
    """The Report as plain values: people by their address, times as ISO 8601."""
    return _plain(found) | {
        "queue": {"key": found.queue.key, "name": found.queue.name, "reviewers": found.queue.reviewers}
    }


def _plain(value):
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, User):
        return {"name": value.name, "email": value.email}
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if hasattr(value, "_meta"):  # a sampling plan, or the queue
        return {name: _plain(getattr(value, name)) for name in SAMPLE if hasattr(value, name)}
    return value


SAMPLE = ("query", "method", "strata", "strata_sizes", "size", "seed", "drawn_at", "population", "drawn", "by")


def as_csv(found):
    """A row a figure; texts that a spreadsheet would run as a formula are quoted for it."""
    file = io.StringIO()
    out = csv.writer(file)
    out.writerow(COLUMNS)
    for row in _figures(found):
        out.writerow([cell(value) for value in row])
    return file.getvalue()


def _figures(found):
    for field in dataclasses.fields(found.totals):
        yield "totals", found.queue.key, field.name, getattr(found.totals, field.name), "", "", ""
    for person in found.people:
        for name in ("submitted", "skipped", "decided", "seconds", "per_hour", "gold", "agreement"):
            yield "reviewer", person.user.email, name, *_interval(getattr(person, name))
    for question in found.questions:
        for name in ("raw", "alpha", "alpha_interval", "defect", "left", "weighted", "changed", "left_out"):
            yield "question", question.key, name, *_interval(getattr(question, name))
        for one in question.strata:
            yield "stratum", question.key, one.value, *_interval(one.defect)
        for name, n in question.answers:
            yield "answer", question.key, name, n, "", "", ""
        for one in question.confusions:
            for row_name, counts in zip(one.names, one.counts, strict=True):
                for name, n in zip(one.names, counts, strict=True):
                    of = f"{question.key}: {one.one.email}, {one.other.email}"
                    yield "confusion", of, f"{row_name} / {name}", n, "", "", ""
    for sample in found.samples:
        for name in SAMPLE:
            yield "sample", sample.pk, name, getattr(sample, name), "", "", ""


def _interval(value):
    if isinstance(value, Interval):
        return value.value, value.low, value.high, value.n
    return value, "", "", ""


def cell(value):
    """A value as a spreadsheet takes it, never as a formula."""
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    text = str(value)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return f"'{text}" if text.startswith(FORMULA) and not is_number else text


# -- coverage -------------------------------------------------------------------------------------
@require_safe
def coverage_page(request, project):
    """Which share of a period's interactions a human has seen, by model and label; 28 days unless said."""
    project = project_or_404(request.user, project)
    typed = {name: request.GET.get(name, "").strip() for name, _ in ENDS}
    days = request.GET.get("days", "" if any(typed.values()) else USUAL)
    fault = ""
    try:
        found = coverage(project, **_period(typed, days))
    except RecordError as error:
        fault = " ".join(f"{name}: {error.fields[end][0]}" for end, name in ENDS if end in error.fields)
        found = coverage(project, _start(USUAL))
    here = reverse("review_coverage", kwargs={"project": project.ref})
    context = {
        "project": project,
        "nav": "review",
        "found": found,
        "fault": fault,
        "periods": [(name, f"{here}?days={one}", str(one) == days) for name, one in PERIODS],
        **typed,
        "parts": [("By model", found.models), ("By label", found.labels)],
    }
    return render(request, "reviews/coverage.html", context, status=400 if fault else 200)


def _period(typed, days):
    """{"after", "before"} of what was typed, else of so many days; RecordError for what cannot be read."""
    ends = {name: _moment(name, text) for name, text in typed.items() if text}
    return {"after": _start(days), **ends}


def _start(days):
    """The beginning of the last so many days of the reader's calendar; of one the last 24 hours; None for no such
    period."""
    now = timezone.localtime()
    if days == "1":
        return now - datetime.timedelta(hours=24)
    if days not in {str(one) for _, one in PERIODS}:
        return None
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - datetime.timedelta(days=int(days) - 1)


def _moment(name, text):
    """The time that was typed, the reader's where it says no zone."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise RecordError({name: ["Send a time such as 2026-05-01T12:00."]}) from None
    return moment if moment.tzinfo else timezone.make_aware(moment)
