"""The columns of the table: each person's own in each project, told in the rows, and read for them alone."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from experiments.services import create_test
from feedback.services import create_feedback_key
from interactions.columns import COLUMNS, USUAL
from interactions.ingest.removal import delete_all_of
from interactions.models import ChosenColumns
from projects.access import project_or_404
from projects.services import archive_project
from registry.models import Model
from tests.factories import make_interaction, make_project, make_team, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
ALL = [column.name for column in COLUMNS]
PLAIN = ["", "Prompt", "Completion", "Model", "Labels", "Time, UTC"]


def list_url(project):
    return reverse("interaction_list", kwargs={"project": project.key})


def choose(client, project, *names, headers=None, **more):
    address = reverse("columns_choose", kwargs={"project": project.key})
    return client.post(address, {"column": names, **more}, headers=headers)


def heads(client, project):
    head = re.search(r"<thead>(.*?)</thead>", client.get(list_url(project)).content.decode(), re.DOTALL)[1]
    texts = re.findall(r"<(?:th|span)\b[^>]*>(?=[^<]|<input|<a)(?:<a[^>]*>)?([^<]*)", head)
    return [text.strip() for text in texts]


def ticked(client, project):
    text = client.get(list_url(project)).content.decode()
    return re.findall(r'name="column" value="(\w+)" checked', text)


@pytest.fixture
def pages(client, owner):
    client.force_login(owner)
    return client


@pytest.fixture
def told(project, owner):
    """An interaction of which everything is known that a column shows, in an A/B test."""
    key, _ = create_feedback_key(team=project.team, key="helpful", kind="bool", projects=[project])
    make_interaction(project, model="other")
    make_interaction(project, model="lake")
    models = list(Model.objects.filter(team=project.team).order_by("key"))
    reached = project_or_404(owner, project.key)
    create_test(project=reached, by=owner, models=models, key="trial", name="The trial", feedback_key=key)
    return make_interaction(
        project,
        messages=[{"role": "user", "content": "A leak?"}],
        completion="Covered.",
        model="lake",
        user="u <1>",
        session_id="visit\u202e 9",
        source="automation",
        labels={"tone": "curt"},
        usage={"prompt_tokens": 1842, "completion_tokens": 386},
        latency_ms=1240,
        ab_campaign="trial",
        feedbacks=[{"feedback_key": "helpful", "value": True}],
    )


def test_every_column_shows_what_the_row_holds(pages, project, told, owner):
    choose(pages, project, *ALL)
    text = pages.get(list_url(project)).content.decode()
    row = text.partition(f'id="i-{told.pk}"')[2].partition("</tr>")[0]
    for words in (
        "A leak?", "Covered.", ">lake<", "<bdi>u &lt;1&gt;</bdi>", "visit", "U+202E", "Automation", owner.name,
        f'title="{owner.email}"', "A of The trial", "curt", "thumbs-up", "1,842", "386", "1.24 s",
        "<time",
    ):  # fmt: skip
        assert words in row, words
    assert "\u202e" not in row
    for column in COLUMNS:
        assert column.title in text


def test_what_is_not_known_is_a_dash(pages, project):
    make_interaction(project, session_id="s")
    choose(pages, project, "user", "arm", "prompt_tokens", "completion_tokens", "latency")
    row = pages.get(list_url(project)).content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    assert row.count('<span class="none">–</span>') == 5


@pytest.mark.parametrize("names", [ALL, ["latency"], USUAL], ids=["all", "one", "usual"])
def test_a_page_reads_the_columns_that_it_shows_in_so_many_queries_whatever_the_rows(pages, project, told, names):
    choose(pages, project, *names)

    def asked():
        with CaptureQueriesContext(connection) as page:
            pages.get(list_url(project))
        return [q["sql"] for q in page.captured_queries if "interactions_labelalias" not in q["sql"]]

    asked()  # what is read once for all is read now
    few = asked()
    for place in range(20):
        make_interaction(project, user=f"u{place}", labels={"a": f"{place}"})
    many = asked()
    assert len(few) == len(many)
    (read,) = [sql for sql in many if "prompt_preview" in sql]
    shown = {field for column in COLUMNS if column.name in {"prompt", *names} for field in column.fields}
    for field in {field for column in COLUMNS for field in column.fields} | {"near_hash", "prompt_hash"}:
        column = {"model": "model_id", "logged_by": "logged_by_id"}.get(field, field)
        assert (f'"{column}"' in read) is (field in shown), field


def test_the_choice_is_hers_alone_in_this_project_until_it_is_as_usual(pages, project, owner):
    other, mate = make_project(team=project.team), make_user(team=project.team, role="auditor")
    for one in (project, other):
        make_interaction(one)
    teammate = Client()
    teammate.force_login(mate)
    assert heads(pages, project) == PLAIN
    answer = choose(pages, project, "latency", "user", next=f"{list_url(project)}?label=a")
    assert answer.status_code == 302 and answer["Location"] == f"{list_url(project)}?label=a"
    assert heads(pages, project) == ["", "Prompt", "User", "Latency"]
    assert ticked(pages, project) == ["prompt", "user", "latency"]
    assert heads(pages, other) == PLAIN
    assert heads(teammate, project) == PLAIN[1:]  # she may do nothing to rows, and has no boxes to tick
    choose(teammate, project, "time")
    assert heads(teammate, project) == ["Prompt", "Time, UTC"]
    assert heads(pages, project) == ["", "Prompt", "User", "Latency"]
    choose(pages, project, "latency", usual="1")
    assert heads(pages, project) == PLAIN
    choose(pages, project, *USUAL)
    assert list(ChosenColumns.objects.values_list("user", "columns")) == [(mate.pk, ["prompt", "time"])]


def test_the_page_is_asked_for_again_in_place_and_where_the_choice_is_a_form_it_leads_back(pages, project):
    make_interaction(project)
    answer = choose(pages, project, "model", headers=HTMX)
    assert answer.status_code == 200 and "kit:refresh" in answer["HX-Trigger"]
    assert choose(pages, project, "model", next="https://elsewhere.example/")["Location"] == list_url(project)


@pytest.mark.parametrize("name", ["messages", "", "a\x00", "time time", "x" * 100_000, "project_id) --"])
def test_a_column_that_is_none_is_refused_and_nothing_changes(pages, project, name):
    choose(pages, project, "latency")
    refused = choose(pages, project, "time", name, headers=HTMX)
    assert refused.status_code == 422 and "is no column; send some of prompt, completion" in refused.content.decode()
    assert choose(pages, project, name).status_code == 302
    assert ChosenColumns.objects.get().columns == ["prompt", "latency"]


def test_a_stranger_chooses_nothing_and_a_reader_of_an_archived_project_does(pages, project, client, owner):
    archive_project(project=project)
    make_interaction(make_project())
    assert choose(pages, project, "time").status_code == 302
    client.force_login(make_user(team=make_team()))
    assert choose(client, project, "model").status_code == 404
    assert ChosenColumns.objects.get().columns == ["prompt", "time"]


def test_a_changed_row_and_a_folded_table_keep_to_the_choice(pages, project, told):
    make_interaction(project, messages=[{"role": "user", "content": "A leak?"}], completion="Covered.")
    choose(pages, project, "latency", "feedback")
    here = f"http://testserver{list_url(project)}"
    changed = pages.post(
        reverse("label_set", kwargs={"project": project.key, "pk": told.pk}),
        {"label": "a", "table": "1"},
        headers={**HTMX, "HX-Current-URL": here},
    )
    row = changed.content.decode().partition(f'hx-target="#i-{told.pk}"')[2].partition("</hx-partial>")[0]
    assert "1.24 s" in row and "thumbs-up" in row and "Covered." not in row and "d-labels" not in row
    folded = pages.get(list_url(project), {"fold": "near"}).content.decode()
    assert ">Alike</th>" in folded and "2 alike</a>" in folded and "curt" not in folded.partition("<tbody>")[2]


def test_what_a_person_chose_goes_with_the_project(pages, project):
    choose(pages, project, "time")
    delete_all_of(project=project)
    assert not ChosenColumns.objects.exists() and User.objects.exists()
