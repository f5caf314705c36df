"""What a lead does about a queue: whose an item is, who may answer it, what reviewers ask her."""

import pytest
from django.urls import reverse

from reviews.models import State
from tests.factories import make_user, owner_of
from tests.reviews.queues import GOOD, Desk, make_queue

pytestmark = pytest.mark.django_db
TEXT = {"key": "why", "kind": "text", "text": "Why?", "required": False}


def page_of(queue, name="queue_detail", **more):
    return reverse(name, kwargs={"project": queue.project.key, "queue": queue.key, **more})


def test_who_skipped_an_item_that_is_assigned_to_her_gets_it_again(project):
    queue = make_queue(project, n=2)
    desk, owner = Desk(queue), Desk(queue, owner_of(project))
    skipped = desk.next()
    desk.post(f"/reviews/{skipped['id']}/skip")
    assert [one["id"] for one in owner.get("/items?show=skipped")["results"]] == [skipped["item"]]
    owner.patch(f"/items/{skipped['item']}", {"assigned_to": [desk.user.email.upper()]})
    assert owner.get("/items?show=skipped")["results"] == []
    assert (desk.next()["id"], desk.next()["state"]) == (skipped["id"], State.PENDING)


def test_what_somebody_has_begun_goes_to_whom_it_is_assigned(client, project):
    queue = make_queue(project, n=1)
    ann, bob = (Desk(queue, make_user(name=name, team=project.team, role="annotator")) for name in ("Ann", "Bob"))
    begun = ann.next()
    ann.post(f"/reviews/{begun['id']}/draft", {"answers": {"good": "no"}})
    client.force_login(owner_of(project))
    sent = {"item": [begun["item"]], "do": "assign", "user": bob.user.pk}
    text = client.post(page_of(queue, "queue_items"), sent, follow=True).content.decode()
    assert "1 assigned to Bob. Ann had begun" in text
    told = ann.post("/next")
    assert (told["review"], told["progress"]["drafts"]) == (None, 0)
    assert "given to other people" in ann.submit(begun, code=409)["error"]
    assert bob.answer()["item"] == begun["item"]


def test_items_of_who_reviews_no_more_and_queues_of_too_few_people_are_told(client, project):
    queue = make_queue(project, n=2, open_to_all=False)
    ann, bob, owner = Desk(queue), Desk(queue), Desk(queue, owner_of(project))
    owner.patch("", {"members": [ann.user.email, bob.user.email]})
    stuck, other = (item["id"] for item in owner.get("/items")["results"])
    for item, desk in ((stuck, ann), (other, bob)):
        owner.patch(f"/items/{item}", {"assigned_to": [desk.user.email]})
    assert owner.get("/items?show=too_few")["results"] == []
    elsewhere = Desk(queue).user.email  # a reviewer of the project, and none of the queue's
    assert list(owner.patch(f"/items/{stuck}", {"assigned_to": [elsewhere]}, 400)["fields"]) == ["assigned_to"]
    client.force_login(owner_of(project))
    sent = {"name": "Audit", "reviewers": 1, "blind": "yes", "open_to_all": "no", "members": [bob.user.pk]}
    page = client.post(page_of(queue, "queue_edit"), sent, follow=True)
    assert (
        "Assigned to too few people" in page.content.decode() and "No item can be complete" not in page.content.decode()
    )
    assert {row.item.pk: row.too_few for row in page.context["rows"]} == {stuck: True, other: False}
    assert [one["id"] for one in owner.get("/items?show=too_few")["results"]] == [stuck]
    assert owner.patch("", {"reviewers": 3})["people"] == 1
    assert "asks for 3 people, and 1 reviews here" in client.get(page_of(queue)).content.decode()


def test_names_addresses_and_kinds_that_do_not_fit_are_told_and_not_broken(project):
    queue = make_queue(project, [GOOD, TEXT])
    owner, desk = Desk(queue, owner_of(project)), Desk(queue)
    assert owner.patch("", {"name": f"{' ' * 90}Audit of claims "})["name"] == "Audit of claims"
    made = owner.client.post(
        f"/api/v1/projects/{project.key}/queues",
        {"name": " " * 120 + "x", "questions": [GOOD]},
        content_type="application/json",
        headers=owner.headers,
    )
    assert (made.status_code, made.json()["name"]) == (201, "x")
    assert owner.patch("", {"members": [desk.user.email.title()]})["members"] == [desk.user.email]
    stranger = make_user()
    for address in (stranger.email, "nobody@example.org"):
        fields = owner.patch("", {"members": [address]}, 400)["fields"]
        assert fields == {"members": [f"Nobody who may review in this project has the address {address}."]}
    labelled = {**GOOD, "writes": {"label": "verdict"}}
    owner.patch("", {"questions": [labelled]})
    assert "In a queue of pairs only" in owner.patch("", {"kind": "pair"}, 400)["fields"]["kind"][0]
    assert owner.patch("", {"kind": "pair", "questions": [GOOD]})["kind"] == "pair"


def test_a_lead_answers_who_asks_and_she_reads_it_on_the_item(client, project):
    queue = make_queue(project, n=2, reviewers=2)
    ann, owner = Desk(queue, make_user(name="Ann", team=project.team, role="annotator")), Desk(queue, owner_of(project))
    asking = ann.submit(ann.next(), asks_lead=True, comment="Does rule 7 hold?")
    skipped = ann.next()
    ann.post(f"/reviews/{skipped['id']}/draft", {"answers": {"good": "no"}, "asks_lead": True})
    ann.post(f"/reviews/{skipped['id']}/skip")
    client.force_login(owner_of(project))
    assert "2 ask a lead" in client.get(reverse("queue_list", kwargs={"project": project.key})).content.decode()
    page = client.get(page_of(queue, "queue_item", item_id=asking["item"])).content.decode()
    address = page_of(queue, "queue_reply", review_id=asking["id"])
    assert address in page
    client.post(address, {"text": "It does, see section 2."})
    assert [one["id"] for one in owner.get("/items?show=asks_lead")["results"]] == [skipped["item"]]
    owner.post(f"/reviews/{skipped['id']}/reply", {"text": 3}, 400)
    ann.post(f"/reviews/{skipped['id']}/reply", {"text": "Mine."}, 403)
    assert owner.post(f"/reviews/{skipped['id']}/reply", {"text": ""})["state"] == "draft"
    owner.post(f"/reviews/{skipped['id']}/reply", {"text": "Again."}, 409)
    assert ann.next()["id"] == skipped["id"]  # she gets it again
    told = ann.get(f"/reviews/{asking['id']}")
    assert (told["asks_lead"], told["reply"]["text"]) == (False, "It does, see section 2.")
    client.force_login(ann.user)
    listed = reverse("queue_list", kwargs={"project": project.key})
    for one in (asking, skipped):
        assert "A lead answered you" in client.get(listed).content.decode()
        page = client.get(page_of(queue, "desk_review", review_id=one["id"])).content.decode()
        assert "A lead answered you" in page
    assert "A lead answered you" not in client.get(listed).content.decode()
