"""One's own reviewing: what one answered, when, what became of it, and how much it was a day."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from projects.access import project_or_404
from reviews import own
from reviews.contents import set_gold
from reviews.models import Item
from tests.factories import bearer, make_user
from tests.reviews.queues import Desk, make_queue

pytestmark = pytest.mark.django_db


def mine(client, project, user, **words):
    return client.get(f"/api/v1/projects/{project.key}/reviews/mine", words, headers=bearer(user)).json()


def became(client, project, user):
    return [one["became"] for one in mine(client, project, user)["results"]]


def page(client, project, user):
    client.force_login(user)
    return client.get(reverse("my_reviews", kwargs={"project": project.key}))


def test_what_became_of_ones_own_answers_is_told_as_it_comes(client, project):
    queue = make_queue(project, n=1, reviewers=2)
    one, other, lead = Desk(queue), Desk(queue), Desk(queue, role="reviewer")
    first = one.next()
    one.submit(first, answers={"good": "no"}, comment="Late.", seconds=8, asks_lead=True)
    assert became(client, project, one.user) == ["waiting"]
    lead.post(f"/reviews/{first['id']}/reply", {"text": "Leave it."})
    other.answer("yes")
    assert became(client, project, one.user) == became(client, project, other.user) == ["conflict"]
    decision = lead.post(f"/items/{first['item']}/decide")
    lead.submit(decision, answers={"good": "yes"})
    assert became(client, project, one.user) == ["decided_otherwise"]
    assert (became(client, project, other.user), became(client, project, lead.user)) == (["decided"], ["decides"])
    told = mine(client, project, one.user)
    [row] = told["results"]
    assert (row["id"], row["answers"], row["comment"], row["seconds"]) == (first["id"], {"good": "no"}, "Late.", 8)
    assert (row["reply"]["text"], told["next"]) == ("Leave it.", None)
    assert [(day["answers"], day["seconds"]) for day in told["days"]] == [(1, 8)]
    shown = page(client, project, one.user).content.decode()
    assert all(text in shown for text in ("Decided otherwise", "Late.", "Leave it.", queue.name))
    assert other.user.email not in shown


def test_a_gold_item_is_told_as_any_other(client, project):
    alone, two = make_queue(project, n=2), make_queue(project, n=2, key="two", reviewers=2)
    for queue in (alone, two):
        set_gold(item=Item.objects.filter(queue=queue).first(), answers={"good": "yes"})
    desks = Desk(alone), Desk(two)
    for desk in desks:
        desk.answer("no")
        desk.answer("no")
    assert [became(client, project, desk.user) for desk in desks] == [["alone"] * 2, ["waiting"] * 2]


def test_it_comes_page_by_page_with_as_many_queries(client, project, monkeypatch):
    queues = [make_queue(project, n=3), make_queue(project, n=3, key="more")]
    user, asked = make_user(team=project.team, role="annotator"), []
    for queue in queues:
        desk = Desk(queue, user)
        for _ in range(3):
            desk.answer()
        page(client, project, user)
        with CaptureQueriesContext(connection) as queries:
            page(client, project, user)
        asked.append(len(queries))
    assert asked[0] == asked[1]
    whole = mine(client, project, user)
    times = [one["submitted_at"] for one in whole["results"]]
    assert len(times) == 6 and times == sorted(times, reverse=True) and whole["next"] is None
    monkeypatch.setattr("reviews.api.mine.LIMIT", 4)
    first = mine(client, project, user)
    rest = mine(client, project, user, after=first["next"])
    assert first["results"] + rest["results"] == whole["results"] and rest["next"] is None
    assert list(mine(client, project, user, after="x")["fields"]) == ["after"]
    rows, older = own.answers_of_person(project_or_404(user, project.key), user, limit=2)
    assert len(rows) == 2
    client.force_login(user)
    here = reverse("my_reviews", kwargs={"project": project.key})
    assert len(client.get(here, {"after": older}).context["rows"]) == 4
    assert client.get(here, {"after": "x"}).status_code == 400


def test_it_is_for_who_reviews_and_of_queues_that_she_reviews_in_by_now(client, project):
    queue = make_queue(project, n=1)
    desk = Desk(queue)
    desk.answer()
    link = reverse("my_reviews", kwargs={"project": project.key})
    client.force_login(desk.user)
    assert link in client.get(reverse("queue_list", kwargs={"project": project.key})).content.decode()
    assert link in client.get(reverse("desk", kwargs={"project": project.key, "queue": queue.key})).content.decode()
    queue.open_to_all = False
    queue.save()
    assert became(client, project, desk.user) == []
    assert page(client, project, make_user(team=project.team, role="auditor")).status_code == 403
