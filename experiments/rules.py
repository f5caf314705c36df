"""What a test may be: every fault by its field. Knows the models' bounds, asks no database."""

import re

from accounts.names import name_fault
from experiments.models import LEAST_UNITS, JudgedBy
from interactions.rules import RecordError, kind_of, text_fault

MAX_KEY, MAX_NAME, MAX_REASON = 64, 100, 5_000
MOST_ARMS = 12
MOST_UNITS, MOST_DAYS, MOST_WEIGHT, LARGEST = 100_000_000, 3_650, 1_000_000, 1e12
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
