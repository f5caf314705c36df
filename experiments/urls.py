"""Pages of A/B tests."""

from django.urls import path

from experiments.views import changing, creating, crossed, deciding, labels, listing, recording, showing, watching

ALL = "p/<str:project>/ab-tests"
TEST = f"{ALL}/<slug:test>"

urlpatterns = [
    path(ALL, listing.ab_test_list, name="ab_test_list"),
    path(f"{ALL}/new", creating.ab_test_create, name="ab_test_create"),
    path(f"{ALL}/plan", creating.ab_test_plan, name="ab_test_plan"),
    path(TEST, showing.ab_test_detail, name="ab_test_detail"),
    path(f"{TEST}/crossed", crossed.ab_test_crossed, name="ab_test_crossed"),
    path(f"{TEST}/labels", labels.ab_test_labels, name="ab_test_labels"),
    path(f"{TEST}/record", recording.ab_test_record, name="ab_test_record"),
    path(f"{TEST}/pause", changing.ab_test_pause, name="ab_test_pause"),
    path(f"{TEST}/resume", changing.ab_test_resume, name="ab_test_resume"),
    path(f"{TEST}/cancel", changing.ab_test_cancel, name="ab_test_cancel"),
    path(f"{TEST}/split", changing.ab_test_split, name="ab_test_split"),
    path(f"{TEST}/watch", watching.ab_test_watch, name="ab_test_watch"),
    path(f"{TEST}/decide", deciding.ab_test_decide, name="ab_test_decide"),
    path(f"{TEST}/roll-back", deciding.ab_test_roll_back, name="ab_test_roll_back"),
]
