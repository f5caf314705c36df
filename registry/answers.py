"""What providers answer when they are checked, read with suspicion. No Django."""

import json

MOST_REPORTED, MOST_ID, MOST_TEXT = 2_000, 300, 240


class Odd(ValueError):
    """The answer is none; the text says what it is instead."""


def parsed(body):
    """The JSON object of an answer's bytes; Odd."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise Odd("It answers, but not with JSON: is this the base address of an OpenAI-compatible API?") from None
    if not isinstance(found, dict):
        raise Odd("It answers with JSON, but not with an object.")
    return found


def reported_models(body):
    """The ids of GET models; Odd."""
    listed = parsed(body).get("data")
    if not isinstance(listed, list):
        raise Odd("It answers, but not with a list of models under data.")
    ids = (one.get("id") for one in listed if isinstance(one, dict))
    return list(dict.fromkeys(one for one in ids if _is_id(one)))[:MOST_REPORTED]


def bare(id):
    """A model's id without what its provider takes or leaves: Ollama's usual tag, Google's folder."""
    return id.removeprefix("models/").removesuffix(":latest")


def _is_id(text):
    return isinstance(text, str) and 1 <= len(text) <= MOST_ID and text.isprintable()


def check_completion(body):
    """Odd where this is no answer to a chat."""
    choices = parsed(body).get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(first, dict) or not isinstance(first.get("message"), dict):
        raise Odd("It answers, but not with a choice that has a message.")


def check_embedding(body):
    """Odd where this is no embedding."""
    data = parsed(body).get("data")
    first = data[0] if isinstance(data, list) and data else None
    if not isinstance(first, dict) or not isinstance(first.get("embedding"), (list, str)):
        raise Odd("It answers, but not with an embedding.")


def told(body):
    """What an error's body says for people, in one line; "" where it says nothing of the kind."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    for name in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(name):
            found = found[name]
    if not isinstance(found, str):
        return ""
    line = " ".join("".join(one if one.isprintable() else " " for one in found[:2_000]).split())
    return line if len(line) <= MOST_TEXT else f"{line[: MOST_TEXT - 1]}…"
