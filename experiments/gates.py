"""What must hold before a winner may be declared, and what the figures say in words. Knows no database, no Django."""

import math
from typing import NamedTuple

from experiments.statistics import sequence, taking_part, watching, wording

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_APART = 5.0  # points of feedback coverage
_SEQUENCES = (
    "Always-valid asymptotic confidence sequences tuned at the planned number of units, Holm over the arms against the "
    "control; "
)
_FARTHEST = 100  # times the units that a test has: beyond, nobody waits for an answer


class Gate(NamedTuple):
    """One condition: `holds` is None where it cannot be told yet; `shown` says in a few words what was measured. One
    that does not apply to this kind of test neither holds nor waits."""

    key: str  # ratio, n, age, bound, coverage, watched, twice
    name: str
    holds: bool | None
    shown: str
    arm: int | None = None  # that is ahead, at the gate "bound"
    against: int | None = None  # the arm that is nearest behind it
    above: float = 0.0  # what the lower bound has to be above
    applies: bool = True


class Verdict(NamedTuple):
    """What the figures say, in plain words."""

    headline: str
    text: str


def gates(
    judgement, *, watched=(), age_days, planned_n, planned_days, smallest_effect=0, former_leader=None, letters=LETTERS
):
    """The seven Gates, in order: ratio, n, age, bound, coverage, watched, twice. To a preference the first, the fifth
    and the sixth do not apply: whose answers are compared is up to the judges, who are known by their votes alone.

    watched: the Watched figures beside it. The sixth gate holds unless the arm that is ahead is worse in one of them
    for certain, by what may be more than its margin; it does not wait for what is not known yet.

    age_days: how long the test ran, pauses left out. former_leader: index of the arm that `leader` named at the
    evaluation before, of the same sequence (at the two before, if this is none itself); None for none.
    smallest_effect: in the unit of the pairs' differences. All are of the arms that take part.
    """
    competing = taking_part(judgement.arms)
    ran = math.floor(10 * age_days) / 10  # what is not enough does not read as if it were
    first = [
        _ratio(judgement, competing, letters),
        _enough(judgement, competing, planned_n, letters),
        Gate("age", "Ran long enough", age_days >= planned_days, f"{ran:.1f} of {planned_days:g} days"),
        _bound(judgement, competing, smallest_effect, letters),
        _coverage(judgement, competing, letters),
        _watched(judgement, watched, letters),
    ]
    return [*first, _twice(first, former_leader, letters)]


def leader(gates):
    """Index of the arm for which all gates but the last hold, or None. Kept with each evaluation: where the one before
    named the same arm, the last gate holds, and with it all of them."""
    before = [gate for gate in gates if gate.key != "twice"]
    return next(gate.arm for gate in before if gate.key == "bound") if all_hold(before) else None


def all_hold(gates):
    """Whether all do that apply."""
    return all(gate.holds for gate in gates if gate.applies)


def rule(judgement, gates, *, is_by_hand, letters=LETTERS):
    """The rule that a decision goes by, for its record; of one by hand, what the rule said to the figures."""
    if judgement.kind == "preference":
        told = f"{_SEQUENCES}four gates (units, age, bound, twice in a row)."
    else:
        told = f"{_SEQUENCES}seven gates (sample ratio, units, age, bound, coverage, nothing "
        told += "watched is worse, twice in a row)."
    if not is_by_hand:
        return told
    applying = [gate for gate in gates if gate.applies]
    held = f"{sum(bool(gate.holds) for gate in applying)} of {len(applying)} checks held"
    said = headline(judgement.arms, gates, letters)
    return f"Decided by hand. The rule said: {said}; {held}. The rule: {told}"


def verdict(judgement, gates, letters=LETTERS):
    """Verdict: what holds, what is open, and by how much."""
    return Verdict(headline(judgement.arms, gates, letters), _text(judgement, gates, letters))


def headline(arms, gates, letters=LETTERS):
    """What the figures say in a few words: of the JudgedArms, and of the gates that were told of them."""
    by_key = {gate.key: gate for gate in gates}
    ratio, bound = by_key["ratio"], by_key["bound"]
    if not any(arm.units for arm in arms):
        return "No traffic yet" if ratio.applies else "No preference yet"
    if ratio.holds is False:
        is_crossed = any(arm.crossed for arm in arms)
        return "Units were seen in two arms" if is_crossed else "The traffic does not match the split"
    if bound.holds is None:
        return "Collecting" if any(arms[i].refused for i in taking_part(arms)) else "No arm is ahead"
    ahead = letters[bound.arm]
    if not bound.holds:
        return f"{ahead} is ahead, perhaps by chance"
    if _waiting(gates):
        return f"{ahead} is better, and may not win yet"
    return f"{ahead} is the winner" if by_key["twice"].holds else f"{ahead} is better"


def _text(judgement, gates, letters):
    """The sentences below the headline."""
    by_key = {gate.key: gate for gate in gates}
    ratio, bound = by_key["ratio"], by_key["bound"]
    standing = _standing(judgement, bound, letters)
    if not any(arm.units for arm in judgement.arms):
        return "No unit has met an arm yet." if ratio.applies else "Nobody has compared two arms yet."
    if ratio.holds is False:
        return f"{ratio.shown}. {_mistrust(judgement)} {standing}".rstrip()
    if bound.holds is None:
        return _missing(judgement, bound, letters)
    if not bound.holds:
        return f"{standing} {_open(judgement, bound)}"
    if waiting := _waiting(gates):
        named = wording.in_a_row([f"“{gate.name}” ({gate.shown})" for gate in waiting])
        count = "One gate is" if len(waiting) == 1 else f"{len(waiting)} gates are"
        return f"{standing} {count} open: {named}."
    if not by_key["twice"].holds:
        return f"{standing} The gates hold, and must at two evaluations in a row."
    return f"{standing} All gates held at two evaluations in a row."


def _waiting(gates):
    """The gates that are open, but for the last, which waits for them."""
    return [gate for gate in gates if gate.applies and not gate.holds and gate.key != "twice"]


def _mistrust(judgement):
    """What to make of traffic that does not match."""
    if any(arm.crossed for arm in judgement.arms):
        cause = "A unit belongs to one arm for good; requests that name a model bring it to another."
        return f"{cause} Such units count for no arm."
    cause = "Lost records or a fault in the routing are the usual causes, and either bends the values too:"
    return f"{cause} find the cause before anything is decided."


def _missing(judgement, bound, letters):
    """Why nobody is ahead: what each arm that takes part lacks, else what the gate says."""
    arms = judgement.arms
    reasons = [f"{letters[i]}: {arms[i].refused}" for i in taking_part(arms) if arms[i].refused]
    return " ".join(reasons) or f"{bound.shown[0].upper()}{bound.shown[1:]}."


def _standing(judgement, bound, letters):
    """B has 77.9 % against 74.2 % of A: +3.7 points (95 % interval, valid at every look: +2.2 to +5.2 points)."""
    if bound.arm is None or bound.holds is None:
        return ""
    pair = judgement.pair(bound.arm, bound.against)
    one, other = letters[pair.one], letters[pair.other]
    sure, ends = f"{100 * (1 - judgement.alpha):g} %", wording.ends(judgement, pair.lower, pair.upper)
    ends = f"{wording.difference(judgement, pair.difference)} ({sure} interval, valid at every look: {ends})."
    if wording.in_log_odds(judgement):
        won = wording.share(1 / (1 + math.exp(-pair.difference)))
        return f"{one} is stronger than {other}, the nearest to it, and wins {won} of their decided votes: {ends}"
    nearest = ", the nearest to it" if len(judgement.arms) > 2 else ""
    values = [wording.value(judgement, judgement.arms[i].value) for i in (pair.one, pair.other)]
    return f"{one} has {values[0]} against {values[1]} of {other}{nearest}: {ends}"


def _open(judgement, bound):
    """How far an open bound is from being above what it has to be."""
    pair = judgement.pair(bound.arm, bound.against)
    sure = "it is better at all" if not bound.above else "it is better by the smallest effect worth having"
    gain = abs(pair.difference)
    if gain <= bound.above:
        return f"So far it is not better by the smallest effect worth having ({_effect(judgement, bound.above)})."
    times = _times_to_settle(judgement, pair, gain - bound.above)
    if times is None:
        return f"That {sure} cannot be told, and at this difference not with {_FARTHEST} times the units either."
    more = (times - 1) * max(judgement.arms[i].n for i in (pair.one, pair.other))
    units = f"some {math.ceil(more / 10) * 10:,} more units with a value in each arm"
    return f"That {sure} is open; if the difference stays as it is, {units} will tell."


def _effect(judgement, smallest):
    return wording.effect(judgement, smallest).removeprefix("+")


def _times_to_settle(judgement, pair, gain):
    """How many times the units it takes until half the interval is narrower than the gain; None: too many."""
    t = sum(judgement.arms[i].n for i in (pair.one, pair.other))
    half = (pair.upper - pair.lower) / 2
    tuned_for = 2 * judgement.tuned_for
    now, times = sequence.factor(t, pair.level, tuned_for=tuned_for), 1.0
    while half / math.sqrt(times) * sequence.factor(t * times, pair.level, tuned_for=tuned_for) / now >= gain:
        times *= 1.05
        if times > _FARTHEST:
            return None
    return times


def _ratio(judgement, competing, letters):
    name, arms, ratio = "Traffic matches the split", judgement.arms, judgement.ratio
    if judgement.kind == "preference":
        shown = "does not apply: what is compared is not for the split to say"
        return Gate("ratio", name, None, shown, applies=False)
    crossed = sum(arm.crossed for arm in arms)
    if crossed:
        seen = "1 unit was seen in two arms" if crossed == 1 else f"{crossed:,} units were seen in two arms"
        return Gate("ratio", name, False, seen)
    if ratio.holds is None:
        return Gate("ratio", name, None, ratio.refused.rstrip("."))
    if ratio.holds:
        return Gate("ratio", name, True, wording.p_value(ratio.p))
    apart = [abs(arm.units - due) / max(due, 1) ** 0.5 for arm, due in zip(arms, ratio.expected, strict=True)]
    worst = max((i for i in competing if arms[i].weight > 0), key=apart.__getitem__)
    due = f"{ratio.expected[worst]:,.0f} expected"
    shown = f"{letters[worst]} has {arms[worst].units:,} units, {due} ({wording.p_value(ratio.p)})"
    return Gate("ratio", name, False, shown)


def _enough(judgement, competing, planned_n, letters):
    name = "Enough units in every arm"
    if not competing:
        return Gate("n", name, None, "no arm takes traffic")
    least = min(competing, key=lambda i: judgement.arms[i].n)
    n = judgement.arms[least].n
    return Gate("n", name, n >= planned_n, f"{letters[least]} has {n:,} of {planned_n:,}")


def _bound(judgement, competing, smallest, letters):
    """Of the best arm's intervals against the others the nearest is the one to be shown."""
    name, arm = "Ahead of every other arm beyond chance", judgement.best
    if arm is None:
        return Gate("bound", name, None, _why_none(judgement, competing, letters), above=smallest)
    pairs = [judgement.pair(arm, other) for other in competing if other != arm]
    nearest = min(pairs, key=lambda pair: pair.at_least)
    needed = wording.effect(judgement, -smallest if judgement.lower_is_better else smallest) if smallest else "0"
    shown = f"{letters[arm]} less {letters[nearest.other]}: {wording.ends(judgement, nearest.lower, nearest.upper)}"
    if nearest.at_least <= smallest:
        shown += f"; must be {'below' if judgement.lower_is_better else 'above'} {needed}"
    return Gate("bound", name, nearest.at_least > smallest, shown, arm, nearest.other, smallest)


def _why_none(judgement, competing, letters):
    if len(competing) < 2:
        return "fewer than two arms take traffic"
    refused = [i for i in competing if judgement.arms[i].refused]
    if refused:
        return f"{letters[refused[0]]}: {judgement.arms[refused[0]].refused}".rstrip(".")
    for pair in judgement.pairs:
        if pair.refused and {pair.one, pair.other} <= set(competing):
            return f"no votes lead from {letters[pair.one]} to {letters[pair.other]}"
    return "no arm is ahead of all others"


def _coverage(judgement, competing, letters):
    name = "Feedback comes alike from every arm"
    if judgement.kind == "preference":
        return Gate("coverage", name, None, "does not apply: judges are known by their votes alone", applies=False)
    shares = {i: judgement.coverage.shares[i] for i in competing if judgement.coverage.shares[i] is not None}
    if len(shares) < 2:
        return Gate("coverage", name, None, "fewer than two arms have units")
    low, high = min(shares, key=shares.get), max(shares, key=shares.get)
    apart = shares[high] - shares[low]
    told = f"{letters[high]} {wording.share(shares[high])}, {letters[low]} {wording.share(shares[low])}"
    shown = f"{told}: {wording.points(apart)} points apart" if apart else f"{wording.share(shares[low])} in every arm"
    return Gate("coverage", name, round(100 * apart, 9) < MOST_APART, shown)  # 0.3 - 0.25 is 0.05


def _watched(judgement, watched, letters):
    name, arm = "Nothing watched got worse", judgement.best
    if judgement.kind == "preference":
        return Gate("watched", name, None, "does not apply: its units are judges", applies=False)
    if arm is None:
        return Gate("watched", name, None, "waits for an arm that is ahead")
    if arm == 0:
        return Gate("watched", name, True, f"{letters[0]} is the control")
    if not all(one.is_counted for one in watched):
        return Gate("watched", name, None, "what came before is being counted")
    found = [(one, one.of(arm)) for one in watched]
    if worse := [(one, against) for one, against in found if against.verdict == watching.WORSE]:
        told = [f"{one.name} {watching.between(one, against)}, not {watching.accepted(one)}" for one, against in worse]
        return Gate("watched", name, False, f"{letters[arm]} against {letters[0]}: {'; '.join(told)}")
    unknown = sum(against.verdict == watching.OPEN for _, against in found)
    shown = f"{len(found)} watched" if found else "nothing watched is known"
    return Gate("watched", name, True, f"{shown}, {unknown} not known yet" if unknown else shown)


def _twice(first, former_leader, letters):
    name = "Held at two evaluations in a row"
    arm = leader(first)
    if arm is None:
        return Gate("twice", name, None, "waits for the others")
    if former_leader == arm:
        return Gate("twice", name, True, f"{letters[arm]} at both")
    return Gate("twice", name, False, f"{letters[arm]} not at two yet")
