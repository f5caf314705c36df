"""What comes out of a queue: progress, people, agreement, defects, how it was drawn."""

from django.utils import timezone

from accounts.models import User
from feedback.moments import wilson
from reviews import answered
from reviews.agreement import confusion, krippendorff_alpha, raw_agreement
from reviews.figures import Confusion, Interval, Person, Question, Report, Stratum, Totals
from reviews.models import Sample
from reviews.questions import COMPARED, PAIR, SCALE, SEVERAL, in_order, options_of
from reviews.versions import form_of

LISTS = ("picked", "picked_strata")  # of a Sample, as long as it is large
MOST_CONFUSIONS = 20  # pairs of people a question, those with most items in common


def report(queue):
    """The Report of a queue; a few seconds at 100,000 items of three questions."""
    items, reviews = answered.totals(queue)
    rows = answered.people(queue)
    users = User.objects.in_bulk([user for user, *_ in rows])
    samples = list(Sample.objects.filter(queue=queue).select_related("by", "job").defer(*LISTS).order_by("pk"))
    form, same = form_of(queue), {}
    questions = [_question(queue, one, users, same, samples) for one in (form.questions if form else [])]
    gold = answered.gold(queue)
    people = [_person(users[user], *row, gold.get(user), same.get(user)) for user, *row in rows if user in users]
    return Report(queue, Totals(*items, *reviews), people, questions, samples, queue.rule, timezone.now())


def _person(user, submitted, skipped, decided, seconds, gold, same):
    per_hour = 3_600 / seconds if seconds else None
    return Person(user, submitted, skipped, decided, seconds, per_hour, _share(gold), _share(same))


def _share(counted):
    """The Interval of (successes, of how many), by Wilson; None of none."""
    successes, n = counted or (0, 0)
    return Interval(successes / n, *wilson(successes, n), n) if n else None


def _question(queue, question, users, same, samples):
    """The Question; `same` {user id: (answers that agree, answers compared)} grows by what it tells of people."""
    kind = question["kind"]
    if kind not in COMPARED:
        given = answered.answers_to(queue, question).counts.total()
        return Question(
            question["key"], kind, question["text"], [("given", given)], None, None, None, None, 0, [], None, None
        )
    names = _names(question)
    given = answered.answers_to(queue, question)
    strata = _strata(question, given, samples)
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
        confusions=_confusions(question, given.between, users, names),
        defect=_defect(question, given.otherwise),
        left=_left(queue, question),
        changed=given.changed,
        left_out=given.left_out,
        strata=strata,
        weighted=_weighted(strata, samples),
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


def _confusions(question, pairs, users, name):
    most = sorted(pairs.items(), key=lambda one: (-sum(one[1].values()), one[0]))[:MOST_CONFUSIONS]
    return [_confusion(question, users[one], users[other], table, name) for (one, other), table in most]


def _confusion(question, one, other, table, name):
    values = sorted({value for pair in table for value in pair}, key=_rank(question))
    counts = confusion(table, values)
    same = sum(counts[place][place] for place in range(len(values)))
    return Confusion(one, other, [name(value) for value in values], counts, same, sum(table.values()))


def _rank(question):
    """The order of answers, as JSON texts: as the question has them, then what it no longer offers."""
    known = [option["value"] for option in options_of(question)]

    def rank(text):
        value = answered.value_of(text)
        several = value if isinstance(value, list) else [value]
        return sorted(known.index(one) if one in known else len(known) for one in several), str(value)

    return rank


def _strata(question, given, samples):
    """[Stratum] of the stratified samples of which something is judged, as they come; none where there are none."""
    if not question["defect"]:
        return []
    drawn = {name for _, strata in given.verdicts for name in strata}
    return [
        Stratum(value, population, number, _defect(question, given.drawn_for(sample, value)))
        for sample in samples
        if sample.strata_sizes and any(f"{sample.pk}:{value}" in drawn for value in sample.strata_sizes)
        for value, (population, number) in sorted(sample.strata_sizes.items())
    ]


def _weighted(strata, samples):
    """The rate of all that one stratified sample was drawn from, by the sizes of its values."""
    if not strata or any(one.defect is None for one in strata) or sum(bool(one.strata_sizes) for one in samples) > 1:
        return None
    whole = sum(one.population for one in strata)
    return sum(one.population * one.defect.value for one in strata) / whole


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
