"""Who wins against whom under a feedback key: the counts of every two models, win rates and strengths."""

from collections import Counter
from dataclasses import dataclass, field

from feedback.models import Outcome
from feedback.rollups import pairs
from feedback.strengths import Rate, strengths, win_rate
from registry.models import Model


@dataclass(frozen=True, slots=True)
class Standing:
    """A model among the others: Bradley-Terry strength with its 95 % interval, in log-odds centred to mean 0, and
    its votes against all of them. Only within one `group` do strengths compare."""

    model: str | None  # the key; None for completions of no model
    model_id: int  # 0 for none
    strength: float
    low: float
    high: float
    rank_low: int  # the best rank it may have
    rank_high: int  # the worst
    wins: int
    losses: int
    ties: int
    win_rate: Rate
    group: int

    @property
    def comparisons(self):
        return self.wins + self.losses + self.ties


@dataclass(frozen=True, slots=True)
class Pair:
    """How two models did against each other; the rate is a's, a tie as half. `ties` are all of them, those that were
    said to be good or bad and those of which nothing was said."""

    a: str | None
    b: str | None
    a_id: int
    b_id: int
    a_wins: int
    b_wins: int
    ties: int
    ties_good: int
    ties_bad: int
    a_win_rate: Rate

    @property
    def comparisons(self):
        return self.a_wins + self.b_wins + self.ties

    def turned(self):
        """The same seen from b."""
        rate, low, high = self.a_win_rate
        return Pair(
            self.b, self.a, self.b_id, self.a_id, self.b_wins, self.a_wins, self.ties, self.ties_good, self.ties_bad,
            Rate(1 - rate, 1 - high, 1 - low),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Within:
    """Comparisons of two completions of one model; they say nothing about models."""

    model: str | None
    model_id: int
    decided: int
    ties: int
    ties_good: int
    ties_bad: int

    @property
    def comparisons(self):
        return self.decided + self.ties


@dataclass(frozen=True)
class Matrix:
    """`models`, strongest first; `pairs` that met, each once, by the keys a < b; `within` one model. Not `connected`:
    there are groups of models between which no chain of comparisons leads, and whose strengths cannot be compared."""

    models: list = field(default_factory=list)
    pairs: list = field(default_factory=list)
    within: list = field(default_factory=list)
    connected: bool = True

    def between(self, a_id, b_id):
        """The Pair of these two models as a sees it; None where they never met."""
        for pair in self.pairs:
            if (pair.a_id, pair.b_id) == (a_id, b_id):
                return pair
            if (pair.a_id, pair.b_id) == (b_id, a_id):
                return pair.turned()
        return None


def win_matrix(project, key):
    """The Matrix of the project's comparisons under this FeedbackKey, from the roll-up: exact, whatever their number.
    Those with a simulated side are not counted."""
    counts = _counts(pairs(project, key))
    models = Model.objects.in_bulk({one for place in counts for one in place} - {0})
    keys = {0: None, **{pk: model.key for pk, model in models.items()}}
    met = {place: n for place, n in counts.items() if place[0] != place[1]}
    found = strengths({place: (n["won"], n["lost"], n["ties"]) for place, n in met.items()})
    met = [_pair(place, keys, n) for place, n in met.items()]
    alone = [_within(a, keys[a], n) for (a, b), n in counts.items() if a == b]
    return Matrix(
        models=[_standing(one, keys[one.model]) for one in found],
        pairs=sorted(met, key=lambda pair: (_none_last(pair.a), _none_last(pair.b))),
        within=sorted(alone, key=lambda one: _none_last(one.model)),
        connected=len({one.group for one in found}) < 2,
    )


def _counts(found):
    """{(model id, other model id): Counter of outcomes, with all "ties" together}."""
    counts = {}
    for (a, b, outcome), n in found.items():
        of = counts.setdefault((a, b), Counter())
        of[str(outcome)] += n
        if outcome not in {Outcome.WON, Outcome.LOST}:
            of["ties"] += n
    return counts


def _standing(one, key):
    return Standing(
        key, one.model, one.strength, one.low, one.high, one.rank_low, one.rank_high, one.wins, one.losses, one.ties,
        win_rate(one.wins, one.losses, one.ties), one.group,
    )  # fmt: skip


def _pair(place, keys, n):
    a, b = place
    rate = win_rate(n["won"], n["lost"], n["ties"])
    pair = Pair(keys[a], keys[b], a, b, n["won"], n["lost"], *_ties(n), rate)
    return pair if _none_last(pair.a) < _none_last(pair.b) else pair.turned()


def _within(model_id, key, n):
    return Within(key, model_id, n["won"] + n["lost"], *_ties(n))


def _ties(n):
    return n["ties"], n[Outcome.TIED_GOOD], n[Outcome.TIED_BAD]


def _none_last(key):
    """Sorts keys, no model after all others."""
    return (key is None, key or "")
