"""Metadata as a filter: by what was sent, at every door, and from one interaction to all with the same."""

import html
import json
import re

import pytest
from django.db import connection
from django.urls import reverse

from interactions.search import following
from tests.conftest import Api
from tests.factories import make_interaction, make_user, owner_of

pytestmark = pytest.mark.django_db
SENT = {
    "tenant": "acme",
    "a:b|c\\": 'd:e|f\\ \u00e9\U0001f642\n"said"\x7f',
    "empty": "",
    "on": True,
    "off": False,
    "none": None,
    "whole": 12345678901234567890,
    "share": -1.5e-7,
    "list": ["a", {"b": 1}],
    "object": {},
}


@pytest.fixture
def pages(client, project):
    client.force_login(owner_of(project))
    return client


def table(project):
    return reverse("interaction_list", kwargs={"project": project.key})


def found(api, project, *metadata, **query):
    answer = api.get("interactions", {"project": project.key, "fields": "id", "metadata": metadata, **query})
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["results"]]


def test_each_value_of_the_detail_leads_to_all_with_the_same(pages, project):
    made = make_interaction(project, metadata=SENT)
    make_interaction(project, metadata={name: f"{value}x" for name, value in SENT.items()}, labels={"tenant": "acme"})
    here = reverse("interaction_detail", kwargs={"project": project.key, "pk": made.pk})
    links = re.findall(r'<a class="link" href="([^"]*)" title="All with this">', pages.get(here).content.decode())
    assert len(links) == len(SENT)
    for link in links:
        page = pages.get(html.unescape(link))
        assert [row.pk for row in page.context["page"].rows] == [made.pk], link


def test_what_is_too_long_for_an_address_or_is_usage_has_no_link(pages, project):
    made = make_interaction(project, metadata={"long": "x" * 201, "k" * 201: "1", "": "2"}, usage={"cached": 3})
    here = reverse("interaction_detail", kwargs={"project": project.key, "pk": made.pk})
    assert "All with this" not in pages.get(here).content.decode()


def test_on_the_page_it_is_typed_ticked_and_taken_away_again(pages, project):
    made = make_interaction(project, metadata={"tenant": "acme", "try": 2})
    make_interaction(project, metadata={"tenant": "other", "try": 2})
    page = pages.get(table(project), {"metadata": "tenant:acme|none", "metadata.add": " try ", "go": "1"}, follow=True)
    assert page.redirect_chain == [(f"{table(project)}?metadata=tenant%3Aacme%7Cnone&metadata=try", 302)]
    assert [row.pk for row in page.context["page"].rows] == [made.pk]
    chips = {(chip.kind, chip.text) for chip in page.context["chips"]}
    assert chips == {("metadata is", "tenant:acme or none"), ("has metadata", "try")}
    facets = reverse("interaction_facets", kwargs={"project": project.key})
    for form in (page, pages.get(facets, {"metadata": ["tenant:acme|none", "try"]})):
        ticked = re.findall(r'name="metadata" value="([^"]*)" checked', form.content.decode())
        assert ticked == ["tenant:acme|none", "try"]
    [without] = [chip.without for chip in page.context["chips"] if chip.text == "try"]
    assert without == f"{table(project)}?metadata=tenant%3Aacme%7Cnone"
    page = pages.get(table(project), {"metadata": ":x"})
    assert page.status_code == 400 and "It is written key or key:value." in page.content.decode()


def test_facets_histogram_and_what_arrives_are_of_what_has_it(api, pages, project, monkeypatch):
    monkeypatch.setattr(following, "UNTOLD", following._TICK)
    moment = "2026-01-01T00:00:00Z"
    for tenant, label in (("acme", "a"), ("acme", "b"), ("other", "a")):
        make_interaction(project, metadata={"tenant": tenant}, labels={"is": label})
    query = {"metadata": "tenant:acme"}
    page = pages.get(reverse("interaction_facets", kwargs={"project": project.key}), query)
    assert page.context["counted"] == (2, False)
    assert sorted((one.label.value, one.n) for one in page.context["facets"].labels) == [("a", 1), ("b", 1)]
    assert [bar["title"].rpartition(": ")[2] for bar in page.context["timeline"].bars if bar["height"]] == ["2"]
    arrived = pages.get(
        reverse("interaction_arrivals", kwargs={"project": project.key}), {**query, "since": moment, "shown": 1}
    )
    assert arrived.context["n"] == 1
    followed = api.get("interactions", {"project": project.key, **query, "order": "received_at"}).json()
    assert len(followed["results"]) == 2
    view = api.post(
        f"projects/{project.key}/views", {"name": "Acme", "filter": "metadata=tenant%3Aacme&user=+u"}
    ).json()
    assert view["filter"] == "user=+u&metadata=tenant%3Aacme"


def test_what_was_logged_before_nul_was_refused_is_found_beside_the_rest(api, project):
    rows = [make_interaction(project, metadata={"tenant": "acme"}) for _ in range(2)]
    odd = {"metadata": {"tenant": "acme", "note": "\x00", "path": "\\u0000"}}
    with connection.cursor() as cursor:
        stored = "UPDATE interactions_interactionbody SET envelope = %s::json WHERE id = %s"
        cursor.execute(stored, [json.dumps(odd), rows[0].pk])
    assert found(api, project, "tenant:acme", order="created_at") == [str(row.pk) for row in rows]
    assert found(api, project, "tenant:acme", "note") == [str(rows[0].pk)]


def test_of_another_project_nothing_is_found(api, client, project):
    made = make_interaction(project, metadata={"tenant": "acme"})
    stranger = make_user()
    assert found(api, project, "tenant:acme") == [str(made.pk)]
    query = {"project": project.key, "metadata": "tenant:acme"}
    assert Api(client, stranger).get("interactions", query).status_code == 404
    client.force_login(stranger)
    assert client.get(table(project), {"metadata": "tenant:acme"}).status_code == 404
