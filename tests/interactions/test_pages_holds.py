"""Legal holds in the pages, without scripts and with htmx: who sees the control, what it does, what it shows."""

import pytest

from interactions.models import Hold
from interactions.retention.holds import hold, release
from tests.factories import make_interaction, make_team, make_user, owner_of

HTMX = {"HX-Request": "true"}


@pytest.fixture
def row(project):
    return make_interaction(project)


def page(client, row):
    return client.get(f"/p/{row.project.key}/interactions/{row.pk}").content.decode()


def test_it_is_held_and_released_on_its_page(client, owner, row):
    client.force_login(owner)
    assert "While one stands, nobody can delete it" in page(client, row)
    address = f"/p/{row.project.key}/interactions/{row.pk}"
    answer = client.post(f"{address}/hold", {"reason": "Case <7>", "next": address}, follow=True)
    assert "Held: nobody can delete it" in answer.content.decode()
    assert "Case &lt;7&gt;" in page(client, row)
    client.post(f"{address}/release", {"reason": "Settled"})
    shown = page(client, row)
    assert "released: <bdi>Settled</bdi>" in shown and "Why it must be kept" in shown
    assert Hold.objects.get().released_by == owner


def test_with_htmx_the_part_alone_is_answered(client, owner, row):
    client.force_login(owner)
    address = f"/p/{row.project.key}/interactions/{row.pk}"
    here = HTMX | {"HX-Current-URL": f"http://testserver{address}"}
    answer = client.post(f"{address}/hold", {"reason": "Case 7"}, headers=here).content.decode()
    assert f'hx-target="#hold-{row.pk}"' in answer and "<b>Held</b>" in answer and "<html" not in answer


@pytest.mark.parametrize("reason", ["", " ", "x" * 501, "a\0b"])
def test_without_a_reason_nothing_is_held(client, owner, row, reason):
    client.force_login(owner)
    address = f"/p/{row.project.key}/interactions/{row.pk}/hold"
    answer = client.post(address, {"reason": reason}, headers=HTMX)
    assert (answer.status_code, "toast error" in answer.content.decode()) == (422, True)
    assert not Hold.objects.exists()


@pytest.mark.parametrize(("role", "status"), [("engineer", 302), ("reviewer", 403), ("auditor", 403), (None, 404)])
def test_who_manages_the_project_holds_the_others_see_it(client, owner, row, role, status):
    hold(project=row.project, ids=[row.pk], reason="Case 7", by=owner)
    client.force_login(make_user(team=row.project.team, role=role) if role else make_user(team=make_team()))
    address = f"/p/{row.project.key}/interactions/{row.pk}"
    assert client.post(f"{address}/release").status_code == status
    assert client.post(f"{address}/hold", {"reason": "Mine"}).status_code == status
    if role:
        assert ('name="reason"' in page(client, row)) == (status == 302)
        assert ("Case 7" in page(client, row)) is True


def test_ticked_rows_are_held_after_a_question(client, owner, project):
    rows = [make_interaction(project) for _ in range(3)]
    client.force_login(owner)
    address, ids = f"/p/{project.key}/interactions/hold", [row.pk for row in rows[:2]]
    asked = client.post(address, {"id": ids}).content.decode()
    assert "Hold 2 interactions?" in asked and 'name="reason"' in asked
    answer = client.post(address, {"id": ids, "reason": "Case 7"}, follow=True).content.decode()
    assert "Held 2 interactions" in answer
    assert set(Hold.objects.values_list("interaction_id", flat=True)) == set(ids)
    again = client.post(address, {"id": [*ids, rows[2].pk], "reason": "Case 8"}, follow=True).content.decode()
    assert "Held 1 interaction" in again
    assert client.post(address, {"id": []}, headers=HTMX).status_code == 422
    assert client.post(address, {"id": ["7"], "reason": "Case 8"}).status_code == 400


def test_a_held_interaction_is_listed_in_the_settings_with_its_reason(client, owner, row):
    hold(project=row.project, ids=[row.pk], reason="Case <7>", by=owner)
    client.force_login(owner)
    shown = client.get(f"/p/{row.project.key}/settings").content.decode()
    assert "1 under a legal hold" in shown and "Case &lt;7&gt;" in shown and str(row.pk) in shown
    release(project=row.project, ids=[row.pk], by=owner)
    assert "under a legal hold" not in client.get(f"/p/{row.project.key}/settings").content.decode()


def test_a_held_one_cannot_be_deleted_on_its_page(client, project, row):
    hold(project=project, ids=[row.pk], reason="Case 7", by=owner_of(project))
    client.force_login(owner_of(project))
    answer = client.post(f"/p/{project.key}/interactions/delete", {"id": row.pk, "sure": 1}, follow=True)
    assert "Deleted 0 interactions; 1 stays: under a legal hold" in answer.content.decode()
    assert "<b>Held</b>" in page(client, row)
