"""The newest interactions with a bad value of a key: a no, or a number in the worst quarter of the key's range."""

from dataclasses import dataclass

from django.http import QueryDict

from feedback.models import Feedback, FeedbackKey
from interactions.labels import labels_of
from interactions.models import Interaction
from interactions.search import Counted, newest_within
from interactions.search.facets import Matches, count_shown
from interactions.views.address import Address
from interactions.views.overview_figures import is_bool
from interactions.views.overview_period import HOUR
from interactions.views.reading import wanted_of

ROWS = 8


@dataclass(frozen=True)
class Bad:
    """Up to eight rows of one key, each with `.address`, `.value` (the worst that is current) and its `.details`."""

    key: FeedbackKey
    said: str  # Helpful: no, CSAT at most 2
    counted: Counted
    address: str
    rows: list


def judged(keys):
    """[FeedbackKey] of which it is known what is bad."""
    return [key for key in keys if is_bool(key) or None not in (key.minimum, key.maximum)]


def usual(keys):
    """The key to begin with, or None: one of yes and no, whose bad ones the roll-ups know, before a number."""
    return next(iter(sorted(judged(keys), key=lambda key: not is_bool(key))), None)


def latest_bad(figures, key, project):
    """The Bad of a key in the period of Figures, which must hold the key."""
    asked, said = _asked(key)
    period = figures.period
    address = Address.read(
        project, QueryDict(figures.links(period.start, period.end, ("feedback", asked)).split("?")[1])
    )
    wanted, _ = wanted_of(project, address)
    matches = Matches(project, wanted)
    found = newest_within(project, wanted, _hours(figures, key), ROWS) if is_bool(key) else matches.ids[:ROWS]
    rows = labels_of(Interaction.objects.for_table().in_order(found))
    _judge(rows, key)
    for row in rows:
        row.address = address.of(row.pk)
    return Bad(key, key.name + said, count_shown(project, wanted, matches), address.url, rows)


def _hours(figures, key):
    """[(start, end)] of the newest hours that hold enough bad ones, however rare they are; newest first."""
    found, held = [], 0
    for hour in sorted(figures.hourly[key.pk], reverse=True):
        totals = figures.hourly[key.pk][hour]
        if held < ROWS and (n := totals.ones if key.lower_is_better else totals.zeros):
            found.append((hour, hour + HOUR))
            held += n
    return found


def _asked(key):
    """(the filter that means a bad value, what it says behind the key's name)"""
    if is_bool(key):
        return (f"{key.key}:true", ": yes") if key.lower_is_better else (f"{key.key}:false", ": no")
    quarter = (key.maximum - key.minimum) / 4
    if key.lower_is_better:
        least = _text(key.maximum - quarter)
        return f"{key.key}:{least}..", f" {least} or more"
    most = _text(key.minimum + quarter)
    return f"{key.key}:..{most}", f" at most {most}"


def _text(value):
    return repr(value).removesuffix(".0")


def _judge(rows, key):
    """Give each row its worst current value of the key, with what was said to it."""
    given = Feedback.objects.current().filter(interaction_id__in=[row.pk for row in rows], feedback_key=key)
    worst = {}
    for one in given.order_by("value" if key.lower_is_better else "-value", "id"):
        worst[one.interaction_id] = one  # the worst comes last
    for row in rows:
        row.value = worst[row.pk].value if row.pk in worst else None
        row.details = worst[row.pk].details if row.pk in worst else ""
