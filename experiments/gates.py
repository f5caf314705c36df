"""What must hold before a winner may be declared, and what the figures say in words. Knows no database and no Django."""

from typing import NamedTuple

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Gate(NamedTuple):
    """One condition: `holds` is None where it cannot be told yet; `shown` says in a few words what was measured."""

    key: str  # ratio, n, age, bound, coverage, twice
    name: str
    holds: bool | None
    shown: str


class Verdict(NamedTuple):
    """What the figures say, in plain words."""

    headline: str
    text: str


def gates(
    judgement, *, age_days, planned_n, planned_days, smallest_effect=0.0, former_leader=None, off=(), letters=LETTERS
):
    """The six Gates, in order: ratio, n, age, bound, coverage, twice.

    former_leader: index of the arm that `leader` named at the evaluation before, of the same sequence; None for none.
    off: indices of arms that take no traffic any more (their model was detached): they neither win nor hold others up.
    smallest_effect: in the unit of the pairs' differences.
    """
    raise NotImplementedError


def leader(gates, judgement):
    """Index of the arm for which the first five gates hold, or None. Kept with each evaluation: where the one before
    named the same arm, the sixth gate holds, and with it all of them."""
    raise NotImplementedError


def verdict(judgement, gates, letters=LETTERS):
    """Verdict: what holds, what is open, and by how much."""
    raise NotImplementedError
