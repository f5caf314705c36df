"""Strengths are found again where votes were drawn from them, depend on counts alone, and stay finite."""

import math
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.moments import wilson
from feedback.strengths import strengths, win_rate

COUNTS = st.tuples(*[st.integers(0, 50)] * 3)
PAIRS = st.dictionaries(st.tuples(*[st.integers(0, 6)] * 2), COUNTS, max_size=15)


def drawn(truth, votes, seed, nu=1.1):
    """That many votes (a, b, outcome) by Davidson's model; about 30 % are ties where models are not far apart."""
    chance, models = random.Random(seed), list(truth)
    for _ in range(votes):
        a, b = chance.sample(models, 2)
        half = (truth[a] - truth[b]) / 2
        yield a, b, chance.choices((0, 1, 2), (math.exp(half), math.exp(-half), nu))[0]


def counted(votes):
    pairs = {}
    for a, b, outcome in votes:
        pairs.setdefault((a, b), [0, 0, 0])[outcome] += 1
    return pairs


def true_strengths(models, seed):
    chance = random.Random(seed)
    raw = [chance.gauss(0, 1) for _ in range(models)]
    return {f"model-{i}": value - sum(raw) / models for i, value in enumerate(raw)}


def assert_finite(table):
    for row in table:
        assert all(map(math.isfinite, (row.strength, row.low, row.high, row.stderr)))
        assert row.low < row.strength < row.high and row.stderr > 0
        assert 1 <= row.rank_low <= row.rank_high <= len(table)


@pytest.mark.parametrize(("models", "votes"), [(2, 500), (8, 6000), (25, 12000)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_strengths_are_recovered_within_three_standard_errors(models, votes, seed):
    truth = true_strengths(models, seed)
    pairs = counted(drawn(truth, votes, seed + 100))
    ties = sum(counts[2] for counts in pairs.values()) / votes
    assert 0.2 < ties < 0.4
    table = strengths(pairs)
    assert {row.model for row in table} == set(truth)
    for row in table:
        assert abs(row.strength - truth[row.model]) < 3 * row.stderr
        assert row.stderr < 0.2  # not won by being vague


def test_intervals_cover_as_often_as_they_say():
    covered = Counter()
    for seed in range(100):
        truth = true_strengths(6, seed)
        pairs = counted(drawn(truth, 600, seed + 1000))
        for confidence in (0.8, 0.95):
            table = strengths(pairs, confidence=confidence)
            covered[confidence] += sum(row.low <= truth[row.model] <= row.high for row in table)
    assert covered[0.95] / 600 == pytest.approx(0.95, abs=0.025)
    assert covered[0.8] / 600 == pytest.approx(0.8, abs=0.045)


def test_two_models_without_ties_have_the_odds_of_their_wins():
    first, second = strengths({("a", "b"): (30, 10, 0)}, ridge=1e-9)
    assert first.strength - second.strength == pytest.approx(math.log(3), rel=1e-6)
    assert first.stderr == pytest.approx(math.sqrt(1 / 30 + 1 / 10) / 2, rel=1e-6)  # of half a log-odds ratio
    assert (first.wins, first.losses, first.ties) == (30, 10, 0)


def test_ties_do_not_move_the_odds_of_two_models():
    with_ties, without = strengths({("a", "b"): (30, 10, 25)}), strengths({("a", "b"): (30, 10, 0)})
    assert with_ties[0].strength == pytest.approx(without[0].strength, rel=0.02)


@given(PAIRS, st.randoms(use_true_random=False))
def test_order_of_votes_pairs_and_sides_changes_no_bit(pairs, chance):
    votes = [
        (a, b, outcome) for (a, b), counts in pairs.items() for outcome in (0, 1, 2) for _ in range(counts[outcome])
    ]
    chance.shuffle(votes)
    turned = [
        (b, a, {0: 1, 1: 0, 2: 2}[outcome]) if chance.random() < 0.5 else (a, b, outcome) for a, b, outcome in votes
    ]
    assert strengths(counted(turned)) == strengths(pairs)
    assert_finite(strengths(pairs))


@given(PAIRS)
def test_winning_instead_of_losing_only_changes_the_sign(pairs):
    turned = {(b, a): counts for (a, b), counts in pairs.items()}
    forth, back = ({row.model: row for row in strengths(votes)} for votes in (pairs, turned))
    assert forth.keys() == back.keys()
    for model, row in forth.items():
        other = back[model]
        assert row.strength == pytest.approx(-other.strength, abs=1e-7)
        assert row.high == pytest.approx(-other.low, abs=1e-6)
        assert (row.wins, row.losses, row.ties) == (other.losses, other.wins, other.ties)


@given(PAIRS)
def test_strengths_are_centred_and_strongest_first(pairs):
    table = strengths(pairs)
    assert sum(row.strength for row in table) == pytest.approx(0, abs=1e-9)
    assert [row.strength for row in table] == sorted((row.strength for row in table), reverse=True)
    assert sum(row.wins for row in table) == sum(row.losses for row in table)


def test_an_undefeated_model_stays_finite_and_is_first():
    table = strengths({("best", "b"): (100, 0, 0), ("best", "c"): (100, 0, 0), ("b", "c"): (50, 40, 10)})
    assert_finite(table)
    assert table[0].model == "best" and (table[0].rank_low, table[0].rank_high) == (1, 1)
    assert [row.rank_high for row in table[1:]] == [3, 3]


@pytest.mark.parametrize(
    "counts", [(0, 0, 1), (0, 0, 10**6), (1, 0, 0), (10**9, 0, 0), (0, 10**9, 1), (1, 0, 10**12), (10**12, 10**12, 0)]
)
def test_the_most_lopsided_pair_stays_finite(counts):
    assert_finite(strengths({("a", "b"): counts}))


def test_models_that_never_met_stand_in_different_groups():
    apart = {("a", "b"): (60, 30, 10), ("c", "d"): (30, 60, 10)}
    table = strengths(apart)
    assert_finite(table)
    groups = {row.model: row.group for row in table}
    assert groups["a"] == groups["b"] != groups["c"] == groups["d"] and table[0].group == 1
    assert all((row.rank_low, row.rank_high) == (1, 4) for row in table)  # nothing is known of the one and the other
    joined = strengths(apart | {("b", "c"): (20, 20, 5)})
    assert {row.group for row in joined} == {1}
    assert max(row.stderr for row in joined) < 0.3 < 1 < min(row.stderr for row in table)


def test_ranks_are_ranges_where_intervals_overlap():
    clear = {("a", "b"): (900, 100, 0), ("b", "c"): (900, 100, 0), ("a", "c"): (990, 10, 0)}
    assert [(row.model, row.rank_low, row.rank_high) for row in strengths(clear)] == [
        ("a", 1, 1),
        ("b", 2, 2),
        ("c", 3, 3),
    ]
    close = {("a", "b"): (11, 10, 3), ("b", "c"): (900, 100, 0), ("a", "c"): (900, 100, 0)}
    assert [(row.rank_low, row.rank_high) for row in strengths(close)] == [(1, 2), (1, 2), (3, 3)]


def test_nothing_gives_nothing_and_votes_for_oneself_say_nothing():
    assert strengths({}) == strengths({("a", "a"): (3, 2, 1), ("a", "b"): (0, 0, 0)}) == []
    pairs = {("a", "b"): (3, 2, 1)}
    assert strengths(pairs | {("a", "a"): (9, 9, 9), ("b", "c"): (0, 0, 0)}) == strengths(pairs)


def test_models_may_be_of_kinds_that_have_no_order():
    table = strengths({(None, "b"): (3, 2, 1), (7, None): (1, 1, 1)})
    assert {row.model for row in table} == {None, "b", 7}


def test_what_is_no_count_ridge_or_confidence_is_refused():
    with pytest.raises(ValueError, match="cannot be"):
        strengths({("a", "b"): (-1, 2, 0)})
    with pytest.raises(TypeError):
        strengths({("a", "b"): (0.5, 2, 0)})
    with pytest.raises(ValueError, match="ridge"):
        strengths({("a", "b"): (1, 2, 0)}, ridge=0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        strengths({("a", "b"): (1, 2, 0)}, confidence=95)


@given(*[st.integers(0, 10**6)] * 3)
def test_a_win_rate_lies_in_its_interval_and_swapping_mirrors_it(wins, losses, ties):
    if not wins + losses + ties:
        assert win_rate(wins, losses, ties) is None
        return
    rate, low, high = win_rate(wins, losses, ties)
    assert rate == (wins + ties / 2) / (wins + losses + ties)
    assert 0 <= low <= rate <= high <= 1 and low < high
    assert win_rate(losses, wins, ties) == pytest.approx((1 - rate, 1 - high, 1 - low), abs=1e-12)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_without_ties_the_interval_is_wilsons(wins, losses):
    if wins + losses:
        assert win_rate(wins, losses, 0)[1:] == pytest.approx(wilson(wins, wins + losses), abs=1e-9)


def test_the_interval_of_a_win_rate_is_tangos():
    """Its ends are z standard errors away, with the likeliest shares found by trying instead of by his formula."""
    _, low, high = win_rate(1, 3, 40)
    z, n = 1.959963984540054, 44
    for end in (2 * low - 1, 2 * high - 1):
        grid = (step / 10**5 for step in range(10**5))
        likeliest = max(grid, key=lambda lost: _likelihood(1, 3, 40, lost, end))
        variance = n * (2 * likeliest + end * (1 - end))
        assert abs(1 - 3 - n * end) == pytest.approx(z * math.sqrt(variance), rel=1e-3)


def _likelihood(wins, losses, ties, lost, difference):
    shares = lost + difference, lost, 1 - 2 * lost - difference
    if min(shares) <= 0:
        return -math.inf
    return sum(count * math.log(share) for count, share in zip((wins, losses, ties), shares, strict=True))


def test_ties_narrow_the_interval_and_it_covers_as_often_as_it_says():
    many_ties, wide = win_rate(10, 10, 80), wilson(50, 100)
    assert many_ties.high - many_ties.low < 0.6 * (wide[1] - wide[0])
    chance, covered = random.Random(4), 0
    for _ in range(2000):
        votes = Counter(chance.choices("wlt", (0.45, 0.25, 0.3), k=40))
        _, low, high = win_rate(votes["w"], votes["l"], votes["t"])
        covered += low <= 0.6 <= high
    assert covered / 2000 == pytest.approx(0.95, abs=0.015)
