"""When people write: more by day than by night, less at the weekend, more on the day of the storm."""

from bisect import bisect_left
from datetime import datetime, timedelta
from itertools import accumulate

DAYS = 60
HOURS = [1, 1, 1, 1, 1, 3, 9, 18, 26, 25, 22, 20, 19, 18, 18, 19, 22, 27, 31, 30, 25, 17, 9, 3]
WEEKDAYS = [1.3, 1.1, 1.05, 1.0, 0.95, 0.6, 0.55]
STORM = 43  # the day, counted from the first, on which it rained in
# The newest chats lie so many minutes back, whatever the hour: a demo at night must not look abandoned.
NEWEST = (41, 27, 12, 2)


def moments(rng, now: datetime, count: int) -> list[datetime]:
    """So many moments in the 60 days before now, in order, spread as people write."""
    start = now - timedelta(days=DAYS)
    weights = [_weight(start + timedelta(hours=hour), hour / 24) for hour in range(DAYS * 24)]
    reached = [0, *accumulate(weights)]
    found = []
    for position in range(count):
        aim = (position + rng.random()) / count * reached[-1]
        hour = min(max(bisect_left(reached, aim) - 1, 0), len(weights) - 1)
        found.append(start + timedelta(hours=hour + (aim - reached[hour]) / weights[hour]))
    for place, minutes in enumerate(NEWEST, start=count - len(NEWEST)):
        found[place] = now - timedelta(minutes=minutes)
    return sorted(found)


def _weight(moment, day):
    growth = 0.75 + 0.5 * day / DAYS
    return HOURS[moment.hour] * WEEKDAYS[moment.weekday()] * growth * (2.2 if int(day) == STORM else 1)
