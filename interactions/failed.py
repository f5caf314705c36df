"""Calls that failed, among what was logged before rows told of it: their bodies do."""

import uuid

from django.db import connection

from interactions.message_records import has_failed

_LOOK = """
    WITH next AS MATERIALIZED (
        SELECT id, envelope FROM interactions_interactionbody WHERE id > %s ORDER BY id LIMIT %s)
    SELECT id, envelope FROM next WHERE {} OR id = (SELECT id FROM next ORDER BY id DESC LIMIT 1) ORDER BY id
"""
# what may be one is found as text: PostgreSQL reads no JSON in which an escape stands that it has no character for
MAY_HAVE_FAILED = """
    (position('"error"' IN envelope::text) > 0 OR position('"broke_off"' IN envelope::text) > 0)
"""
_MARK = """
    WITH own AS MATERIALIZED (
        SELECT id FROM interactions_interaction
        WHERE id = ANY(%(ids)s) AND id >= %(first)s AND id <= %(last)s AND NOT failed
        ORDER BY id FOR NO KEY UPDATE)
    UPDATE interactions_interaction SET failed = true
    WHERE id IN (SELECT id FROM own) AND id >= %(first)s AND id <= %(last)s
"""


def is_of_failed(envelope):
    """Whether this envelope of a stored body is of a call that failed."""
    metadata = envelope.get("metadata")
    return isinstance(metadata, dict) and has_failed(metadata)


def mark_failed(after, limit):
    """Mark those of the next so many bodies behind this id (None: of the oldest) whose calls failed; the id to go on
    behind, None where these were the last. The same again does no harm."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK.format(MAY_HAVE_FAILED), [after or uuid.UUID(int=0), limit])
        found = cursor.fetchall()
        if failed := [pk for pk, envelope in found if is_of_failed(envelope)]:
            cursor.execute(_MARK, {"ids": failed, "first": failed[0], "last": failed[-1]})
    return found[-1][0] if found else None
