"""What a test watches beside what it is judged by, as its page shows it."""

from dataclasses import dataclass

from django.urls import reverse

from experiments.statistics import watching
from experiments.statistics.wording import plain
from experiments.views import drawing
from feedback.shares import in_points
from interactions.templatetags.interactions import milliseconds

_TONES = {watching.WORSE: "bad", watching.BETTER: "good"}


@dataclass(frozen=True)
class WatchedRow:
    """A figure of an arm, and of the control: all as texts. `at`: how much better it is, on an axis of margins."""

    name: str
    address: str  # of the feedback key's page
    accepted: str
    letter: str
    colour: str
    control: str
    value: str
    units: tuple[int, int]  # of the control, of the arm
    difference: str
    between: str
    at: drawing.Row | None
    verdict: str
    tone: str  # good or bad
    refused: str | None
    is_first: bool  # of its figure


def watched_rows(project, report):
    """WatchedRows of a Report: of each figure one for every arm but the control."""
    return [
        _row(project, report, one, against, against is one.against[0])
        for one in report.watched
        for against in one.against
    ]


def _row(project, report, one, against, is_first):
    arm, is_told = report.arms[against.arm], against.difference is not None
    page = {"project": project.ref, "key": one.key}
    difference = f"{watching.changed(one.kind, against.difference)}{watching.unit(one.kind)}" if is_told else ""
    return WatchedRow(
        name=one.name,
        address=reverse("feedback_key_detail", kwargs=page) if one.key else "",
        accepted=watching.accepted(one),
        letter=arm.letter,
        colour=drawing.colour(arm.arm.position),
        control=_value(one, 0),
        value=_value(one, against.arm),
        units=(one.units[0], one.units[against.arm]),
        difference=difference,
        between=watching.between(one, against) if is_told else "",
        at=_at(one, against) if is_told else None,
        verdict=against.verdict,
        tone=_TONES.get(against.verdict, ""),
        refused=against.refused,
        is_first=is_first,
    )


def _value(one, place):
    """74.2 %, 3.91, 1.24 s, 210"""
    value = one.values[place]
    if value is None:
        return ""
    if one.kind == "bool":
        return f"{in_points(value)} %"
    return milliseconds(round(value)) if one.figure == "latency_ms" else plain(value)


def _at(one, against):
    gains = against.difference, against.lower, against.upper
    if one.lower_is_better:
        gains = -against.difference, -against.upper, -against.lower
    return drawing.margin_row(*gains, one.margin)
