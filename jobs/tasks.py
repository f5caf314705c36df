"""What the worker does by the clock for jobs: takes up again what a killed worker left, and forgets the old ones."""

import datetime

from django.utils import timezone
from procrastinate.contrib.django import app

from jobs.models import ENDED, Job

SILENT = 30  # seconds after which a worker is thought dead; it says that it lives every ten
KEPT = datetime.timedelta(days=90)


@app.periodic(cron="* * * * * */10")
@app.task(name="jobs.resume", queueing_lock="jobs.resume", pass_context=False)
async def resume(timestamp):
    """Give work whose worker was killed to one that lives."""
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=SILENT):
        await app.job_manager.retry_job(job)


@app.periodic(cron="12 4 * * *")
@app.task(name="jobs.forget", pass_context=False)
def forget(timestamp):
    """Forget what ended long ago."""
    Job.objects.filter(state__in=ENDED, ended_at__lt=timezone.now() - KEPT).delete()
