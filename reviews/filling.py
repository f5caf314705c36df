"""Filling a queue: from a filter, a sample of it, and by a rule on what arrives.

An interaction's place in a sample is the SHA-256 of the seed and its id, as "SEED:ID" ("SEED:ID:OTHER" of a pair), and
a sample of n takes the n smallest. So it depends on nothing but the seed and the population, and what arrives later
changes neither: the population is what was received up to `drawn_at`.
"""

import heapq
import secrets
from collections import Counter
from dataclasses import replace

from django.db import transaction
from django.http import QueryDict

from interactions.filters import read_wanted
from interactions.labels import meant, names_of
from interactions.models import Interaction
from interactions.rules import MAX_LABEL_KEY, RecordError, text_fault
from interactions.search import through
from interactions.times import pinned
from interactions.wanted import LabelTest
from jobs.models import Job
from jobs.services import begin
from jobs.work import Refused
from reviews import arrivals, placing
from reviews.models import Kind, Sample
from reviews.placing import digest

MOST = 100_000  # items that a sample draws, and pairs that a filter gives
SLICE = 2_000
PATIENCE = 20  # seconds that transactions are waited for that began before the drawing
Method = Sample.Method


@transaction.atomic
def fill(*, queue, query="", method=Method.ALL, strata="", size=None, seed=None, by):
    """Begin to fill the queue with what the query string matches; (Sample, Job).

    `method` all, random (`size` of them) or stratified (`size` of each value of the label key `strata`; what has no
    such label is left out). Without a `seed` one is drawn and kept. Of a pair queue each match brings the newest
    interaction with the same prompt by another model. RecordError names what is wrong.
    """
    if read_query(queue.project, query).fold and queue.kind == Kind.PAIR:
        raise RecordError({"query": ["Pairs are not folded; leave fold out."]})
    seed = secrets.randbelow(2**31) if seed is None else seed
    _check(method, strata, size, seed)
    now = arrivals.now()
    sample = Sample.objects.create(
        queue=queue, query=pinned(query, now), method=method, strata=strata, size=size, seed=seed, drawn_at=now, by=by
    )
    job = begin(
        project=queue.project,
        by=by,
        kind="reviews.fill",
        title=f"Fill the queue {queue.name}",
        parameters={"sample": sample.pk},
    )
    sample.job = job
    sample.save(update_fields=["job"])
    return sample, job


def read_query(project, query):
    """The Wanted of a query string; RecordError."""
    if not isinstance(query, str) or len(query) > 20_000 or text_fault(query):
        raise RecordError({"query": ["Send the filter as a query string, such as label=topic:claims&model=m."]})
    return read_wanted(QueryDict(query), project)


def _check(method, strata, size, seed):
    errors = {}
    if method not in Method.values:
        errors["method"] = [f"Send one of {', '.join(Method.values)}."]
    if method == Method.ALL and size is not None:
        errors["size"] = ["All of them have no size; send null, or the method random."]
    elif method != Method.ALL and (isinstance(size, bool) or not isinstance(size, int) or not 1 <= size <= MOST):
        errors["size"] = [f"Send a whole number from 1 to {MOST:,}."]
    if not isinstance(strata, str) or len(strata) > MAX_LABEL_KEY or text_fault(strata):
        errors["strata"] = ["Send a label key."]
    elif bool(strata) != (method == Method.STRATIFIED):
        errors["strata"] = ["Send the label key whose values are the strata, with the method stratified alone."]
    if isinstance(seed, bool) or not isinstance(seed, int) or abs(seed) >= 2**63:
        errors["seed"] = ["Send a whole number of at most 63 bits."]
    if errors:
        raise RecordError(errors)


# -- doing it -------------------------------------------------------------------------------------
def carry_out(work, sample):
    """Do a filling as a job (a jobs.work.Work), from wherever it was cut off. {"text", "actions"}."""
    arrivals.await_writers(sample.drawn_at, PATIENCE)
    wanted = read_query(sample.queue.project, sample.query)
    if sample.method == Method.ALL and sample.queue.kind == Kind.SINGLE and not wanted.fold:
        _take_all(work, sample)
    else:
        _take_drawn(work, sample)
    sample.refresh_from_db()
    return {"text": _told(sample)}


def _told(sample):
    if not sample.population:
        return "Nothing matches: the queue is as it was."
    what = "pairs" if sample.queue.kind == Kind.PAIR else "interactions"
    added = sample.items.count()
    text = f"{sample.drawn:,} of {sample.population:,} {what} drawn, {added:,} of them new in the queue."
    return text if sample.method == Method.ALL else f"{text} Seed {sample.seed}."


def _take_all(work, sample):
    """As they come, a slice a transaction."""
    wanted = read_query(sample.queue.project, sample.query)
    while work.place != "end":
        with work.slice():
            found, at = through(sample.queue.project, wanted, work.place, SLICE)
            units = [unit for unit, _ in _population(sample, found)]
            placing.put_in(sample.queue, units, placing.next_place(sample.queue), sample)
            _count(sample, len(units), len(units))
            work.advance(len(found), at or "end")


def _count(sample, population, drawn):
    sample.population = (sample.population or 0) + population
    sample.drawn = (sample.drawn or 0) + drawn
    sample.save(update_fields=["population", "drawn"])


def _take_drawn(work, sample):
    """First all is looked at and the draw written down; then it is put in, a slice a transaction. Each is counted by
    itself: what was drawn was looked at already."""
    counted = Job.objects.filter(pk=work.job.pk)
    if sample.picked is None:
        counted.update(done=0)  # looked at again from the beginning, after a kill

        def looked_at(number):
            with work.slice():
                work.advance(number, None)

        drawn = _draw(sample, looked_at)
        units = drawn.units()
        with work.slice():
            sample.picked = [one for unit, _ in units for one in unit]
            sample.population, sample.drawn = drawn.population, len(units)
            if sample.strata:
                sample.picked_strata, sample.strata_sizes = [stratum for _, stratum in units], drawn.sizes()
            sample.save(update_fields=["picked", "picked_strata", "strata_sizes", "population", "drawn"])
            counted.update(done=0)
            work.advance(0, {"next": 0, "from": placing.next_place(sample.queue)})
    units, folds = _units(sample), read_query(sample.queue.project, sample.query).fold
    work.expect(len(units))
    while work.place["next"] < len(units):
        with work.slice():
            start = work.place["next"]
            piece = units[start : start + SLICE]
            number = len(piece)
            if folds:
                piece = placing.without_like(sample.queue, piece)
            placing.put_in(sample.queue, piece, work.place["from"] + start, sample)
            work.advance(number, {**work.place, "next": start + number})


def _units(sample):
    """What was drawn: (id,) each, or (id, other id)."""
    width = 2 if sample.queue.kind == Kind.PAIR else 1
    return list(zip(*(sample.picked[place::width] for place in range(width)), strict=True))


def draw_again(sample):
    """The ids that the sample draws, in its order: [interaction id], of a pair queue [(id, other id)]. Computed anew
    from the store, to be compared with what is in the queue; it takes as long as the drawing did. What was deleted,
    or meets the filter no more, is not among them. Of what was put in by hand, the ids that were chosen."""
    if sample.is_by_hand:
        units = _units(sample)
        return units if sample.queue.kind == Kind.PAIR else [one for (one,) in units]
    units = [unit for unit, _ in _draw(sample, lambda number: None).units()]
    return units if sample.queue.kind == Kind.PAIR else [one for (one,) in units]


# -- drawing --------------------------------------------------------------------------------------
def _draw(sample, looked_at):
    """The _Draw that has seen all there is to draw from: a unit is (id,) or (id, other id)."""
    project = sample.queue.project
    wanted, at = read_query(project, sample.query), None
    drawn, alike = _Draw(sample), set()
    while True:
        # of those alike the first of the population stands for all, not the first of what is there by now
        found, at = through(project, replace(wanted, fold=False), at, SLICE)
        if wanted.fold:
            found = _first_of_like(sample, found, alike)
        for unit, stratum in _population(sample, found):
            drawn.see(unit, stratum)
        looked_at(len(found))
        if at is None:
            return drawn


class _Draw:
    """Sees one unit after the other and keeps the first of each stratum, in the order of their digests."""

    def __init__(self, sample):
        self.sample, self.population = sample, 0
        self.most = sample.size or MOST
        self.kept, self.seen, self.there = {}, set(), Counter()
        self.is_pair = sample.queue.kind == Kind.PAIR

    def see(self, unit, stratum):
        if self.sample.method == Method.STRATIFIED and stratum is None:
            return
        place = digest(self.sample.seed, *unit)
        if self.is_pair:
            # both of a pair may find each other
            if place in self.seen:
                return
            self.seen.add(place)
        self.population += 1
        self.there[stratum] += 1
        # all of them keep the order they came in
        order = self.population if self.sample.method == Method.ALL else place
        heap = self.kept.setdefault(stratum if self.sample.strata else None, [])
        if len(heap) < self.most:
            heapq.heappush(heap, (-order, unit))
        elif self.sample.method == Method.ALL:
            raise Refused(f"There are more than {MOST:,}; draw a random sample, or narrow the filter.")
        elif -order > heap[0][0]:
            heapq.heapreplace(heap, (-order, unit))
        if len(self.kept) * min(self.most, MOST) > MOST and sum(map(len, self.kept.values())) > MOST:
            raise Refused(f"That is more than {MOST:,} in all: {len(self.kept)} values and more. Send a smaller size.")

    def units(self):
        """[(unit, its stratum or None)] in order."""
        together = sorted((-order, unit, stratum) for stratum, heap in self.kept.items() for order, unit in heap)
        return [(unit, stratum) for _, unit, stratum in together]

    def sizes(self):
        """{stratum: [how many there were, how many are drawn]}"""
        return {stratum: [self.there[stratum], len(heap)] for stratum, heap in self.kept.items()}


def _population(sample, found):
    """[(unit, stratum or None)] of these ids, in their order: those that were there when the sample was drawn."""
    if not found:
        return []
    values = _values(sample)
    rows = _pairs(sample, found) if sample.queue.kind == Kind.PAIR else _single(sample, found)
    return [(unit, next((values[one] for one in label_ids if one in values), None)) for unit, label_ids in rows]


def _first_of_like(sample, found, seen):
    """These ids without those that are like one `seen` before, a set of hashes that grows."""
    rows = Interaction.objects.filter(pk__in=found, received_at__lte=sample.drawn_at)
    there = {pk: None if images else near.int for pk, near, images in rows.values_list("pk", "near_hash", "images")}
    kept = []
    for one in found:
        near = there.get(one, 0)
        if near is None or near and near not in seen:
            kept.append(one)
            seen.add(near)
    return kept


def _values(sample):
    """{label id: value} of the strata, by the names in force: the key may have been renamed, also after the draw."""
    if not sample.strata:
        return {}
    project = sample.queue.project
    names, [labels] = names_of(project.pk), meant(project, [LabelTest(sample.strata)])
    return {label.pk: names.pair(label.key, label.value)[1] for label in labels}


def _single(sample, found):
    rows = Interaction.objects.filter(pk__in=found, received_at__lte=sample.drawn_at).values_list("pk", "label_ids")
    labels = dict(rows)
    return [((one,), labels[one]) for one in found if one in labels]


def _pairs(sample, found):
    partners = placing.partners(sample.queue.project, found, sample.drawn_at)
    return [(unit, labels) for one in found for unit, labels in partners.get(one, ())]
