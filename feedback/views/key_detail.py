"""One key: what its values amount to on any interactions, as figures, bars, a line over time, by model and by label."""

import datetime
import math
from dataclasses import dataclass, field
from types import SimpleNamespace

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.permissions import MANAGE_PROJECT
from feedback.models import FeedbackKey
from feedback.rollups import comparisons
from feedback.services import key_or_404, keys_of
from feedback.templatetags.feedback import figure
from feedback.views import links
from feedback.views.days import instant, line_of, midnight
from feedback.views.figures import axis_of, estimate_of, interval_row
from interactions import charts
from interactions.filters import FLAGS, InteractionFilter, write_label
from interactions.labels import names_of
from interactions.labels.keys import names_in_use
from interactions.rules import moment_of
from interactions.search.values import Stats, coverage, days_of, value_stats
from interactions.times import length_of
from projects.access import project_or_404

SHOWN = 50  # models, values of a label
BUDGET_MS = 1_000  # of the first figures; where they take longer, all are of the newest
MOST_LEFT_OUT = 50  # models that an address names
PERIODS = (("7 d", 7), ("28 d", 28), ("90 d", 90))


class Words:
    """The filter words of this page's address; each link keeps them."""

    def __init__(self, request, project, key):
        self.project, self.key = project, key
        names = [name for name in InteractionFilter.base_filters if name != "order"]
        self.pairs = [(name, text) for name in names for text in request.GET.getlist(name) if text.strip()]
        self.page = links.of_key("feedback_key_detail", project, key)

    def table(self, *more, without=()):
        return links.table(self.project, *(pair for pair in self.pairs if pair[0] not in without), *more)

    def values(self, *more, without=()):
        """The table of what has a value of this key."""
        return self.table(("feedback", self.key.key), *more, without=without)

    def here(self, *more, without=()):
        kept = [pair for pair in self.pairs if pair[0] not in without and pair not in without]
        return links.with_words(self.page, [*kept, *more])


@dataclass
class Row:
    """A group with its estimate, drawn beside the others."""

    group: object
    estimate: object
    table: str
    interval: object = None


@dataclass
class Rows:
    """Some groups, and how many more there are."""

    rows: list = field(default_factory=list)
    more: int = 0


@require_safe
def feedback_key_detail(request, project, key):
    """The key on the interactions that the address asks for, in the words of the table."""
    project = project_or_404(request.user, project)
    key = key_or_404(keys_of(project), key)
    words = Words(request, project, key)
    filterset = InteractionFilter(request.GET, project=project)
    labels, by = names_in_use(project), names_of(project.pk).key(request.GET.get("by", ""))
    context = {
        "project": project,
        "nav": "feedback",
        "key": key,
        "tab": "values",
        "may_manage": MANAGE_PROJECT in project.permissions,
        "comparisons": comparisons(project).get(key.pk, 0),
        "words": words,
        "chips": _chips(words),
        "periods": _periods(words),
        "label_keys": labels,
        "by": by,
        "address": request.build_absolute_uri("/").rstrip("/"),
    }
    if not filterset.is_valid():
        faults = [(filterset.filters[name].label, " ".join(texts)) for name, texts in filterset.errors.items()]
        return render(request, "feedback/feedback_key_detail.html", {**context, "faults": faults}, status=400)
    context |= _figures(words, filterset.wanted, by if by in labels else None)
    return render(request, "feedback/feedback_key_detail.html", context)


def _figures(words, wanted, label):
    """Everything that is counted."""
    project, key, zone = words.project, words.key, timezone.get_current_timezone_name()
    whole = value_stats(project, key, wanted, budget_ms=BUDGET_MS)
    newest, none = whole.newest, Stats([], [])
    models = value_stats(project, key, wanted, "model", newest=newest) if whole.groups else none
    days = days_of(project, key, wanted, zone, newest) if whole.groups else none
    labels = value_stats(project, key, wanted, f"label:{label}", newest=newest) if label and whole.groups else none
    group = whole.groups[0] if whole.groups else None
    return {
        "group": group,
        "estimate": estimate_of(key, group) if group else None,
        "table": words.values(),
        "bars": _bars(words, group) if group else [],
        "days": line_of(words, days, group),
        "models": _rows(words, models, _of_model(words, models)),
        "labels": _rows(words, labels, _of_label(words, label)),
        "label": label,
        "coverage": _coverage(words, wanted, whole),
        "sampled": next((one.sampled for one in (whole, models, days, labels) if one.approximate), None),
    }


def _whole(key):
    """What an axis need not go beyond."""
    if key.kind == FeedbackKey.Kind.BOOL:
        return 0, 1
    low, high = key.minimum, key.maximum
    return -math.inf if low is None else low, math.inf if high is None else high


def _bars(words, group):
    """The histogram: every bar with its share of the highest, its table and its words."""
    key, top = words.key, max(bar.count for bar in group.bars) or 1
    named = _named(group.bars)
    bars = []
    for place, bar in enumerate(group.bars):
        if key.kind == FeedbackKey.Kind.BOOL:
            name = title = "Yes" if bar.start else "No"
        else:
            name = figure(bar.start) if place in named else ""
            title = _span(key, group, bar)
        height = max(round(100 * bar.count / top, 2), 1.5) if bar.count else 0
        table = words.table(("feedback", links.bar_word(key, bar)))
        bars.append({"bar": bar, "name": name, "title": title, "y": 100 - height, "height": height, "table": table})
    return bars


def _span(key, group, bar):
    """What a bar holds, in words; the last step of a scale ends with it."""
    if not bar.last:
        return f"{figure(bar.start)} to under {figure(bar.end)}"
    most = bar.end if key.step is None else max(group.maximum, bar.start if key.maximum is None else key.maximum)
    return figure(bar.start) if most == bar.start else f"{figure(bar.start)} to {figure(most)}"


def _named(bars):
    """The places of bars that get their start below them: those at round numbers, else some evenly apart."""
    width = bars[0].end - bars[0].start
    round_ones = charts.ticks(bars[0].start, bars[-1].end, 6)
    found = {
        place for place, bar in enumerate(bars) if any(abs(bar.start - value) < width / 1e6 for value in round_ones)
    }
    return found if len(found) > 1 else set(charts.marked(len(bars), 6))


def _rows(words, stats, table_of):
    """The groups as Rows: the largest first, their intervals on one axis."""
    shown = stats.groups[:SHOWN]
    estimates = [estimate_of(words.key, group) for group in shown]
    axis = axis_of(estimates, 300, whole=_whole(words.key))
    rows = [
        Row(group, one, table_of(group), interval_row(one, axis)) for group, one in zip(shown, estimates, strict=True)
    ]
    return Rows(rows, len(stats.groups) - len(shown))


def _of_model(words, stats):
    """The table of a model's values; of no model: of all but those that have some here."""
    named = [("not_model", group.key) for group in stats.groups if group.key is not None]

    def table(group):
        if group.key is not None:
            return words.values(("model", group.key), without={"model"})
        return words.values(*named) if len(named) <= MOST_LEFT_OUT else ""

    return table


def _of_label(words, label):
    def table(group):
        if group.key is None:
            return words.values(("not_label", write_label(label)))
        return words.values(("label", write_label(label, group.key)))

    return table


def _coverage(words, wanted, whole):
    """The Coverage as the strip shows it; no shares where the counts end early, and no way to what the filter leaves
    out. What has the key is of the newest where these alone were looked at: then so is its share."""
    found = coverage(words.project, wanted)
    total, newest = found.interactions, None if whole.told else whole.sampled
    n = whole.groups[0].interactions if whole.groups else 0
    of_newest = {"n": n, "share": n / newest, "table": words.values(), "newest": newest} if newest else None

    def part(n, table):
        share = n / total if 0 < total >= n and not found.capped else None
        return {"n": n, "share": share, "table": table, "capped": found.capped}

    def having(name):
        return None if getattr(wanted, name) is False else words.table((name, "true"), without={name})

    return {
        "total": total,
        "capped": found.capped,
        "table": words.table(),
        "own": of_newest or part(n, words.values()),
        "given": part(found.with_feedback, having("has_feedback")),
        "reviewed": part(found.reviewed, having("reviewed")),
    }


def _chips(words):
    """What the address asks, each with the address without it."""
    return [
        SimpleNamespace(kind=kind, text=said, without=words.here(without={(name, text)}))
        for name, text in words.pairs
        for kind, said in [_said(name, text)]
    ]


def _said(name, text):
    """(what a word of the address is about, what it asks): a yes or no by its label, a time as the reader's clock shows
    it, any other as it stands in the address."""
    if name in FLAGS:
        return InteractionFilter.base_filters[name].label.lower(), {"true": "yes", "false": "no"}.get(text, text)
    return name.replace("_", " "), _time(text) if name in {"after", "before"} else text


def _time(text):
    if length := length_of(text):
        return f"{length} ago"
    moment = moment_of(text)
    try:
        return f"{timezone.localtime(moment):%d %b %Y, %H:%M}".lstrip("0") if moment else text
    except OverflowError:  # at the very ends of the calendar
        return text


def _periods(words):
    """(name, address, whether it is this one) of some spans up to now, and of all time."""
    asked, today = dict(words.pairs), timezone.localdate()
    found = [("All time", words.here(without={"after", "before"}), not (asked.get("after") or asked.get("before")))]
    for name, days in PERIODS:
        start = instant(midnight(today - datetime.timedelta(days=days - 1)))
        here = words.here(("after", start), without={"after", "before"})
        found.append((name, here, asked.get("after") == start and not asked.get("before")))
    return [*found[1:], found[0]]
