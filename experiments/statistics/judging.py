"""From the figures of the arms to what may be said of them."""

from dataclasses import replace
from itertools import permutations

from experiments.statistics import estimates, posterior, refusals, sequence
from experiments.statistics.figures import Coverage, JudgedArm, Judgement, Pair, Ratio
from experiments.statistics.traffic import coverage_of, sample_ratio, taking_part

_OF_STRENGTH = ("strength", "low", "high", "rank_low", "rank_high", "chance", "loss")
KINDS = ("bool", "scalar", "preference")


def judge(kind, arms, *, lower_is_better=False, alpha=0.05, tuned_for=5000, strengths=None, votes=None):
    """Judgement of a test's arms (ArmFigures each, the control first).

    kind: bool, scalar or preference. tuned_for: units with a value that each arm is planned to have, where the
    always-valid intervals are narrowest. strengths: what strengths_of_arms answered, needed for a preference of three
    or more arms; these are then compared by strength, in log-odds. votes: what votes_of_two answered, handed on. Of a
    preference more is always better, and there is neither a ratio nor a coverage. Who is best, with which chance and at
    which loss, is told of the arms that take part, and of none while one of them is refused: it may be the best of all.
    ValueError for an unknown kind, fewer than two arms, an alpha outside of (0, 1).
    """
    if kind not in KINDS or len(arms) < 2 or not 0 < alpha < 1 or tuned_for < 1:
        raise ValueError(f"No judgement of {len(arms)} arms of kind {kind} at alpha {alpha}, tuned for {tuned_for}.")
    sign = -1 if lower_is_better and kind != "preference" else 1
    strong = _strong(kind, arms, strengths)
    refused = [_refusal(kind, arm, strong, place) for place, arm in enumerate(arms)]
    compared = [place for place, reason in enumerate(refused) if reason is None]
    rivals = _rivals(arms, refused, strong)
    chances = _chances(kind, arms, rivals, sign, strong) if rivals else {}
    differences = _differences(kind, arms, compared, alpha, strengths if strong is not None else None)
    level_of = _levels(arms, differences, alpha, 2 * tuned_for)
    worth = {place: strong[place].strength if strong else sign * arms[place].moments.mean for place in rivals}
    return Judgement(
        kind=kind,
        lower_is_better=sign < 0,
        alpha=alpha,
        tuned_for=tuned_for,
        arms=[_arm(kind, arm, alpha, refused[i], *chances.get(i, (None, None))) for i, arm in enumerate(arms)],
        pairs=[
            _pair(kind, arms, pair, differences.get(pair), level_of.get(pair), sign, 2 * tuned_for, refused)
            for pair in permutations(range(len(arms)), 2)
        ],
        best=_best(worth) if rivals else None,
        ratio=_ratio(kind, arms),
        coverage=_coverage(kind, arms),
        strengths=_told(strengths, refused, chances) if strengths else None,
        votes=votes,
    )


def _ratio(kind, arms):
    if kind == "preference":  # what is compared is up to the judges
        return Ratio([None] * len(arms), None, None, None, "What is compared does not follow the split.")
    return sample_ratio([arm.units for arm in arms], [0.0 if arm.off else arm.weight for arm in arms])


def _coverage(kind, arms):
    if kind == "preference":  # a judge who gave no vote is known to nobody
        return Coverage([None] * len(arms), None)
    taking = [arms[place] for place in taking_part(arms)]
    spread = coverage_of([arm.units for arm in taking], [arm.answered for arm in taking]).spread
    return replace(coverage_of([arm.units for arm in arms], [arm.answered for arm in arms]), spread=spread)


def _strong(kind, arms, strengths):
    """StrongArm by arm where strengths decide; None where win rates or means do."""
    if kind != "preference" or len(arms) == 2:
        return None
    return {strong.arm: strong for strong in strengths.arms} if strengths else {}


def _rivals(arms, refused, strong):
    """Places of the arms of which one is the best: those that take part, or none where there is one alone, where one is
    refused, and where no votes lead from some to others."""
    places = taking_part(arms)
    if len(places) < 2 or any(refused[place] for place in places):
        return []
    return places if strong is None or len({strong[place].group for place in places}) == 1 else []


def _told(strengths, refused, chances):
    """Strengths as far as they may be told: an arm that is refused has its votes alone and stands last, ranks are among
    the others of a group."""
    able = [arm for arm in strengths.arms if refused[arm.arm] is None]
    rest = sorted((arm for arm in strengths.arms if refused[arm.arm] is not None), key=lambda arm: arm.arm)
    group = {arm.arm: arm.group for arm in able}
    ranked = [
        _ranked(arm, [other for other in able if other.group == arm.group], *chances.get(arm.arm, (None, None)))
        for arm in able
    ]
    pairs = [
        pair
        if group.get(pair.one) and group.get(pair.one) == group.get(pair.other)
        else replace(pair, difference=None, stderr=None)
        for pair in strengths.pairs
    ]
    return replace(
        strengths, arms=[*ranked, *(replace(arm, **dict.fromkeys(_OF_STRENGTH)) for arm in rest)], pairs=pairs
    )


def _ranked(arm, others, chance, loss):
    arm = replace(arm, chance=chance, loss=loss)
    if len(others) < 2:
        return replace(arm, rank_low=None, rank_high=None)
    above = sum(other.low > arm.high for other in others)
    below = sum(other.high < arm.low for other in others)
    return replace(arm, rank_low=1 + above, rank_high=len(others) - below)


def _refusal(kind, arm, strong, place):
    reason = refusals.of_arm(kind, arm.moments)
    return refusals.of_strength(strong.get(place)) if reason is None and strong is not None else reason


def _chances(kind, arms, rivals, sign, strong):
    """{arm: (chance to be best, expected loss)} of these; of none where strengths were drawn for others."""
    moments = [arms[place].moments for place in rivals]
    if strong is not None:
        if {place for place, arm in strong.items() if arm.chance is not None} != set(rivals):
            return {}
        told = [strong[place].chance for place in rivals], [strong[place].loss for place in rivals]
    elif kind == "scalar":
        told = posterior.of_means(
            [sign * one.mean for one in moments], [estimates.standard_error(one) for one in moments]
        )
    else:
        many = [estimates.answers(one) for one in moments]
        yes = [number * one.mean for number, one in zip(many, moments, strict=True)]
        no = [number * (1 - one.mean) for number, one in zip(many, moments, strict=True)]
        if kind == "preference":
            told = posterior.of_two_win_rates(yes[0], no[0])
        else:
            told = posterior.of_shares(*((yes, no) if sign > 0 else (no, yes)))
    return dict(zip(rivals, zip(*told, strict=True), strict=True))


def _differences(kind, arms, compared, alpha, strengths):
    """{(one, other): estimates.Difference}, both ways round."""
    if kind == "preference" and len(arms) > 2:
        return _of_strengths(arms, strengths, compared)
    return {
        (one, other): estimates.difference(kind, arms[one].moments, arms[other].moments, alpha)
        for one, other in permutations(compared, 2)
    }


def _of_strengths(arms, strengths, compared):
    told, by_arm = {}, {strong.arm: strong for strong in strengths.arms} if strengths else {}
    for pair in strengths.pairs if strengths else ():
        one, other = by_arm[pair.one], by_arm[pair.other]
        if {pair.one, pair.other} <= set(compared) and one.group == other.group:
            t = arms[pair.one].moments.n + arms[pair.other].moments.n
            told[pair.one, pair.other] = estimates.Difference(pair.difference, pair.stderr, t, None)
            told[pair.other, pair.one] = estimates.Difference(-pair.difference, pair.stderr, t, None)
    return told


def _levels(arms, differences, alpha, tuned_for):
    """{(one, other): level}: Holm's over the arms against the first, whether or not these can be compared yet."""
    taking = [place for place, arm in enumerate(arms) if place == 0 or arm.weight > 0]
    told = dict.fromkeys(differences, sequence.level_between_others(alpha, max(2, len(taking))))
    others = taking[1:]
    log_ps = [
        float(sequence.log_p(known.value / known.error, known.t, tuned_for=tuned_for)) if known else 0.0
        for known in (differences.get((other, 0)) for other in others)
    ]
    for other, level in zip(others, sequence.levels(log_ps, alpha) if others else (), strict=True):
        told[other, 0] = told[0, other] = float(level)
    return told


def _arm(kind, arm, alpha, refused, chance, loss):
    """A value is shown from the least number of units on, even where it is compared to nothing."""
    shown = arm.moments.n >= refusals.LEAST_UNITS and estimates.finite(arm.moments)
    return JudgedArm(
        units=arm.units,
        n=arm.moments.n,
        weight=arm.weight,
        crossed=arm.crossed,
        value=arm.moments.mean if shown else None,
        interval=estimates.interval(kind, arm.moments, alpha) if shown else None,
        chance=chance,
        loss=loss,
        refused=refused,
        off=arm.off,
    )


def _pair(kind, arms, pair, known, level, sign, tuned_for, refused):
    one, other = pair
    if known is None:
        reason = refused[one] or refused[other] or "No votes connect these two arms."
        return Pair(one, other, *[None] * 6, no_lift=reason, refused=reason)
    half = known.error * float(sequence.factor(known.t, level, tuned_for=tuned_for))
    lower, upper = known.value - half, known.value + half
    at_least = lower if sign > 0 else -upper
    lift, no_lift = _lift(kind, known.value, arms[other].moments.mean)
    return Pair(one, other, known.value, lower, upper, at_least, level, lift, no_lift, None, known.once)


def _lift(kind, value, base):
    if kind == "preference":
        return None, "What one arm wins the other loses: there is no base."
    return refusals.lift(value, base, "The other arm")


def _best(worth):
    """The arm that is ahead of all others; None where two are level."""
    first, second = sorted(worth, key=worth.get, reverse=True)[:2]
    return first if worth[first] > worth[second] else None
