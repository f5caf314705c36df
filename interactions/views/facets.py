"""The facets as the page draws them: options with their counts, bars with their heights, what is set ticked."""

import zlib
from dataclasses import dataclass, field

from interactions.filters import FLAGS
from interactions.models import Label
from interactions.search import Counted
from interactions.search.facets import Facets, FeedbackFacet
from interactions.templatetags.interactions import number
from interactions.views.address import is_single, label_text, of_label, split_range

WIDTH, HEIGHT = 218, 36  # of a small histogram, in its own units
GAP = 2.5
SHOWN_LABELS = 8


@dataclass
class Option:
    """A box of the form: what it asks for, and how many have it, None where that is not known; where `capped`, at least
    so many."""

    value: str
    n: int | None
    on: bool
    label: Label | None = None
    without: str = ""
    capped: bool = False

    @property
    def id(self):
        """Always the same for what it asks, so that the box stays itself when the counts come."""
        return f"o-{zlib.crc32(f'{self.label is None}{self.value}'.encode()):08x}"


@dataclass
class Choice:
    """One of yes, no and none."""

    value: str
    name: str
    icon: str
    n: int | None
    on: bool


@dataclass
class Panel:
    """All that the filter form shows; `waiting` where its counts are still to come. `over` is how many matches were
    counted where that is not all of them, else None; `latency_alone` where that is so of the latency, and the rest is
    known exactly."""

    labels: list = field(default_factory=list)
    more_labels: list = field(default_factory=list)
    labels_set: int = 0
    models: list = field(default_factory=list)
    models_set: int = 0
    feedback: list = field(default_factory=list)
    latency: dict = field(default_factory=dict)
    metadata: list = field(default_factory=list)  # (what is asked, the same for people)
    over: int | None = None
    latency_alone: bool = False
    waiting: bool = False
    ghosts: dict = field(default_factory=dict)  # lines kept free for the labels and models to come
    unread_label: str = ""
    unseen: list = field(default_factory=list)


def panel_of(address, found, known, keys):
    """The Panel of an address. `found` are the Facets, or None where they are not counted yet (what the address sets
    is there all the same, and the feedback `keys`); `known` is the Counted of what matches, or None."""
    waiting = found is None
    found = found or _uncounted(keys)
    panel = Panel(waiting=waiting, over=found.looked_at if found.approximate else None)
    panel.latency_alone = found.approximate and not found.labels_approximate
    options = _labels(address, found.labels, known)
    shown = max(SHOWN_LABELS, sum(option.on for option in options))
    panel.labels, panel.more_labels = options[:shown], options[shown:]
    panel.labels_set = len(address.all("label")) + len(address.all("not_label"))
    panel.models = _models(address, found.models)
    panel.models_set = len(address.all("model"))
    panel.feedback = [_feedback(address, facet) for facet in found.feedback]
    panel.latency = _latency(address, found.latency)
    panel.metadata = [(text, label_text(text) or text) for text in address.all("metadata")]
    panel.unread_label = next((text for text in address.all("label") if label_text(text) is None), "")
    panel.unseen = _unseen(address, panel)
    return panel


def _uncounted(keys):
    feedback = [FeedbackFacet(key, none=None, yes=None, no=None) for key in keys]
    none = {"labels": [], "models": [], "latency": None, "label_total": 0, "looked_at": 0}
    return Facets(**none, feedback=feedback, labels_approximate=False, approximate=False)


def _labels(address, found, known):
    """What is set first, in the address's order whether it is counted or not, then the most used. What matches has all
    labels that are set: each is told as the matches are, not as the rest is."""
    wanted = {pair: text for text in address.all("label") if (pair := is_single(text))}
    there = {(label.key, label.value): (label, n) for label, n in found}
    chosen = [_label(address, there.get(pair, (Label(key=pair[0], value=pair[1]),))[0], text, known)
              for pair, text in wanted.items()]  # fmt: skip
    rest = [one for pair, one in there.items() if pair not in wanted]
    return chosen + [_label(address, label, None, Counted(n, False)) for label, n in rest]


def _label(address, label, text, counted):
    value = text or of_label(label)
    without = address.changed(("not_label", of_label(label)), without={("label", value)})
    n, capped = counted or (None, False)
    return Option(value, n, text is not None, label, without, capped)


def _models(address, found):
    """What is set first, as with the labels."""
    wanted = address.all("model")
    there = {model.key: n for model, n in found}
    chosen = [Option(key, there.get(key), True) for key in wanted]
    return chosen + [Option(key, n, False) for key, n in there.items() if key not in wanted]


def _feedback(address, facet):
    """One key's part: three choices for a yes or no, a range for a number."""
    key = facet.key
    asked = [text[len(key.key) + 1 :] for text in address.all("feedback") if text.startswith(f"{key.key}:")]
    if key.kind == "bool":
        choices = [("true", "Yes", "thumbs-up", facet.yes), ("false", "No", "thumbs-down", facet.no)]
        choices.append(("none", "Not given", "circle-dashed", facet.none))
        options = [Choice(value, name, icon, n, value in asked) for value, name, icon, n in choices]
        return {"key": key, "is_bool": True, "options": options}
    span = next((text for text in asked if text != "none" and _is_range(text)), "")
    least, most = split_range(span)
    spread = facet.distribution
    known = (spread.start, spread.end) if spread else (key.minimum, key.maximum)
    ends = tuple("" if end is None else number(end) for end in known)
    return {
        "key": key,
        "least": least,
        "most": most,
        "none": "none" in asked,
        "nones": facet.none,
        "bars": bars(spread, least, most),
        "bars_id": f"bars-key-{key.pk}",
        "placeholder": ends,
        "range": " – ".join(ends) if all(ends) else "",
    }


def _latency(address, spread):
    least, most = split_range(address.one("latency"))
    ends = (f"{spread.start:,.0f}", f"{spread.end:,.0f}") if spread else ("0", "")
    return {"bars": bars(spread, least, most), "least": ends[0], "most": ends[1]}


def _is_range(text):
    return all(not end or _figure(end) is not None for end in split_range(text)) and text != "true" and text != "false"


def _figure(text):
    try:
        return float(text.removeprefix("<"))  # the end of a half-open range
    except ValueError:
        return None


def bars(spread, least="", most=""):
    """The bars of a Distribution; those outside least to most are off."""
    if spread is None:
        return []
    width, top = WIDTH / len(spread.bins), max(max(spread.bins), 1)
    out = []
    for place, n in enumerate(spread.bins):
        start, end = _ends(spread, place)
        height = round(HEIGHT * n / top, 1) if n else 0
        height = max(height, 1.5) if n else 0
        out.append({
            "x": round(place * width, 1),
            "y": round(HEIGHT - height, 1),
            "width": round(width - GAP, 1),
            "height": height,
            "on": _is_on(spread, place, least, most),
            "title": f"{_span(spread, start, end)}: {n:,}",
        })  # fmt: skip
    return out


def _ends(spread, place):
    """Where a bin begins and ends."""
    if spread.edges:
        return spread.edges[place], spread.edges[place + 1]
    step = (spread.end - spread.start) / len(spread.bins)
    return spread.start + step * place, spread.start + step * (place + 1)


def _is_on(spread, place, least, most):
    """Whether some of what a bin may hold lies from least to most."""
    low, high = _figure(least), _figure(most)
    start, end = _ends(spread, place)
    if high is not None and high <= start:  # of a step its start may be all there is, of any other bin it is nothing
        holds_it = bool(spread.edges) or start == spread.start
        return high == start and holds_it and not most.startswith("<")
    return low is None or end > low or end == low and not spread.edges and place + 1 == len(spread.bins)


def _span(spread, start, end):
    """What a bin holds, in words; the last step of a scale ends with it."""
    if not spread.edges:
        return f"{number(start)} to {number(end)}"
    if end <= spread.end:
        return f"{number(start)} to under {number(end)}"
    return number(start) if start == spread.end else f"{number(start)} to {number(spread.end)}"


def _unseen(address, panel):
    """The pairs that no field of the form shows; they are carried along, so that nothing is lost by ticking a box."""
    seen = {("label", option.value) for option in [*panel.labels, *panel.more_labels]}
    seen |= {("label", panel.unread_label)}
    seen |= {("model", option.value) for option in panel.models}
    for facet in panel.feedback:
        key = facet["key"].key
        if facet.get("is_bool"):
            seen |= {("feedback", f"{key}:{option.value}") for option in facet["options"] if option.on}
        else:
            seen |= {("feedback", f"{key}:none")}
            texts = (text for text in address.all("feedback") if text.startswith(f"{key}:"))
            ends = (facet["least"], facet["most"])
            seen |= {("feedback", text) for text in texts if any(ends) and split_range(text[len(key) + 1 :]) == ends}
    fields = {"q", "session", "user", "source", "latency", "metadata", "fold", "cursor"}
    seen |= {(name, "true") for name in FLAGS}
    return [(name, value) for name, value in address.pairs if name not in fields and (name, value) not in seen]
