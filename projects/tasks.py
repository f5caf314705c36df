"""Background work on projects."""

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from experiments.removal import forget_tests
from interactions.ingest.removal import delete_all_of
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


@app.periodic(cron="52 3 * * *")
@app.task(name="projects.clear_deleted")
def clear_deleted(timestamp):
    """Clear what was being logged at the moment its project was deleted."""
    for project_id in Project.objects.exclude(deleted_at=None).values_list("pk", flat=True):
        delete_content(project_id)
