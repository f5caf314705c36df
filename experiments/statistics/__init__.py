"""The arithmetic of A/B tests: from a few numbers of each arm to what may be said. Knows no database and no Django."""

from experiments.statistics.estimates import point
from experiments.statistics.figures import (
    ArmFigures,
    Coverage,
    JudgedArm,
    Judgement,
    Moments,
    Pair,
    Plan,
    Ratio,
    Strengths,
    StrongArm,
    StrongPair,
    Votes,
)
from experiments.statistics.judging import judge
from experiments.statistics.planning import plan
from experiments.statistics.strength import strengths_of_arms
from experiments.statistics.traffic import LEAST_UNITS, coverage_of, fail_apart, sample_ratio, taking_part
from experiments.statistics.votes import votes_of_two
from experiments.statistics.watching import MOST_KEYS, Watched, watch

__all__ = [
    "LEAST_UNITS",
    "MOST_KEYS",
    "ArmFigures",
    "Coverage",
    "JudgedArm",
    "Judgement",
    "Moments",
    "Pair",
    "Plan",
    "Ratio",
    "Strengths",
    "StrongArm",
    "StrongPair",
    "Votes",
    "Watched",
    "coverage_of",
    "fail_apart",
    "judge",
    "plan",
    "point",
    "sample_ratio",
    "strengths_of_arms",
    "taking_part",
    "votes_of_two",
    "watch",
]
