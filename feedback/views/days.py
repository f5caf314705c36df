"""A key's mean or share of yes, day by day: the line with its band, and the table behind it."""

import datetime
import math

from django.utils import timezone

from feedback.models import FeedbackKey
from feedback.views.figures import axis_of, estimate_of
from interactions import charts
from interactions.filters import InteractionFilter

HEIGHT = 160  # of the line
MOST_DAYS = 1_000


def line_of(words, stats, whole):
    """The line over time with its band, the days behind it, and the words below; None without any day. `whole` is the
    group of all days."""
    by_day = {datetime.date.fromisoformat(group.key): group for group in stats.groups}
    if not by_day:
        return None
    first, last = min(by_day), max(by_day)
    first = max(first, last - datetime.timedelta(days=MOST_DAYS))
    dates = [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]
    estimates = [estimate_of(words.key, by_day[date]) if date in by_day else None for date in dates]
    axis = axis_of([one for one in estimates if one], 1, whole=_ends_of_days(words.key, estimates, whole))
    points = [one and (one.value, one.low, one.high) for one in estimates]
    rows = [
        {"date": date, "group": by_day[date], "estimate": one, "table": _of_day(words, date)}
        for date, one in zip(dates, estimates, strict=True)
        if one
    ]
    return {
        "line": charts.line(points, HEIGHT, charts.ticks(axis.low, axis.high, 4)),
        "height": HEIGHT,
        "marks": [(charts.across(place, len(dates)), dates[place]) for place in charts.marked(len(dates), 6)],
        "rows": rows[::-1],
    }


def _ends_of_days(key, estimates, whole):
    """The ends of the line's axis. The interval of a day with two values may be as wide as it likes: the axis goes half
    as far beyond the days' means as these lie apart, and not beyond the values."""
    if key.kind == FeedbackKey.Kind.BOOL:
        return 0, 1
    means = [one.value for one in estimates if one]
    room = (max(means) - min(means)) / 2 or math.inf
    return max(whole.minimum, min(means) - room), min(whole.maximum, max(means) + room)


def _of_day(words, date):
    """The table of the reader's day, where the address asks for a part of it that part."""
    start, end = (midnight(date + datetime.timedelta(days=n)) for n in (0, 1))
    asked = dict(words.pairs)
    if asked.get("after") or asked.get("before"):
        form = InteractionFilter(asked, project=words.project).form
        form.is_valid()
        start = max(start, form.cleaned_data.get("after") or start)
        end = min(end, form.cleaned_data.get("before") or end)
    return words.values(("after", instant(start)), ("before", instant(end)), without={"after", "before"})


def midnight(date):
    """When the reader's day begins."""
    return timezone.make_aware(datetime.datetime.combine(date, datetime.time()))


def instant(moment):
    """A time as the filter language writes it."""
    return moment.astimezone(datetime.UTC).isoformat().replace("+00:00", "Z")
