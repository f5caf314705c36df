"""What the worker does by the clock: folds what was given into the roll-ups."""

from procrastinate.contrib.django import app

from feedback import rollups


@app.periodic(cron="* * * * * */5")
@app.task(name="feedback.fold", queueing_lock="feedback.fold", pass_context=False)
def fold(timestamp):
    """Fold the roll-ups' deltas until few are left."""
    while rollups.fold() >= 10_000:
        pass
