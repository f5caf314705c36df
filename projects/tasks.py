"""Background work on projects."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from experiments.removal import forget_tests
from interactions.ingest.removal import delete_all_of
from jobs.models import ENDED
from projects.models import Project
from projects.services import DELETION
from reviews.removal import forget_queues

SLICE = 1_000


@app.task(name=DELETION, retry=RetryStrategy(max_attempts=30, linear_wait=60))
def delete_content(project_id):
    """Clear away what a deleted project held, a slice at a time; begun again, it goes on where it stopped."""
    project = Project.objects.get(pk=project_id)
    if project.deleted_at is None:
        return
    while delete_all_of(project=project, limit=SLICE):
        pass
    forget_queues(project)
    forget_tests(project)
    project.jobs.filter(state__in=ENDED).delete()  # the others find the project gone, and end


@app.periodic(cron="52 3 * * *")
@app.task(name="projects.clear_deleted")
def clear_deleted(timestamp):
    """Clear what was being logged at the moment its project was deleted: each by itself, so that one that fails keeps
    no other from it."""
    for project_id in Project.objects.exclude(deleted_at=None).values_list("pk", flat=True):
        app.configure_task(DELETION).defer(project_id=project_id)
