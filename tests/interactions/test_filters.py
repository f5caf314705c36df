"""One filter language: for every combination, exactly what a plain loop over the records finds."""

import datetime
import re
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from feedback.services import create_feedback_key
from interactions import ids, rollups
from interactions import search as searches
from interactions.filters import InteractionFilter, canonical_query, read_label, write_label
from interactions.search import facets, page_of_ids, search, walk
from tests.conftest import Api
from tests.experiments.running import make_place, make_test
from tests.factories import make_interaction, make_project, owner_of
from tests.interactions.corpus import START, cases, is_real, make_corpus

CASES = cases()


@pytest.fixture(scope="module")
def shelf(django_db_setup, django_db_blocker, handler):
    """(api, project, corpus), made once for the module and rolled back after it."""
    with django_db_blocker.unblock(), transaction.atomic():
        project = make_project("shelf")
        noise = make_project("noise", team=project.team)
        make_interaction(noise, labels={"intent": "refund"}, completion="refund")
        client = Client()
        client.handler = handler
        yield Api(client, owner_of(project)), project, make_corpus(project)
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def there_is_time(monkeypatch):
    """However busy the machine that tests: what is exact here is not cut short."""
    for name in ("ASIDE", "BRIEFLY", "BUDGET"):
        monkeypatch.setattr(facets, name, 60)


def pages(api, project, query, way="next"):
    """The pages' ids in the order shown, and the cursor of the last; walks by `way` from the query's cursor."""
    found = []
    while True:
        answer = api.get("interactions", {"project": project.key, "fields": "id", **query})
        assert answer.status_code == 200, answer.content
        page = answer.json()
        found.append([row["id"] for row in page["results"]])
        if page[way] is None:
            return found, page
        query = {**query, "cursor": page[way]}


def flat(found):
    return [one for page in found for one in page]


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "meets"), CASES, ids=[urlencode(query, True) or "all" for query, _ in CASES])
def test_the_api_finds_what_a_loop_finds(shelf, query, meets):
    api, project, corpus = shelf
    expected = [one.id for one in corpus if meets(one)][::-1]
    limit = max(len(expected) // 3, 7)
    found, last = pages(api, project, {**query, "limit": limit})
    assert flat(found) == expected
    assert (last["count_is_capped"], last["searched_to"]) == (False, None)
    if not query.get("q", "-").startswith("-") and len(found) > 1:  # words of several pages are counted for who waits
        assert last["count"] is None
        exact = api.get("interactions", {"project": project.key, **query, "limit": 1, "count": "exact"}).json()
        assert (exact["count"], exact["count_is_capped"]) == (len(expected), False)
    else:
        assert last["count"] == len(expected)
    if len(found) > 1:
        back, _ = pages(api, project, {**query, "limit": limit, "cursor": last["previous"]}, "previous")
        assert flat(back[::-1]) == flat(found[:-1])
    oldest, _ = pages(api, project, {**query, "limit": limit, "order": "created_at"})
    assert flat(oldest) == expected[::-1]


@pytest.mark.django_db
@pytest.mark.parametrize("size", [1, 2, 3])
def test_nothing_is_lost_between_two_blocks_of_a_walk(shelf, monkeypatch, size):
    """Whatever drives: an interaction may have several entries, and the block end between two of them."""
    _, project, corpus = shelf
    for name in ("SMALLEST", "LARGEST", "LARGEST_APART"):
        monkeypatch.setattr(walk, name, size * (4 if name == "LARGEST_APART" else 1))
    monkeypatch.setattr(searches, "BUDGET", 60)
    for query, meets in [case for case in CASES if "feedback" in case[0]] + CASES[::9]:
        filterset = InteractionFilter(QueryDict(urlencode(query, True)), project=project)
        assert filterset.is_valid()
        found, _ = page_of_ids(project, filterset.wanted, None, 1_000)
        assert [str(one) for one in found] == [one.id for one in corpus if meets(one)][::-1]


def test_the_cases_are_many_and_most_of_them_find_something(shelf):
    _, _, corpus = shelf
    sizes = [sum(1 for one in corpus if meets(one)) for _, meets in CASES]
    assert len(CASES) > 90
    assert sum(1 for size in sizes if 0 < size < len(corpus)) > 70


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["session", "user"])
def test_blanks_belong_to_an_id_at_every_door(client, api, project, name):
    field = {"session": "session_id", "user": "user"}[name]
    made = make_interaction(project, **{field: " chat"})
    make_interaction(project, **{field: "chat"})
    client.force_login(owner_of(project))
    page = client.get(reverse("interaction_list", kwargs={"project": project.key}), {name: " chat"})
    called = api.get("interactions", {"project": project.key, name: " chat"}).json()
    assert [row.pk for row in page.context["page"].rows] == [made.pk]
    assert [one["id"] for one in called["results"]] == [str(made.pk)]
    assert canonical_query(project, f"{name}=+chat") == f"{name}=+chat"


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["has_images", "has_tools", "has_feedback", "reviewed"])
@pytest.mark.parametrize(("said", "asked"), [("1", "true"), ("yes", "true"), ("True", "true"), ("NO", "false")])
def test_however_yes_and_no_are_said_the_page_tells_what_it_shows(client, project, name, said, asked):
    client.force_login(owner_of(project))
    where = reverse("interaction_list", kwargs={"project": project.key})
    page = client.get(where, {name: said}, follow=True)
    plain = client.get(where, {name: asked})
    assert [chip.kind for chip in page.context["chips"]] == ["with" if asked == "true" else "without"]
    assert page.context["address"].url == plain.context["address"].url
    facets = client.get(reverse("interaction_facets", kwargs={"project": project.key}), {name: said}, follow=True)
    ticked = re.search(rf'<input type="checkbox"[^>]*name="{name}"[^>]*>', facets.content.decode())[0]
    assert ("checked" in ticked) == (asked == "true")
    assert canonical_query(project, f"{name}={said}") == f"{name}={asked}"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "asked"), [("1,500", "1500"), ("1,234,567.5", "1234567.5"), ("0.5", "0.5"), ("0,5", None), ("1,50", None)]
)
def test_a_figure_of_the_form_asks_for_what_was_typed_or_is_refused(client, project, typed, asked):
    create_feedback_key(team=project.team, key="cost", kind="scalar", projects=[project])
    client.force_login(owner_of(project))
    where = reverse("interaction_list", kwargs={"project": project.key})
    page = client.get(where, {"feedback.from.cost": typed}, follow=True)
    if asked is None:
        assert (page.status_code, "is no value; send" in page.content.decode()) == (400, True)
    else:
        assert page.context["address"].all("feedback") == [f"cost:{asked}.."]
    page = client.get(where, {"feedback.to.cost": f"<{typed}"}, follow=True)
    assert page.status_code == (400 if asked is None else 200)
    page = client.get(where, {"latency.to": typed}, follow=True)
    assert page.context["address"].one("latency") == f"..{asked or typed}"
    assert (page.status_code == 200) == (asked == "1500")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("zone", "typed"), [("Asia/Tokyo", "0001-01-01T00:00"), ("America/New_York", "9999-12-31T23:30")]
)
def test_a_time_beyond_the_calendar_is_refused(client, project, zone, typed):
    owner = owner_of(project)
    owner.timezone = zone
    owner.save()
    client.force_login(owner)
    page = client.get(reverse("interaction_list", kwargs={"project": project.key}), {"time.after": typed}, follow=True)
    assert (page.status_code, "Send an ISO 8601 time" in page.content.decode()) == (400, True)


REFUSED = {  # query: what is told of which word
    "user=": ("user", "Send a value"),
    "q=+": ("q", "Send a value"),
    "label=intent&label=": ("label", "Send a value"),
    "has_images=": ("has_images", "Send a value"),
    "user=a&user=b": ("user", "Give this word once"),
    "latency=1..2&latency=3..4": ("latency", "Give this word once"),
    "after=1796069748": ("after", "1970-01-21T18:54:29.748Z, before the year 2000"),
    "before=20261130": ("before", "before the year 2000"),
    "after=-7y": ("after", "-7d for seven days ago"),
    "latency=3000..1": ("latency", "The first end lies above the second"),
    "feedback=stars:3..1": ("feedback", "the first end lies above the second"),
    "after=-1d&before=-2d": ("before", "It ends before it begins"),
    "metadata=tenant&metadata=": ("metadata", "Send a value"),
    "metadata=%3Aacme": ("metadata", "It is written key or key:value"),
    "metadata=a%00": ("metadata", "NUL"),
    f"metadata=tenant:{'%7C'.join('a' * 100)}": ("metadata", "at most 100 keys and values"),
    "metadata=tenant&fold=near": ("fold", "What is alike may differ in its metadata"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("query", REFUSED)
def test_what_would_pass_for_everything_or_finds_nothing_is_refused_at_every_call(api, project, query):
    create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project])
    name, told = REFUSED[query]
    jobs, views = f"projects/{project.key}/label-jobs?{query}", f"projects/{project.key}/views"
    for answer in (
        api.get(f"interactions?project={project.key}&{query}"),
        api.get(f"feedback-keys/stars/stats?project={project.key}&{query}"),
        api.post(jobs, {"key": "bad", "value": "yes"}),
        api.post(views, {"name": "Mine", "filter": query}),
        api.post(f"projects/{project.key}/exports", {"format": "jsonl", "filter": query}),
    ):
        assert answer.status_code == 400, answer.content
        assert told in answer.json()["fields"][name][0]
    assert api.get(f"interactions?project={project.key}&project=other").status_code == 400


EMPTY = {  # word: calls that take it, "{}" being the project
    "cursor": ["interactions?project={}", "projects/{}/models", "teams/{team}/models", "teams/{team}/audit"],
    "limit": ["interactions?project={}"],
    "fields": ["interactions?project={}"],
    "images": ["interactions?project={}"],
    "count": ["interactions?project={}"],
    "q": ["projects/{}/models"],
    "group_by": ["feedback-keys/stars/stats?project={}"],
    "after": ["projects/{}/coverage"],
}


@pytest.mark.django_db
@pytest.mark.parametrize(("word", "call"), [(word, call) for word, calls in EMPTY.items() for call in calls])
@pytest.mark.parametrize("value", ["", "%20"])
def test_a_word_that_says_nothing_is_refused_wherever_it_is_taken(api, project, word, call, value):
    create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project])
    call = call.format(project.key, team=project.team.key)
    answer = api.get(f"{call}{'&' if '?' in call else '?'}{word}={value}")
    assert answer.status_code == 400, answer.content
    assert answer.json()["fields"] == {word: ["Send a value, or leave the word out."]}
    assert api.get(call).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(("fields", "status"), [("id,", 200), (",", 400), ("id,,labels", 200)])
def test_fields_name_members_or_are_left_out(api, project, fields, status):
    make_interaction(project)
    assert api.get(f"interactions?project={project.key}&fields={fields}").status_code == status


@pytest.mark.django_db
def test_a_time_from_now_on_stays_so_in_what_is_kept_and_is_a_moment_in_work_that_begins(client, api, project):
    long_ago, lately = (ids.now() - datetime.timedelta(days=days) for days in (8, 6))
    make_interaction(project, created_at=long_ago.isoformat())
    found = make_interaction(project, created_at=lately.isoformat())
    answer = api.get("interactions", {"project": project.key, "after": "-1w", "before": "-5d"})
    assert [one["id"] for one in answer.json()["results"]] == [str(found.pk)]
    view = api.post(f"projects/{project.key}/views", {"name": "Week", "filter": "after=-7d"}).json()
    assert view["filter"] == "after=-7d"
    export = api.post(f"projects/{project.key}/exports", {"format": "jsonl", "view": view["key"]}).json()
    assert re.fullmatch(r"after=\d{4}-\d\d-\d\dT\d\d%3A\d\d%3A00.000Z", export["filter"])
    client.force_login(owner_of(project))
    page = client.get(reverse("interaction_list", kwargs={"project": project.key}), {"after": "-7d"})
    assert [row.pk for row in page.context["page"].rows] == [found.pk]
    assert [chip.text for chip in page.context["chips"]] == ["last 7 days"]
    current = [one["name"] for one in page.context["span"]["presets"] if one["current"]]
    assert current == ["Last 7 days"]


@pytest.mark.django_db
def test_the_page_says_which_words_it_left_out(client, project):
    make_interaction(project)
    client.force_login(owner_of(project))
    where = reverse("interaction_list", kwargs={"project": project.key})
    page = client.get(where, {"lable": "x", "q": "covered"}, follow=True)
    assert page.redirect_chain == [(f"{where}?q=covered", 302)]
    assert "Left out, for it is no filter: lable" in page.content.decode()
    assert "Left out" not in client.get(where, {"q": "covered"}).content.decode()


@pytest.mark.django_db
def test_pages_stay_as_they_are_while_new_rows_arrive(shelf):
    api, project, corpus = shelf
    expected = [one.id for one in corpus if is_real(one)][::-1]
    first = api.get("interactions", {"project": project.key, "limit": 50, "fields": "id"}).json()
    newer = [str(make_interaction(project).pk) for _ in range(3)]
    make_interaction(project, created_at=START.isoformat())
    found, last = pages(api, project, {"limit": 50, "cursor": first["next"]})
    assert [row["id"] for row in first["results"]] + flat(found)[: len(expected) - 50] == expected
    back, _ = pages(api, project, {"limit": 50, "cursor": last["previous"]}, "previous")
    assert sorted(flat(back))[-3:] == sorted(newer)


@pytest.mark.django_db
def test_the_first_page_has_none_before_it_and_the_last_none_after(shelf):
    api, project, _ = shelf
    page = api.get("interactions", {"project": project.key, "limit": 1000}).json()
    assert (page["next"], page["previous"]) == (None, None)


@pytest.mark.django_db
def test_any_of_the_fields_may_be_asked_for(shelf):
    api, project, _ = shelf
    [row] = api.get("interactions", {"project": project.key, "limit": 1, "fields": "labels,id"}).json()["results"]
    assert list(row) == ["id", "labels"]


@pytest.mark.django_db
def test_a_result_tells_what_the_filters_ask_for(api, project):
    create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    create_feedback_key(team=project.team, key="stars", kind="scalar", projects=[project])
    given = [{"metric": "good", "value": True}, {"metric": "stars", "value": 4}]
    made = [make_interaction(project, completion="The same.", feedbacks=given) for _ in range(2)]
    whole = api.get(f"interactions/{made[0].pk}").json()
    assert (whole["project_id"], whole["arm"], whole["ab_campaign"]) == (str(project.uid), None, None)
    assert [one["value"] for one in whole["feedbacks"]] == [True, 4.0] and whole["feedbacks"][0]["value"] is True
    assert api.get(f"interactions/{made[0].pk}/feedback").json() == whole["feedbacks"]
    alike = api.get("interactions", {"project": project.uid, "near": whole["near_hash"], "fields": "id"}).json()
    same = api.get("interactions", {"project": project.uid, "prompt": whole["prompt_hash"], "fields": "id"}).json()
    for found in (alike, same):
        assert {one["id"] for one in found["results"]} == {str(one.pk) for one in made}


@pytest.mark.django_db
def test_a_result_tells_which_arm_of_which_test_it_met(client):
    project = make_place()
    api, arm = Api(client, owner_of(project)), make_test(project, key="greeting").arms.first()
    api.log(project)
    made = api.log(project, model=arm.model.key, ab_campaign="greeting").json()["completion_id"]
    [row] = api.get("interactions", {"project": project.key, "arm": arm.pk}).json()["results"]
    assert (row["id"], row["arm"], row["ab_campaign"]) == (made, arm.pk, "greeting")


@pytest.mark.django_db
@pytest.mark.parametrize(("fields", "queries"), [("id,labels,model", 7), ("messages,completion", 8), ("feedbacks", 9)])
def test_a_list_takes_a_fixed_number_of_queries(shelf, django_assert_num_queries, fields, queries):
    """Of rows that lie in one part of the store; into each further part it looks by another one."""
    api, project, corpus = shelf
    asked = {"project": project.key, "after": "2025-07-01", "before": "2025-08-01", "fields": fields}
    assert sum(is_real(one) and one.at.month == 7 for one in corpus) > 60
    api.get("interactions", asked)  # notes the use of the key, once a minute
    for limit in (20, 60):
        with django_assert_num_queries(queries):
            api.get("interactions", {**asked, "limit": limit})


@pytest.mark.django_db
def test_a_filter_reaches_the_page_by_the_same_words(shelf):
    _, project, corpus = shelf
    for query, meets in CASES[:60:7]:
        data = QueryDict(urlencode(query, True))
        filterset = InteractionFilter(data, project=project)
        assert filterset.is_valid()
        page = search(project, filterset.wanted, limit=1000)
        assert [str(row.pk) for row in page] == [one.id for one in corpus if meets(one)][::-1]


@pytest.mark.django_db
def test_folding_changes_no_answer(shelf):
    api, project, corpus = shelf
    query = {"project": project.key, "label": ["intent:refund", "ticket"], "fields": "id"}
    before = api.get("interactions", query).json()
    while rollups.fold():
        pass
    assert api.get("interactions", query).json() == before
    counted = api.get("interactions", {"project": project.key, "limit": 1}).json()["count"]
    assert counted == sum(1 for one in corpus if is_real(one))


@pytest.mark.parametrize("key", ["intent", "a:b", "a|b", "\\", "a\\:b", ":", "é|\\|"])
@pytest.mark.parametrize("values", [(), ("x",), ("a|b", "c:d", "\\"), ("", "|")])
def test_a_label_is_read_as_it_was_written(key, values):
    read = read_label(write_label(key, *values))
    assert (read.key, read.values) == (key, values or None)
