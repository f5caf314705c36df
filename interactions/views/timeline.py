"""The histogram over time as the page draws it, and the spans of time it offers."""

import datetime
from dataclasses import dataclass

from django.utils import timezone

from interactions.rules import moment_of
from interactions.times import ago, length_of
from interactions.views.address import write_instant
from interactions.views.chips import span_text

WIDTH, HEIGHT = 1260, 48  # in its own units
GAP = 2
TICKS = 5
PRESETS = ("-1h", "-24h", "-7d", "-30d", "-90d")


@dataclass
class Timeline:
    bars: list
    ticks: list
    start_ms: int
    end_ms: int
    step_ms: int
    description: str
    selected: bool = False
    start: float = 0
    end: float = 0
    uncounted: dict | None = None

    @property
    def span(self):
        return round(self.end - self.start, 1)


def timeline_of(histogram, wanted):
    """The Timeline of a Histogram with what is wanted marked in it, or None."""
    if histogram is None or not histogram.bars:
        return None
    width, top = WIDTH / len(histogram.bars), max(max(n for _, n in histogram.bars), 1)
    line = Timeline(
        bars=[],
        ticks=_ticks(histogram),
        start_ms=_milliseconds(histogram.start),
        end_ms=_milliseconds(histogram.end),
        step_ms=round(histogram.step.total_seconds() * 1000),
        description=_description(histogram, wanted),
        selected=bool(wanted.after or wanted.before),
        uncounted=_uncounted(histogram),
    )
    line.start, line.end = _place(histogram, wanted.after, 0), _place(histogram, wanted.before, WIDTH)
    if not line.selected:
        line.start = line.end = 0
    for place, (start, n) in enumerate(histogram.bars):
        height = max(round((HEIGHT - 1) * n / top, 1), 1.5) if n else 0
        x = round(place * width, 1)
        middle = x + width / 2
        line.bars.append({
            "x": x,
            "width": round(max(width - GAP, 0.8), 1),
            "y": round(HEIGHT - height, 1),
            "height": height,
            "on": line.selected and line.start <= middle <= line.end,
            "title": f"{_moment(start)}: {_told(histogram, start, n)}",
        })  # fmt: skip
    return line


def _uncounted(histogram):
    """Where nothing was counted, `x` and `width`, and the `text` that says so; None where all is counted."""
    if not histogram.approximate:
        return None
    edge = _place(histogram, histogram.since or histogram.until, 0)
    x, width = (0, edge) if histogram.since else (edge, round(WIDTH - edge, 1))
    return {"x": x, "width": width, "text": _limit(histogram), "is_before": bool(histogram.since)}


def _limit(histogram):
    moment, side = (histogram.since, "before") if histogram.since else (histogram.until, "after")
    return f"not counted {side} {_moment(moment)}"


def _told(histogram, start, n):
    """What is known of the bar that starts here."""
    starts_early = histogram.since is not None and start < histogram.since
    ends_late = histogram.until is not None and start + histogram.step > histogram.until
    if not starts_early and not ends_late:
        return f"{n:,}"
    return f"at least {n:,}, {_limit(histogram)}" if n else _limit(histogram)


def span_of(address):
    """What the time button says and its menu offers."""
    after, before = address.one("after"), address.one("before")
    presets = [("All time", address.without_time, not after and not before)]
    for start in PRESETS:
        here = address.changed(("after", start), without={"after", "before"})
        presets.append((f"Last {length_of(start)}", here, not before and start == after))
    return {
        "name": span_text(after, before) or "All time",
        "presets": [{"name": name, "address": here, "current": current} for name, here, current in presets],
        "after": _field(after),
        "before": _field(before),
    }


def _field(text):
    """An instant, however the filter lets it be written, as a datetime-local field takes it in the reader's zone."""
    moment = moment_of(text) or ago(text, timezone.now())
    if moment is None:
        return ""
    try:
        here = timezone.make_naive(moment)
    except (ValueError, OverflowError):  # at the very ends of the calendar
        return ""
    return here.isoformat(timespec="milliseconds" if here.microsecond else "seconds").removesuffix(":00")


def _place(histogram, moment, otherwise):
    if moment is None:
        return otherwise
    share = (moment - histogram.start) / (histogram.end - histogram.start)
    return round(min(1, max(0, share)) * WIDTH, 1)


def _ticks(histogram):
    span = histogram.end - histogram.start
    form = (
        "%H:%M" if span <= datetime.timedelta(days=1) else "%d %b" if span < datetime.timedelta(days=400) else "%b %Y"
    )
    moments = (timezone.localtime(histogram.start + span * place / TICKS) for place in range(TICKS))
    return [f"{moment:{form}}".lstrip("0") for moment in moments]


def _moment(moment):
    return f"{timezone.localtime(moment):%d %b %Y, %H:%M}".lstrip("0")


def _milliseconds(moment):
    return round(moment.timestamp() * 1000)


def _description(histogram, wanted):
    total = sum(n for _, n in histogram.bars)
    start, end = histogram.since or histogram.start, histogram.until or histogram.end
    text = f"{total:,} interactions from {_moment(start)} to {_moment(end)}"
    if histogram.approximate:
        text += f", {_limit(histogram)}"
    if wanted.after or wanted.before:
        ends = [write_instant(moment) if moment else "" for moment in (wanted.after, wanted.before)]
        text += f"; selected: {span_text(*ends)}"
    return text
