"""What an interaction's row may hold in a file of columns, and what it is there."""

from interactions.plain import text_of
from interactions.rules import RecordError

PREFIXES = ("label:", "feedback:", "metadata:", "usage:")  # one key of these each
COLUMNS = {
    "id": "Id",
    "external_id": "External id",
    "created_at": "Time",
    "model": "Model",
    "messages": "Messages, as JSON",
    "prompt": "Last question, as text",
    "completion": "Completion",
    "corrected_completion": "Better answer",
    "labels": "Labels",
    "feedbacks": "Feedback",
    "user": "User",
    "session_id": "Session",
    "source": "Source",
    "metadata": "Metadata",
    "usage": "Usage",
    "latency_ms": "Latency in ms",
    "failed": "Failed",
}
OF_KEYS = f"{', '.join(f'{prefix}KEY' for prefix in PREFIXES[:-1])} or {PREFIXES[-1]}KEY"
USUAL = {
    "csv": ["id", "created_at", "model", "prompt", "completion", "corrected_completion", "labels", "feedbacks",
            "user", "session_id", "source", "latency_ms"],
    "parquet": list(COLUMNS),
}  # fmt: skip
_OF_BODY = {"external_id", "messages", "prompt", "completion", "metadata", "usage"}
_IN_BODY = ("metadata:", "usage:")
MOST = 200
LONGEST = 120  # characters of a name


def read_columns(given):
    """These columns, each once; RecordError names what is none."""
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise RecordError({"columns": ["Send a list of names."]})
    if len(given) > MOST:
        raise RecordError({"columns": [f"Send at most {MOST}."]})
    for name in given:
        known = name in COLUMNS or (name.startswith(PREFIXES) and len(name.partition(":")[2]) > 0)
        if not known or len(name) > LONGEST or not name.isprintable():
            raise RecordError({"columns": [f"{name[:60]!r} is no column; send {', '.join(COLUMNS)}, {OF_KEYS}."]})
    return list(dict.fromkeys(given))


def are_of_body(columns):
    """Whether any of these lies in the body."""
    return any(name in _OF_BODY or name.startswith(_IN_BODY) for name in columns)


def cells(row, columns, *, names, body, messages, feedbacks, corrected, time):
    """{column: value} of an interaction with its `.labels`; `names` are those of the project's labels, for a column is
    known by a key's former name too; `body` and `messages` are None where none of it `are_of_body`. Values are
    JSON's; None for what there is not."""
    labels = {label.key: label.value for label in row.labels}
    envelope = body.envelope if body else {}
    whole = {
        "id": str(row.pk),
        "external_id": envelope.get("external_id"),
        "created_at": time(row.created_at),
        "model": row.model.key if row.model_id else None,
        "messages": messages,
        "prompt": _question(messages or []),
        "completion": body.completion if body else None,
        "corrected_completion": corrected,
        "labels": labels,
        "feedbacks": feedbacks,
        "user": row.user or None,
        "session_id": row.session,
        "source": row.source,
        "metadata": envelope.get("metadata"),
        "usage": envelope.get("usage"),
        "latency_ms": row.latency_ms,
        "failed": row.failed,
    }
    return {name: whole[name] if name in whole else _single(name, names, whole) for name in columns}


def _single(name, names, whole):
    """What one key has: a label's value, the latest feedback, a member of the metadata or the usage."""
    kind, _, key = name.partition(":")
    if kind == "label":
        return next((whole["labels"][one] for one in names.all_of(key) if one in whole["labels"]), None)
    if kind == "feedback":
        return next((given["value"] for given in reversed(whole["feedbacks"]) if given["feedback_key"] == key), None)
    return (whole[kind] or {}).get(key)


def _question(messages):
    said = [message for message in messages if message["role"] == "user"] or messages
    return text_of(said[-1]) if said else None
