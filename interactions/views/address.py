"""The page's address: the filter language in one canonical order, and the links that change one word of it.

The form's own fields (two ends of a range, a choice of three) become words of the language here, so that every
state of the table has one address that can be shared.
"""

import datetime
import uuid
from functools import cached_property
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from interactions.filters import EXACT, NAMES, OF_PAGE, canonical, read_label, write_label
from interactions.forms import plain_figure

FILTERS = frozenset(NAMES) - {"fold", "order", *OF_PAGE}
_NO_ID = uuid.UUID(int=0)
_IS, _FROM, _TO = "feedback.is.", "feedback.from.", "feedback.to."
_OF_FORM = {"label.add", "metadata.add", "time.after", "time.before", "latency.from", "latency.to", "go"}


class Address:
    """The table's address in a project: its pairs of name and value, in the order of NAMES."""

    def __init__(self, project, pairs):
        self.project = project
        self.pairs = canonical(pairs)

    @classmethod
    def read(cls, project, query):
        """From a query string, or from what the page's forms send (a QueryDict)."""
        pairs = [(n, v if n in EXACT else v.strip()) for n, values in query.lists() for v in values]
        return cls(project, [*((n, v) for n, v in pairs if v), *_from_form(query, [n for n, v in pairs if v])])

    # -- words -------------------------------------------------------------------------------------
    def all(self, name):
        return [value for key, value in self.pairs if key == name]

    def one(self, name):
        return next(iter(self.all(name)), "")

    @property
    def has_filters(self):
        return any(name in FILTERS for name, _ in self.pairs)

    # -- addresses ---------------------------------------------------------------------------------
    @cached_property
    def list(self):
        return reverse("interaction_list", kwargs={"project": self.project.ref})

    @cached_property
    def query(self):
        return urlencode(self.pairs)

    @property
    def lasting(self):
        """The query string of what is shown, whichever page of it and however long: what a view or an export keeps."""
        return urlencode([(name, value) for name, value in self.pairs if name not in OF_PAGE])

    @property
    def url(self):
        return self._query(self.list, self.pairs)

    @staticmethod
    def _query(path, pairs):
        return f"{path}?{urlencode(pairs)}" if pairs else path

    @property
    def inside(self):
        """What an interaction's address carries, so that previous, next and back stay inside the filter."""
        return f"?{self.query}" if self.pairs else ""

    @cached_property
    def _around_id(self):
        """What stands before and behind the id in an interaction's address, looked up once for all rows."""
        detail = reverse("interaction_detail", kwargs={"project": self.project.ref, "pk": _NO_ID})
        return detail.rsplit(str(_NO_ID), 1)

    def of(self, interaction_id):
        """The address of one interaction, within this filter."""
        return str(interaction_id).join(self._around_id) + self.inside

    def part(self, name, *more):
        """The address of a part that comes by a request of its own, by its URL's name, with some more pairs."""
        return self._query(reverse(name, kwargs={"project": self.project.ref}), [*self.pairs, *more])

    @property
    def facets(self):
        return self.part("interaction_facets")

    @property
    def histogram(self):
        return self.part("interaction_histogram")

    def changed(self, *more, without=()):
        """The address without these names or pairs and with some more pairs, at its first page."""
        kept = [
            (name, value)
            for name, value in self.pairs
            if name != "cursor" and name not in without and (name, value) not in without
        ]
        other = Address(self.project, [*kept, *more])
        other.list = self.list  # looked up once for all of a page's links
        return other.url

    @property
    def filters(self):
        """The query string of the filters alone, which work over all that they find is given."""
        return urlencode([(name, value) for name, value in self.pairs if name in FILTERS])

    def of_alike(self, hashes):
        """The address of those alone, of what it finds, that have one of these near_hashes."""
        kept = [(name, value) for name, value in self.pairs if name not in {"near", "fold"}]
        return Address(self.project, [*kept, *(("near", one.hex) for one in hashes)])

    def at(self, cursor):
        return self.changed(("cursor", cursor)) if cursor else ""

    @property
    def bare(self):
        return self.changed(without=FILTERS)

    @property
    def without_q(self):
        return self.changed(without={"q"})

    @property
    def says_or(self):
        return "OR" in self.one("q").split()

    @property
    def without_time(self):
        return self.changed(without={"after", "before"})

    @property
    def turned(self):
        """The other order."""
        return self.changed(
            *([] if self.one("order") == "created_at" else [("order", "created_at")]), without={"order"}
        )

    @property
    def pairs_without_time(self):
        return [(name, value) for name, value in self.pairs if name not in {"after", "before", "cursor"}]

    # -- what the templates ask --------------------------------------------------------------------
    def __getitem__(self, name):
        if name == "sources":
            return self.all("source")
        if name == "latency":
            return split_range(self.one("latency"))
        if name in NAMES:
            return self.one(name)
        raise KeyError(name)


def split_range(text):
    """The two ends of `a..b`, `a..<b`, `>=a`, `<=b`, `<b` or `a`, as text."""
    if text.startswith(">="):
        return text[2:].strip(), ""
    if text.startswith("<="):
        return "", text[2:].strip()
    if text.startswith("<"):
        return "", text
    least, dots, most = text.partition("..")
    return (least, most) if dots else (text, text)


def join_range(least, most):
    return f"{least}..{most}"


def strange_words(query):
    """The names of a query string that are neither words of the language nor fields of the form."""
    return [name for name in query if name not in {*NAMES, *_OF_FORM} and not name.startswith((_IS, _FROM, _TO))]


def _from_form(query, names):
    """The pairs that the form's own fields mean."""
    pairs = []
    if text := query.get("label.add", "").strip():
        pairs.append(_label_pair(text))
    if text := query.get("metadata.add", "").strip():
        pairs.append(("metadata", text))
    for name, end in (("time.after", "after"), ("time.before", "before")):
        if text := query.get(name, "").strip():
            pairs.append((end, _instant(text)))
    least, most = (plain_figure(query.get(f"latency.{end}", "")) for end in ("from", "to"))
    if least or most:
        pairs.append(("latency", join_range(least, most)))
    for name in names:
        if name.startswith(_IS):
            pairs += [("feedback", f"{name.removeprefix(_IS)}:{value}") for value in query.getlist(name) if value]
    for key in dict.fromkeys(
        name.removeprefix(_FROM).removeprefix(_TO) for name in names if name.startswith((_FROM, _TO))
    ):
        ends = (plain_figure(query.get(start + key, "")) for start in (_FROM, _TO))
        pairs.append(("feedback", f"{key}:{join_range(*ends)}"))
    return pairs


def _label_pair(text):
    """`-key:value` asks for its absence."""
    return ("not_label", text[1:].strip()) if text.startswith("-") else ("label", text)


def _instant(text):
    """A local time of the page's form as an instant; what cannot be read stays as it is, for the filter to refuse."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return text
    moment = moment if moment.tzinfo else timezone.make_aware(moment)
    try:
        return write_instant(moment)
    except OverflowError:  # at the very ends of the calendar
        return moment.isoformat()


def write_instant(moment):
    """An aware time as the filter language writes it."""
    text = moment.astimezone(datetime.UTC).isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def label_text(text):
    """What a label filter asks, for people: key, key:value, key:one or other. None where it cannot be read."""
    try:
        test = read_label(text)
    except ValueError:
        return None
    return test.key if test.values is None else f"{test.key}:{' or '.join(test.values)}"


def is_single(text):
    """(key, value) of a label filter that names one label, else None."""
    try:
        test = read_label(text)
    except ValueError:
        return None
    return (test.key, test.values[0]) if test.values is not None and len(test.values) == 1 else None


def of_label(label):
    return write_label(label.key, label.value)
