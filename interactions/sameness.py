"""Whether two records say the same, however each is spelt. Pure Python."""

from interactions.jsontext import canonical
from interactions.rules import ORIGINS, moment_of

NAMES = {"model_service": "model"}  # two names of one member
EMPTY = (None, "", [], {})
UNSAID = {"source": "logged"}  # what is meant where a member is left out


def differing(one, other):
    """The names of the members in which two records differ, in their order; none where they say the same.

    Each has `messages` and `completion`, and as its `envelope` the rest of what was sent. A member that is null, empty
    or its default counts as left out, a prompt as the one message that it is; times are compared as moments, numbers by
    their value, and of two names of one member either will do.
    """
    one, other = _meant(one), _meant(other)
    return sorted(name for name in one.keys() | other.keys() if canonical(one.get(name)) != canonical(other.get(name)))


def _meant(record):
    said = {NAMES.get(name, name): value for name, value in record.envelope.items() if value not in EMPTY}
    said |= {"messages": record.messages, "completion": record.completion}
    said.pop("prompt", None)  # the messages hold it
    if "created_at" in said:
        said["created_at"] = moment_of(said["created_at"]).isoformat()
    if "feedbacks" in said:
        said["feedbacks"] = [_given(one) for one in said["feedbacks"]]
    return {name: value for name, value in said.items() if UNSAID.get(name) != value}


def _given(feedback):
    """Feedback with one name for each of its members; true counts as 1."""
    return [
        feedback.get("feedback_key") or feedback.get("metric"),
        float(feedback["value"]),
        feedback.get("details") or "",
        feedback.get("user") or feedback.get("user_id") or "",
        feedback.get("origin", ORIGINS[0]),
    ]
