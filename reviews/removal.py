"""What goes when a project is deleted: its queues, with all that was said in them."""

from django.db import connection, transaction

from reviews.models import Assignment, Form, Guideline, Item, Member, Queue, Review, Sample, Seat, Step

# those that refer first; each is found by the queue, or by what leads to it
_OF_QUEUES = "queue_id IN (SELECT id FROM reviews_queue WHERE project_id = %s)"
_WHERE = {
    Step: f"seat_id IN (SELECT id FROM reviews_seat WHERE {_OF_QUEUES})",
    Assignment: f"item_id IN (SELECT id FROM reviews_item WHERE {_OF_QUEUES})",
    Review: _OF_QUEUES,
    Item: _OF_QUEUES,
    Seat: _OF_QUEUES,
    Sample: _OF_QUEUES,
    Member: _OF_QUEUES,
    Guideline: _OF_QUEUES,
    Form: _OF_QUEUES,
    Queue: "project_id = %s",
}


@transaction.atomic
def forget_queues(project):
    """Delete all queues of a project that was deleted."""
    with connection.cursor() as cursor:
        for model, where in _WHERE.items():
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE {where}", [project.pk])
