"""What comes out of a queue: progress, people, agreement, defects, how it was drawn."""

import datetime
from dataclasses import dataclass

from django.utils import timezone

from accounts.models import User
from feedback.moments import wilson
from reviews import answered
from reviews.agreement import confusion, krippendorff_alpha, raw_agreement
from reviews.models import Queue, Sample
from reviews.questions import COMPARED, PAIR, SCALE, SEVERAL, in_order, options_of
from reviews.versions import form_of

MOST_CONFUSIONS = 20  # pairs of people a question, those with most items in common


@dataclass(frozen=True)
class Interval:
    """An estimate of `n` with its 95 % interval; `low` and `high` None where there is none."""

    value: float
    low: float | None
    high: float | None
    n: int


@dataclass(frozen=True)
class Totals:
    """Items by what became of them: `items` in the queue (removed ones and gold aside), `complete` of them have all
    answers that were asked for, `conflicts` wait for a decision, `decided`, `gold`, `removed`.
    Answers: `submitted`, `skipped`, `drafts`, and when the first and the last came."""

    items: int
    complete: int
    conflicts: int
    decided: int
    gold: int
    removed: int
    submitted: int
    skipped: int
    drafts: int
    first_at: datetime.datetime | None
    last_at: datetime.datetime | None


@dataclass(frozen=True)
class Person:
    """One reviewer: `seconds` her median an item, `per_hour` at that pace; `gold` the share of those to gold items that
    are right, `agreement` the share of her answers that are another's too on the same item (Intervals or None)."""

    user: User
    submitted: int
    skipped: int
    seconds: float | None
    per_hour: float | None
    gold: Interval | None
    agreement: Interval | None


@dataclass(frozen=True)
class Confusion:
    """How two Users answered the same `n` items: counts[i][j] of them `one` answered names[i] and `other` names[j];
    `same` are those on the diagonal."""

    one: User
    other: User
    names: list
    counts: list
    same: int
    n: int


@dataclass(frozen=True)
class Question:
    """One question of the newest form. `answers`: [(name, n)] of all that were submitted. `raw` agreement and `alpha`
    (Intervals or None where nobody was compared) over `compared` items, alpha by its `level`, nominal or ordinal;
    `alpha_interval` of a scale by the distances. `defect`: the share of judged items that show one, None where no
    answer is said to tell of one. `left`: of a pair, the share of A, as seen, among those who chose a side."""

    key: str
    kind: str
    text: str
    answers: list
    raw: Interval | None
    level: str | None
    alpha: Interval | None
    alpha_interval: Interval | None
    compared: int
    confusions: list
    defect: Interval | None
    left: Interval | None


@dataclass(frozen=True)
class Report:
    """`samples`: the queue's Samples, oldest first, with `.by`; `rule` its rule or None; `at`: when this was asked."""

    queue: Queue
    totals: Totals
    people: list
    questions: list
    samples: list
    rule: dict | None
    at: datetime.datetime


def report(queue):
    """The Report of a queue; a few seconds at 100,000 items of three questions."""
    items, reviews = answered.totals(queue)
    rows = answered.people(queue)
    users = User.objects.in_bulk([user for user, *_ in rows])
    form, same = form_of(queue), {}
    questions = [_question(queue, one, users, same) for one in (form.questions if form else [])]
    gold = answered.gold(queue)
    people = [_person(users[user], *row, gold.get(user), same.get(user)) for user, *row in rows if user in users]
    samples = Sample.objects.filter(queue=queue).select_related("by", "job").defer("picked").order_by("pk")
    return Report(queue, Totals(*items, *reviews), people, questions, list(samples), queue.rule, timezone.now())


def _person(user, submitted, skipped, seconds, gold, same):
    per_hour = 3_600 / seconds if seconds else None
    return Person(user, submitted, skipped, seconds, per_hour, _share(gold), _share(same))


def _share(counted):
    """The Interval of (successes, of how many), by Wilson; None of none."""
    successes, n = counted or (0, 0)
    return Interval(successes / n, *wilson(successes, n), n) if n else None


def _question(queue, question, users, same):
    """The Question; `same` {user id: (answers that agree, answers compared)} grows by what it tells of people."""
    kind = question["kind"]
    if kind not in COMPARED:
        given = answered.answers_to(queue, question).counts.total()
        return Question(
            question["key"], kind, question["text"], [("given", given)], None, None, None, None, 0, [], None, None
        )
    names = _names(question)
    given = answered.answers_to(queue, question)
    _count_same(given.between, same)
    raw, alpha, by_distance, level, compared = _agreement(kind, given.patterns)
    return Question(
        key=question["key"],
        kind=kind,
        text=question["text"],
        answers=_answers(question, given.counts, names),
        raw=raw,
        level=level,
        alpha=alpha,
        alpha_interval=by_distance,
        compared=compared,
        confusions=_confusions(given.between, users, names),
        defect=_defect(question, given.verdicts),
        left=_left(queue, question),
    )


def _agreement(kind, patterns):
    """(raw, alpha, alpha by distance, the level, how many items)."""
    if kind == SCALE:
        patterns = {tuple(map(answered.value_of, pattern)): number for pattern, number in patterns.items()}
    level = "ordinal" if kind == SCALE else "nominal"
    found = raw_agreement(patterns)
    if found is None:
        return None, None, None, level, 0
    share, compared = found
    raw = Interval(share, *wilson(share * compared, compared), compared)
    alpha = _interval(krippendorff_alpha(patterns, level))
    by_distance = _interval(krippendorff_alpha(patterns, "interval")) if kind == SCALE else None
    return raw, alpha, by_distance, level, compared


def _interval(estimate):
    return Interval(estimate.value, estimate.low, estimate.high, estimate.n) if estimate else None


def _count_same(pairs, same):
    for (one, other), table in pairs.items():
        n, equal = sum(table.values()), sum(number for (hers, theirs), number in table.items() if hers == theirs)
        for user in (one, other):
            before = same.get(user, (0, 0))
            same[user] = before[0] + equal, before[1] + n


def _names(question):
    """What an answer, as JSON text, is called."""
    names = {option["value"]: option["name"] for option in options_of(question)}

    def name(text):
        value = answered.value_of(text)
        if question["kind"] == SEVERAL:
            return ", ".join(names.get(one, one) for one in in_order(question, value)) or "none"
        return names.get(value, str(value))

    return name


def _answers(question, counts, name):
    """[(name, n)]: of several each option by itself; else by the options' order, then what older forms knew."""
    found = {}
    if question["kind"] == SEVERAL:
        options = {option["value"]: option["name"] for option in question["options"]}
        found = dict.fromkeys(options, 0)
        for text, number in counts.items():
            for value in answered.value_of(text):
                found[value] = found.get(value, 0) + number
        return [(options.get(value, value), number) for value, number in found.items()]
    found = {option["name"]: 0 for option in options_of(question)}
    for text, number in counts.items():
        found[name(text)] = found.get(name(text), 0) + number
    return list(found.items())


def _confusions(pairs, users, name):
    most = sorted(pairs.items(), key=lambda one: (-sum(one[1].values()), one[0]))[:MOST_CONFUSIONS]
    return [_confusion(users[one], users[other], table, name) for (one, other), table in most]


def _confusion(one, other, table, name):
    values = sorted({value for pair in table for value in pair}, key=lambda text: str(answered.value_of(text)))
    counts = confusion(table, values)
    same = sum(counts[place][place] for place in range(len(values)))
    return Confusion(one, other, [name(value) for value in values], counts, same, sum(table.values()))


def _defect(question, verdicts):
    """The share of judged items that show a defect. Of a scale, the answers it lists; of several, any of them."""
    bad = question["defect"]
    if not bad:
        return None
    judged = defects = 0
    for text, number in verdicts.items():
        value = answered.value_of(text)
        judged += number
        hits = set(value) & set(bad) if question["kind"] == SEVERAL else value in bad
        defects += number if hits else 0
    return _share((defects, judged))


def _left(queue, question):
    if question["kind"] != PAIR:
        return None
    seen = answered.shown_left(queue, question)
    return _share((seen.get("a", 0), sum(seen.values())))
