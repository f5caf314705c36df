"""JSON of a stream's events: made once, as `json` makes a coder anew for each call with options."""

import json


def _refuse(name):
    raise ValueError(f"{name} is not JSON.")


_read = json.JSONDecoder(parse_constant=_refuse).decode
write = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


def read(data):
    """The object in these bytes, None where they hold anything else."""
    try:
        event = _read(data.decode())
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
