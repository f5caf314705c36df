"""What reviewers said is told where the interaction is (page, history, REST), under each queue's own rule."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from reviews.contents import remove_items, set_gold
from reviews.models import Item
from tests.factories import bearer, make_interaction, make_user, owner_of
from tests.reviews.queues import Desk, add_items, make_queue

pytestmark = pytest.mark.django_db


def told(client, item, user):
    return client.get(f"/api/v1/interactions/{item.interaction_id}/reviews", headers=bearer(user)).json()["results"]


def history(client, item, user):
    found = client.get(f"/api/v1/interactions/{item.interaction_id}/history", headers=bearer(user)).json()["results"]
    return [one["review"] for one in found if one["what"] == "review"]


def page(client, project, item, user):
    client.force_login(user)
    return client.get(reverse("interaction_detail", kwargs={"project": project.key, "pk": item.interaction_id}))


@pytest.fixture
def queue(project):
    return make_queue(project, n=1, reviewers=2)


@pytest.fixture
def item(queue):
    return Item.objects.get(queue=queue)


def test_an_auditor_reads_who_answered_what_where_the_interaction_is(client, project):
    queue = make_queue(project, n=1)
    [item], desk, auditor = Item.objects.filter(queue=queue), Desk(queue), make_user(team=project.team, role="auditor")
    review = desk.submit(desk.next(), answers={"good": "no"}, comment="It is late.")
    [one] = told(client, item, auditor)
    at = one.pop("submitted_at")
    assert at.endswith("Z") and one == {
        "id": review["id"],
        "queue": queue.key,
        "item": item.pk,
        "state": "submitted",
        "by": desk.user.email,
        "answers": {"good": "no"},
        "comment": "It is late.",
        "decides": False,
        "decided": False,
    }
    assert history(client, item, auditor) == [
        {"id": review["id"], "queue": queue.key, "item": item.pk, "decides": False}
    ]
    shown = page(client, project, item, auditor).content.decode()
    link = reverse("queue_item", kwargs={"project": project.key, "queue": queue.key, "item_id": item.pk})
    assert "It is late." in shown and f'href="{link}"' in shown and "answered in" in shown
    assert "It is late." in client.get(link).content.decode()


def test_of_a_blind_queue_it_is_told_once_all_answers_are_in(client, project, queue, item):
    one, other, auditor = Desk(queue), Desk(queue), make_user(team=project.team, role="auditor")
    one.answer("no")
    [hidden] = told(client, item, auditor)
    assert (hidden["state"], hidden["answers"], hidden["comment"]) == ("submitted", None, None)
    assert history(client, item, auditor) == []
    assert "shown once all answers are in" in page(client, project, item, auditor).content.decode()
    assert [said["by"] for said in told(client, item, one.user)] == [one.user.email]
    assert told(client, item, other.user) == []
    other.next()
    assert told(client, item, other.user) == [] and history(client, item, other.user) == []
    other.submit(other.next())
    for user in (one.user, other.user, auditor):
        assert [said["answers"]["good"] for said in told(client, item, user)] == ["no", "yes"]
        assert len(history(client, item, user)) == 2


def test_nothing_of_it_is_told_to_who_neither_reviews_nor_reads_reviews(client, project, queue, item):
    desk, reader = Desk(queue), make_user(team=project.team, role="program")
    desk.answer()
    assert told(client, item, reader) == [] and history(client, item, reader) == []
    assert "Reviews</h2>" not in page(client, project, item, reader).content.decode()
    stranger = make_user()
    path = f"/api/v1/interactions/{item.interaction_id}/reviews"
    assert client.get(path, headers=bearer(stranger)).status_code == 404


def test_what_others_said_of_a_gold_item_stays_hidden_from_reviewers(client, project):
    queue = make_queue(project, n=1, blind=False)
    item = Item.objects.get(queue=queue)
    set_gold(item=item, answers={"good": "yes"})
    one, other, auditor = Desk(queue), Desk(queue), make_user(team=project.team, role="auditor")
    for desk in (one, other):
        desk.answer("no")
    assert [said["by"] for said in told(client, item, one.user)] == [one.user.email]
    assert len(history(client, item, one.user)) == 1 and len(told(client, item, auditor)) == 2


def test_who_reviews_there_no_more_reads_nothing_there(client, project, queue, item):
    desk = Desk(queue)
    desk.answer()
    queue.open_to_all = False
    queue.save()
    assert told(client, item, desk.user) == []


def test_a_page_asks_as_often_however_many_reviews_there_are(client, project):
    queue = make_queue(project, n=1, reviewers=5, blind=False)
    [item], auditor, asked = Item.objects.filter(queue=queue), make_user(team=project.team, role="auditor"), []
    for number in (1, 4):
        for _ in range(number):
            Desk(queue).answer()
        page(client, project, item, auditor)
        with CaptureQueriesContext(connection) as queries:
            page(client, project, item, auditor)
        asked.append(len(queries))
    assert asked[0] == asked[1]


def test_an_auditor_reads_the_items_of_a_queue_and_changes_nothing(client, project, queue, item):
    desk, auditor = Desk(queue), make_user(team=project.team, role="auditor")
    review = desk.next()
    desk.submit(review, asks_lead=True)
    client.force_login(auditor)
    where = {"project": project.key, "queue": queue.key}
    addresses = [reverse("queue_detail", kwargs=where), reverse("queue_item", kwargs={**where, "item_id": item.pk})]
    for address in addresses:
        shown = client.get(address)
        main = shown.content.decode().partition("<main")[2].partition("</main")[0]
        assert shown.status_code == 200 and 'type="submit"' not in main and "checkbox" not in main
    assert str(desk.user) in client.get(addresses[1]).content.decode()
    assert client.post(addresses[1], {"a.good": "yes"}).status_code == 403
    assert client.post(reverse("queue_items", kwargs=where), {"do": "remove", "item": item.pk}).status_code == 403
    assert client.get(addresses[0], {"show": "conflict"}).status_code == 200
    client.force_login(desk.user)
    assert [client.get(address).status_code for address in addresses] == [403, 403]
    assert Desk(queue, auditor).get("/items")["results"][0]["added_at"]


def test_the_table_and_calls_find_what_is_in_a_queue(client, project):
    make_interaction(project)
    one, other = make_queue(project, n=2), make_queue(project, n=1, key="other")
    pairs = make_queue(project, [{"key": "better", "kind": "pair", "text": "Better?"}], key="pairs", kind="pair")
    pair = make_interaction(project), make_interaction(project, completion="Another answer")
    add_items(pairs, [pair])
    reader = make_user(team=project.team, role="auditor")

    def found(**words):
        asked = {"project": project.key, **words}
        answer = client.get("/api/v1/interactions", asked, headers=bearer(reader))
        return [row["id"] for row in answer.json()["results"]] if answer.status_code == 200 else answer.json()["fields"]

    def ids(queue):
        return {str(one) for one in Item.objects.filter(queue=queue).values_list("interaction_id", flat=True)}

    assert set(found(queue=one.key)) == ids(one) and len(found(queue=one.key)) == 2
    assert set(found(queue=[one.key, other.key])) == ids(one) | ids(other)
    assert found(queue="pairs") == [str(row.pk) for row in reversed(pair)]
    assert found(queue="pairs", order="created_at") == [str(row.pk) for row in pair]
    assert found(queue="pairs", external_id="none") == []
    assert list(found(queue="nowhere")) == ["queue"]
    removed = Item.objects.filter(queue=one).first()
    remove_items(queue=one, item_ids=[removed.pk], by=owner_of(project))
    assert set(found(queue=one.key)) == ids(one) - {str(removed.interaction_id)}
    client.force_login(reader)
    table = client.get(reverse("interaction_list", kwargs={"project": project.key}), {"queue": "pairs"})
    assert len(table.context["page"]) == 2 and "in queue" in table.content.decode()
    report = client.get(reverse("queue_report", kwargs={"project": project.key, "queue": "pairs"})).content.decode()
    assert f"{reverse('interaction_list', kwargs={'project': project.key})}?queue=pairs" in report
