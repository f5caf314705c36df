"""Which arm a unit meets: by a hash, so that it is always the same one, whichever process is asked."""

import hashlib
import threading
import time
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from django.db import connection, transaction

from accounts import prepared
from experiments.models import BUCKETS, RUNNING
from projects.access import EntityNotFound
from registry.services import default_serves

TOLD_EVERY = 60  # seconds between two looks at whether the log tells of an arm without a model already
_LOG_LOCK = 0x4D61_7267_0006  # one writer of such a line at a time

_ARMS = """
    SELECT t.id AS test_id, t.key, t.state, t.paused_at IS NOT NULL AS paused, t.sequence, t.buckets,
        a.id AS arm_id, a.weight, a.model_id, m.key AS model_key, c.id IS NOT NULL AS attached,
        coalesce(c.desired_online, false) AS online
    FROM experiments_abtest t JOIN experiments_arm a ON a.test_id = t.id JOIN registry_model m ON m.id = a.model_id
    LEFT JOIN registry_attachment c ON c.project_id = t.project_id AND c.model_id = a.model_id AND c.detached_at IS NULL
    WHERE t.project_id = %s AND (t.key = ANY(%s::text[]) OR %s AND t.ended_at IS NULL AND t.paused_at IS NULL)
    ORDER BY t.id, a.position
"""
# once a detachment: what was told before the model was last detached, or before the split was changed, is told again
_TELL = """
    INSERT INTO experiments_event (test_id, text)
    SELECT t.id, %(text)s FROM experiments_abtest t WHERE t.id = %(test)s AND NOT EXISTS (
        SELECT FROM experiments_event e WHERE e.test_id = t.id AND e.text = %(text)s AND e.at > greatest(
            t.sequence_started_at, (SELECT max(c.detached_at) FROM registry_attachment c
                WHERE c.project_id = t.project_id AND c.model_id = %(model)s)))
"""
_told = {}
_telling = threading.Lock()


@dataclass(frozen=True, slots=True)
class Assignment:
    """The arm that a unit meets, with its test and its model."""

    test_id: int
    arm_id: int
    model_id: int


class _Arm(NamedTuple):
    """A row of the one query."""

    test_id: int
    key: str
    state: str
    paused: bool
    sequence: int
    buckets: list
    arm_id: int
    weight: float
    model_id: int
    model_key: str
    attached: bool
    online: bool

    @property
    def takes_traffic(self):
        return self.state in RUNNING and not self.paused


def unit_of(user, session):
    """What is assigned and analysed as one: the end user where one is named, else the session."""
    return f"user:{user}" if user else f"session:{session}"


def assign(*, project, unit, ab_campaign="", model_key=""):
    """The Assignment of this unit, or None where the project's default answers.

    Without a campaign: the running test whose share of the project's units this one falls into, and of its arms the
    one that the unit meets by their weights. A campaign counts whatever the share: of its arms that of `model_key`, or
    without one the unit's own. None too where that test is paused or over, or the arm's model is detached or switched
    off, which the test's log then tells once. EntityNotFound for an unknown campaign, ValueError for a model that is no
    arm of it. One query, but for what is told.
    """
    rows = _rows(project, [ab_campaign] if ab_campaign else [], running=not ab_campaign)
    if ab_campaign and not rows:
        raise EntityNotFound("A/B test", ab_campaign)
    tests = [list(arms) for _, arms in groupby(rows, key=attrgetter("test_id"))]
    if not ab_campaign:
        tests = [arms for arms in tests if _takes_part(arms[0].buckets, bucket_of(project.pk, unit))]
    for arms in tests:
        arm = _named(arms, model_key) if ab_campaign and model_key else drawn(arms, unit)
        if not arm.takes_traffic:
            return None
        if not (arm.attached and arm.online):
            _tell_of(project, arm)
            return None
        return Assignment(arm.test_id, arm.arm_id, arm.model_id)
    return None


def arms_of(*, project, campaigns):
    """{campaign: {model key: arm id}} of these tests of the project, for what was answered elsewhere; None in the place
    of the arms where the test is paused or over. A test that is not there is not in the answer. One query."""
    found = {}
    for row in _rows(project, sorted(campaigns), running=False):
        if not row.takes_traffic:
            found[row.key] = None
        else:
            found.setdefault(row.key, {})[row.model_key] = row.arm_id
    return found


def bucket_of(project_id, unit):
    """The bucket of all a project's units that this one falls into, from 0 to below BUCKETS."""
    return _hashed(f"{project_id}\0{unit}") * BUCKETS >> 64


def drawn(arms, unit):
    """The arm (with test_id, sequence, weight) that this unit meets: always the same while the sequence lasts."""
    first, whole = arms[0], sum(arm.weight for arm in arms)
    left = _hashed(f"{first.test_id}\0{first.sequence}\0{unit}") / 2**64 * whole
    for arm in arms:
        left -= arm.weight
        if left < 0:
            return arm
    return max(arms, key=attrgetter("weight"))  # what rounding left over


def _hashed(text):
    """64 bits of SHA-256."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _rows(project, campaigns, *, running):
    return [_Arm(*row) for row in prepared.rows(_ARMS, [project.pk, campaigns, running])]


def _takes_part(buckets, bucket):
    return any(start <= bucket < end for start, end in buckets)


def _named(arms, model_key):
    for arm in arms:
        if arm.model_key == model_key:
            return arm
    raise ValueError(not_an_arm(arms[0].key, model_key, [arm.model_key for arm in arms]))


def not_an_arm(campaign, model_key, arms):
    """What a client is told that names another model than the test's."""
    named = f"{model_key} is no arm" if model_key else "Name the model, one of the arms"
    return f"{named} of the A/B test {campaign}; its arms are {', '.join(arms)}."


# -- the log --------------------------------------------------------------------------------------
def _tell_of(project, arm):
    """The test's log says, once, where the arm's traffic goes."""
    place, now = (arm.test_id, arm.model_id, arm.attached), time.monotonic()
    with _telling:
        if now - _told.get(place, -TOLD_EVERY) < TOLD_EVERY:
            return
        if len(_told) > 1_000:
            _told.clear()
        _told[place] = now
    cause = f"{arm.model_key} {'is switched off' if arm.attached else 'was detached'}"
    if default_serves(project):
        text = f"{cause}: its traffic goes to the default."
    else:
        text = f"{cause}, and no default serves calls: its traffic is refused with 400."
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOG_LOCK])
        if cursor.fetchone()[0]:
            cursor.execute(_TELL, {"test": arm.test_id, "text": text, "model": arm.model_id})
