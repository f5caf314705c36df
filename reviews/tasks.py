"""What the worker does for queues: fills them, and brings in what arrives."""

import datetime

from django.utils import timezone
from procrastinate.contrib.django import app

from jobs.work import Refused, work
from reviews.filling import carry_out
from reviews.models import Sample
from reviews.rules import run_rules

TURN = datetime.timedelta(seconds=4)


@work("reviews.fill")
def fill(work):
    """Put what a sample draws into its queue."""
    sample = Sample.objects.select_related("queue__project__team").filter(pk=work.parameters["sample"]).first()
    if sample is None:
        raise Refused("The queue is gone.")
    return carry_out(work, sample)


@app.periodic(cron="* * * * * */5")
@app.task(name="reviews.arrivals", queueing_lock="reviews.arrivals", pass_context=False)
def bring_in(timestamp):
    """Bring new arrivals into the queues that follow them."""
    run_rules(timezone.now() + TURN)
