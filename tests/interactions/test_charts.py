"""The arithmetic of charts: round ticks, bars that add up, lines with gaps, colours that stay."""

import random

import pytest

from interactions.charts import SERIES, colours, line, marked, spark, stacked, ticks


def numbers(points):
    return [tuple(map(float, pair.split(","))) for pair in points.split()]


@pytest.mark.parametrize(
    ("low", "high", "most", "whole", "expected"),
    [
        (0, 90, 5, True, [0, 20, 40, 60, 80, 100]),
        (0, 1, 5, True, [0, 1]),
        (0, 4, 5, True, [0, 1, 2, 3, 4]),
        (0, 4021, 5, True, [0, 1000, 2000, 3000, 4000, 5000]),
        (0.1, 0.3, 4, False, [0.1, 0.15, 0.2, 0.25, 0.3]),
        (3.9, 4.2, 3, False, [3.9, 4.0, 4.1, 4.2]),
        (5, 5, 4, False, [4, 6]),
        (0, 0, 4, False, [0, 0.5]),
        (-0.7, 0.2, 4, False, [-1, -0.5, 0, 0.5]),
    ],
)
def test_ticks_are_round_and_hold_both_ends(low, high, most, whole, expected):
    assert ticks(low, high, most, whole) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(20))
def test_ticks_hold_whatever_comes(seed):
    chance = random.Random(seed)
    low = chance.uniform(-1, 1) * 10 ** chance.randrange(-6, 12)
    high = low + chance.random() * 10 ** chance.randrange(-6, 12)
    found = ticks(low, high, 4)
    slack = (found[-1] - found[0]) * 1e-6
    assert found[0] <= low + slack and high - slack <= found[-1]
    assert 2 <= len(found) <= 7
    assert found == sorted(set(found))


def test_bars_stand_on_each_other_and_are_as_high_as_they_count():
    drawn = stacked([[3, 0, 2], [0, 0, 0], [10, 5, 5]], height=100)
    assert [tick.value for tick in drawn.ticks] == [0, 5, 10, 15, 20]
    assert [tick.y for tick in drawn.ticks] == [100, 75, 50, 25, 0]
    first, nothing, last = drawn.bars
    assert [(one.series, one.n, one.y, one.height) for one in first.segments] == [(0, 3, 85, 15), (2, 2, 75, 10)]
    assert nothing.segments == []
    assert [one.y for one in last.segments] == [50, 25, 0]
    assert first.x > 0 and last.x + last.width < 100
    assert stacked([[]], 100).bars[0].segments == []


def test_a_line_breaks_where_nothing_is_known_and_its_band_where_no_interval_is():
    points = [(0.5, 0.4, 0.6), (0.5, None, None), None, (1.0, 0.2, 1.5), (0.0, 0.0, 0.1)]
    drawn = line(points, 100, [0, 0.5, 1])
    assert [tick.y for tick in drawn.ticks] == [100, 50, 0]
    assert [numbers(run) for run in drawn.lines] == [[(10, 50), (30, 50)], [(70, 0), (90, 100)]]
    alone, both = map(numbers, drawn.bands)
    assert {y for _, y in alone} == {40, 60} and len({x for x, _ in alone}) == 2  # it has some width
    assert both == [(70, 0), (90, 90), (90, 100), (70, 80)]  # what reaches beyond the axis is cut there
    assert drawn.dots == [(10, 50), (30, 50), None, (70, 0), (90, 100)]


def test_sparks_reach_from_side_to_side_and_have_gaps():
    lines, areas = spark([1, 3, None, 2, 1], width=100, height=32)
    assert [numbers(run) for run in lines] == [[(0, 29), (25, 3)], [(75, 16), (100, 29)]]
    assert numbers(areas[0]) == [(0, 32), (0, 29), (25, 3), (25, 32)]
    assert spark([]) == spark([None]) == spark([5]) == ([], [])
    assert len(spark([2, 2])[0]) == 1


@pytest.mark.parametrize(("number", "most"), [(1, 6), (6, 6), (7, 6), (24, 6), (28, 5), (90, 6)])
def test_not_more_words_than_fit(number, most):
    places = list(marked(number, most))
    assert places[0] == 0 and places[-1] < number and len(places) <= most


def test_a_model_keeps_its_colour_whatever_else_is_shown():
    known = list("abcdefgh")
    assert colours(known, ["c", "a"]) == {"a": 1, "c": 3}
    assert colours(known, ["c", "h", "b"])["c"] == 3
    assert colours(known, ["f", "a"]) == {"a": 1, "f": 2}  # the same place: the later one makes room
    everything = colours(known, known[::-1])
    assert len(everything) == SERIES == len(set(everything.values()))
    assert sorted(colours(known, ["new", "a"]).values())[0] == 1
