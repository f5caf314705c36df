"""What goes of queues: all of them with their project; with an interaction what was written about it."""

from django.db import connection, transaction
from django.db.models import Q

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

# {answers} with every text and correction emptied, by the questions {form} asks
_EMPTIED = """
    {answers} || coalesce((SELECT jsonb_object_agg(q ->> 'key', '') FROM jsonb_array_elements({form}) AS q
        WHERE q ->> 'kind' IN ('text', 'correction') AND {answers} ? (q ->> 'key')), '{{}}')
"""


def _emptied(answers, form="f.questions"):
    return _EMPTIED.format(answers=answers, form=form)


_QUESTIONS = (
    "(SELECT jsonb_agg(one) FROM reviews_form f, jsonb_array_elements(f.questions) one WHERE f.queue_id = i.queue_id)"
)
_OF_ITEMS = "FROM reviews_form f, reviews_item i WHERE f.id = r.form_id AND i.id = r.item_id AND i.id = ANY(%(items)s)"
_WORDS = (
    f"""UPDATE reviews_step s SET before = s.before || jsonb_build_object('comment', '', 'answers',
        {_emptied("(s.before -> 'answers')")}) FROM reviews_review r, reviews_form f
    WHERE r.id = s.review_id AND f.id = r.form_id AND r.item_id = ANY(%(items)s)""",
    f"""UPDATE reviews_review r SET comment = '', reply = '', answers = {_emptied("r.answers")},
        first = {_emptied("r.first")} {_OF_ITEMS}""",
    f"""UPDATE reviews_item i SET gold = {_emptied("i.gold", _QUESTIONS)}
    WHERE i.id = ANY(%(items)s) AND i.gold IS NOT NULL""",
)


def lock_items_of(ids):
    """Lock the items of these interactions, before the interactions are: that is the order in which a review does."""
    items = Item.objects.filter(Q(interaction_id__in=ids) | Q(other_id__in=ids))
    list(items.order_by("pk").select_for_update().values_list("pk", flat=True))


def forget_words(ids):
    """Empty what was written in queues about interactions that are deleted: texts, corrections, comments, a lead's
    replies; what was chosen stays for the counts. The caller has the transaction, and their items locked."""
    items = Item.objects.filter(Q(interaction_id__in=ids) | Q(other_id__in=ids))
    items = list(items.values_list("pk", flat=True))
    if items:
        with connection.cursor() as cursor:
            for sql in _WORDS:
                cursor.execute(sql, {"items": items})


@transaction.atomic
def forget_queues(project):
    """Delete all queues of a project that was deleted."""
    with connection.cursor() as cursor:
        for model, where in _WHERE.items():
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE {where}", [project.pk])
