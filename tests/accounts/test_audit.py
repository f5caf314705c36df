"""Who changed what, kept for good."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, AuditEntry
from accounts.permissions import AUDIT, ROLES
from exports.places import file_of, make_folder
from exports.services import begin_export
from interactions.labels.renames import begin_rename
from jobs.models import Job, State
from projects.models import Project
from tests.conftest import Api
from tests.factories import bearer, make_interaction, make_team, make_user, owner_of

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/teams/claims/audit"


@pytest.fixture
def owner(client):
    user = make_user("owner@example.org")
    client.force_login(user)
    return user


@pytest.fixture
def team(owner):
    return make_team("claims", owner=owner)


@pytest.fixture
def done(client, owner, team):
    """A project made, changed and deleted by key; a role changed on the page. The key's headers."""
    headers = bearer(owner)
    sent = {"content_type": "application/json", "headers": headers}
    client.post("/api/v1/projects", {"key": "motor", "name": "Motor"}, **sent)
    client.patch("/api/v1/projects/motor", {"name": "Motor", "keep_days": 30}, **sent)
    client.delete("/api/v1/projects/motor", **sent)
    jo = make_user("jo@example.org", team=team, role="reviewer")
    client.post(reverse("member_role", args=["claims", jo.memberships.get().pk]), {"role": "engineer"})
    return headers


def lines(client, headers, **words):
    return client.get(ADDRESS, words, headers=headers).json()


def test_a_line_tells_who_by_which_key_what_and_how_it_was_before(client, done, owner):
    found = lines(client, done)["results"]
    assert [one["verb"] for one in found] == [
        "member.role", "member.add", "project.delete", "project.keep", "project.create",
        "key.create", "member.add", "team.create",
    ]  # fmt: skip
    role, keep = found[0], found[3]
    assert (role["actor"]["email"], role["key"], role["object"]) == ("owner@example.org", None, "jo@example.org")
    assert (role["before"], role["after"]) == ({"role": "reviewer"}, {"role": "engineer"})
    assert (keep["key"]["hint"], keep["project"]) == (ApiKey.objects.get().hint, "motor")
    assert (keep["before"], keep["after"]) == ({"keep_days": None}, {"keep_days": 30})
    page = client.get(reverse("audit_log", args=["claims"])).content.decode()
    assert "changed the role of jo@example.org" in page and "<ins>engineer</ins>" in page
    assert AuditEntry.objects.filter(project_id=Project.objects.get().pk).count() == 3


def test_it_is_filtered_and_read_a_page_at_a_time(client, done):
    assert [one["verb"] for one in lines(client, done, verb="project.keep")["results"]] == ["project.keep"]
    assert len(lines(client, done, person="OWNER@example.org")["results"]) == 5
    assert lines(client, done, before="2026-01-01T00:00:00Z") == {"results": [], "next": None}
    first = lines(client, done, limit=5)
    rest = lines(client, done, limit=5, cursor=first["next"])
    ids = [one["id"] for one in first["results"] + rest["results"]]
    assert ids == sorted(ids, reverse=True) and len(ids) == 8 and rest["next"] is None
    for word, value in (("cursor", "x"), ("verb", "nothing"), ("after", "yesterday"), ("nonsense", "1")):
        assert client.get(ADDRESS, {word: value}, headers=done).status_code == 400
    page = reverse("audit_log", args=["claims"])
    assert len(client.get(page, {"verb": "project.keep", "after": "2026-01-01"}).context["entries"]) == 1
    assert client.get(page, {"after": "soon"}).status_code == 422
    assert client.get(page, {"cursor": "x"}).status_code == 404


@pytest.mark.parametrize("role", sorted(ROLES))
def test_administrators_and_auditors_read_it(client, team, role):
    client.force_login(make_user(team=team, role=role))
    told = 200 if AUDIT in ROLES[role][1] else 403
    assert (told == 200) is (role in {"administrator", "auditor"})
    for address in (ADDRESS, reverse("audit_log", args=["claims"])):
        assert client.get(address).status_code == told
    client.force_login(make_team().members.get())
    assert client.get(ADDRESS).status_code == 404


def test_nobody_changes_a_line_or_takes_one_away(team):
    for statement in ("DELETE FROM accounts_auditentry", "UPDATE accounts_auditentry SET verb = 'none'"):
        with pytest.raises(DatabaseError, match="only added to"), transaction.atomic():
            connection.cursor().execute(statement)
    assert AuditEntry.objects.filter(verb="team.create").exists()


def test_what_is_done_to_content_leaves_a_line_a_call(client, project):
    api = Api(client, owner_of(project))
    ids = [str(make_interaction(project, labels={"channel": "app"}).pk) for _ in range(2)]
    api.put(f"interactions/{ids[0]}/hold", {"reason": "a complaint"})
    api.delete(f"interactions/{ids[0]}/hold")
    api.delete(f"interactions/{ids[1]}")
    api.post("feedback-keys", {"project": project.key, "key": "helpful", "kind": "bool"})
    api.delete(f"feedback-keys/helpful?project={project.key}")
    begin_rename(project=project, by=api.user, key="channel", to="way")
    export = begin_export(project=project, by=api.user, format="jsonl")
    make_folder(export.pk)
    file_of(export).write_text("{}")
    Job.objects.filter(pk=export.job_id).update(state=State.DONE)
    type(export).objects.filter(pk=export.pk).update(finished_at=timezone.now())
    assert api.get(f"projects/{project.key}/exports/{export.pk}/file").status_code == 200
    found = {one.verb: one for one in AuditEntry.objects.filter(team=project.team, project_id=project.pk)}
    assert {
        "hold.place", "hold.release", "interaction.delete", "feedback-key.link", "feedback-key.unlink", "label.rename",
        "export.create", "export.download", "project.create",
    } <= found.keys()  # fmt: skip
    assert found["hold.place"].after == {"reason": "a complaint", "number": 1, "ids": ids[:1]}
    assert found["interaction.delete"].before["ids"] == ids[1:]
    assert found["interaction.delete"].key.user == api.user
