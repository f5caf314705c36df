"""An interaction as people read it: turns of one role each, tool calls beside their results, pictures in a row."""

import json
from dataclasses import dataclass, field
from itertools import groupby

from django.utils.html import format_html_join

from interactions import colours, rendering
from interactions.called import told_as_calls
from interactions.messages import is_calls
from interactions.pictures import reference

BUDGET = 200_000  # characters rendered as Markdown on one page; what comes after is shown as plain text
PLAIN = 4_000  # characters of a text that the budget no longer covers
CARD = 2_000  # characters that a card shows
ROLES = {
    "system": ("System", "settings-2"),
    "developer": ("Developer", "settings-2"),
    "user": ("User", "user"),
    "assistant": ("Assistant", "bot"),
    "tool": ("Tool result", "wrench"),
    "function": ("Function result", "wrench"),
}
ALSO_SENT = (
    '<div class="code also"><header><span>also sent: {}</span></header><pre tabindex="0"><code>{}</code></pre></div>'
)
CARDS = {
    "input_audio": ("Audio", "audio-lines"),
    "file": ("File", "file"),
    "refusal": ("Refusal", "ban"),
    "thinking": ("Thinking", "brain"),
}


@dataclass
class Picture:
    """A stored picture of ours."""

    address: str
    place: int
    width: int | None = None
    height: int | None = None

    @property
    def size(self):
        return f"{self.width} × {self.height}" if self.width else ""

    @property
    def alt(self):
        return f"Picture {self.place}" + (f", {self.width} by {self.height} pixels" if self.width else "")


@dataclass
class Part:
    """A piece of a turn. `kind` is text, pictures, remote (an address) or card (what we keep but cannot show)."""

    kind: str
    rendered: rendering.Rendered | None = None
    pictures: list = field(default_factory=list)
    address: str = ""
    name: str = ""
    icon: str = ""

    @property
    def is_link(self):
        return rendering.is_link(self.address)


@dataclass
class ToolCall:
    name: str
    arguments: str
    result: list | None = None


@dataclass
class Turn:
    role: str
    name: str
    icon: str
    speaker: str = ""
    summary: str = ""
    parts: list = field(default_factory=list)
    calls: list = field(default_factory=list)

    @property
    def is_folded(self):
        return self.role in {"system", "developer"}


class Transcript:
    """The turns of one stored interaction. `address(sha256)` gives a picture's URL, `blobs` its size; `calls` are those
    of tools that came with the completion (see messages.calls_of)."""

    def __init__(self, messages, completion, *, address, blobs, calls=(), raw=False, budget=BUDGET):
        self.address = address
        self.blobs = blobs
        self.raw = raw
        self.left = budget
        self.pictures = 0
        self.completion = self._text(completion)
        self.is_calls = bool(calls) and not raw and is_calls(completion, calls)
        self.is_blank = not completion.strip()
        self.calls = [call for _, call in self._calls({"tool_calls": calls})]
        self.turns = self._turns(messages)

    def _turns(self, messages):
        turns, waiting = [], {}
        for message in told_as_calls(messages):
            if (call := waiting.pop(_answered(message), None)) is not None:
                named = {"tool_call_id"} | ({"name"} if message.get("name") == call.name else set())
                call.result = self._result(message.get("content")) + self._also_sent(message, named)
                continue
            turn = self._turn(message)
            for key, call in self._calls(message):
                waiting[key] = call
                turn.calls.append(call)
            turns.append(turn)
        return turns

    def _turn(self, message):
        role = message["role"]
        name, icon = ROLES[role]
        parts = self._parts(message.get("content"))
        refusal, speaker = message.get("refusal"), message.get("name")
        shown = {"name"} if isinstance(speaker, str) else set()
        shown |= {"function_call"} if _is_function_call(message.get("function_call")) else set()
        if isinstance(refusal, str):
            parts.append(_card({"type": "refusal", "refusal": refusal}))
            shown |= {"refusal"} if len(refusal) <= CARD else set()
        parts += self._also_sent(message, shown)
        return Turn(role, name, icon, speaker if isinstance(speaker, str) else "", _summary(message), parts)

    def _calls(self, message):
        """(what its result will name, ToolCall) of each call."""
        for call in message.get("tool_calls") or []:
            asked = call.get("function") or call.get("custom")
            arguments = asked.get("arguments", asked.get("input", ""))
            yield _name(call.get("id")), ToolCall(asked["name"], self._value(arguments))
        if _is_function_call(asked := message.get("function_call")):
            yield ("function", asked["name"]), ToolCall(asked["name"], self._value(asked.get("arguments", "")))

    def _value(self, value):
        """Arguments are JSON in a text, or already a value."""
        if not isinstance(value, str):
            return rendering.pretty(value)
        parsed = rendering.as_json(value)
        return rendering.raw(value).html if parsed is None or self.raw else rendering.pretty(parsed)

    def _also_sent(self, message, shown):
        """One part with what the message holds besides what the page shows of it, a block a member; none of nothing."""
        others = [(name, value if isinstance(value, str) else _json(value)) for name, value in _others(message, shown)]
        if not others:
            return []
        if self.raw:
            return [Part("text", rendering.raw("\n\n".join(f"also sent: {name}\n{text}" for name, text in others)))]
        length = sum(len(name) + len(text) for name, text in others)
        most = left = colours.MOST if self.left > 0 else PLAIN
        blocks = []
        for name, text in others:
            if left > 0:
                blocks.append((rendering.text(name), rendering.text(rendering.cut(text, left))))
                left -= len(name) + len(text)
        self.left -= min(most, length)
        html = format_html_join("", ALSO_SENT, blocks)
        return [Part("text", rendering.Rendered(html, min(most, length), length))]

    def _result(self, content):
        value = rendering.as_json(content) if isinstance(content, str) and not self.raw else None
        if value is None:
            return self._parts(content)
        return [Part("text", rendering.Rendered(rendering.plain_block(value), len(content), len(content)))]

    def _parts(self, content):
        if isinstance(content, str):
            return [Part("text", self._text(content))] if content else []
        parts = [self._part(part) for part in content or []]
        out = []
        for kind, group in groupby(parts, key=lambda part: part.kind):
            group = list(group)
            if kind == "pictures":
                group = [Part("pictures", pictures=[one.pictures[0] for one in group])]
            out += group
        return out

    def _part(self, part):
        if part["type"] == "text":
            return Part("text", self._text(part["text"]))
        if part["type"] == "image_url":
            image = part["image_url"]
            return self._image(image["url"] if isinstance(image, dict) else image)
        return _card(part) if part["type"] in CARDS else Part("text", self._as_json(part))

    def _as_json(self, part):
        """A part of a kind that we do not know."""
        source = _json(part)
        if self.raw or self.left <= 0 or len(source) <= colours.MOST:
            return self._text(source)
        self.left -= colours.MOST
        return rendering.plain(source, colours.MOST)

    def _image(self, url):
        found = reference(url)
        if found is None:
            return Part("remote", address=url)
        self.pictures += 1
        blob = self.blobs.get(found[0])
        size = (blob.width, blob.height) if blob else ()
        return Part("pictures", pictures=[Picture(self.address(found[0]), self.pictures, *size)])

    def _text(self, source):
        if self.raw:
            return rendering.raw(source)
        if self.left <= 0 < len(source):
            return rendering.plain(source, PLAIN)
        self.left -= min(len(source), rendering.MARKDOWN_LIMIT)
        value = rendering.as_json(source) if len(source) <= colours.MOST else None
        if value is not None:
            return rendering.Rendered(rendering.pretty_block(value), len(source), len(source))
        return rendering.markdown(source)


def _answered(message):
    """What a tool's message answers: the id of the call, or the function of that name."""
    if message["role"] == "function":
        return "function", _name(message.get("name"))
    return _name(message.get("tool_call_id") if message["role"] == "tool" else None)


def _name(value):
    """A text to look up by; what is no text names nothing."""
    return value if isinstance(value, str) else object()


def _summary(message):
    """One line of the text, for a folded turn."""
    content = message.get("content")
    if not isinstance(content, str):
        content = " ".join(part["text"] for part in content or [] if part["type"] == "text")
    return " ".join(content[:400].split())[:200]


def _card(part):
    """A part that we keep as it came but cannot show."""
    kind = part["type"]
    name, icon = CARDS[kind]
    value = part.get(kind)
    detail = value if isinstance(value, str) else ""
    if isinstance(value, dict):
        detail = str(value.get("filename") or value.get("file_id") or value.get("format") or "")
    return Part("card", address=detail[:CARD], name=name, icon=icon)


def _is_function_call(value):
    return isinstance(value, dict) and isinstance(value.get("name"), str)


def _others(message, shown):
    """(name, value) of the members that a turn does not show, those of its calls and parts under their places. What is
    null or empty says nothing."""
    others = list(_without(message, "role", "content", "tool_calls", *shown).items())
    if _is_function_call(asked := message.get("function_call")):
        others.append(("function_call", _without(asked, "name", "arguments")))
    for place, call in enumerate(message.get("tool_calls") or []):
        kind = "function" if call.get("function") else "custom"
        value = "arguments" if "arguments" in call[kind] else "input"
        others.append((f"tool_calls[{place}]", _without(call, "id", "type", kind)))
        others.append((f"tool_calls[{place}].{kind}", _without(call[kind], "name", value)))
    content = message.get("content")
    for place, part in enumerate(content if isinstance(content, list) else []):
        kind = part["type"]
        if kind in {"text", "image_url"}:  # of what cannot be shown a card says that it is kept
            others.append((f"content[{place}]", _without(part, "type", kind)))
        if kind == "image_url" and isinstance(part[kind], dict):
            others.append((f"content[{place}].{kind}", _without(part[kind], "url")))
        if kind == "thinking":
            others.append((f"content[{place}]", _without(part, "type")))
    return [(name, value) for name, value in others if value not in (None, "", [], {})]


def _json(value):
    return json.dumps(value, ensure_ascii=False, indent=2)


def _without(members, *names):
    return {name: value for name, value in members.items() if name not in names}


def new_messages(messages, before):
    """What this call's messages add to the messages before it in the session, and how many they repeat."""
    same = 0
    for one, other in zip(messages, before, strict=False):
        if one != other:
            break
        same += 1
    return messages[same:], same
