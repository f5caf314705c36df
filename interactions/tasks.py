"""What the worker does by the clock: folds counts, makes partitions ahead, sweeps pictures."""

from procrastinate.contrib.django import app

from interactions import partitions, rollups
from interactions.blobs import sweep_blobs


@app.periodic(cron="* * * * * */5")
@app.task(name="interactions.fold", queueing_lock="interactions.fold", pass_context=False)
def fold(timestamp):
    """Fold the roll-ups' deltas until few are left."""
    while rollups.fold() >= 10_000:
        pass


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
