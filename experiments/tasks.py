"""What the worker does by the clock: brings what changed into the tests' figures, looks at them, decides."""

from procrastinate.contrib.django import app

from experiments import folding, watching
from experiments.clearing import clear
from experiments.due import due


@app.periodic(cron="* * * * * */5")
@app.task(name="experiments.fold", queueing_lock="experiments.fold", pass_context=False)
def fold(timestamp):
    """Fold touches until few are left, those among them of what is to be counted again."""
    while watching.recount() + folding.fold() >= folding.SLICE:
        pass


@app.periodic(cron="* * * * *")
@app.task(name="experiments.evaluate", queueing_lock="experiments.evaluate", pass_context=False)
def evaluate(timestamp):
    """Look at the tests that have something new to say, and decide those that may decide themselves."""
    if due():
        from experiments.evaluating import evaluate_due  # numpy and scipy with it: a quarter of an idle worker's memory

        evaluate_due()


@app.periodic(cron="22 4 * * *")
@app.task(name="experiments.clear", queueing_lock="experiments.clear", pass_context=False)
def clear_over(timestamp):
    """Delete what was only needed to count, of what is over."""
    clear()
