"""Calls of tools in Anthropic's form, parts of a message, told as those of OpenAI, which pages show. Pure Python."""

import json


def told_as_calls(messages):
    """The messages with each `tool_use` among their `tool_calls`, and each `tool_result` as a message of the role tool
    before what else its message says. Parts that are not in their form stay where they are."""
    return [told for message in messages for told in _told(message)]


def _told(message):
    content = message.get("content")
    if not isinstance(content, list):
        return [message]
    uses = [part for part in content if _is_use(part)]
    results = [part for part in content if _is_result(part)]
    if not uses and not results:
        return [message]
    rest = [part for part in content if not _is_use(part) and not _is_result(part)]
    told = [_message_of(part) for part in results]
    if uses:
        calls = [*(message.get("tool_calls") or []), *map(_call_of, uses)]
        return [*told, {**message, "content": rest, "tool_calls": calls}]
    return [*told, {**message, "content": rest}] if rest else told


def _is_use(part):
    return part["type"] == "tool_use" and isinstance(part.get("name"), str) and part["name"] != ""


def _is_result(part):
    return part["type"] == "tool_result" and isinstance(part.get("tool_use_id"), str)


def _call_of(part):
    others = {n: value for n, value in part.items() if n not in {"type", "name", "input"} and value is not None}
    return {**others, "type": "function", "function": {"name": part["name"], "arguments": part.get("input", "")}}


def _message_of(part):
    others = {name: value for name, value in part.items() if name not in {"type", "tool_use_id", "role"}}
    return {**others, "role": "tool", "tool_call_id": part["tool_use_id"], "content": _content(part.get("content"))}


def _content(content):
    """A text, or a list of parts that are sound: within a result nobody has looked at them."""
    if content is None or isinstance(content, str):
        return content
    sound = isinstance(content, list) and all(
        isinstance(part, dict) and isinstance(part.get("type"), str) and part["type"] != "image_url"
        and (part["type"] != "text" or isinstance(part.get("text"), str))
        for part in content
    )  # fmt: skip
    return content if sound else json.dumps(content, ensure_ascii=False, indent=2)
