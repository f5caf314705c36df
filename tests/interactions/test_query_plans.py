"""What a page costs does not grow with the store: of twenty thousand interactions every statement reads a few hundred
entries of an index, and sorts no more than a page."""

import datetime
import re
from urllib.parse import urlencode

import pytest
from django.db import connection, transaction
from django.http import QueryDict
from django.test.utils import CaptureQueriesContext

from feedback.services import create_feedback_key
from interactions import ids, partitions
from interactions.filters import InteractionFilter
from interactions.models import Label
from interactions.search import arrivals, count, following, search, sizes
from interactions.search.facets import count_beside
from interactions.wanted import Cursor
from registry.models import Model
from reviews.models import Queue
from reviews.placing import put_in
from tests.factories import make_project, owner_of

N = 20_000
START = datetime.datetime(2025, 3, 1, tzinfo=datetime.UTC)
HALF = START + datetime.timedelta(seconds=N / 2)
PAGE = 50
HEAVY = (
    "interactions_interaction", "interactions_labelposting", "interactions_note", "feedback_feedback", "reviews_item",
)  # fmt: skip
SORTED = 4 * PAGE  # rows
READ = 1_500  # entries of heavy tables, in all statements of a page

# {label: every so many interactions, from, to}
LABELS = {"app": (2, 0, N), "warranty": (100, 0, N), "incident": (2_000, 0, N), "beta": (3, 0, N // 10)}
FILL = """
    INSERT INTO interactions_interaction
    SELECT at.id, %(project)s, CASE WHEN n %% 1000 = 7 THEN %(rare)s ELSE %(model)s END, 'session ' || n / 4,
        'user ' || n %% 100, 'logged', NULL, NULL, 1, 1, n %% 5000, 'p', 'c', (n %% 20 = 3)::int, (n %% 500 = 3)::int,
        %(start)s + make_interval(secs => n), md5('p' || n)::uuid, md5('c' || n)::uuid, md5('n' || n)::uuid, '{}',
        CASE WHEN n %% 3 = 0 THEN '{"good": 1}' ELSE '{}' END::jsonb, n %% 900 = 3
    FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS at(id, n);
    INSERT INTO interactions_interactionbody
    SELECT at.id, json_build_array(json_build_object('role', 'user', 'content', 'filler ' || n)),
        concat('an answer ', CASE WHEN n %% 2 = 1 THEN 'common ' END, CASE WHEN n %% 50 = 1 THEN 'middling ' END,
            CASE WHEN n %% 5000 = 1 THEN 'rare' END),
        json_build_object('metadata', json_build_object('tenant', 't' || n %% 2, 'run', n / 100, 'said', 'x')), ''
    FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS at(id, n);
    INSERT INTO feedback_feedback (interaction_id, id, feedback_key_id, value, details, "user", origin)
    SELECT at.id, at.id, %(key)s, (n %% 30 > 0)::int, '', '', CASE WHEN n %% 300 = 0 THEN 'reviewer' ELSE 'user' END
    FROM unnest(%(ids)s::uuid[]) WITH ORDINALITY AS at(id, n) WHERE n %% 3 = 0;
"""
NOTES = """
    INSERT INTO interactions_note (interaction_id, id, note_id, project_id, author_id, by_id, text)
    SELECT id, id, id, %(project)s, 1, 1, 'noted' FROM unnest(%(ids)s::uuid[]) AS at(id)
"""
LABEL = """
    UPDATE interactions_interaction SET label_ids = label_ids || %(label)s WHERE id = ANY(%(ids)s::uuid[]);
    INSERT INTO interactions_labelposting SELECT %(label)s, unnest(%(ids)s::uuid[]);
"""
KINDS = {
    "newest": {},
    "oldest first": {"order": "created_at"},
    "label of every other": {"label": "is:app"},
    "label of one in a hundred": {"label": "is:warranty"},
    "label of ten": {"label": "is:incident"},
    "label of long ago": {"label": "is:beta"},
    "two labels": {"label": ["is:warranty", "is:app"]},
    "either label": {"label": "is:warranty|incident"},
    "any label of a key": {"label": "is"},
    "without a label": {"not_label": "is:app"},
    "model": {"model": "usual"},
    "rare model": {"model": "rare"},
    "without a model": {"not_model": "rare"},
    "feedback": {"feedback": "good"},
    "bad feedback": {"feedback": "good:false"},
    "no feedback of a key": {"feedback": "good:none"},
    "any feedback": {"has_feedback": "true"},
    "no feedback": {"has_feedback": "false"},
    "reviewed": {"reviewed": "true"},
    "not reviewed": {"reviewed": "false"},
    "better answer": {"has_correction": "true"},
    "no better answer": {"has_correction": "false"},
    "notes": {"has_notes": "true"},
    "no notes": {"has_notes": "false"},
    "notes with a label": {"has_notes": "true", "label": "is:app"},
    "external id": {"external_id": "case 77"},
    "session": {"session": "session 77"},
    "user": {"user": "user 7"},
    "pictures": {"has_images": "true"},
    "tool calls": {"has_tools": "true"},
    "failed": {"has_error": "true"},
    "not failed": {"has_error": "false"},
    "queue": {"queue": "half"},
    "small queue": {"queue": "few"},
    "queue with a label": {"queue": "half", "label": "is:warranty"},
    "an hour": {"after": HALF.isoformat(), "before": (HALF + datetime.timedelta(hours=1)).isoformat()},
    "simulated": {"source": "simulation"},
    "metadata": {"metadata": "tenant:t1"},
    "a member of the metadata": {"metadata": "run"},
    "metadata with a label": {"metadata": "tenant:t0", "label": "is:warranty"},
    "metadata with a common word": {"metadata": "tenant:t1", "q": "common"},
    "folded": {"fold": "near"},
    "folded, by a label": {"fold": "near", "label": "is:warranty"},
    "same prompt": {"prompt": "699474f4-75e0-8f39-39da-055640d46264"},
    "alike": {"near": "699474f4-75e0-8f39-39da-055640d46264"},
    "common word": {"q": "common"},
    "middling word": {"q": "middling"},
    "rare word": {"q": "rare"},
    "absent word": {"q": "nowhere"},
    "without a word": {"q": "-middling"},
    "common word with a label": {"q": "common", "label": "is:warranty"},
    "absent word with a label": {"q": "nowhere", "label": "is:app"},
}


@pytest.fixture(scope="module")
def full(django_db_setup, django_db_blocker):
    """A project with twenty thousand interactions, one a second; rolled back after the module."""
    with django_db_blocker.unblock(), transaction.atomic():
        project = make_project("full")
        partitions.ensure([START])
        key, _ = create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
        usual, rare = (Model.objects.create(team=project.team, key=name) for name in ("usual", "rare"))
        made = [ids.make(START + datetime.timedelta(seconds=n)) for n in range(N)]
        with connection.cursor() as cursor:
            values = {"project": project.pk, "model": usual.pk, "rare": rare.pk, "key": key.pk, "start": START}
            cursor.execute(FILL, {**values, "ids": made})
            for value, (every, first, last) in LABELS.items():
                own = made[first:last:every]
                label = Label.objects.create(project=project, key="is", value=value, uses=len(own))
                cursor.execute(LABEL, {"label": label.pk, "ids": own})
            cursor.execute(NOTES, {"project": project.pk, "ids": made[::10]})
            for name, every in (("half", 2), ("few", 1_000)):
                queue = Queue.objects.create(project=project, key=name, name=name, created_by=owner_of(project))
                put_in(queue, [(one,) for one in made[::every]], 1)
            for table in (*HEAVY, "interactions_interactionbody"):
                cursor.execute(f"ANALYZE {table}")
        sizes._known[("total", project.pk)] = (float("inf"), N)
        sizes._known[("notes", project.pk)] = (float("inf"), N // 10)
        yield project
        transaction.set_rollback(True)


def asked(project, query):
    filterset = InteractionFilter(QueryDict(urlencode(query, True)), project=project)
    assert filterset.is_valid(), filterset.errors
    return filterset.wanted


def _is_heavy(table):
    return re.fullmatch(rf"({'|'.join(HEAVY)}|interactions_interactionbody)(_\d+)?", table)


def _is_body(node):
    return node.get("Relation Name", "").startswith("interactions_interactionbody")


def nodes(plan):
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def run_again(queries):
    """The nodes of the plans of all statements that read, as the server ran them."""
    with connection.cursor() as cursor:
        for query in queries:
            if query["sql"].lstrip().startswith(("SELECT", "WITH")):
                cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query["sql"].replace("%", "%%"), [])
                yield from nodes(cursor.fetchone()[0][0]["Plan"])


def assert_flat(queries):
    """Heavy tables are read by their indexes, few entries of them, and nothing larger than a page is sorted."""
    read = 0
    for node in run_again(queries):
        if _is_heavy(node.get("Relation Name", "")):
            rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            assert node["Node Type"] != "Seq Scan" or rows == 0, node
            read += rows * node["Actual Loops"]
        if node["Node Type"] in {"Sort", "Incremental Sort"}:
            assert all(child["Actual Rows"] <= SORTED for child in node["Plans"]), node
    assert read < READ


@pytest.mark.django_db
@pytest.mark.parametrize("query", KINDS.values(), ids=KINDS)
def test_a_page_reads_little_however_much_there_is(full, query):
    with CaptureQueriesContext(connection) as queries:
        page = search(full, asked(full, query), limit=PAGE)
    assert page.searched_to is None
    assert_flat(queries.captured_queries)


@pytest.mark.django_db
@pytest.mark.parametrize("query", [{}, {"label": "is:app"}, {"feedback": "good:false"}, {"q": "common"}], ids=str)
def test_a_page_in_the_depth_reads_no_more_than_the_first(full, query):
    cursor = str(Cursor(ids.first(HALF)))
    with CaptureQueriesContext(connection) as queries:
        page = search(full, asked(full, query), cursor=cursor, limit=PAGE)
    assert len(page) == PAGE
    assert_flat(queries.captured_queries)


def later(full, project, begin=N, number=N // 2, step=1):
    """The ids of half as many interactions of a project, logged after all those, or of so many every few seconds."""
    made = [ids.make(START + datetime.timedelta(seconds=begin + n * step)) for n in range(number)]
    models = {one.key: one.pk for one in Model.objects.filter(team=full.team)}
    values = {"project": project.pk, "model": models["usual"], "rare": models["rare"], "start": START, "ids": made}
    with connection.cursor() as cursor:
        cursor.execute(FILL.rpartition("INSERT")[0], values)
    return made


@pytest.mark.django_db
def test_words_of_what_no_statistics_know_yet_are_found_by_their_index(full, monkeypatch):
    """Between ids behind the last ANALYZE the planner expects one row, however many there are."""
    monkeypatch.setattr("interactions.search.windows.AT_ONCE", 10)
    made = later(full, full)
    for cursor, most in ((None, made[-1]), (str(Cursor(made[N // 4])), made[N // 4])):
        with CaptureQueriesContext(connection) as queries:
            page = search(full, asked(full, {"q": "middling"}), cursor=cursor, limit=PAGE)
        assert (len(page), page.rows[0].pk) == (PAGE, max(one for one in made[::50] if one < most))
        cut = [node for node in run_again(queries.captured_queries) if "interactions_words" in node.get("Filter", "")]
        assert sum(node["Actual Rows"] + node["Rows Removed by Filter"] for node in cut) < PAGE


@pytest.mark.django_db
def test_of_a_word_the_index_is_read_for_the_time_of_the_window_alone(full, monkeypatch):
    monkeypatch.setattr("interactions.search.windows.AT_ONCE", 10)
    with CaptureQueriesContext(connection) as queries:
        page = search(full, asked(full, {"q": "middling"}), limit=5)
    assert len(page) == 5
    found = [one for one in run_again(queries.captured_queries) if "interactions_words" in one.get("Index Cond", "")]
    assert 5 <= sum(one["Actual Rows"] for one in found) < N / 50 / 10  # of all that the word has


@pytest.mark.django_db
def test_of_a_word_that_went_out_of_use_few_bodies_are_fetched_to_find_its_last(full, monkeypatch):
    """The newest hold none of it, so that it looks rare."""
    monkeypatch.setattr("interactions.search.windows.AT_ONCE", 10)
    made = later(full, full)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE interactions_interactionbody SET completion = '' WHERE id = ANY(%s)", [made])
    with CaptureQueriesContext(connection) as queries:
        page = search(full, asked(full, {"q": "middling"}), limit=5)
    assert [ids.time_of(row.pk) for row in page] == [
        START + datetime.timedelta(seconds=N - 50 * (n + 1)) for n in range(5)
    ]
    assert bodies_read(queries.captured_queries) < N / 50 * 2 / 3  # of all that hold it


@pytest.mark.django_db
@pytest.mark.parametrize("word", ["middling", "nowhere"])
def test_words_are_not_looked_for_in_what_another_project_logs(full, word, monkeypatch):
    monkeypatch.setattr("interactions.search.windows.AT_ONCE", 10)
    alone = search(full, asked(full, {"q": word}), limit=PAGE)
    later(full, make_project("beside", team=full.team))
    with CaptureQueriesContext(connection) as queries:
        page = search(full, asked(full, {"q": word}), limit=PAGE)
    assert [row.pk for row in page] == [row.pk for row in alone]
    assert bodies_read(queries.captured_queries) < 3 * PAGE  # the other project's latest hold the common ones 200 times


@pytest.mark.django_db
def test_words_are_not_looked_for_in_what_another_project_logs_in_between(full, monkeypatch):
    monkeypatch.setattr("interactions.search.windows.AT_ONCE", 10)
    later(full, make_project("beside", team=full.team))
    newest = later(full, full, begin=2 * N, number=100)
    with CaptureQueriesContext(connection) as queries:
        page = search(full, asked(full, {"q": "middling"}), limit=PAGE)
    assert [row.pk for row in page.rows[:2]] == [newest[50], newest[0]] and len(page) == PAGE
    assert bodies_read(queries.captured_queries) < 4 * PAGE  # with the other project's they would be five times as many


@pytest.mark.django_db
def test_among_much_that_another_project_logs_a_common_word_is_looked_for_in_the_own_ones(full, monkeypatch):
    monkeypatch.setattr("interactions.search.windows.AT_ONCE", 10)
    later(full, make_project("beside", team=full.team))
    newest = later(full, full, number=10, step=N // 20)
    with CaptureQueriesContext(connection) as queries:
        page = search(full, asked(full, {"q": "common"}), limit=PAGE)
    assert [row.pk for row in page.rows[:5]] == newest[8::-2] and len(page) == PAGE
    assert bodies_read(queries.captured_queries) < N / 4 / 2  # of the other project's that hold it


@pytest.mark.django_db
@pytest.mark.parametrize("order", ["created_at", "-created_at"])
def test_words_of_simulated_traffic_are_found_beside_those_of_real(full, order, monkeypatch):
    monkeypatch.setattr("interactions.search.windows.AT_ONCE", 10)
    made = later(full, full)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE interactions_interaction SET source = 'simulation' WHERE id = ANY(%s)", [made])
    query = {"q": "middling", "source": ["simulation", "logged"], "order": order}
    found, cursor = [], None
    while True:
        page = search(full, asked(full, query), cursor=cursor, limit=PAGE)
        found += [row.pk for row in page]
        if (cursor := page.next) is None:
            break
    assert len(found) == (N + N // 2) / 50 and sum(one in set(made) for one in found) == N / 2 / 50
    assert found == sorted(found, reverse=order == "-created_at")


def bodies_read(queries):
    return sum(
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in run_again(queries) if _is_body(node)
    )


@pytest.mark.django_db
def test_what_arrived_is_counted_by_the_order_of_arrival(full):
    moment = START + datetime.timedelta(seconds=N - 20)
    with CaptureQueriesContext(connection) as queries:
        assert arrivals.arrived_since(full, asked(full, {}), moment).n == 20
    assert_flat(queries.captured_queries)


@pytest.mark.django_db
@pytest.mark.parametrize("query", [{}, {"label": "is:app", "q": "common"}], ids=str)
def test_what_arrives_is_followed_by_the_order_of_arrival(full, query, monkeypatch):
    monkeypatch.setattr(following, "LOOKED_AT", 3 * PAGE)
    cursor = str(following.Place(HALF))
    with CaptureQueriesContext(connection) as queries:
        page = following.follow(full, asked(full, query), cursor=cursor, limit=PAGE)
    assert len(page) == PAGE
    assert_flat(queries.captured_queries)


@pytest.mark.django_db
def test_for_metadata_few_bodies_are_opened_before_it_is_known_how_long_it_takes(full):
    with CaptureQueriesContext(connection) as queries:
        assert count(full, asked(full, {"metadata": "tenant:t9"}), seconds=60) == (0, False)
    opened = [sum(node["Actual Loops"] for node in run_again([one]) if _is_body(node)) for one in queries]
    assert [n for n in opened if n][:3] == [64, 4 * 64, 16 * 64]
    assert sum(opened) == N


@pytest.mark.django_db
@pytest.mark.parametrize("query", [{"latency": "9000.."}, {"metadata": "tenant:t9"}], ids=str)
def test_a_condition_without_an_index_ends_when_its_time_is_used_up(full, monkeypatch, query):
    monkeypatch.setattr("interactions.search.BUDGET", 0)
    wanted, cursor, looked_to = asked(full, query), None, []
    while True:
        page = search(full, wanted, cursor=cursor, limit=500)
        assert not page.rows
        if page.next is None:
            break
        assert count_beside(full, wanted, page) is None
        cursor = page.next
        looked_to.append(page.searched_to)
    assert page.searched_to is None
    assert len(looked_to) > 10 and looked_to == sorted(looked_to, reverse=True)


def test_a_list_over_rest_reads_no_column_that_it_does_not_tell(api, project):
    for n in range(3):
        api.log(project, prompt=f"q {n}", labels={"is": "app"}, model="m")
    for query in ({}, {"label": "is:app"}, {"fields": "id,labels,messages"}):
        with CaptureQueriesContext(connection) as queries:
            assert len(api.get("interactions", {"project": project.key, **query}).json()["results"]) == 3
        rows = [one["sql"] for one in queries if 'i."session"' in one["sql"]]
        assert len(rows) == 1
        assert not [name for name in ("prompt_preview", "content_hash", "received_at") if f'i."{name}"' in rows[0]]


@pytest.mark.django_db
def test_what_was_just_logged_is_soon_found_by_an_index_alone():
    partitions.ensure([START])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.inhparent::regclass::text, c.reloptions FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = ANY(%s::regclass[])",
            [[family.table for family in partitions.families()]],
        )
        options = cursor.fetchall()
    assert {table for table, _ in options} == {family.table for family in partitions.families()}
    for table, kept in options:
        soon = kept is not None and {*kept} == {*partitions.SEEN_SOON.replace(" = ", "=").split(", ")}
        assert soon is (table != partitions.BODIES)
