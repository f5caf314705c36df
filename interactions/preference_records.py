"""A preference as it comes in (by POST or batch): checked whole, every fault named with its path. Pure Python."""

from dataclasses import dataclass
from uuid import UUID

from interactions import jsontext
from interactions.records import read_record
from interactions.rules import MAX_TEXT, ORIGINS, RecordError, kind_of, tell, text_fault

MEMBERS = {
    "project", "feedback_key", "metric", "preferred_completion", "other_completion", "prompt", "messages", "tied",
    "user", "user_id", "origin", "external_id", "ab_campaign",
}  # fmt: skip
SIDES = ("preferred_completion", "other_completion")
OUTCOMES = {None: "won", False: "won", True: "tied", "good": "tied_good", "bad": "tied_bad"}
ITSELF = "This is the same interaction as the preferred one; compare two different ones."


@dataclass(frozen=True, slots=True)
class Text:
    """A completion sent as text: the record that logs it, and what tells it from others: its model's key and the
    hashes of its messages, and of these with the completion; and the arm of an A/B test, where it is of one."""

    record: dict
    model: str
    prompt_hash: UUID
    content_hash: UUID
    arm: int | None = None

    @property
    def place(self):
        return self.model, self.content_hash, self.arm


@dataclass(frozen=True, slots=True)
class Own:
    """A completion named by the external id of its interaction."""

    external_id: str


@dataclass(slots=True)
class PreferenceRecord:
    """A checked preference: each side a UUID, an Own or a Text; `outcome` is the preferred side's."""

    key: str
    preferred: UUID | Own | Text
    other: UUID | Own | Text
    outcome: str
    user: str
    origin: str
    external_id: str | None
    project: str | None
    payload_sha256: bytes
    ab_campaign: str | None = None

    @property
    def sides(self):
        return self.preferred, self.other

    @property
    def texts(self):
        return [side for side in self.sides if isinstance(side, Text)]


def read_preference(raw):
    """A PreferenceRecord from what was sent; RecordError names every fault."""
    if not isinstance(raw, dict):
        raise RecordError({"": ["A preference is a JSON object."]})
    return _Reader(raw).preference()


class _Reader:
    """Collects faults over one preference."""

    def __init__(self, raw):
        self.raw = raw
        self.errors = {}

    def wrong(self, path, text):
        # a name may hold what no answer can carry
        tell(self.errors, path[:60].encode(errors="replace").decode(), text)

    def stop(self):
        if self.errors:
            raise RecordError(self.errors)

    def preference(self):
        for name in sorted(self.raw.keys() - MEMBERS):
            self.wrong(name, f"Unknown member. A preference has {', '.join(sorted(MEMBERS))}.")
        key = self._one_of("feedback_key", "metric")
        if key is None:
            self.wrong("feedback_key", "Name the feedback key (or metric).")
        user, outcome = self._one_of("user", "user_id", least=0), self._outcome()
        external_id, project = self._text("external_id"), self._text("project")
        origin, campaign = self._origin(), self._text("ab_campaign")
        preferred, other = (self._side(name) for name in SIDES)
        self._check_messages(preferred, other)
        self.stop()
        preferred, other = self._compared(preferred, other, campaign)
        payload = jsontext.digest({name: value for name, value in self.raw.items() if name != "project"})
        return PreferenceRecord(
            key, preferred, other, outcome, user or "", origin, external_id, project, payload, campaign
        )

    # -- its parts --------------------------------------------------------------------------------
    def _one_of(self, name, other, **limits):
        """The member of either name; both are a fault unless they say the same."""
        given = {one: self.raw[one] for one in (name, other) if self.raw.get(one) is not None}
        if len(given) == 2 and given[name] != given[other]:
            self.wrong(other, f"Send either {name} or {other}, not both.")
        return self._text(next(iter(given), name), **limits)

    def _text(self, name, least=1):
        value = self.raw.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.wrong(name, f"Send text, not {kind_of(value)}.")
        elif not least <= len(value) <= MAX_TEXT:
            self.wrong(name, f"Send {least} to {MAX_TEXT} characters; this has {len(value)}.")
        elif fault := text_fault(value):
            self.wrong(name, fault)
        else:
            return value
        return None

    def _outcome(self):
        tied = self.raw.get("tied")
        # 1 and 0 equal true and false in Python
        if isinstance(tied, (bool, str, type(None))) and tied in OUTCOMES:
            return OUTCOMES[tied]
        told = f"{tied[:40]!r}" if isinstance(tied, str) else kind_of(tied)
        self.wrong("tied", f'Send "good", "bad" or true; false, null or nothing where one was preferred; not {told}.')
        return None

    def _origin(self):
        origin = self.raw.get("origin")
        if origin is None:
            return ORIGINS[0]
        if not isinstance(origin, str) or origin not in ORIGINS:
            self.wrong("origin", f"Send one of {', '.join(ORIGINS)}.")
        return origin

    def _side(self, name):
        """A UUID, an Own, or (model, text); None after a fault."""
        given = self.raw.get(name)
        if isinstance(given, str):
            try:
                return UUID(given)
            except ValueError:
                self.wrong(name, "Send the id of an interaction, as logging it answered, or {model, text}.")
                return None
        if isinstance(given, dict) and given.keys() == {"external_id"}:
            return self._own(name, given["external_id"])
        if not isinstance(given, dict):
            self.wrong(
                name, f"Send the id of an interaction, or an object with 'model' and 'text', not {kind_of(given)}."
            )
            return None
        for unknown in sorted(given.keys() - {"model", "text"}):
            self.wrong(f"{name}.{unknown}", "Unknown member. A completion has model and text, or an external_id alone.")
        return self._completion_text(name, given.get("model"), given.get("text"))

    def _own(self, name, text):
        if isinstance(text, str) and 1 <= len(text) <= MAX_TEXT and not text_fault(text):
            return Own(text)
        self.wrong(f"{name}.external_id", f"Send the interaction's external id, text of 1 to {MAX_TEXT} characters.")
        return None

    def _completion_text(self, name, model, text):
        sound = True
        if not isinstance(model, str) or not 1 <= len(model) <= MAX_TEXT:
            self.wrong(f"{name}.model", f"Send the model's key, text of 1 to {MAX_TEXT} characters.")
            sound = False
        if not isinstance(text, str):
            self.wrong(f"{name}.text", f"Send text (it may be empty), not {kind_of(text)}.")
            sound = False
        for member, value in (("model", model), ("text", text)):
            if isinstance(value, str) and (fault := text_fault(value)):
                self.wrong(f"{name}.{member}", fault)
                sound = False
        return (model, text) if sound else None

    def _check_messages(self, *sides):
        """Prompt or messages must be there for texts; they must be sound in any case."""
        given = self._prompt()
        if not given:
            given = [self.raw.get(name) for name in SIDES]
            if any(isinstance(one, dict) and one.keys() != {"external_id"} for one in given):
                self.wrong("messages", "Completions sent as text need the messages (or prompt) that they answer.")
            return
        if not any(isinstance(side, tuple) for side in sides):
            self._read({**given, "completion": ""})

    def _compared(self, preferred, other, campaign):
        """Both sides as they are to be stored. A side that is text is read like the interaction that it is."""
        told = {"ab_campaign": campaign} if campaign else {}
        sides = [self._as_text(*side, told) if isinstance(side, tuple) else side for side in (preferred, other)]
        self.stop()
        same = sides[0] == sides[1] or (
            all(isinstance(side, Text) for side in sides) and sides[0].place == sides[1].place
        )
        if same:
            self.wrong("other_completion", ITSELF)
            self.stop()
        return sides

    def _as_text(self, model, text, told):
        record = {**self._prompt(), "completion": text, "model": model, **told}
        read = self._read(record)
        return read and Text(record, model, *read.hashes()[:2])

    def _prompt(self):
        return {name: self.raw[name] for name in ("prompt", "messages") if self.raw.get(name) is not None}

    def _read(self, record):
        try:
            return read_record(record, now=None)
        except RecordError as error:
            for path, texts in error.fields.items():
                if path not in self.errors:
                    self.errors[path] = texts
            return None
