"""Queues through the API: made, changed, closed; what they ask is versioned, and what is wrong with it named."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from feedback.services import create_feedback_key
from projects.services import delete_project
from projects.tasks import delete_content
from reviews.models import Form, Guideline, Item, Queue, Review, Step
from tests.factories import make_project, make_team, make_user, owner_of
from tests.reviews.queues import GOOD, TONE, Desk, make_queue

pytestmark = pytest.mark.django_db


@pytest.fixture
def queues(api, project):
    """The path of the project's queues."""
    return f"projects/{project.key}/queues"


def asked(**question):
    return {"name": "Audit", "questions": [question]}


def test_a_queue_is_made_and_read_again(api, queues, owner):
    sent = {
        "name": "Water damage",
        "reviewers": 2,
        "blind": False,
        "guideline": "Be **fair**.",
        "questions": [{**GOOD, "hint": "As a whole", "writes": {"label": "verdict"}, "defect": ["no"]}, TONE],
    }
    made = api.post(queues, sent)
    assert made.status_code == 201, made.content
    told = api.get(f"{queues}/water-damage").json()
    assert told == made.json()
    assert (told["key"], told["reviewers"], told["blind"], told["kind"]) == ("water-damage", 2, False, "single")
    assert told["guideline"] == {"version": 1, "text": "Be **fair**."}
    good, tone = told["questions"]["questions"]
    assert good["options"][0] == {"value": "yes", "name": "yes", "hint": ""}
    assert (good["writes"], good["defect"], good["required"]) == ({"label": "verdict"}, ["no"], True)
    assert (tone["least"], tone["most"], tone["writes"]) == (1, 5, None)
    [listed] = api.get(queues).json()["results"]
    assert (listed["key"], listed["items"], listed["open"], listed["conflicts"]) == ("water-damage", 0, 0, 0)
    assert api.post(queues, sent).status_code == 409


@pytest.mark.parametrize("name", ["New", "Coverage", "keys"])
def test_a_queue_that_is_named_like_a_page_has_a_page_of_its_own(api, client, project, owner, queues, name):
    made = api.post(queues, {"name": name, "questions": [GOOD]}).json()
    client.force_login(owner)
    page = client.get(f"/p/{project.key}/reviews/{made['key']}")
    assert page.context["queue"].key == made["key"] == f"{name.lower()}-queue"


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        ({}, "name"),
        ({"name": "x" * 101, "questions": [GOOD]}, "name"),
        ({"name": "A", "questions": [GOOD], "reviewers": 11}, "reviewers"),
        ({"name": "A", "questions": [GOOD], "reviewers": True}, "reviewers"),
        ({"name": "A", "questions": [GOOD], "blind": "yes"}, "blind"),
        ({"name": "A", "questions": [GOOD], "kind": "triple"}, "kind"),
        ({"name": "A", "questions": [GOOD], "key": "Not a key"}, "key"),
        ({"name": "A", "questions": [GOOD], "key": "coverage"}, "key"),
        ({"name": "///", "questions": [GOOD]}, "key"),
        ({"name": "A", "questions": []}, "questions"),
        ({"name": "A", "questions": "x"}, "questions"),
        ({"name": "A", "questions": [GOOD, GOOD]}, "questions[1].key"),
        ({"name": "A", "questions": [3]}, "questions[0]"),
        ({"name": "A", "questions": [GOOD], "guideline": 3}, "guideline"),
        ({"name": "A", "questions": [GOOD], "colour": "red"}, "colour"),
        (asked(key="a", kind="poem", text="?"), "questions[0].kind"),
        (asked(key="A b", kind="text", text="?"), "questions[0].key"),
        (asked(key="a", kind="text", text=""), "questions[0].text"),
        (asked(key="a", kind="text", text="\0"), "questions[0].text"),
        (asked(key="a", kind="text", text="?", options=["x"]), "questions[0].options"),
        (asked(key="a", kind="single", text="?"), "questions[0].options"),
        (asked(key="a", kind="single", text="?", options=["x", "x"]), "questions[0].options[1].value"),
        (asked(key="a", kind="single", text="?", options=[{"name": "x"}]), "questions[0].options[0].value"),
        (asked(key="a", kind="single", text="?", options=[3]), "questions[0].options[0]"),
        (asked(key="a", kind="scale", text="?", least=5, most=1), "questions[0].most"),
        (asked(key="a", kind="scale", text="?", least="1"), "questions[0].least"),
        (asked(key="a", kind="scale", text="?", most=1000), "questions[0].most"),
        (asked(key="a", kind="text", text="?", required="yes"), "questions[0].required"),
        (asked(key="a", kind="text", text="?", size=3), "questions[0].size"),
        (asked(key="a", kind="text", text="?", writes={"label": "x"}), "questions[0].writes"),
        (asked(key="a", kind="yes_no", text="?", writes={"label": ""}), "questions[0].writes.label"),
        (asked(key="a", kind="yes_no", text="?", writes={"label": "a\nb"}), "questions[0].writes.label"),
        (asked(key="a", kind="yes_no", text="?", writes={"feedback": "none"}), "questions[0].writes.feedback"),
        (asked(key="a", kind="yes_no", text="?", defect=["no"]), "questions[0].defect"),
        (asked(key="a", kind="pair", text="?"), "questions[0].kind"),
        ({**asked(key="a", kind="yes_no", text="?", writes={"label": "x"}), "kind": "pair"}, "questions[0].writes"),
        (
            asked(key="a", kind="single", text="?", options=["x"], writes={"feedback": "fine"}),
            "questions[0].writes.feedback",
        ),
        (asked(key="a", kind="scale", text="?", writes={"feedback": "fine"}), "questions[0].writes.feedback"),
        (asked(key="a", kind="scale", text="?", most=9, writes={"feedback": "grade"}), "questions[0].writes.feedback"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(api, project, queues, sent, fault):
    create_feedback_key(team=project.team, key="fine", kind="bool", projects=[project])
    create_feedback_key(team=project.team, key="grade", kind="scalar", projects=[project], minimum=1, maximum=5)
    answer = api.post(queues, sent)
    assert answer.status_code == 400, answer.content
    assert fault in answer.json()["fields"]
    assert not Queue.objects.exists()


def test_a_member_whose_name_no_answer_can_carry_is_refused(api, queues):
    answer = api.post(queues, {"name": "Audit", "\ud800": 1})
    assert answer.status_code == 400 and "Unknown member" in answer.json()["error"]


@pytest.mark.parametrize("body", [[], 3, None, "x"])
def test_a_body_that_is_no_object_is_refused(api, queues, body):
    assert api.post(queues, body).status_code == 400


def test_what_is_asked_and_told_is_versioned_and_the_same_again_is_none(project):
    queue = make_queue(project, guideline="One")
    owner = Desk(queue, owner_of(project))
    for _ in range(2):
        told = owner.patch("", {"guideline": "Two", "questions": [TONE]})
    assert told["guideline"] == {"version": 2, "text": "Two"}
    assert told["questions"]["version"] == 2
    assert (Form.objects.count(), Guideline.objects.count()) == (2, 2)


def test_a_change_is_whole_or_not_at_all(project):
    queue = make_queue(project)
    owner = Desk(queue, owner_of(project))
    owner.patch("", {"name": "Other", "members": ["nobody@example.org"]}, 400)
    assert owner.get("")["name"] == "Audit"


def test_the_number_of_reviewers_and_the_kind_stay_once_they_matter(project):
    queue = make_queue(project, n=1)
    owner, desk = Desk(queue, owner_of(project)), Desk(queue)
    assert owner.patch("", {"reviewers": 2})["reviewers"] == 2
    desk.answer()
    assert "stays 2" in owner.patch("", {"reviewers": 1}, 409)["error"]
    assert "stays single" in owner.patch("", {"kind": "pair"}, 409)["error"]
    assert owner.patch("", {"reviewers": 2, "blind": False})["blind"] is False


def test_members_must_be_able_to_review_here(project):
    queue = make_queue(project)
    owner = Desk(queue, owner_of(project))
    stranger = make_user(team=make_team())
    auditor = make_user(team=project.team, role="auditor")
    for person in (stranger, auditor):
        assert person.email in owner.patch("", {"members": [person.email]}, 400)["error"]
        assert owner.get("")["members"] == []
    guest = make_team()
    project.shares.create(team=guest, role=project.team.roles.get(key="annotator"))
    visitor = make_user(team=guest, role="annotator")
    assert owner.patch("", {"members": [visitor.email]})["members"] == [visitor.email]


def test_items_are_listed_page_by_page(project, monkeypatch):
    monkeypatch.setattr("reviews.api.items.LIMIT", 2)
    queue = make_queue(project, n=5)
    owner, got, query = Desk(queue, owner_of(project)), [], ""
    while query is not None:
        told = owner.get(f"/items{query}")
        got += [item["interaction_id"] for item in told["results"]]
        query = f"?after={told['next']}" if told["next"] is not None else None
    assert len(set(got)) == len(got) == 5
    for query in ("after=x", "after=-1", "show=all"):
        assert owner.call("GET", f"/items?{query}").status_code == 400


@pytest.mark.parametrize(("blind", "lead"), [(True, False), (True, True), (False, False)])
def test_items_tell_what_was_said_once_it_may_be_read(project, blind, lead):
    why = {"key": "why", "kind": "text", "text": "Why?", "required": False}
    queue = make_queue(project, [GOOD, why], n=2, reviewers=2, blind=blind)
    owner, one, other = Desk(queue, owner_of(project)), Desk(queue), Desk(queue)
    sent = {"answers": {"good": "no", "why": "It is cut off."}, "comment": "Is that so?", "asks_lead": lead}
    review = one.submit(one.next(), **sent)
    told = owner.get("/items")["results"][0]["reviews"]
    assert [(said["id"], said["by"], said["state"]) for said in told] == [(review["id"], one.user.email, "submitted")]
    seen = (sent["answers"], sent["comment"])
    assert (told[0]["answers"], told[0]["comment"]) == (seen if lead or not blind else (None, None))
    assert len(other.next()["others"]) == (0 if blind else 1)  # whoever else reviews it stays blind
    other.answer()
    told = owner.patch(f"/items/{review['item']}", {})["reviews"]
    assert [(said["answers"], said["comment"]) for said in told] == [seen, ({"good": "yes"}, "")]
    asking = [item["id"] for item in owner.get("/items?show=asks_lead")["results"]]
    assert asking == ([review["item"]] if lead else [])


def test_a_list_of_items_takes_as_many_queries_however_much_was_said(project, django_assert_num_queries):
    queue = make_queue(project, n=4, reviewers=2)
    owner, one, other = Desk(queue, owner_of(project)), Desk(queue), Desk(queue)
    one.answer()
    owner.get("/items")  # the first call of a key notes that it is used
    with CaptureQueriesContext(connection) as queries:
        owner.get("/items")
    counted = len(queries)
    for desk in (one, one, other, other):
        desk.answer()
    with django_assert_num_queries(counted):
        owner.get("/items")


def test_an_annotator_sees_queues_and_changes_none(project):
    queue = make_queue(project, n=1)
    desk = Desk(queue)
    assert desk.get("")["name"] == "Audit"
    for method, path in (
        ("PATCH", ""),
        ("PUT", "/rule"),
        ("GET", "/items"),
        ("GET", "/samples"),
        ("GET", "/conflicts"),
    ):
        assert desk.call(method, path).status_code == 403, path


def test_another_projects_queue_and_items_are_not_found(project):
    queue, other = make_queue(project, n=1), make_queue(make_project(), n=1)
    owner = Desk(queue, owner_of(project))
    theirs = other.items.get()
    assert owner.call("PATCH", f"/items/{theirs.pk}", {"removed": True}).status_code == 404
    assert owner.call("POST", f"/items/{theirs.pk}/decide").status_code == 404
    assert (
        owner.client.get(f"/api/v1/projects/{project.key}/queues/none-such", headers=owner.headers).status_code == 404
    )


def test_with_its_project_a_queue_goes_whole_and_no_other(project):
    other = make_queue(make_project(), n=1)
    for queue in (make_queue(project, n=3, guideline="Be fair"), other):
        Desk(queue).answer()
    Desk(queue=Queue.objects.get(project=project)).next()
    delete_project(project=project)
    delete_content(project.pk)
    assert list(Queue.objects.all()) == [other]
    assert (Item.objects.count(), Review.objects.count(), Step.objects.count()) == (1, 1, 1)
