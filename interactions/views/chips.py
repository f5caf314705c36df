"""The filters in force, as words that can be taken away one by one."""

import datetime
import re
from dataclasses import dataclass

from django.utils import timezone

from experiments.models import Arm
from interactions.models import Source
from interactions.rules import moment_of
from interactions.times import length_of
from interactions.views.address import FILTERS, label_text, split_range

_ID = re.compile(r"[1-9][0-9]{0,8}")
_ASKED = {"true": "yes", "false": "no", "none": "not given"}
_HAVING = {
    "has_images": "pictures",
    "has_tools": "tool calls",
    "has_feedback": "feedback",
    "has_correction": "a better answer",
    "has_notes": "notes",
    "reviewed": "feedback by a reviewer",
}
_PLAIN = {
    "model": "model",
    "not_model": "without model",
    "session": "session",
    "user": "user",
    "external_id": "external id",
    "api_key": "logged by key",
    "queue": "in queue",
    "arm": "A/B arm",
}


@dataclass
class Chip:
    kind: str
    text: str
    without: str
    wrong: bool = False


@dataclass
class Fault:
    """A word of the address that cannot be read."""

    name: str
    label: str
    text: str
    without: str


def chips_of(address, faults):
    """A Chip for every filter of the address but the words, which stand in the search box."""
    arms = _arms(address)
    chips = [
        Chip(*_words(name, arms.get(value, value) if name == "arm" else value), without, name in faults)
        for name, value in address.pairs
        if name in FILTERS - {"q", "after", "before"}
        for without in [address.changed(without={(name, value)})]
    ]
    after, before = address.one("after"), address.one("before")
    if after or before:
        wrong = "after" in faults or "before" in faults
        chips.append(Chip("time", span_text(after, before), address.without_time, wrong))
    return chips


def _arms(address):
    """{an arm's id as it is asked for: the arm by its letter and its A/B test} of those of the project."""
    wanted = [text for text in address.all("arm") if _ID.fullmatch(text)]
    arms = Arm.objects.filter(test__project=address.project, pk__in=wanted).select_related("test") if wanted else ()
    return {str(arm.pk): f"{arm.letter} of {arm.test.name}" for arm in arms}


def faults_of(filterset, address):
    """[Fault] of a filterset that is not valid."""
    return [
        Fault(name, f"{filterset.filters[name].label}:", " ".join(texts), address.changed(without={name}))
        for name, texts in filterset.errors.items()
        if name in filterset.filters
    ]


def _words(name, value):
    """(what it is about, what is asked)"""
    if name in {"label", "not_label"}:
        text = label_text(value) or value
        return ("without label" if name == "not_label" else "label is" if ":" in text else "has label"), text
    if name == "metadata":
        text = label_text(value) or value
        return ("metadata is" if ":" in text else "has metadata"), text
    if name == "feedback":
        return _feedback(value)
    if name == "latency":
        least, most = split_range(value)
        return "latency", f"{_range(least, most)} ms"
    if name == "near":
        return "alike", value[:8]
    if name == "prompt":
        return "same prompt", value[:8]
    if name == "source":
        return "source", Source(value).label if value in Source.values else value
    if name == "has_error":
        return "call", "failed" if value == "true" else "not failed"
    if name in _HAVING:
        return ("with" if value == "true" else "without"), _HAVING[name]
    return _PLAIN[name], value


def _feedback(value):
    key, colon, asked = value.rpartition(":")
    if not colon:
        return value, "given"
    if asked in _ASKED:
        return key, _ASKED[asked]
    if asked.startswith(">") and not asked.startswith(">="):
        return key, f"over {_figure(asked[1:])}"
    return key, _range(*split_range(asked))


def _range(least, most):
    if most.startswith("<"):
        under = f"under {_figure(most[1:])}"
        return f"{_figure(least)} to {under}" if least else under
    least, most = (_figure(end) for end in (least, most))
    if not most:
        return f"{least} or more"
    if not least:
        return f"up to {most}"
    return least if least == most else f"{least} to {most}"


def _figure(text):
    return f"{int(text):,}" if text.isascii() and text.isdigit() and len(text) < 16 else text


def span_text(after, before):
    """17 – 20 Nov where whole days are meant, in the reader's zone, else with the hours; '' where nothing is set."""
    if length_of(after) or length_of(before):
        return _since(after, before)
    start, end = _local(after), _local(before)
    if start is None and end is None:
        return " – ".join(text for text in (after, before) if text)
    whole = all(end_ is None or (end_.hour, end_.minute, end_.second) == (0, 0, 0) for end_ in (start, end))
    if whole and end is not None:
        end -= datetime.timedelta(days=1)  # the last day that belongs to it
    if end is None:
        return f"since {_day(start, whole)}"
    if start is None:
        return f"until {_day(end, whole)}"
    if whole and start.date() == end.date():
        return _day(start, whole)
    if whole and (start.year, start.month) == (end.year, end.month):
        return f"{start.day} – {_day(end, whole)}"
    return f"{_day(start, whole)} – {_day(end, whole)}"


def _since(after, before):
    """The last 7 days, or whatever ends so long ago."""
    start, end = (f"{length} ago" if (length := length_of(text)) else text for text in (after, before))
    if not end:
        return f"last {length_of(after)}"
    return f"{start} – {end}" if start else f"until {end}"


def _day(moment, whole):
    year = "" if moment.year == timezone.localdate().year else f" {moment.year}"
    return f"{moment.day} {moment:%b}{year}" + ("" if whole else f", {moment:%H:%M}")


def _local(text):
    moment = moment_of(text) if text else None
    try:
        return timezone.localtime(moment) if moment else None
    except OverflowError:  # at the very ends of the calendar
        return None
