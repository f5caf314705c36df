"""What the worker does by the clock (counts, words, partitions, retention, pictures, what has old names), and for who
asked for it: labels over everything in a filter, and renaming them."""

import datetime
import time
import uuid
from dataclasses import replace

from django.db import OperationalError, connection, transaction
from django.http import QueryDict
from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from interactions import ids, partitions, rollups, words
from interactions.blobs import sweep_blobs
from interactions.failed import mark_failed
from interactions.filters import read_wanted
from interactions.labels import many, renames
from interactions.retention.run import run
from interactions.rules import RecordError
from interactions.search import matching, through
from interactions.search.told import number
from jobs.work import Refused, work

SLICE = 400  # interactions labelled in one transaction
COUNTING_MS = 5_000  # that may be taken to learn how many there are to label
TURN = 30  # seconds of retention at a time, or of marking; folding gets its turn between
LOOKED_AT = 2_000  # bodies in one transaction, in search of calls that failed
REST = 3  # times as long as a slice took: it reads all bodies there are, and who reads a page needs the disk too


@app.periodic(cron="* * * * * */5")
@app.task(name="interactions.fold", queueing_lock="interactions.fold", pass_context=False)
def fold(timestamp):
    """Fold the roll-ups' deltas until few are left."""
    while rollups.fold() >= 10_000:
        pass


@app.periodic(cron="* * * * * */5")
@app.task(name="interactions.words", queueing_lock="interactions.words", pass_context=False)
def merge_words(timestamp):
    """Keep searches for words quick while much is logged: looked at every second, until the clock comes again."""
    end = time.monotonic() + 4
    while words.merge_pending() and time.monotonic() < end:
        time.sleep(1)


@app.periodic(cron="7 3 * * *")
@app.task(name="interactions.partitions")
def make_partitions(timestamp):
    """Make this month's partitions and the next two's."""
    partitions.ensure_ahead()


@app.periodic(cron="37 3 * * *")
@app.task(name="interactions.sweep")
def sweep(timestamp):
    """Delete the pictures that nothing shows any more."""
    sweep_blobs()


@app.periodic(cron="17 4 * * *")  # retention.rule.NIGHTLY tells people of it
@app.task(name="interactions.retention")
def retention(timestamp):
    """Begin to take what is older than its project keeps it."""
    retain.defer(moment=datetime.datetime.fromtimestamp(timestamp, ids.UTC).isoformat())


@app.task(name="interactions.retain", lock="interactions.retain", retry=RetryStrategy(max_attempts=5, wait=60))
def retain(moment):
    """Take some of it, and come again for the rest."""
    if run(datetime.datetime.fromisoformat(moment), seconds=TURN):
        retain.defer(moment=moment)


@app.task(name="interactions.mark_failed", lock="interactions.mark_failed", retry=RetryStrategy(wait=60))
def mark_past_calls(after):
    """Mark the calls that failed among what was logged before rows told of it, behind this id, for a while, and come
    again for the rest. The migration that made the mark begins it."""
    end, place = time.monotonic() + TURN, after and uuid.UUID(after)
    while True:
        began = time.monotonic()
        with transaction.atomic():
            place = mark_failed(place, LOOKED_AT)
        if place is None:
            return
        if time.monotonic() > end:
            break
        time.sleep(REST * (time.monotonic() - began))
    mark_past_calls.defer(after=str(place))


@work(many.LABEL)
def label_all(work):
    """Give everything that a filter finds a label, or take a key away from it, the newest first."""
    query = QueryDict(work.parameters["query"])
    try:
        wanted = replace(read_wanted(query, work.project), oldest_first=False, fold=False)
    except RecordError as error:
        raise Refused(f"The filter cannot be read: {error}") from None
    if work.place is None:
        work.expect(_number_of(work.project, wanted))
    place = work.place or many.NEW | {"over": False}
    while not place["over"]:
        with work.slice():
            found, at = through(work.project, wanted, place["at"], SLICE)
            place = many.label_slice(work=work, ids=found, place=place) | {"at": at, "over": at is None}
            many.tell(work=work, place=place)
            work.advance(len(found), place)
    return many.tell(work=work, place=place)


def _number_of(project, wanted):
    """How many a filter finds, None where it would take long to count them."""
    told = number(project, wanted)
    scope = None if told is not None else matching(project, wanted)
    if scope is None:
        return told or 0
    source, where, values = scope
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {COUNTING_MS:d}")
            cursor.execute(f"SELECT count(*) FROM {source} WHERE {where}", values)
            [n] = cursor.fetchone()
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
            return n
    except OperationalError:
        return None


@work(many.UNDO)
def undo_labelling(work):
    """Bring back what a labelling changed, but for what somebody changed since."""
    place = work.place or many.NEW | {"over": False}
    while not place["over"]:
        with work.slice():
            n, further = many.undo_slice(work=work, place=place, limit=SLICE)
            place = {**(further or place), "over": further is None}
            many.tell(work=work, place=place)
            work.advance(n, place)
    return many.tell(work=work, place=place)


@work(renames.RENAME)
def rename_labels(work):
    """Bring what carries an old name to the new one."""
    key, value = work.parameters["key"], work.parameters["value"]
    place = work.place or {"after": 0, "moved": 0}
    while place["after"] is not None:
        with work.slice():
            n, after = renames.step(
                project=work.project, key=key, value=value, by=work.by, after=place["after"], job=work.job
            )
            place = {"after": after, "moved": place["moved"] + n}
            work.advance(n, place)
    renames.settle(project=work.project, key=key, value=value)
    moved = place["moved"]
    have = "use has" if moved == 1 else "uses have"
    return {"text": f"{moved:,} {have} the new name. The old one leads to it."}


@app.periodic(cron="* * * * * */30")
@app.task(name="interactions.stragglers", queueing_lock="interactions.stragglers", pass_context=False)
def move_stragglers(timestamp):
    """Bring to the new name what was stored under an old one by who had begun before it was given up."""
    for alias in renames.stragglers():
        after = 0
        while after is not None:
            with transaction.atomic():
                _, after = renames.step(
                    project=alias.project, key=alias.key, value=alias.value, by=alias.by, after=after
                )
