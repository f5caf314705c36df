"""Labels and deletion by the pages' forms, with scripts (htmx) and without."""

import html
import re
from urllib.parse import urljoin

import pytest
from django.urls import reverse

from interactions.labels import labels_of
from interactions.models import Interaction, Label
from tests.factories import make_interaction

HTMX = {"HX-Request": "true"}


@pytest.fixture
def pages(client, owner):
    client.force_login(owner)
    return client


def url(name, project, interaction=None):
    kwargs = {"project": project.key, **({"pk": interaction.pk} if interaction else {})}
    return reverse(name, kwargs=kwargs)


def labels(interaction):
    (row,) = labels_of([Interaction.objects.get(pk=interaction.pk)])
    return {label.key: label.value for label in row.labels}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("intent:refund", {"intent": "refund"}),
        ("  intent :  refund ", {"intent": "refund"}),
        ("urgent", {"urgent": "yes"}),
        ("time:10:30", {"time": "10:30"}),
        ("eval\\:toxicity:high", {"eval:toxicity": "high"}),
        ("path:C:\\temp", {"path": "C:\\temp"}),
    ],
)
def test_a_label_is_set_as_it_is_typed(pages, project, typed, expected):
    made = make_interaction(project)
    response = pages.post(
        url("label_set", project, made), {"label": typed, "next": url("interaction_detail", project, made)}
    )
    assert response["Location"] == url("interaction_detail", project, made)
    assert labels(made) == expected


@pytest.mark.parametrize("typed", ["", "key:", ":value", "k" * 101 + ":v", "k:" + "v" * 501, "a:\x00"])
def test_what_is_no_label_is_refused_and_nothing_changes(pages, project, typed):
    made = make_interaction(project, labels={"a": "b"})
    response = pages.post(url("label_set", project, made), {"label": typed}, headers=HTMX)
    assert response.status_code == 422
    assert b'role="alert"' in response.content
    assert labels(made) == {"a": "b"}


def test_htmx_gets_the_row_the_labels_a_way_back_and_word_that_counts_changed(pages, project):
    made = make_interaction(project)
    here = f"http://testserver{url('interaction_detail', project, made)}?q=covered"
    response = pages.post(
        url("label_set", project, made),
        {"label": "intent:refund", "table": "1"},
        headers={**HTMX, "HX-Current-URL": here},
    )
    text = response.content.decode()
    for target in (f"#i-{made.pk}", f"#labels-{made.pk}", f"#history-{made.pk}"):
        assert f'hx-target="{target}"' in text, target
    assert "kit:counts" in response["HX-Trigger"]
    facets = pages.get(reverse("interaction_facets", kwargs={"project": project.key}), {"q": "covered"}, headers=HTMX)
    assert [(str(one.label), one.n) for one in facets.context["facets"].labels] == [("intent:refund", 1)]
    assert 'data-key="u"' in text
    assert response.context["toast"]["token"]
    assert "?q=covered" in text


def test_undo_takes_the_change_back_and_only_once(pages, project):
    made = make_interaction(project, labels={"intent": "refund"})
    changed = pages.post(url("label_set", project, made), {"label": "intent:claim"}, headers=HTMX)
    token = changed.context["toast"]["token"]
    assert labels(made) == {"intent": "claim"}
    undone = pages.post(url("label_undo", project), {"token": token}, headers=HTMX)
    assert undone.status_code == 200
    assert labels(made) == {"intent": "refund"}
    again = pages.post(url("label_undo", project), {"token": token}, headers=HTMX)
    assert "Somebody changed it since" in again.content.decode()
    assert pages.post(url("label_undo", project), {"token": "x"}, headers=HTMX).status_code == 422


def test_the_detail_tells_who_set_each_label_and_when(pages, project, owner):
    made = make_interaction(project, labels={"intent": "refund"})
    detail = url("interaction_detail", project, made)
    assert "intent:refund, logged with the interaction" in pages.get(detail).content.decode()
    pages.post(url("label_set", project, made), {"label": "intent:claim"})
    text = pages.get(detail).content.decode()
    assert f"intent:claim, set by {owner}, " in text
    assert 'id="history-' in text and "changed" in text


def test_a_label_is_taken_away(pages, project):
    made = make_interaction(project, labels={"intent": "refund"})
    assert pages.post(url("label_remove", project, made), {"key": "intent"}).status_code == 302
    assert labels(made) == {}
    assert pages.post(url("label_remove", project, made), {"key": "intent"}).status_code == 404


def test_without_scripts_the_next_page_says_what_happened_and_offers_undo(pages, project):
    made = make_interaction(project)
    detail = url("interaction_detail", project, made)
    pages.post(url("label_set", project, made), {"label": "a:b", "next": detail})
    text = pages.get(detail).content.decode()
    assert "Labelled a:b" in text and 'name="token"' in text
    assert "Labelled a:b" not in pages.get(detail).content.decode()


@pytest.mark.parametrize("after", ["https://evil.example/", "//evil.example", "/p/other/interactions", "javascript:x"])
def test_forms_lead_back_into_the_project_alone(pages, project, after):
    made = make_interaction(project)
    response = pages.post(url("label_set", project, made), {"label": "a:b", "next": after})
    assert response["Location"] == url("interaction_list", project)


def test_ticked_rows_are_labelled_together_and_labels_taken_away(pages, project):
    ticked = [make_interaction(project, labels={"a": "b"}) for _ in range(3)]
    other = make_interaction(project)
    ids = [row.pk for row in ticked]
    response = pages.post(url("label_many", project), {"id": ids, "label": "gold", "table": "1"}, headers=HTMX)
    assert "Labelled 3 interactions gold:yes" in response.content.decode()
    assert [labels(row) for row in ticked] == [{"a": "b", "gold": "yes"}] * 3
    assert labels(other) == {}
    pages.post(url("label_many", project), {"id": ids, "label": "-a"}, headers=HTMX)
    assert [labels(row) for row in ticked] == [{"gold": "yes"}] * 3


@pytest.mark.parametrize("ids", [["x"], ["1"] * 3, ["0" * 32] * 1001])
def test_ids_that_are_none_are_refused(pages, project, ids):
    assert pages.post(url("label_many", project), {"id": ids, "label": "a:b"}).status_code == 400


def test_nothing_ticked_is_said(pages, project):
    assert pages.post(url("label_many", project), {"label": "a:b"}, headers=HTMX).status_code == 422


def test_suggestions_mark_what_was_typed_and_offer_a_new_label(pages, project):
    make_interaction(project, labels={"policy": "HH-200", "intent": "policy-terms"})
    text = pages.get(url("label_suggest", project), {"label": "pol"}).content.decode()
    assert text.count('role="option"') == 3
    assert "<mark>pol</mark>icy" in text
    assert "Create “pol:yes”" in text
    exact = pages.get(url("label_suggest", project), {"label": "policy:HH-200"}).content.decode()
    assert "Create" not in exact


def suggested(pages, project, typed, box="label"):
    """What choosing each suggestion writes into the box."""
    name = "label.add" if box == "label-add" else "label"
    text = pages.get(url("label_suggest", project), {"box": box, name: typed}).content.decode()
    return [html.unescape(one) for one in re.findall('data-value="([^"]*)"', text)]


@pytest.mark.parametrize(
    ("key", "value", "typed"),
    [
        ("eval:toxicity", "high", "tox"),
        ("eval:toxicity", "high", "eval:tox"),
        ("path", "C:\\temp", "path"),
        ("-1", "low", "low"),
        ("a\\", "b|c", "b|c"),
    ],
)
def test_a_suggestion_sets_and_takes_away_the_label_that_it_names(pages, project, key, value, typed):
    make_interaction(project, labels={key: value})
    made, ticked = make_interaction(project, labels={"eval": "x"}), make_interaction(project, labels={"eval": "x"})
    [taken, *_] = suggested(pages, project, typed)
    assert suggested(pages, project, taken) == [taken]  # and no other is to be made
    pages.post(url("label_set", project, made), {"label": taken}, headers=HTMX)
    pages.post(url("label_many", project), {"id": [ticked.pk], "label": taken}, headers=HTMX)
    assert labels(made) == labels(ticked) == {"eval": "x", key: value}
    [away] = suggested(pages, project, f"-{taken}", "bulk-label")
    pages.post(url("label_set", project, made), {"label": away}, headers=HTMX)
    pages.post(url("label_many", project), {"id": [ticked.pk], "label": away}, headers=HTMX)
    assert labels(made) == labels(ticked) == {"eval": "x"}
    [*_, asked] = suggested(pages, project, typed, "label-add")  # behind the key, with any value of it
    page = pages.get(url("interaction_list", project), {"label.add": asked}, follow=True)
    assert [row.labels[0].key for row in page.context["page"].rows] == [key]


def test_a_label_that_no_box_can_hold_is_not_suggested(pages, project):
    make_interaction(project, labels={" chat": "a", "chat": "b\nc"})
    assert suggested(pages, project, "chat") == ["chat:yes"]
    assert suggested(pages, project, "-chat") == ["-chat"]


def test_what_is_taken_away_of_one_is_told_and_can_be_undone(pages, project):
    made = make_interaction(project, labels={"intent": "refund"})
    gone = pages.post(url("label_set", project, made), {"label": "-intent"}, headers=HTMX)
    assert ("Took intent away" in gone.content.decode(), labels(made)) == (True, {})
    again = pages.post(url("label_set", project, made), {"label": "-intent"}, headers=HTMX)
    assert "It has no label intent" in again.content.decode()
    pages.post(url("label_undo", project), {"token": gone.context["toast"]["token"]}, headers=HTMX)
    assert labels(made) == {"intent": "refund"}


def test_suggestions_show_hostile_labels_harmlessly(pages, project):
    make_interaction(project, labels={"<i>x": '"><script>'})
    text = pages.get(url("label_suggest", project), {"label": "<i>x"}).content.decode()
    assert "<script>" not in text and "<i>x" not in text


ODD = ["a\nb\r\n", ".", "..", "a/../b", "a//b", "/a/", "~a", "~", "a?b#c%2F", " a ", "a\\..\\b"]


def followed(pages, page, start):
    """The answer to the page's one link that starts so, after a browser has resolved its dots."""
    [link] = re.findall(rf'href="({start}[^"]*)"', page.content.decode())
    return pages.get(urljoin("http://testserver/", html.unescape(link)))


@pytest.mark.parametrize("odd", ODD)
def test_whatever_a_session_or_a_key_is_called_its_page_is_found(pages, project, odd):
    made = make_interaction(project, session_id=odd, labels={"plain": "v"})
    Label.objects.update(key=odd)  # what no door takes may be stored from before
    session = followed(pages, pages.get(url("interaction_detail", project, made)), f"/p/{project.key}/sessions/")
    assert (session.status_code, session.context["session"]) == (200, odd)
    key = followed(pages, pages.get(url("label_key_list", project)), f"/p/{project.key}/labels/keys/")
    assert (key.status_code, key.context["use"].key) == (200, odd)


def test_a_long_session_goes_on_under_whatever_name(pages, project, monkeypatch):
    monkeypatch.setattr("interactions.views.sessions.ROWS", 1)
    for _ in range(2):
        made = make_interaction(project, session_id="a?b\nc")
    first = followed(pages, pages.get(url("interaction_detail", project, made)), f"/p/{project.key}/sessions/")
    second = pages.get(first.context["more"])
    assert (second.context["session"], len(second.context["turns"]), second.context["more"]) == ("a?b\nc", 1, "")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("2026-05-01", "2026-05-01T02:00"),
        ("2026-05-01T10:00:07Z", "2026-05-01T12:00:07"),
        ("2026-05-01T10:00:07.250Z", "2026-05-01T12:00:07.250"),
        ("1777627507000", "2026-05-01T11:25:07"),
    ],
)
def test_the_time_menu_holds_an_end_however_it_was_written(pages, project, asked, shown):
    pages.cookies["tz"] = "Europe/Berlin"
    page = pages.get(url("interaction_list", project), {"after": asked}, follow=True)
    assert f'name="time.after" value="{shown}"' in page.content.decode()


def test_deleting_asks_first(pages, project):
    made = make_interaction(project)
    page = pages.get(url("interaction_delete", project, made))
    assert b"Delete 1 interaction?" in page.content
    assert pages.post(url("interaction_delete_many", project), {"id": made.pk}).status_code == 200
    assert Interaction.objects.filter(pk=made.pk).exists()


def test_one_and_many_are_deleted_and_said(pages, project):
    made = [make_interaction(project) for _ in range(3)]
    stays = make_interaction(project)
    form = {"id": [row.pk for row in made], "sure": "1"}
    response = pages.post(url("interaction_delete_many", project) + "?q=covered", form)
    assert response["Location"] == url("interaction_list", project) + "?q=covered"
    assert list(Interaction.objects.filter(project=project)) == [stays]
    assert "Deleted 3 interactions" in pages.get(url("interaction_list", project)).content.decode()


def test_htmx_asks_in_a_dialog_and_is_told_to_look_again(pages, project):
    made = make_interaction(project)
    asked = pages.post(url("interaction_delete_many", project), {"id": made.pk, "table": "1"}, headers=HTMX)
    assert b"<dialog" in asked.content
    form = {"id": made.pk, "table": "1", "sure": "1"}
    gone = pages.post(url("interaction_delete_many", project), form, headers=HTMX)
    assert "kit:deleted" in gone["HX-Trigger"]
    assert not Interaction.objects.filter(pk=made.pk).exists()
