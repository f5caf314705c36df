"""What the worker does by the clock: counts, words, partitions, retention, pictures."""

import datetime

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from interactions import ids, partitions, rollups, words
from interactions.blobs import sweep_blobs
from interactions.retention.run import run

TURN = 30  # seconds of retention at a time; folding gets its turn between


@app.periodic(cron="* * * * * */5")
@app.task(name="interactions.fold", queueing_lock="interactions.fold", pass_context=False)
def fold(timestamp):
    """Fold the roll-ups' deltas until few are left."""
    while rollups.fold() >= 10_000:
        pass


@app.periodic(cron="* * * * * */5")
@app.task(name="interactions.words", queueing_lock="interactions.words", pass_context=False)
def merge_words(timestamp):
    """Keep searches for words quick while much is logged."""
    words.merge_pending()


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
