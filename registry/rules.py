"""What may be said of models and providers."""

import json
import re
import unicodedata

from registry.models import Capability

MAX_KEY, MAX_NAME, MAX_EXTERNAL_ID, MAX_PARAMETERS, MAX_API_KEY = 200, 200, 300, 10_000, 2_000
# a key is a part of addresses: these ends are taken by the calls about it
TAKEN_ENDS = ("check",)
# what a call itself says, never the registry
RESERVED = ("ab_campaign", "input", "labels", "messages", "metadata", "model", "n", "session_id", "store", "stream")
RESERVED += ("stream_options", "user")


class Taken(Exception):
    """There is another one of this key, or something still uses it; the text says which."""


class Fault(ValueError):
    """What was sent does not do: `fields` is {name: why}."""

    def __init__(self, fields):
        super().__init__("; ".join(f"{name}: {text}" for name, text in fields.items()))
        self.fields = fields


def line_fault(text, most, what):
    """Why this is no single line of 1 to `most` characters, or None."""
    if not isinstance(text, str) or not 1 <= len(text) <= most:
        return f"{what} has 1 to {most} characters."
    if not text.isprintable() or text != text.strip():
        return f"{what} is one line, without control characters and without blanks at its ends."
    return None


def model_key_fault(key):
    """Why this cannot be a model's key, or None."""
    if fault := line_fault(key, MAX_KEY, "A key"):
        return fault
    parts = key.split("/")
    if {"", ".", ".."} & set(parts):
        return "A key has no part between slashes that is empty, . or .., which addresses leave out."
    if len(parts) > 1 and parts[-1] in TAKEN_ENDS:
        return f"A key does not end in /{parts[-1]}: there is a call at that address."
    return None


def suggested_key(external_id):
    """A key for the model that its provider calls so, as static/frame.js makes one of a name."""
    plain = "".join(one for one in unicodedata.normalize("NFKD", external_id) if not unicodedata.combining(one))
    return re.sub(r"[^a-z0-9_]+", "-", plain.lower()).strip("-")[:MAX_KEY]


def parameters_fault(parameters):
    """Why these cannot be sent with each call, or None."""
    if not isinstance(parameters, dict):
        return 'Send an object, such as {"temperature": 0.2}.'
    if taken := sorted(set(parameters) & set(RESERVED)):
        return f"{taken[0]} is for the call itself to say; leave it out."
    try:
        text = json.dumps(parameters, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return "Send what JSON can carry."
    if len(text) > MAX_PARAMETERS:
        return f"Send at most {MAX_PARAMETERS:,} characters."
    if "\\u0000" in text:
        return "Send text without NUL."
    return None


def capabilities_fault(capabilities):
    """Why this is no list of capabilities, or None."""
    known = Capability.values
    if not isinstance(capabilities, list) or not capabilities or not all(one in known for one in capabilities):
        return f"Send a list with one or more of {', '.join(known)}."
    if len(set(capabilities)) < len(capabilities):
        return "Send each capability once."
    return None


def check_model(*, team, key, name, provider, external_id, capabilities, parameters, is_new=True):
    """Fault for what no model of this team can have."""
    faults = {
        "key": model_key_fault(key) if is_new else None,
        "name": line_fault(name, MAX_NAME, "A name"),
        "capabilities": capabilities_fault(capabilities) if provider or capabilities else None,
        "parameters": parameters_fault(parameters),
    }
    if provider:
        faults["external_id"] = line_fault(external_id, MAX_EXTERNAL_ID, "What the provider calls the model")
        if provider.team_id != team.pk:
            faults["provider"] = "There is no such provider in this team."
    if faults := {name: text for name, text in faults.items() if text}:
        raise Fault(faults)
