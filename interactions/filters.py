"""The one filter language: the words of a query string, for the page, the API and the export alike."""

import re
import uuid
from urllib.parse import urlencode

import django_filters
from django import forms
from django.http import QueryDict

from accounts.models import HINT, ApiKey
from feedback.filters import read_feedback
from feedback.services import keys_of
from interactions.calls import UNSAID, refuse_unknown
from interactions.ids import now
from interactions.models import Interaction
from interactions.records import SOURCES
from interactions.rules import RecordError, text_fault
from interactions.times import read_time
from interactions.wanted import LabelTest, Wanted
from interactions.words import tsquery
from reviews.models import Queue

NAMES = (
    "q", "label", "not_label", "after", "before", "model", "not_model", "feedback", "session", "user", "source",
    "latency", "metadata", "has_images", "has_tools", "has_error", "has_feedback", "has_correction", "has_notes",
    "reviewed", "external_id", "api_key", "queue", "arm", "prompt", "near", "fold", "order", "limit", "cursor",
)  # fmt: skip
REPEATED = {"label", "not_label", "model", "not_model", "feedback", "source", "metadata", "queue", "arm", "near"}
# words whose blanks belong to them
EXACT = {"label", "not_label", "model", "not_model", "feedback", "session", "user", "metadata", "external_id"}
OF_PAGE = {"limit", "cursor"}
MOST_MEMBERS = 100  # of the metadata, and values of them: each is looked for in every body
_RANGE = re.compile(r"(\d{0,9})\.\.(\d{0,9})")
FLAGS = ("has_images", "has_tools", "has_error", "has_feedback", "has_correction", "has_notes", "reviewed")
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class ListField(forms.Field):
    """A word that may be repeated: a list of texts, those that are empty left out."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value):
        return [text for text in value or [] if text]


class Words(django_filters.Filter):
    field_class = forms.CharField


class ListOfWords(django_filters.Filter):
    field_class = ListField


class FilterForm(forms.Form):
    """Reads each word by the `clean_…` below; what is wrong is told beside the field."""

    def clean(self):
        cleaned = super().clean()
        for name, value in list(cleaned.items()):
            reader = getattr(self, f"read_{name}", None)
            try:
                if faults := [fault for text in _texts(value) if (fault := text_fault(text))]:
                    raise ValueError(faults[0])
                if value and reader:
                    cleaned[name] = reader(value)
            except ValueError as error:
                self.add_error(name, str(error))
        after, before = cleaned.get("after"), cleaned.get("before")
        if after and before and not self.errors and before < after:
            self.add_error("before", "It ends before it begins.")
        if cleaned.get("metadata") and cleaned.get("fold"):
            self.add_error("fold", "What is alike may differ in its metadata; leave one of the two out.")
        return cleaned

    def read_label(self, texts):
        return tuple(read_label(text) for text in texts)

    read_not_label = read_label

    def read_metadata(self, texts):
        tests = self.read_label(texts)
        if sum(1 + len(test.values or ()) for test in tests) > MOST_MEMBERS:
            raise ValueError(f"Ask for at most {MOST_MEMBERS} keys and values.")
        return tests

    def read_after(self, text):
        return read_time(text, self.now)

    read_before = read_after

    def read_feedback(self, texts):
        keys = keys_of(self.project)
        return tuple(read_feedback(self.project, text, keys) for text in texts)

    def read_source(self, texts):
        if unknown := set(texts) - SOURCES:
            raise ValueError(f"{min(unknown)[:40]!r} is no source; send one of {', '.join(sorted(SOURCES))}.")
        return tuple(texts)

    def read_latency(self, text):
        match = _RANGE.fullmatch(text)
        if not match or text == "..":
            raise ValueError("Send milliseconds as 1..3000, 1.. or ..3000.")
        least, most = (int(end) if end else None for end in match.groups())
        if None not in (least, most) and least > most:
            raise ValueError("The first end lies above the second; send the lesser one first.")
        return least, most

    def read_has_images(self, text):
        if text.lower() not in _FLAGS:
            raise ValueError("Send true or false.")
        return _FLAGS[text.lower()]

    read_has_tools = read_has_error = read_has_feedback = read_has_correction = read_has_images
    read_has_notes = read_reviewed = read_has_images

    def read_q(self, text):
        words, not_words = tsquery(text)
        if not words and not not_words:
            raise ValueError("There is no word in this; send letters or digits.")
        return words, not_words

    def read_prompt(self, text):
        try:
            return uuid.UUID(text)
        except ValueError:
            raise ValueError("Send the prompt_hash of an interaction.") from None

    def read_near(self, texts):
        try:
            return tuple(uuid.UUID(text) for text in texts)
        except ValueError:
            raise ValueError("Send the near_hash of an interaction.") from None

    def read_arm(self, texts):
        if not all(text.isascii() and text.isdigit() and len(text) < 10 for text in texts):
            raise ValueError("Send the id of an A/B test's arm, as the test tells it.")
        return tuple(map(int, texts))

    def read_queue(self, keys):
        found = dict(Queue.objects.filter(project=self.project, key__in=keys).values_list("key", "pk"))
        if unknown := set(keys) - found.keys():
            raise ValueError(f"The project has no queue with the key {min(unknown)[:64]}.")
        return tuple(found.values())

    def read_api_key(self, hint):
        found = tuple(ApiKey.objects.filter(hint=hint).values_list("pk", flat=True))
        if not found:
            raise ValueError(f"No API key begins so; send the {HINT} characters that are told of it.")
        return found

    def read_fold(self, text):
        if text != "near":
            raise ValueError("Send near: of those that are alike the first alone.")
        return True

    def read_order(self, text):
        if text not in {"-created_at", "created_at"}:
            raise ValueError("Send -created_at (newest first) or created_at; a list over REST takes received_at too.")
        return text


class InteractionFilter(django_filters.FilterSet):
    """Names every word once. `wanted` is what they mean; ask `is_valid()` first."""

    label = ListOfWords(label="Labels", help_text="key or key:value; repeated: all of them; key:a|b: either")
    not_label = ListOfWords(label="Without labels", help_text="as label, for what must not be there")
    after = Words(label="From", help_text="ISO 8601 time, inclusive; or -7d: seven days ago (m, h, d, w)")
    before = Words(label="To", help_text="as after, exclusive")
    model = ListOfWords(label="Model", help_text="a model's key; repeated: any of them")
    not_model = ListOfWords(label="Without models", help_text="as model: none of them, or no model at all")
    feedback = ListOfWords(label="Feedback", help_text="key, key:none, key:true, key:>=4, key:1..<3; repeated: all")
    session = Words(label="Session", help_text="a session's id", strip=False)
    user = Words(label="User", help_text="a user's id", strip=False)
    source = ListOfWords(label="Source", help_text="repeated: any of them; all but simulation unless said")
    latency = Words(label="Latency", help_text="milliseconds as 1..3000")
    metadata = ListOfWords(label="Metadata", help_text="key or key:value, as label; repeated: all of them")
    has_images = Words(label="With pictures", help_text="true or false")
    has_tools = Words(label="With tool calls", help_text="true or false")
    has_error = Words(label="Failed", help_text="true or false: the call failed, as its metadata tell")
    has_feedback = Words(label="With feedback", help_text="true or false: any current feedback, under whatever key")
    has_correction = Words(label="With a better answer", help_text="true or false: a better answer was written")
    has_notes = Words(label="With notes", help_text="true or false: people wrote notes on it")
    reviewed = Words(label="Feedback by a reviewer", help_text="true or false: any current feedback by a reviewer")
    external_id = Words(label="External id", help_text="your own id, whatever the source", strip=False)
    api_key = Words(label="Logged by the key", help_text=f"the {HINT} characters by which an API key begins")
    q = Words(label="Words", help_text='words, "a phrase", pre*; all must be there, and none with a - before it')
    queue = ListOfWords(label="In a queue", help_text="a review queue's key; repeated: in any of them")
    arm = ListOfWords(label="A/B arm", help_text="an arm's id, as its A/B test tells it; repeated: any of them")
    prompt = Words(label="Same prompt", help_text="a prompt_hash: interactions that answer the same messages")
    near = ListOfWords(label="Alike", help_text="a near_hash: interactions of the same words without pictures")
    fold = Words(label="Folded", help_text="near: of those that are alike the first alone")
    order = Words(label="Order", help_text="-created_at or created_at; received_at in a list")

    class Meta:
        model = Interaction
        fields = []
        form = FilterForm

    def __init__(self, data=None, *args, project=None, **kwargs):
        kwargs.setdefault("queryset", Interaction.objects.none())
        # only what is asked is copied and read: most ask for little
        self.base_filters = {name: one for name, one in type(self).base_filters.items() if name in (data or ())}
        super().__init__(data, *args, **kwargs)
        self.project = project
        self.form.project, self.form.now = project, now()

    @property
    def wanted(self):
        """The Wanted of a valid query string."""
        given = self.form.cleaned_data.get
        words, not_words = given("q") or ("", ())
        own = given("external_id") or None
        return Wanted(
            labels=given("label") or (),
            not_labels=given("not_label") or (),
            after=given("after") or None,
            before=given("before") or None,
            models=tuple(given("model") or ()),
            not_models=tuple(given("not_model") or ()),
            feedback=given("feedback") or (),
            session=given("session") or None,
            user=given("user") or None,
            sources=given("source") or (tuple(sorted(SOURCES)) if own else ()),
            latency=given("latency") or None,
            metadata=given("metadata") or (),
            **{name: None if given(name) == "" else given(name) for name in FLAGS},
            words=words,
            not_words=not_words,
            external_id=own,
            api_keys=given("api_key") or (),
            queues=given("queue") or (),
            arms=given("arm") or (),
            prompt=given("prompt") or None,
            near=given("near") or (),
            fold=bool(given("fold")),
            oldest_first=given("order") == "created_at",
        )


def read_wanted(params, project, besides=()):
    """The Wanted of a call's query string; RecordError names what is wrong. A word that is none, and none of those
    `besides`, is refused, so is one that is empty, or given twice where one alone would be looked at: who misspells a
    filter, or fills it with nothing, would take everything for the answer."""
    refuse_unknown(params, {*InteractionFilter.base_filters, "project", *besides})
    _refuse_unsaid(params)
    filterset = InteractionFilter(params, project=project)
    if not filterset.is_valid():
        raise RecordError({name: list(texts) for name, texts in filterset.errors.items()})
    return filterset.wanted


def _refuse_unsaid(params):
    faults = {}
    for name, values in params.lists():
        if name in InteractionFilter.base_filters and not all(v if name in EXACT else v.strip() for v in values):
            faults[name] = [UNSAID]
        elif len(values) > 1 and name not in REPEATED:
            faults[name] = ["Give this word once; all but one would be passed over."]
    if faults:
        raise RecordError(faults)


def canonical(pairs):
    """Pairs of name and value in the order of NAMES: of what may be repeated each value once, of the rest the last;
    yes and no as true and false."""
    pairs = [(name, _spelled(value) if name in FLAGS else value) for name, value in pairs]
    given = {name: list(dict.fromkeys(value for key, value in pairs if key == name)) for name in NAMES}
    return [(name, value) for name, values in given.items() for value in (values if name in REPEATED else values[-1:])]


def _spelled(flag):
    """What cannot be read stays as it is, to be refused."""
    known = _FLAGS.get(flag.lower())
    return flag if known is None else "true" if known else "false"


def canonical_query(project, text):
    """A filter's query string in its one form, without a page's place and length; RecordError names what is wrong."""
    given = QueryDict(text.removeprefix("?"))
    read_wanted(given, project, OF_PAGE)
    pairs = [(name, value if name in EXACT else value.strip()) for name, all_ in given.lists() for value in all_]
    return urlencode([(name, value) for name, value in canonical(pairs) if value and name not in OF_PAGE])


def read_label(text):
    """A LabelTest from `key`, `key:value` or `key:a|b`, where `\\\\:`, `\\\\|` and `\\\\\\\\` stand for themselves."""
    key, values, current, escaped = None, [], [], False
    for character in text:
        if escaped or character not in "\\:|":
            current.append(character)
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == ":" and key is None:
            key, current = "".join(current), []
        elif character == "|" and key is not None:
            values.append("".join(current))
            current = []
        else:
            current.append(character)
    last = "".join(current)
    if key is None:
        return LabelTest(last)
    if not key:
        raise ValueError("It is written key or key:value.")
    return LabelTest(key, (*values, last))


def write_label(key, *values):
    """The text that `read_label` reads as this key with any of these values."""

    def escape(text):
        return re.sub(r"([\\:|])", r"\\\1", text)

    return ":".join([escape(key), "|".join(map(escape, values))] if values else [escape(key)])


def _texts(value):
    return value if isinstance(value, list) else [value] if isinstance(value, str) else []
