"""What a test watches beside what it is judged by may grow while it runs, and nothing of it is left out: who has seen
that an arm got worse under a key cannot stop looking."""

from uuid import UUID

from django.db import transaction

from experiments.rules import watched_keys
from experiments.services import running, tell
from feedback.services import keys_of
from interactions.rules import RecordError


@transaction.atomic
def watch_key(*, test, by, feedback_key, margin=None):
    """Watch another FeedbackKey of the project from the beginning of the sequence on: what came before is counted by
    the worker. RecordError by field (feedback_key, margin), Conflict where the test is over."""
    test = running(test)
    if feedback_key.key not in keys_of(test.project):
        raise RecordError({"feedback_key": [f"{test.project.key} has no feedback key {feedback_key.key}."]})
    already = [one.feedback_key for one in test.watched_keys.select_related("feedback_key")]
    asked = {"judged_by": test.judged_by, "feedback_key": test.feedback_key, "already": already}
    try:
        [found] = watched_keys([(feedback_key, margin)], **asked)
    except RecordError as fault:  # here it is one key that was sent
        fields = {"margin" if "margin" in path else "feedback_key": texts for path, texts in fault.fields.items()}
        raise RecordError(fields) from None
    found.test = test
    found.save()
    test.recount_after = UUID(int=0)
    test.save(update_fields=["recount_after"])
    tell(test, by, f"{feedback_key.key} is watched too: no worse up to {found.margin:,.10g}.")
    return test
