"""What the worker does by the clock for jobs: takes up again what a killed worker left, and forgets the old ones."""

import datetime

from asgiref.sync import sync_to_async
from django.db import close_old_connections
from django.utils import timezone
from procrastinate.contrib.django import app

from jobs.models import ENDED, Job, State
from jobs.services import place_in_queue
from jobs.work import BROKEN, end

SILENT = 30  # seconds after which a worker is thought dead; it says that it lives every ten
KEPT = datetime.timedelta(days=90)


@app.periodic(cron="* * * * * */10")
@app.task(name="jobs.resume", queueing_lock="jobs.resume", pass_context=False)
async def resume(timestamp):
    """Give work whose worker was killed to one that lives, and what fell out of the queue its place there again."""
    await sync_to_async(close_old_connections)()  # the database may have been started anew
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT):
        await app.job_manager.retry_job(job)
    async for job in Job.objects.fallen_out():
        if job.kind in app.tasks:  # though its end was asked for: who does the work clears up behind it
            await place_in_queue(job).defer_async(job_id=str(job.pk))
        else:  # of a version that knew more kinds
            state = State.CANCELLED if job.cancel_asked_at else State.FAILED
            await sync_to_async(end)(job.pk, state, error="" if job.cancel_asked_at else BROKEN)


@app.periodic(cron="12 4 * * *")
@app.task(name="jobs.forget", pass_context=False)
def forget(timestamp):
    """Forget what ended long ago."""
    Job.objects.filter(state__in=ENDED, ended_at__lt=timezone.now() - KEPT).delete()
