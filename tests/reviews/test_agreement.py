"""Agreement against published examples, and against the definition written out item by item."""

import itertools
import math
import random
from collections import Counter

import pytest

from reviews.agreement import confusion, krippendorff_alpha, raw_agreement

# K. Krippendorff, "Computing Krippendorff's alpha-reliability" (2011): the examples A, B and C
BINARY = ("0100000010", "1110010000")
LETTERS = ("aabbdcccedda", "babbbccceddd")
FOUR = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


def patterns_of(*rows):
    """{pattern: how many} of reviewers' rows, '.' for no answer."""
    columns = (tuple(int(x) if x.isdigit() else x for x in column if x != ".") for column in zip(*rows, strict=True))
    return Counter(columns)


def alpha_by_definition(units, difference):
    """1 - D_o / D_e by going through every pair of values, as the definition says."""
    units = [unit for unit in units if len(unit) > 1]
    values = [value for unit in units for value in unit]
    n = len(values)
    observed = sum(
        difference(one, other) / (len(unit) - 1) for unit in units for one, other in itertools.permutations(unit, 2)
    )
    expected = sum(difference(one, other) for one, other in itertools.permutations(values, 2))
    return 1 - (observed / n) / (expected / (n * (n - 1)))


def ordinal(values):
    counts = Counter(values)

    def difference(one, other):
        low, high = sorted((one, other))
        between = sum(number for value, number in counts.items() if low <= value <= high)
        return (between - (counts[one] + counts[other]) / 2) ** 2 if one != other else 0

    return difference


@pytest.mark.parametrize(
    ("rows", "level", "published"),
    [
        (BINARY, "nominal", 0.095),
        (LETTERS, "nominal", 0.692),
        (FOUR, "nominal", 0.743),
        (FOUR, "ordinal", 0.815),
        (FOUR, "interval", 0.849),
    ],
)
def test_alpha_is_what_krippendorff_published(rows, level, published):
    assert krippendorff_alpha(patterns_of(*rows), level).value == pytest.approx(published, abs=5e-4)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("seed", range(5))
def test_alpha_is_that_of_the_definition(level, seed):
    luck = random.Random(seed)
    units = [tuple(luck.choice([1, 2, 2, 3, 5]) for _ in range(luck.randint(1, 4))) for _ in range(120)]
    values = [value for unit in units if len(unit) > 1 for value in unit]
    difference = {
        "nominal": lambda one, other: one != other,
        "interval": lambda one, other: (one - other) ** 2,
        "ordinal": ordinal(values),
    }[level]
    found = krippendorff_alpha(Counter(units), level)
    assert found.value == pytest.approx(alpha_by_definition(units, difference), abs=1e-9)
    assert found.n == sum(len(unit) > 1 for unit in units)


def test_the_interval_holds_the_estimate_and_narrows_with_more_items():
    few = Counter({(1, 1): 10, (1, 2): 4, (2, 2): 6})
    many = Counter({pattern: 25 * number for pattern, number in few.items()})
    small, large = krippendorff_alpha(few), krippendorff_alpha(many)
    assert small.low < small.value < small.high
    assert large.high - large.low < (small.high - small.low) / 3
    # the same data and seed give the same interval, another seed nearly the same
    assert krippendorff_alpha(few) == small
    assert krippendorff_alpha(few, seed=1).low == pytest.approx(small.low, abs=0.1)


def test_the_interval_covers_what_is_true_about_as_often_as_it_says():
    """Two coders who copy each other 6 times of 10, else choose by chance among two: alpha is 0.6 in the long run."""
    luck, hits = random.Random(7), 0
    for _ in range(60):
        units = []
        for _ in range(150):
            one = luck.randint(0, 1)
            units.append(tuple(sorted((one, one if luck.random() < 0.6 else luck.randint(0, 1)))))
        found = krippendorff_alpha(Counter(units), replicates=300)
        hits += found.low <= 0.6 <= found.high
    assert 52 <= hits <= 60


def test_alpha_says_nothing_where_nothing_could_differ():
    assert krippendorff_alpha({}) is None
    assert krippendorff_alpha({("a",): 5}) is None
    assert krippendorff_alpha({("a", "a"): 5}) is None
    alone = krippendorff_alpha({("a", "b"): 1})
    assert (alone.low, alone.high) == (None, None)


def test_full_agreement_is_one_and_systematic_disagreement_is_below_none():
    assert krippendorff_alpha({("a", "a"): 5, ("b", "b"): 5}).value == 1
    assert krippendorff_alpha({("a", "b"): 10}).value < 0


def test_raw_agreement_counts_pairs_of_answers():
    assert raw_agreement({("a", "a"): 3, ("a", "b"): 1, ("b",): 9}) == (0.75, 4)
    share, n = raw_agreement({("a", "a", "b"): 2})
    assert math.isclose(share, 1 / 3) and n == 2
    assert raw_agreement({("a",): 3}) is None


def test_confusion_counts_who_said_what():
    assert confusion({("a", "b"): 2, ("b", "b"): 3}, ["a", "b"]) == [[0, 2], [0, 3]]


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="ratio"):
        krippendorff_alpha({("a", "b"): 2}, "ratio")
