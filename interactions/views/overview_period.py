"""The span of time that the overview speaks of, cut into columns: its presets or one of the reader's own, and the
equally long span before it that it is compared with.

The roll-ups count whole hours in UTC. So every span begins and ends with one, and a day begins with the hour that the
reader's midnight falls into: in zones that are half an hour off, half an hour early.
"""

import datetime
from dataclasses import dataclass

from interactions.views.chips import Fault

HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)
PRESETS = {"24h": 0, "7d": 7, "28d": 28, "90d": 90}  # days; 0 for the hours of one
USUAL = "28d"
MOST_HOURS, MOST_DAYS = 48, 100  # columns of an hour, of a day; then they are weeks
LONGEST = datetime.timedelta(days=366)
YEARS = range(2000, 2100)


@dataclass(frozen=True)
class Column:
    """From `start` up to `end`, in UTC; `name` is short, `title` says it all."""

    start: datetime.datetime
    end: datetime.datetime
    name: str
    title: str


@dataclass(frozen=True)
class Period:
    """What is shown and what it is compared with; `preset` is "" for a span of the reader's own."""

    preset: str
    columns: list
    words: str  # 24 Oct – 20 Nov 2026
    length: str  # 28 days
    step: str  # hour, day or week
    before: tuple  # (start, end)
    day_begins: str  # 23:30 where days do not begin at midnight, else ""

    @property
    def start(self):
        return self.columns[0].start

    @property
    def end(self):
        return self.columns[-1].end

    @property
    def edges(self):
        return [*(column.start for column in self.columns), self.end]


def read_period(query, now, zone):
    """(the Period of a query string's `period`, or `after` and `before`, [Fault]); the usual one where it has faults.

    Times without a zone are the reader's.
    """
    given, faults = {}, []
    for name, label in (("after", "From"), ("before", "To")):
        if text := query.get(name, "").strip():
            try:
                given[name] = _moment(text, zone)
            except ValueError as error:
                faults.append(Fault(name, f"{label}:", str(error), ""))
    preset = query.get("period", "") or USUAL
    if not faults and given:
        start, end = _ends(given, now, zone)
        if start < end <= start + LONGEST:
            return _own(start, end, zone), []
        text = "From comes before To." if end <= start else "The overview takes at most 366 days; the table takes any."
        faults.append(Fault("after", "Span:", text, ""))
    elif not faults and preset not in PRESETS:
        faults.append(Fault("period", "Period:", f"Send one of {', '.join(PRESETS)}.", ""))
    return _preset(USUAL if faults else preset, now, zone), faults


def _ends(given, now, zone):
    """Whole hours around what was given, whole days where they are; to the end of this hour, or from 28 days before,
    where one is missing."""
    end = _until(given["before"], zone) if "before" in given else _hour(now) + HOUR
    return (_hour(given["after"]) if "after" in given else end - 28 * DAY), end


def _preset(name, now, zone):
    end = _hour(now) + HOUR
    if not PRESETS[name]:
        return _period(name, end - DAY, end, (end - 2 * DAY, end - DAY), zone)
    days = PRESETS[name] * DAY
    first = _day_of(_hour(now), zone) - days + DAY
    start, start_before = _day_start(first, zone), _day_start(first - days, zone)
    # the same hours of as many days earlier; where the clocks changed in between, not into the period itself
    return _period(name, start, end, (start_before, min(start_before + (end - start), start)), zone)


def _own(start, end, zone):
    """Whole days are compared with as many days before, however many hours these have."""
    days = _day_of(end, zone) - _day_of(start, zone)
    if not (days and _is_day_start(start, zone) and _is_day_start(end, zone)):
        return _period("", start, end, (start - (end - start), start), zone)
    start_before = _day_start(_day_of(start, zone) - days, zone)
    return _period("", start, end, (start_before, min(start_before + (end - start), start)), zone)


def _period(preset, start, end, before, zone):
    hours = end - start <= MOST_HOURS * HOUR
    days = 1 if end - start <= MOST_DAYS * DAY else 7
    whole = preset not in {"", "24h"} or (_is_day_start(start, zone) and _is_day_start(end, zone))
    begins = f"{_day_start(_day_of(start, zone), zone).astimezone(zone):%H:%M}"
    return Period(
        preset=preset,
        columns=_hours(start, end, zone) if hours else _days(start, end, zone, days),
        words=_words(start, end, zone, whole),
        length=_length(preset, _day_of(end, zone) - _day_of(start, zone) if whole and not preset else end - start),
        step="hour" if hours else "day" if days == 1 else "week",
        before=before,
        day_begins="" if hours or begins == "00:00" else begins,
    )


def _hours(start, end, zone):
    columns = []
    while start < end:
        local = start.astimezone(zone)
        columns.append(Column(start, start + HOUR, f"{local:%H:%M}", f"{_date(local)}, {local:%H:%M}"))
        start += HOUR
    return columns


def _days(start, end, zone, days):
    """Columns of so many days; the first and the last may be cut."""
    columns, date = [], _day_of(start, zone)
    while start < end:
        after = min(_day_start(date + days * DAY, zone), end)
        last = min(date + (days - 1) * DAY, _day_of(end - HOUR, zone))
        title = _date(date) if date == last else f"{_date(date)} – {_date(last)}"
        columns.append(Column(start, after, _date(date), title))
        start, date = after, date + days * DAY
    return columns


def _day_start(date, zone):
    """The hour (UTC) into which the midnight at the beginning of this date falls."""
    return _hour(datetime.datetime(date.year, date.month, date.day, tzinfo=zone))


def _day_of(hour, zone):
    """The date to whose day this hour is counted."""
    date = hour.astimezone(zone).date()
    return date + DAY if _day_start(date + DAY, zone) <= hour else date


def _is_day_start(hour, zone):
    return hour == _day_start(_day_of(hour, zone), zone)


def _hour(moment):
    return moment.astimezone(datetime.UTC).replace(minute=0, second=0, microsecond=0)


def _until(moment, zone):
    """The whole hour at or after this moment; at midnight the one with which the day begins."""
    hour, local = _hour(moment), moment.astimezone(zone)
    return hour if hour == moment or local.time() == datetime.time() else hour + HOUR


def _moment(text, zone):
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("Send an ISO 8601 time such as 2026-05-01T12:00.") from None
    if moment.year not in YEARS:
        raise ValueError(f"Send a time from {YEARS[0]} to {YEARS[-1]}.")
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _words(start, end, zone, whole):
    """24 Oct – 20 Nov 2026 of days, with the hours where they count."""
    if not whole:
        first, last = start.astimezone(zone), end.astimezone(zone)
        year = "" if first.year == last.year else f" {first.year}"
        return f"{_date(first)}{year}, {first:%H:%M} – {_date(last)} {last:%Y, %H:%M}"
    first, last = _day_of(start, zone), _day_of(end - HOUR, zone)
    if first == last:
        return f"{_date(last)} {last.year}"
    year = "" if first.year == last.year else f" {first.year}"
    return f"{_date(first)}{year} – {_date(last)} {last.year}"


def _length(preset, span):
    if preset:
        return f"{PRESETS[preset]} days" if PRESETS[preset] else "24 hours"
    if span % DAY:
        hours = span // HOUR
        return f"{hours:,} hour{'' if hours == 1 else 's'}"
    return f"{span // DAY} day{'' if span == DAY else 's'}"


def _date(date):
    return f"{date.day} {date:%b}"
