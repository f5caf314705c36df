"""Notes on an interaction, over REST and from its page: written, edited, deleted, undone, found; who may do what."""

import html
import re

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry
from interactions import notes
from interactions.ingest.removal import delete_interactions
from interactions.models import Interaction, Note
from interactions.notes import write_note
from tests.conftest import Api
from tests.factories import make_interaction, make_team, make_user, owner_of
from tests.reviews.queues import Desk, make_queue

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def row(project):
    return make_interaction(project)


def of_role(project, role):
    """Somebody of this role in the project's team, with what she calls; None is a stranger."""
    user = make_user(team=project.team, role=role) if role else make_user(team=make_team())
    return Api(Client(), user)


def thread(api, row):
    return [one["text"] for one in api.get(f"interactions/{row.pk}/notes").json()["results"]]


def page_of(row):
    return reverse("interaction_detail", kwargs={"project": row.project.key, "pk": row.pk})


def text_of(client, address):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", client.get(address).content.decode())))


def test_a_note_is_written_edited_and_deleted_and_the_history_keeps_what_it_said(api, owner, row):
    here = f"interactions/{row.pk}"
    first = api.post(f"{here}/notes", {"text": "  Wrong plan?\r\n\r\nSee the policy. "})
    assert first.status_code == 201
    first, second = first.json(), api.post(f"{here}/notes", {"text": "No."}).json()
    assert (first["text"], first["edited_at"]) == ("Wrong plan?\n\nSee the policy.", None)
    assert first["by"] == {"name": str(owner), "email": owner.email}
    address = f"{here}/notes/{first['id']}"
    edited = api.send("patch", address, {"text": "Wrong fee?"}).json()
    assert (edited["id"], edited["text"], edited["created_at"]) == (first["id"], "Wrong fee?", first["created_at"])
    assert edited["edited_at"] and api.send("patch", address, {"text": "Wrong fee?"}).json() == edited
    assert thread(api, row) == ["Wrong fee?", "No."]
    assert api.get(here).json()["notes"] == 2
    assert api.delete(f"{here}/notes/{second['id']}").status_code == 204
    assert thread(api, row) == ["Wrong fee?"] and api.get(here).json()["notes"] == 1
    assert api.delete(f"{here}/notes/{second['id']}").status_code == 404
    told = api.get(f"{here}/history").json()["results"]
    assert [(one["what"], one["note"]["text"], (one["former_note"] or {}).get("text")) for one in told] == [
        ("note_deleted", "No.", "No."),
        ("note", "Wrong fee?", "Wrong plan?\n\nSee the policy."),
        ("note", "No.", None),
        ("note", "Wrong plan?\n\nSee the policy.", None),
    ]
    assert not AuditEntry.objects.filter(verb__startswith="note.").exists()


@pytest.mark.parametrize("text", ["", " \n", "x" * 10_001, "a\0b", "\ud800", 7, None, ["a"], {}], ids=repr)
def test_what_is_no_note_is_refused(api, row, text):
    written = api.post(f"interactions/{row.pk}/notes", {"text": "a"}).json()
    for answer in (
        api.post(f"interactions/{row.pk}/notes", {"text": text}),
        api.send("patch", f"interactions/{row.pk}/notes/{written['id']}", {"text": text}),
    ):
        assert (answer.status_code, list(answer.json()["fields"])) == (400, ["text"])
    assert api.post(f"interactions/{row.pk}/notes", {"text": "b", "by": "me"}).status_code == 400
    assert thread(api, row) == ["a"]


def test_an_interaction_takes_so_many_notes(api, row, monkeypatch):
    monkeypatch.setattr(notes, "MOST", 1)
    assert api.post(f"interactions/{row.pk}/notes", {"text": "a"}).status_code == 201
    refused = api.post(f"interactions/{row.pk}/notes", {"text": "b"})
    assert (refused.status_code, thread(api, row)) == (409, ["a"])


@pytest.mark.parametrize(
    ("role", "read", "write", "edit", "delete"),
    [
        ("administrator", 200, 201, 403, 204),
        ("reviewer", 200, 201, 403, 204),
        ("annotator", 200, 201, 403, 403),
        ("program", 200, 201, 403, 403),
        ("auditor", 200, 403, 403, 403),
        (None, 404, 404, 404, 404),
    ],
)
def test_who_may_do_what_with_anothers_note(project, owner, row, role, read, write, edit, delete):
    one, other = write_note(interaction=row, text="Mine", by=owner), of_role(project, role)
    here = f"interactions/{row.pk}/notes"
    there = f"{here}/{one.note_id}"
    assert other.get(here).status_code == read
    assert other.send("patch", there, {"text": "Hers"}).status_code == edit
    assert other.delete(there).status_code == delete
    assert other.post(here, {"text": "Hers"}).status_code == write
    told = AuditEntry.objects.filter(verb="note.delete")
    if delete == 204:
        [line] = told
        assert (line.actor, line.object) == (other.user, f"{owner.email} on the interaction {row.pk}")
        assert "Mine" not in str(line.before)
    else:
        assert not told.exists() and one.note_id in [note.note_id for note in Note.objects.filter(superseded_by=None)]


def test_a_note_is_found_at_its_interaction_alone(api, project, owner, row):
    one = write_note(interaction=row, text="Mine", by=owner)
    other = make_interaction(project)
    assert api.delete(f"interactions/{other.pk}/notes/{one.note_id}").status_code == 404
    assert api.send("patch", f"interactions/{other.pk}/notes/{one.id}", {"text": "x"}).status_code == 404
    assert thread(api, row) == ["Mine"]


def test_notes_are_a_filter_a_mark_in_the_table_and_a_number_over_rest(client, api, project, owner, row):
    rest = [make_interaction(project, completion=f"{n}") for n in range(3)]
    for text in ("a", "b"):
        write_note(interaction=row, text=text, by=owner)
    gone = write_note(interaction=rest[0], text="c", by=owner)
    assert api.delete(f"interactions/{rest[0].pk}/notes/{gone.note_id}").status_code == 204
    simulated = make_interaction(project, source="simulation")
    write_note(interaction=simulated, text="d", by=owner)

    def found(**query):
        told = api.get("interactions", {"project": project.key, "fields": "id,notes", **query}).json()["results"]
        return {one["id"]: one["notes"] for one in told}

    assert found(has_notes="true") == {str(row.pk): 2}
    assert found(has_notes="false") == {str(one.pk): 0 for one in rest}
    assert found(has_notes="true", source="simulation") == {str(simulated.pk): 1}
    assert api.get("interactions", {"project": project.key, "has_notes": "some"}).status_code == 400
    client.force_login(owner)
    table = client.get(reverse("interaction_list", kwargs={"project": project.key}), {"has_notes": "true"})
    text = table.content.decode()
    assert 'name="has_notes" value="true" checked' in text and '2<span class="vh"> notes</span>' in text


def test_whatever_takes_an_interaction_takes_its_notes(project, owner, row):
    write_note(interaction=row, text="a", by=owner)
    delete_interactions(project=project, ids=[row.pk], by=owner)
    assert not Note.objects.exists()


# -- the page ---------------------------------------------------------------------------------------
def post(client, row, path, headers=HTMX, **form):
    here = f"http://testserver{page_of(row)}"
    return client.post(f"{page_of(row)}/{path}", form, headers={**headers, "HX-Current-URL": here})


def undo(client, row, answer):
    token = re.search(r'name="token" value="([^"]+)"', answer.content.decode())[1]
    return client.post(reverse("note_undo", kwargs={"project": row.project.key}), {"token": token}, headers=HTMX)


def test_each_change_from_the_page_is_undone_once(client, api, owner, row):
    client.force_login(owner)
    written = post(client, row, "notes", text="First")
    assert f'hx-target="#notes-{row.pk}"' in written.content.decode() and "Note written" in written.content.decode()
    assert undo(client, row, written).status_code == 200 and thread(api, row) == []
    assert undo(client, row, written).status_code == 422
    post(client, row, "notes", text="Second")
    [note] = api.get(f"interactions/{row.pk}/notes").json()["results"]
    edited = post(client, row, f"notes/{note['id']}", text="Third")
    undo(client, row, edited)
    assert api.get(f"interactions/{row.pk}/notes").json()["results"] == [note]  # not even edited any more
    same = post(client, row, f"notes/{note['id']}", text="Second")
    assert "As it was" in same.content.decode() and 'name="token"' not in same.content.decode()
    deleted = post(client, row, f"notes/{note['id']}", delete="1")
    assert thread(api, row) == []
    undo(client, row, deleted)
    assert api.get(f"interactions/{row.pk}/notes").json()["results"] == [note]
    text = text_of(client, page_of(row))
    assert "put back the note" in text and "deleted the note" in text and "edited the note" in text
    assert "wrote a note What it said First" in text


def test_what_a_lead_did_she_alone_takes_back_and_the_log_tells_both(client, api, project, owner, row):
    note = write_note(interaction=row, text="Mine", by=owner)
    client.force_login(make_user(team=project.team, role="reviewer"))
    deleted = post(client, row, f"notes/{note.note_id}", delete="1")
    other = Client()
    other.force_login(owner)
    assert undo(other, row, deleted).status_code == 422 and thread(api, row) == []
    assert f"deleted the note of {owner.name} {owner.email}" in text_of(client, page_of(row))
    undo(client, row, deleted)
    [told] = api.get(f"interactions/{row.pk}/notes").json()["results"]
    assert (told["text"], told["by"]["email"]) == ("Mine", owner.email)
    assert [one.verb for one in AuditEntry.objects.filter(verb__startswith="note.").order_by("pk")] == [
        "note.delete", "note.restore",
    ]  # fmt: skip


def test_a_hostile_note_is_shown_as_text_and_its_addresses_as_links(client, owner, row):
    said = 'A <b>bold</b>\nhttps://example.org/a?b=1&c="2". javascript:alert(1) http://x\u202ey'
    write_note(interaction=row, text=said, by=owner)
    client.force_login(owner)
    text = client.get(page_of(row)).content.decode()
    link = '<a class="link" href="https://example.org/a?b=1&amp;c=" rel="noreferrer noopener nofollow" target="_blank"'
    assert f"A &lt;b&gt;bold&lt;/b&gt;<br>{link}" in text and 'href="javascript' not in text
    assert 'href="http://x' not in text and '<span class="control"' in text


def test_without_scripts_the_page_comes_back_and_what_was_refused_is_not_lost(client, api, owner, row):
    client.force_login(owner)
    written = post(client, row, "notes", headers={}, text="First", next=page_of(row))
    assert written.status_code == 302 and "Note written" in client.get(written["Location"]).content.decode()
    [note] = api.get(f"interactions/{row.pk}/notes").json()["results"]
    for path in ("notes", f"notes/{note['id']}"):
        refused = post(client, row, path, headers={}, text=f"{path} too long" + "x" * 10_000, next=page_of(row))
        assert refused.status_code == 422
        assert f"{path} too longxxx" in refused.content.decode()
        assert len(re.findall(r'<details class="mend[^>]* open>', refused.content.decode())) == 1
    assert thread(api, row) == ["First"]


def test_who_only_reads_sees_the_notes_and_no_form(client, project, owner, row):
    write_note(interaction=row, text="Read me", by=owner)
    client.force_login(make_user(team=project.team, role="auditor"))
    text = client.get(page_of(row)).content.decode()
    assert "Read me" in text and "notes/" not in text and 'data-key="m"' not in text
    assert post(client, row, "notes", text="x").status_code == 403


def test_the_desk_tells_no_note_ahead_of_an_answer_in_a_blind_queue(client, project):
    queue = make_queue(project, n=1, reviewers=2)
    item = queue.items.get()
    shown = Interaction.objects.select_related("project").get(pk=item.interaction_id)
    write_note(interaction=shown, text="It is plainly wrong", by=owner_of(project))
    desk = Desk(queue)
    assert "plainly wrong" not in str(desk.next())
    client.force_login(desk.user)
    page = client.get(reverse("desk", kwargs={"project": project.key, "queue": queue.key}), follow=True)
    assert page.status_code == 200 and "plainly wrong" not in page.content.decode()
