"""About how much there is of what may drive a search: looked up rarely and kept a while, since nothing but the choice
of an index hangs on it."""

import time
from functools import partial

from accounts import prepared
from feedback.models import FeedbackKey
from feedback.rollups import given
from interactions import rollups
from interactions.models import Dimension

KEPT = 300  # seconds
PROJECTS = 1_000  # remembered at once
SOME = 0.3  # share of a key's values that is taken to lie within bounds
MOST_NOTES = 10_000  # that are counted, in some milliseconds
_known = {}
_LAST = "SELECT place FROM reviews_item WHERE queue_id = %s AND removed_at IS NULL ORDER BY place DESC LIMIT 1"
_NOTES = """
    SELECT count(*) FROM (
        SELECT FROM interactions_note WHERE project_id = %s AND superseded_by IS NULL LIMIT %s) AS written
"""


def total(project):
    """About how many interactions the project holds, simulated ones aside; at least one."""
    return _remembered(("total", project.pk), lambda: _sum(project, Dimension.ALL).get(0, 0)) or 1


def of_model(project, model_id):
    """About how many of the project's interactions are this model's."""
    return _remembered(("models", project.pk), lambda: _sum(project, Dimension.MODEL)).get(model_id, 0)


def of_key(project, key_id):
    """About how many of the project's interactions have feedback under this key, ANY and REVIEWED among them."""
    return _totals(project, key_id).interactions


def share_of(project, condition):
    """About which share of those that have feedback under the condition's key has a value within its bounds."""
    bounds = condition.least, condition.most
    if bounds == (None, None):
        return 1.0
    totals = _totals(project, condition.key_id)
    n = {(1, 1): totals.ones, (0, 0): totals.zeros}.get(bounds)
    return SOME if n is None else min(n / max(totals.interactions, 1), 1.0)


def of_queues(queues):
    """About how many items these review queues hold, by the place of the last."""

    def look_up(queue):
        found = prepared.rows(_LAST, [queue])
        return found[0][0] if found else 0

    return sum(_remembered(("queue", queue), partial(look_up, queue)) for queue in queues)


def corrections(most):
    """How many better answers were ever written, in all projects; None where they are more than `most`."""

    def look_up():
        found = prepared.rows("SELECT count(*) FROM (SELECT FROM feedback_correction LIMIT %s) AS written", [most + 1])
        return found[0][0]

    n = _remembered(("corrections", most), look_up)
    return n if n <= most else None


def notes(project):
    """How many notes stand on the project's interactions; where they are too many to be counted, as if each had one."""
    n = _remembered(("notes", project.pk), lambda: prepared.rows(_NOTES, [project.pk, MOST_NOTES])[0][0])
    return n if n < MOST_NOTES else total(project)


def team_keys(project):
    """The ids of all feedback keys that may have been used in the project; asked anew every time."""
    return list(FeedbackKey.objects.filter(team=project.team_id).values_list("pk", flat=True))


def _totals(project, key_id):
    def sum_up():
        [found] = given(project, keys=[key_id]).values()
        return found

    return _remembered(("key", project.pk, key_id), sum_up)


def _sum(project, dimension):
    return rollups.totals(project, dimension)


def _remembered(name, look_up):
    until, value = _known.get(name, (0, None))
    if until < time.monotonic():
        if len(_known) > PROJECTS:
            _known.clear()
        value = look_up()
        _known[name] = time.monotonic() + KEPT, value
    return value
