"""What a test may be: every fault by its field. Knows the models and their bounds, asks no database."""

import re

from accounts.names import name_fault
from experiments.models import LEAST_UNITS, MOST_KEYS, JudgedBy, WatchedKey
from interactions.rules import RecordError, kind_of, text_fault

MAX_KEY, MAX_NAME, MAX_REASON = 64, 100, 5_000
MOST_ARMS = 12
MOST_UNITS, MOST_DAYS, MOST_WEIGHT, LARGEST = 100_000_000, 3_650, 1_000_000, 1e12
USUAL_MARGIN = 0.02  # of a key's range: 2 points of a share
TAKEN_KEYS = {"new", "plan"}  # addresses of pages
_SLUG = re.compile(r"[-a-zA-Z0-9_]+")


def check(**given):
    """RecordError names each of these fields (as create_test calls them) that is wrong."""
    faults = {name: _CHECKS[name](value) for name, value in given.items() if name in _CHECKS}
    if "weights" in given and "models" in given:
        faults["weights"] = _of_each(given["weights"], given["models"]) or faults["weights"]
    if faults := {name: [text] for name, text in faults.items() if text}:
        raise RecordError(faults)


def key_fault(key):
    if not isinstance(key, str) or not 1 <= len(key) <= MAX_KEY or not _SLUG.fullmatch(key):
        return f"Send 1 to {MAX_KEY} letters, digits, hyphens and underscores."
    return f"There is a page at the address {key}; send another key." if key in TAKEN_KEYS else None


def watched_keys(named, *, judged_by, feedback_key, already=()):
    """A WatchedKey, of no test yet, of each (FeedbackKey, margin) that a test by this key is to watch besides what it
    does `already`. A margin of None is 2 % of the key's range. RecordError tells of `watched`, or of its `margin`."""
    keys = [*already, *(key for key, _ in named)]
    if named and (fault := _watched(keys, judged_by, feedback_key)):
        raise RecordError({"watched": [fault]})
    return [
        WatchedKey(feedback_key=key, lower_is_better=key.lower_is_better, margin=_margin_of(key, margin, f"[{place}]"))
        for place, (key, margin) in enumerate(named)
    ]


def _watched(keys, judged_by, feedback_key):
    if judged_by == JudgedBy.PREFERENCE:
        return "A test by preferences watches no keys: its units are judges. Send none."
    if len(keys) > MOST_KEYS:
        return f"A test watches at most {MOST_KEYS} keys; these would be {len(keys)}."
    if feedback_key in keys:
        return f"{feedback_key.key} is the key that the test is judged by; send others."
    twice = [key.key for key in keys if keys.count(key) > 1]
    return f"{twice[0]} is watched already; name each key once." if twice else None


def _margin_of(key, margin, place):
    """How much worse is no worse still, in the key's own unit."""
    is_share, fault = key.kind == "bool", None
    if margin is not None:
        fault = _number(margin, 0, 1 if is_share else LARGEST) or (None if margin else "Send a number above 0.")
    elif is_share:
        margin = USUAL_MARGIN
    elif key.minimum is None or key.maximum is None:
        fault = f"{key.key} has no range to go by: send how much worse is no worse still."
    else:
        margin = USUAL_MARGIN * (key.maximum - key.minimum)
    if fault:
        raise RecordError({f"watched{place}.margin": [fault]})
    return float(margin)


def _name(name):
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME:
        return f"Send text of 1 to {MAX_NAME} characters."
    return text_fault(name) or name_fault(name)


def reason_fault(reason):
    """Why this is no reason of a decision, or None."""
    if not isinstance(reason, str) or not reason.strip() or len(reason) > MAX_REASON:
        return f"Say why, in 1 to {MAX_REASON:,} characters: it is kept with the result."
    return text_fault(reason)


def _judged_by(judged_by):
    known = [str(one) for one in JudgedBy.values]
    return None if isinstance(judged_by, str) and judged_by in known else f"Send one of {', '.join(known)}."


def _models(models):
    if len(models) < 2:
        return "A test compares at least two models; send two or more, the control first."
    if len(models) > MOST_ARMS:
        return f"A test has at most {MOST_ARMS} arms; these are {len(models)}."
    keys = [model.key for model in models]
    twice = [key for key in keys if keys.count(key) > 1]
    return f"{twice[0]} is named twice; each arm has a model of its own." if twice else None


def _weights(weights):
    if not isinstance(weights, (list, tuple)):
        return "Send a list of numbers, one for each model."
    if fault := next(filter(None, (_number(weight, 0, MOST_WEIGHT) for weight in weights)), None):
        return fault
    if sum(weight > 0 for weight in weights) < 2:
        return "At least two arms need a weight above 0: traffic that goes to one arm compares nothing."
    return None


def _of_each(weights, models):
    if isinstance(weights, (list, tuple)) and len(weights) != len(models):
        return f"Send {len(models)} weights, one for each model; these are {len(weights)}."
    return None


def _traffic_split(share):
    fault = _number(share, 0, 1)
    return fault or ("Send a share above 0, at most 1." if share == 0 else None)


def _smallest_effect(effect):
    return _number(effect, 0, LARGEST)


def _planned_n(n):
    if isinstance(n, bool) or not isinstance(n, int) or not LEAST_UNITS <= n <= MOST_UNITS:
        return f"Send a whole number from {LEAST_UNITS} to {MOST_UNITS:,}."
    return None


def _planned_days(days):
    return _number(days, 0, MOST_DAYS)


def _auto_deploy(auto_deploy):
    return None if isinstance(auto_deploy, bool) else "Send true or false."


def _number(value, least, most):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return f"Send a number, not {kind_of(value)}."
    if not least <= value <= most:  # which no NaN is
        return f"Send a number from {least} to {most:,}."
    return None


_CHECKS = {
    "key": key_fault,
    "name": _name,
    "judged_by": _judged_by,
    "models": _models,
    "weights": _weights,
    "traffic_split": _traffic_split,
    "smallest_effect": _smallest_effect,
    "planned_n": _planned_n,
    "planned_days": _planned_days,
    "auto_deploy": _auto_deploy,
    "reason": reason_fault,
}
