"""Words to search for: what a person types becomes a tsquery over the text that `interactions_words` indexes."""

import re
import time
from contextlib import suppress

from django.db import connection, transaction
from django.db.utils import InterfaceError, OperationalError

LOCK = 0x4D61_7267_0007  # one who sorts at a time: the others would wait, and hold up what else the worker has to do
LONGEST = 2_046  # bytes of a word; longer ones are not indexed
QUIET = 4  # seconds; who stores tells the statistics once a second
MANY = 1_000  # bodies, a page of entries each, that a search reads in 5 ms
MOST = 3_000  # that wait where nobody searches: sorting more at once costs less for each
PATIENCE = 5  # seconds that who stores many waits for another who sorts
FULL = 4_500  # with as many as came since the last look: soon the list is as long as writers let it become
_TERM = re.compile(r'(?:(?<!\S)(-)(?=["\w]))?(?:"([^"]*)"?|(\S+))')


def tsquery(text):
    """(words, "a phrase" and pre* as the text of a tsquery that asks for all of them, a tsquery's text for each -word
    and -"phrase" that must not be there); '' and () where there is none of the sort, ValueError where one is too long
    to be found.

    The text is made plain by the same function as what is searched, so that both are cut into words alike; a word
    that falls into several (a hyphen, Chinese characters) is looked for as a phrase.
    """
    terms = [(minus, phrase or word, word.endswith("*")) for minus, phrase, word in _TERM.findall(text)]
    if not terms:
        return "", ()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lower(interactions_plain(term)) FROM unnest(%s::text[]) WITH ORDINALITY AS t(term, place)"
            " ORDER BY place",
            [[term for _, term, _ in terms]],
        )
        plain = [row[0].split() for row in cursor.fetchall()]
    if any(len(word.encode()) > LONGEST for words in plain for word in words):
        raise ValueError(f"A word of more than {LONGEST:,} bytes is in no index; look for a shorter one.")
    asked = [(minus, _phrase(words, prefix)) for words, (minus, _, prefix) in zip(plain, terms, strict=True) if words]
    return " & ".join(one for minus, one in asked if not minus), tuple(one for minus, one in asked if minus)


def sought(text):
    """The terms of a search that must be there, as they were typed."""
    return [phrase or word for minus, phrase, word in _TERM.findall(text) if not minus]


def merge_pending():
    """Sort what was logged lately into the index of words, whose list of new entries every search reads whole. Not
    before there are many, more where nobody searched since it was last done, or no more came for some seconds: sorting
    in few costs many times as much for each. Whether there is any left to sort, or probably soon."""
    n, searches = _told()
    now, came = time.monotonic(), n - _merging.n
    if came:
        _merging.n, _merging.came_at = n, now
    waiting = n - _merging.merged
    many = waiting >= (MOST if searches == _merging.searches else MANY) or waiting + came >= FULL
    quiet = waiting and now >= _merging.came_at + QUIET
    if (many or quiet) and _merge():
        _merging.merged, _merging.searches = n, searches
        return many
    return waiting > 0


def keep_up(came):
    """Sort in what whoever stores many at a time has stored, as soon as it is much and somebody has searched meanwhile:
    it comes faster than one who sorts in beside can follow, and every search would read all of it."""
    _own.n += came
    if _own.n < MANY:
        return
    with suppress(InterfaceError, OperationalError):  # what is stored is stored, whatever happens here
        _, searches = _told()
        if searches == _own.searches or _merge(PATIENCE):  # else it is tried again with the next
            _own.n, _own.searches = 0, searches


class _Merging:
    """How many bodies were stored when the list was last looked at, since when it is so many, and how many were, and
    how often the index had been searched, when it was last sorted in."""

    n = merged = searches = -1
    came_at = 0.0


_merging = _Merging()


class _Own:
    """How many bodies this process has stored since it last looked how often the index had been searched."""

    n, searches = 0, -1


_own = _Own()


def _told():
    """How many bodies were ever stored and how often their words were searched, as the server's statistics have it
    within a second."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT coalesce(sum(pg_stat_get_tuples_inserted(inhrelid)), 0)::bigint FROM pg_inherits"
            " WHERE inhparent = 'interactions_interactionbody'::regclass),"
            " (SELECT coalesce(sum(pg_stat_get_numscans(inhrelid)), 0)::bigint FROM pg_inherits"
            " WHERE inhparent = to_regclass('interaction_words'))"
        )
        return cursor.fetchone()


def _merge(patience=0):
    """Whether it was done; not while another is at it, for whom it waits so many seconds at most."""
    end = time.monotonic() + patience
    with transaction.atomic(), connection.cursor() as cursor:
        while not _is_ours(cursor):
            if time.monotonic() >= end:
                return False
            time.sleep(0.05)
        cursor.execute(
            "SELECT gin_clean_pending_list(inhrelid) FROM pg_inherits"
            " WHERE inhparent = to_regclass('interaction_words')"
        )
        return True


def _is_ours(cursor):
    """Whether nobody else sorts: none of us, and no VACUUM, which rests in between and may take half a minute."""
    cursor.execute(
        "SELECT pg_try_advisory_xact_lock(%s) AND NOT EXISTS (SELECT FROM pg_locks l JOIN pg_inherits i"
        " ON i.inhrelid = l.relation WHERE i.inhparent = to_regclass('interaction_words') AND l.locktype = 'page')",
        [LOCK],
    )
    return cursor.fetchone()[0]


def _phrase(words, prefix):
    quoted = [f"'{word}'" for word in words]  # letters and digits alone: nothing to escape
    return "(" + " <-> ".join(quoted) + (":*)" if prefix else ")")
