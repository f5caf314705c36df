"""Each gate holds where it should and says what was measured; the verdict says what holds, what is open, how far."""

import json
from dataclasses import replace

import pytest

from experiments.gates import all_hold, gates, leader, verdict
from experiments.statistics import ArmFigures, Moments, fail_apart, judge, votes_of_two, wording
from experiments.templatetags.experiments import Words
from experiments.templatetags.experiments import percent as shortened
from feedback.templatetags.feedback import percent
from tests.experiments.test_statistics import means, shares, two_sided

FINE = {"age_days": 5.0, "planned_n": 200, "planned_days": 3.0}
KEYS = ["ratio", "n", "age", "bound", "coverage", "watched", "twice"]


def asked(arms, kind="bool", *, lower_is_better=False, **more):
    """(judgement, gates by key, verdict)"""
    judgement = judge(kind, arms, lower_is_better=lower_is_better)
    told = gates(judgement, **FINE | more)
    assert [gate.key for gate in told] == KEYS
    json.dumps([gate._asdict() for gate in told], allow_nan=False)
    return judgement, {gate.key: gate for gate in told}, verdict(judgement, told)


def clear(**more):
    """Two arms of which the second is better."""
    return [shares(300, 1000, **more), shares(420, 1000, **more)]


def test_the_better_arm_wins_at_the_second_evaluation():
    judgement, told, words = asked(clear())
    assert [told[key].holds for key in KEYS] == [True, True, True, True, True, True, False]
    assert leader(list(told.values())) == 1
    assert words.headline == "B is better" and "two evaluations in a row" in words.text
    judgement, told, words = asked(clear(), former_leader=1)
    assert all(gate.holds for gate in told.values())
    assert words.headline == "B is the winner"
    assert (
        "B has 42.0 % against 30.0 % of A: +12.0 points (95 % interval, valid at every look: +"
        in words.text.replace("\xa0", " ")
    )
    _, told, _ = asked(clear(), former_leader=0)
    assert told["twice"].holds is False


@pytest.mark.parametrize(
    ("arms", "more", "key", "holds", "shown"),
    [
        ([shares(300, 1000), shares(420, 1000, units=1300)], {}, "ratio", False, "A has 1,000 units, 1,150 expected"),
        ([shares(300, 1000), shares(420, 1000, crossed=2)], {}, "ratio", False, "2 units were seen in two arms"),
        ([shares(300, 1000), shares(420, 1000, crossed=1)], {}, "ratio", False, "1 unit was seen in two arms"),
        (clear(), {"planned_n": 1001}, "n", False, "A has 1,000 of 1,001"),
        (clear(), {"age_days": 2.96}, "age", False, "2.9 of 3 days"),
        (clear(), {"age_days": 3.0}, "age", True, "3.0 of 3 days"),
        (clear(), {"smallest_effect": 0.1}, "bound", False, "must be above +10.0 points"),
        ([shares(300, 1000), shares(310, 1000)], {}, "bound", False, "must be above 0"),
        ([shares(300, 1000), shares(300, 1000)], {}, "bound", None, "no arm is ahead"),
        ([shares(300, 1000), shares(4, 1000)], {}, "bound", None, "B: 4 yeses in 1,000 units"),
        (
            [shares(300, 1000, units=2000), shares(420, 1000, units=2300)],
            {},
            "coverage",
            False,
            "A 50.0 %, B 43.5 %: 6.5 points",
        ),
        ([shares(300, 1000, units=2000), shares(420, 1000, units=2100)], {}, "coverage", True, "2.4 points apart"),
        (clear(), {}, "coverage", True, "100.0 % in every arm"),
        ([shares(90, 300, units=1000), shares(90, 250, units=1000)], {}, "coverage", False, "5.0 points apart"),
        ([shares(300, 800, units=1000), shares(300, 750, units=1000)], {}, "coverage", False, "5.0 points apart"),
        (
            [shares(99960, 99960, units=100000), shares(99950, 99950, units=100000)],
            {},
            "coverage",
            True,
            "A 99.960 %, B 99.950 %: 0.010 points apart",
        ),
    ],
)
def test_a_gate_says_what_it_saw(arms, more, key, holds, shown):
    judgement, told, words = asked(arms, former_leader=1, **more)
    assert told[key].holds is holds
    assert shown in told[key].shown.replace("\xa0", " ")
    if not holds:
        assert leader(list(told.values())) is None and told["twice"].holds is None
        assert "winner" not in words.headline


def test_nothing_is_told_of_nothing():
    judgement, told, words = asked([shares(0, 0), shares(0, 0)])
    assert [told[key].holds for key in KEYS] == [None, False, True, None, None, None, None]
    assert words.headline == "No traffic yet"
    _, _, words = asked([shares(9, 30), shares(9, 60)])
    assert words.headline == "Collecting" and "A: 30 of the 50 units that are needed" in words.text
    assert leader(list(told.values())) is None


def test_traffic_that_does_not_match_comes_before_what_it_brought():
    _, _, words = asked([shares(300, 1000), shares(420, 1000, units=1300)])
    assert words.headline == "The traffic does not match the split"
    assert "find the cause" in words.text and "B has 42.0 %" in words.text.replace("\xa0", " ")
    _, _, words = asked([shares(300, 1000), shares(420, 1000, crossed=2)])
    assert words.headline == "Units were seen in two arms"


def test_gates_that_are_open_are_named():
    _, _, words = asked(clear(), planned_n=1001, age_days=1)
    assert words.headline == "B is better, and may not win yet"
    assert "2 gates are open: “Enough units in every arm” (A has 1,000 of 1,001) and “Ran long enough”" in words.text
    _, _, words = asked(clear(), planned_n=1001)
    assert "One gate is open" in words.text


def test_an_open_interval_says_how_far_it_is():
    _, _, words = asked([shares(300, 1000), shares(340, 1000)])
    assert words.headline == "B is ahead, perhaps by chance"
    more = int(words.text.split("some ")[1].split(" more")[0].replace(",", ""))
    for n, sign in ((1000 + 0.85 * more, 0), (1000 + 1.1 * more, 1)):
        later = judge("bool", [shares(round(share * n), round(n)) for share in (0.3, 0.34)])
        assert later.pair(1, 0).sign == sign
    _, _, words = asked([shares(3000, 10000), shares(3001, 10000)])
    assert "not with 100 times the units" in words.text
    _, _, words = asked([shares(300, 1000), shares(340, 1000)], smallest_effect=0.05)
    assert "smallest effect worth having (5.0 points)" in words.text.replace("\xa0", " ")


def test_less_is_better_reads_the_right_way_round():
    arms = [means(1000, 3.0, 1.0), means(1000, 2.5, 1.0)]
    judgement, told, words = asked(arms, "scalar", lower_is_better=True, smallest_effect=0.2, former_leader=1)
    assert leader(list(told.values())) == 1 and told["bound"].shown.startswith("B less A: −0.")
    assert "B has 2.500 against 3.000 of A: −0.500" in words.text
    _, told, _ = asked(arms, "scalar", lower_is_better=True, smallest_effect=0.45)
    assert told["bound"].holds is False and "must be below −0.45" in told["bound"].shown


def test_what_is_as_far_ahead_as_it_has_to_be_is_not_further():
    arms = [shares(300, 1000), shares(420, 1000)]
    pair = judge("bool", arms).pair(1, 0)
    _, told, _ = asked(arms, smallest_effect=pair.at_least)
    assert told["bound"].holds is False
    _, _, words = asked(arms, smallest_effect=pair.difference)
    assert "So far it is not better by the smallest effect worth having (12.0 points)" in words.text.replace(
        "\xa0", " "
    )


def test_the_winner_must_be_ahead_of_every_arm():
    arms = [shares(300, 1000), shares(420, 1000), shares(410, 1000)]
    _, told, words = asked(arms)
    assert (told["bound"].holds, told["bound"].arm, told["bound"].against) == (False, 1, 2)
    assert words.headline == "B is ahead, perhaps by chance" and "C, the nearest to it" in words.text
    _, told, words = asked([*arms[:2], shares(10, 20, units=1000)])
    assert (told["bound"].holds, told["bound"].arm) == (None, None) and words.headline == "Collecting"
    assert told["bound"].shown == "C: 20 of the 50 units that are needed have a value"


def test_an_arm_that_is_off_neither_wins_nor_holds_the_others_up():
    arms = [*clear(), shares(600, 1000)]
    _, told, _ = asked(arms)
    assert told["bound"].arm == 2 and told["bound"].holds
    judgement, told, _ = asked([*arms[:2], shares(30, 40, off=True)])
    assert leader(list(told.values())) == 1
    assert told["ratio"].holds and told["n"].shown == "A has 1,000 of 200"
    assert (judgement.ratio.holds, judgement.ratio.expected) == (True, [1000, 1000, 0])
    judgement, told, _ = asked([*arms[:2], shares(30, 40, units=1000, off=True)])
    assert told["coverage"].holds and judgement.coverage.spread == 0 and judgement.coverage.shares == [1, 1, 0.04]
    _, told, _ = asked([replace(arms[0], off=True), arms[1], replace(arms[2], off=True)])
    assert told["bound"].holds is None and "fewer than two arms" in told["bound"].shown
    _, told, words = asked([replace(arm, off=True) for arm in arms])
    assert [gate.holds for gate in told.values()] == [None, None, True, None, None, None, None] and words.headline


def test_of_a_preference_the_split_and_the_coverage_are_no_evidence():
    """Neither arms of which one has fewer judges than the other, nor judges who all gave a vote, say anything."""
    arms = [
        replace(arm, units=units, answered=units)
        for arm, units in zip(two_sided(300, 700, 0), (1000, 1400), strict=True)
    ]
    judgement, told, words = asked(arms, "preference")
    assert (judgement.ratio.p, judgement.ratio.expected, judgement.coverage.shares) == (None, [None] * 2, [None] * 2)
    assert [told[key].applies for key in KEYS] == [False, True, True, True, False, False, True]
    assert all(
        told[key].holds is None and "does not apply" in told[key].shown for key in ("ratio", "coverage", "watched")
    )
    assert leader(list(told.values())) == 1 and words.headline == "B is better"
    _, told, words = asked(arms, "preference", former_leader=1)
    assert all_hold(told.values()) and words.headline == "B is the winner"
    _, told, words = asked(arms, "preference", age_days=1)
    assert not all_hold(told.values()) and "One gate is open: “Ran long enough”" in words.text


@pytest.mark.parametrize(
    "idle", [ArmFigures(0, 0, Moments(), 0.0), ArmFigures(3, 0, Moments(), 0.0), shares(980, 1000, weight=0.0)]
)
def test_an_arm_of_no_weight_holds_nobody_up_whatever_came_there_by_name(idle):
    alone, _, _ = asked(clear(), former_leader=1)
    judgement, told, words = asked([*clear(), idle], former_leader=1)
    assert all(gate.holds for gate in told.values()) and words.headline == "B is the winner"
    assert [arm.chance for arm in judgement.arms] == [*(arm.chance for arm in alone.arms), None]
    assert judgement.pair(1, 0) == alone.pair(1, 0)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 0, 0), "No votes yet."),
        ((0, 0, 3), "By vote, B won 0, lost 0 and tied 3 (100.0 % of all)."),
        ((1200, 900, 300), "By vote, B won 1,200, lost 900 and tied 300 (12.5 % of all). Exact binomial test"),
        ((1200, 900, 300), "p below 0.000000001"),
        ((60, 40, 0), "as if each were another judge's, and for a single look: p = 0.06"),
    ],
)
def test_votes_of_two_arms_are_told_in_words(counts, said):
    told = wording.votes(votes_of_two(*counts), "B").replace("\xa0", " ")
    assert said in told


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0, "0.0 %"),
        (1, "100.0 %"),
        (0.742, "74.2 %"),
        (80 / 200_000, "0.040 %"),
        (99_960 / 100_000, "99.960 %"),
        (0.999, "99.90 %"),
        (0.0123, "1.2 %"),
        (1 / 3e8, "0.00000033 %"),
    ],
)
def test_no_share_is_said_to_be_0_or_100_that_only_comes_near(share, said):
    assert wording.share(share).replace("\xa0", " ") == percent(share) == said
    assert Words(True).value(share) == said and shortened(share) == said.replace(".0 %", " %")


def test_a_loss_is_rounded_and_never_nothing_and_an_effect_is_as_it_was_written():
    points, numbers = Words(True), Words(False, digits=0)
    assert [points.size(loss) for loss in (0.0, 1e-6, 0.0012, 0.123)] == ["under 0.01", "under 0.01", "0.12", "12"]
    assert [numbers.size(loss) for loss in (0.0, 9.96, 99.6, 1204.3)] == ["under 1", "10", "100", "1,204"]
    assert [points.effect(effect) for effect in (0.125, 0.07, 0.00005)] == ["12.5", "7", "0.005"]
    assert [Words(False).effect(effect) for effect in (1234, 0.25)] == ["1,234", "0.25"]


def test_intervals_are_told_by_their_ends():
    assert Words(True).interval((0.0, 0.0713)) == "0.0 to 7.1 %"
    assert Words(False, digits=2).interval((3.686, 3.814)) == "3.69 to 3.81"
    assert Words(True).difference(0.0004) == "+0.040" and Words(True).interval(None) == ""


@pytest.mark.parametrize(
    ("failed", "calls", "is_apart"),
    [
        ([0, 100], [300, 300], True),
        ([0, 9], [300, 300], False),  # too few to tell
        ([100, 110], [300, 300], False),
        ([300, 300], [300, 300], False),
        ([10, 10, 60], [300, 300, 600], True),
        ([5], [10], False),
        ([], [], False),
    ],
)
def test_an_arm_whose_calls_fail_unlike_the_others_raises_an_alarm(failed, calls, is_apart):
    assert fail_apart(failed, calls) is is_apart
