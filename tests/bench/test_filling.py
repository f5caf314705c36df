"""A fill that was killed goes on where it was, leaves the text index as it was, and all that is asked is answered."""

import datetime
import itertools

import pytest
from django.db import connection

from bench import text_index
from bench.corpus import BLOCK, FEEDBACK_KEYS, Corpus
from bench.filling import count_stored, fill
from bench.reading import PART, TABLE_FIELDS, Questions
from feedback.services import create_feedback_key
from interactions import ids
from interactions.models import Interaction

pytestmark = pytest.mark.django_db
N = 2 * BLOCK + 300


@pytest.fixture
def corpus():
    return Corpus(N, ids.now().replace(microsecond=0) - datetime.timedelta(minutes=1))


@pytest.fixture
def asked(project):
    for key, kind in FEEDBACK_KEYS:
        create_feedback_key(team=project.team, key=key, kind=kind, projects=[project])
    return project


def test_a_fill_goes_on_where_it_was_killed_and_doubles_nothing(asked, corpus, owner):
    assert list(itertools.islice(fill(asked, corpus, 1, owner), 2)) == [0, BLOCK]
    assert list(fill(asked, corpus, 1, owner)) == [BLOCK, BLOCK + 300]
    assert list(fill(asked, corpus, 0, owner)) == [0, BLOCK]
    assert list(fill(asked, corpus, 0, owner)) == [BLOCK]
    assert [count_stored(asked, corpus, half) for half in (0, 1)] == [BLOCK, BLOCK + 300]
    stored = Interaction.objects.filter(project=asked)
    assert stored.values("content_hash").distinct().count() == stored.count() == N


def test_every_question_is_answered_by_the_api_and_by_the_page(asked, corpus, owner, api, client):
    list(fill(asked, corpus, 0, owner))
    client.force_login(owner)
    questions, page = Questions(corpus, requests=1), f"/p/{asked.key}/interactions"
    for row in questions.lists():
        answer = api.get(f"interactions?project={asked.key}&limit=50&fields={TABLE_FIELDS}&{row.asked[0]}")
        assert answer.status_code == 200, (row, answer.content)
        assert client.get(f"{page}?{row.asked[0]}").status_code == 200, row
    for part, rows in questions.counts().items():
        for row in rows:
            assert client.get(f"{page}/{part}?{row.asked[0]}", headers=PART).status_code == 200, row


def test_the_text_index_is_built_as_it_was(asked):
    before, told = text_index.definition(), []
    text_index.drop()
    assert text_index.definition() is None
    text_index.build(before, told.append)
    assert text_index.definition() == before
    assert text_index.is_valid()
    assert told


def test_a_build_that_was_interrupted_goes_on(asked):
    before = text_index.definition()
    text_index.drop()
    with connection.cursor() as cursor:
        cursor.execute(before[0])  # the parent's alone: not valid, for no partition has one
    assert not text_index.is_valid()
    text_index.build(before, lambda text: None)
    assert text_index.is_valid()
