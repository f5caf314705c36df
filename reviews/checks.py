"""What comes beside the answers, checked: each fault is told at its name."""

import hashlib
import json

from interactions.rules import text_fault
from reviews.models import State

MOST_COMMENT = 20_000  # characters
MOST_SECONDS = 86_400


def sound(answers, faults):
    return {key: answer for key, answer in answers.items() if key not in faults} if isinstance(answers, dict) else {}


def checked_comment(comment, faults):
    """The comment; empty where a fault was told of it."""
    comment = "" if comment is None else comment
    if not isinstance(comment, str) or len(comment) > MOST_COMMENT:
        faults["comment"] = f"Send text of at most {MOST_COMMENT:,} characters."
    elif fault := text_fault(comment):
        faults["comment"] = fault
    return "" if "comment" in faults else comment


def checked_lead(asks_lead, faults):
    """Whether a lead is asked; None where that stays as it was, or a fault was told."""
    if asks_lead is None or isinstance(asks_lead, bool):
        return asks_lead
    faults["asks_lead"] = "Send true or false."
    return None


def checked_seconds(seconds, faults):
    """Seconds, a day at the most; None where they are not known, or a fault was told."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= 0:
        faults["seconds"] = "Send a number of seconds, or null."
        return None
    return float(min(seconds, MOST_SECONDS))


def stamp_of(review):
    """What a form of the review is known by: which answers it shows as submitted, "" while none are. A change that
    comes with another stamp was made from something else than what it would change."""
    if review.state != State.SUBMITTED:
        return ""
    said = json.dumps([review.answers, review.comment, review.asks_lead], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
