"""The spans that the overview takes: whole hours of UTC, days of the reader, also where the clocks change."""

import datetime
import zoneinfo
from itertools import pairwise

import pytest

from interactions.views.overview_period import PRESETS, read_period

MOMENTS = [
    datetime.datetime(2026, 3, 9, 3, 30, tzinfo=datetime.UTC),  # America changed its clocks the day before
    datetime.datetime(2026, 11, 1, 5, 59, tzinfo=datetime.UTC),  # within the hour that America has twice
    datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.UTC),
]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/New_York", "America/Havana",
                                  "Australia/Lord_Howe", "Pacific/Chatham", "Europe/Berlin"])  # fmt: skip
@pytest.mark.parametrize("now", MOMENTS, ids=str)
@pytest.mark.parametrize("preset", PRESETS)
def test_columns_follow_each_other_by_whole_hours_and_end_with_this_one(now, zone, preset):
    here = zoneinfo.ZoneInfo(zone)
    period, faults = read_period({"period": preset}, now, here)
    assert faults == []
    assert len(period.columns) == (PRESETS[preset] or 24)
    assert period.start < period.end and now < period.end <= now + datetime.timedelta(hours=1)
    for column, after in pairwise(period.columns):
        assert column.end == after.start
    assert all(edge.utcoffset() == datetime.timedelta(0) and not edge.minute for edge in period.edges)
    assert period.before[1] <= period.start
    assert period.end - period.start - (period.before[1] - period.before[0]) <= datetime.timedelta(hours=1)
    if PRESETS[preset]:
        dates = [(column.start + datetime.timedelta(minutes=59)).astimezone(here).date() for column in period.columns]
        assert [after - date for date, after in pairwise(dates)] == [datetime.timedelta(days=1)] * (len(dates) - 1)
        for column, date in zip(period.columns, dates, strict=True):
            assert column.name == f"{date.day} {date:%b}"
            midnight = datetime.datetime(date.year, date.month, date.day, tzinfo=here).astimezone(datetime.UTC)
            assert datetime.timedelta(0) <= midnight - column.start < datetime.timedelta(hours=1)


@pytest.mark.parametrize(
    ("query", "zone", "start", "end", "columns"),
    [
        ({"after": "2026-05-01T10:20", "before": "2026-05-01T12:20"}, "UTC", "05-01T10", "05-01T13", 3),
        ({"after": "2026-05-01T00:00", "before": "2026-05-04T00:00"}, "Europe/Berlin", "04-30T22", "05-03T22", 3),
        ({"after": "2026-05-01T00:00", "before": "2026-05-04T00:00"}, "Asia/Kolkata", "04-30T18", "05-03T18", 3),
        ({"after": "2026-05-01T00:10", "before": "2026-05-04T00:10"}, "Asia/Kolkata", "04-30T18", "05-03T19", 4),
        ({"after": "2026-05-01T00:00Z", "before": "2026-05-01T12:00-02:00"}, "Asia/Tokyo", "05-01T00", "05-01T14", 14),
        ({"before": "2026-05-29T00:00"}, "UTC", "05-01T00", "05-29T00", 28),
        ({"after": "2026-01-01", "before": "2026-06-30"}, "UTC", "01-01T00", "06-30T00", 26),
    ],
)
def test_a_span_of_ones_own_is_taken_to_whole_hours(query, zone, start, end, columns):
    period, faults = read_period(query, MOMENTS[0], zoneinfo.ZoneInfo(zone))
    assert faults == []
    assert (f"{period.start:%m-%dT%H}", f"{period.end:%m-%dT%H}") == (start, end)
    assert len(period.columns) == columns
    assert period.before == (period.start - (period.end - period.start), period.start)


@pytest.mark.parametrize(
    ("after", "before", "days", "hours", "hours_before"),
    [
        ("2026-10-10", "2026-11-05", 26, 625, 624),  # an hour more on 25 October
        ("2026-03-20", "2026-03-31", 11, 263, 263),  # an hour less on 29 March
        ("2026-10-26", "2026-10-28", 2, 48, 48),  # the hour more lies before
        ("2026-10-25", "2026-10-26", 1, 25, 24),
    ],
)
def test_whole_days_are_compared_with_as_many_days_also_where_the_clocks_change(
    after, before, days, hours, hours_before
):
    zone, hour = zoneinfo.ZoneInfo("Europe/Berlin"), datetime.timedelta(hours=1)
    period, _ = read_period({"after": after, "before": before}, MOMENTS[0], zone)
    assert period.length == f"{days} day{'s' if days > 1 else ''}"
    assert (period.end - period.start) / hour == hours
    begins, ends = period.before
    assert begins.astimezone(zone).time() == datetime.time()
    assert (ends - begins) / hour == hours_before
    assert ends <= period.start <= ends + hour
