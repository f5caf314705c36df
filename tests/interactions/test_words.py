"""When the list of new entries is sorted into the index of words, and how JSON gets its canonical form quickly."""

import contextlib
import json
import time

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from interactions import jsontext, words
from interactions.ingest import batches
from interactions.search.texts import holding, indexed
from tests.factories import make_project, owner_of
from tests.interactions.stored import canonical_form

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT
_VALUES = st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner), max_leaves=20)


@given(_VALUES)
def test_the_canonical_form_is_that_of_the_rfc_with_large_whole_numbers_digit_for_digit(value):
    assert jsontext.canonical(value) == canonical_form(value)


_SAID = [
    "Refund the fee", "refund_fee", "prerefund, feed", "REFUND\nfee", "\nfee\trefund", "6e36e refund2", "", "fee",
    "naïve refund", "refundé fee", "中refund文fee", "\u212aelvin fee", "refund\u00a0fee", 'a "fee" \\ refund',
    "fee" * 90, "a\nn b",
]  # fmt: skip
_ASKED = ["refund", "fee", "kelvin", "6e36e", "ref*", "fee*", "refund fee", "naïve", "中", "é*", "refund ref* fee", "n"]


@pytest.mark.django_db
@pytest.mark.parametrize("asked", [*_ASKED, '"refund fee"', '"the fe*"'])
def test_a_body_that_is_looked_at_holds_the_words_that_the_index_says(asked):
    query, _ = words.tsquery(asked)
    call = [{"function": {"name": "fee", "arguments": " refund fee "}}]
    bodies = [([{"role": "user", "content": text}], "So be it") for text in _SAID]
    bodies += [([{"role": "user", "content": [{"type": "text", "text": text}]}], text[::-1]) for text in _SAID]
    bodies += [([{"role": "user", "content": "x"}], text) for text in _SAID]
    bodies += [([{"role": "assistant", "content": None, "tool_calls": call}], "fee " * 60_000)]
    (looked, values), (cut, more) = holding(query), indexed(query)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT ({looked}), ({cut}), b.completion FROM unnest(%s::json[], %s::text[]) AS b(messages, completion)",
            [*values, *more, [json.dumps(messages) for messages, _ in bodies], [said for _, said in bodies]],
        )
        found = cursor.fetchall()
    assert [(looked, text) for looked, _, text in found] == [(bool(cut), text) for _, cut, text in found]
    assert {cut for _, cut, _ in found} >= ({True} if asked != '"the fe*"' else set())


@pytest.fixture
def merged(monkeypatch):
    """What was stored when the list was sorted; `look(n)` is the worker's look when so many were."""
    found, stored, clock = [], {"searches": 0}, {"now": 100.0}
    monkeypatch.setattr(words, "_told", lambda: (stored["n"], stored["searches"]))
    monkeypatch.setattr(words, "_merge", lambda: found.append(stored["n"]) is None)
    monkeypatch.setattr(words, "_merging", words._Merging())
    monkeypatch.setattr(words.time, "monotonic", lambda: clock["now"])

    def look(n, seconds=1, searches=1):
        """After so many seconds, and searches."""
        stored["n"], clock["now"] = n, clock["now"] + seconds
        stored["searches"] += searches
        return words.merge_pending()

    return look, found


def test_many_new_entries_are_sorted_at_once_and_few_when_no_more_come(merged):
    look, sorted_at = merged
    look(0)
    assert not look(0, words.QUIET)  # what an earlier worker has left
    assert sorted_at == [0]
    sorted_at.clear()
    for n in (10, 900, 900, words.MANY - 1):
        assert look(n)
    assert sorted_at == []
    assert look(words.MANY + 5)  # where many came, more do
    assert sorted_at == [words.MANY + 5]
    assert look(words.MANY + 90)
    assert look(words.MANY + 90, words.QUIET - 1)
    assert sorted_at == [words.MANY + 5]
    assert not look(words.MANY + 90)
    assert sorted_at == [words.MANY + 5, words.MANY + 90]
    assert not look(words.MANY + 90, words.QUIET)
    assert len(sorted_at) == 2


def test_more_wait_where_nobody_searches_and_fewer_where_very_many_come(merged):
    look, sorted_at = merged
    look(0, words.QUIET)
    look(0, words.QUIET)
    sorted_at.clear()
    for n in range(500, words.MOST, 500):
        assert look(n, searches=0)
    assert sorted_at == []
    assert look(words.MOST, searches=0)
    assert look(words.MOST + words.MANY, searches=1)
    assert look(words.MOST + 2 * words.MANY - 1, searches=0)
    assert sorted_at == [words.MOST, words.MOST + words.MANY]
    last = words.MOST + 2 * words.MANY - 1 + (words.FULL - words.MANY) // 2 + 1
    assert look(last, searches=0)
    assert sorted_at == [words.MOST, words.MOST + words.MANY, last]


@pytest.mark.django_db
def test_the_list_is_sorted_into_the_index_of_every_month():
    assert all(n >= 0 for n in words._told())
    assert words._merge()


@pytest.mark.django_db
def test_who_stores_many_sorts_them_in_where_somebody_searches(monkeypatch):
    def store(number):
        """How many pages of new entries are left."""
        numbered = batches.read_list(project, [{"prompt": "Hello", "completion": "Hello."}] * number)
        assert all(one.outcome.id for one in batches.ingest_many(admit=lambda: project, numbered=numbered, by=owner))
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT sum(gin_clean_pending_list(inhrelid)) FROM pg_inherits"
                " WHERE inhparent = 'interaction_words'::regclass"
            )
            return cursor.fetchone()[0]

    searches = iter((5, 5, 6))
    monkeypatch.setattr(words, "_told", lambda: (0, next(searches)))
    monkeypatch.setattr(words, "_own", words._Own())
    monkeypatch.setattr(words, "MANY", 20)
    owner = owner_of(project := make_project())
    assert store(20) == 0  # nothing was known of searches
    assert store(25) > 0  # nobody searched since
    assert store(19) > 0  # not many
    assert store(1) == 0


@pytest.mark.django_db
def test_who_finds_another_sorting_leaves_it_to_that_one():
    with contextlib.closing(connection.copy()) as other:
        cursor = other.cursor()
        cursor.execute("SELECT pg_advisory_lock(%s)", [words.LOCK])
        assert not words._merge()
        began = time.monotonic()
        assert not words._merge(0.2)
        assert time.monotonic() > began + 0.2
        cursor.execute("SELECT pg_advisory_unlock(%s)", [words.LOCK])
        assert words._merge(10)
