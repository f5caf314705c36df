"""The REST doors of saved views and exports."""

from exports.saved import LONGEST
from interactions.rules import RecordError, kind_of

_KINDS = {str: "text", bool: "true or false", list: "a list"}


def read_body(data, members):
    """The members of a JSON object, {name: type}; RecordError for others and for what is of another type."""
    if not isinstance(data, dict):
        raise RecordError({"": ["Send a JSON object."]})
    faults = {name: [f"Unknown; send {', '.join(sorted(members))}."] for name in data.keys() - members.keys()}
    for name, kind in members.items():
        if name in data and not isinstance(data[name], kind):
            faults[name] = [f"Send {_KINDS[kind]}, not {kind_of(data[name])}."]
        elif name in data and kind is str and len(data[name]) > LONGEST:
            faults[name] = [f"Send at most {LONGEST:,} characters."]
    if faults:
        raise RecordError(faults)
    return dict(data)
