"""Pages of the review desk."""

from django.urls import path

from reviews.views import answers, by_hand, deciding, desk, filling, items, keys, mine, questions, queues, reporting

ALL = "p/<str:project>/reviews"
QUEUE = f"{ALL}/<slug:queue>"
DESK = f"{QUEUE}/desk"

urlpatterns = [
    path("p/<str:project>/interactions/review", by_hand.review_many, name="review_many"),
    path(ALL, queues.queue_list, name="queue_list"),
    path(f"{ALL}/new", queues.queue_create, name="queue_create"),
    path(f"{ALL}/coverage", reporting.coverage_page, name="review_coverage"),
    path(f"{ALL}/keys", keys.desk_keys, name="desk_keys"),
    path(f"{ALL}/mine", mine.my_reviews, name="my_reviews"),
    path(QUEUE, items.queue_detail, name="queue_detail"),
    path(f"{QUEUE}/items", items.queue_items, name="queue_items"),
    path(f"{QUEUE}/items/<int:item_id>", items.queue_item, name="queue_item"),
    path(f"{QUEUE}/edit", queues.queue_edit, name="queue_edit"),
    path(f"{QUEUE}/close", queues.queue_close, name="queue_close"),
    path(f"{QUEUE}/questions", questions.queue_questions, name="queue_questions"),
    path(f"{QUEUE}/fill", filling.queue_fill, name="queue_fill"),
    path(f"{QUEUE}/rule", filling.queue_rule, name="queue_rule"),
    path(f"{QUEUE}/conflicts/<int:item_id>", deciding.conflict_decide, name="conflict_decide"),
    path(f"{QUEUE}/reviews/<uuid:review_id>/reply", deciding.queue_reply, name="queue_reply"),
    path(f"{QUEUE}/report", reporting.queue_report, name="queue_report"),
    path(f"{QUEUE}/answers.<str:form>", answers.queue_answers, name="queue_answers"),
    path(f"{QUEUE}/report.<str:form>", reporting.queue_report_file, name="queue_report_file"),
    path(DESK, desk.desk, name="desk"),
    path(f"{DESK}/next", desk.desk_next, name="desk_next"),
    path(f"{DESK}/undo", desk.desk_undo, name="desk_undo"),
    path(f"{DESK}/last", desk.desk_last, name="desk_last"),
    path(f"{DESK}/<uuid:review_id>", desk.desk_review, name="desk_review"),
    path(f"{DESK}/<uuid:review_id>/draft", desk.desk_draft, name="desk_draft"),
    path(f"{DESK}/<uuid:review_id>/hold", desk.desk_hold, name="desk_hold"),
    path(f"{DESK}/<uuid:review_id>/before", desk.desk_before, name="desk_before"),
]
