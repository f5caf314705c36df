"""Queues with items, and their API as each person calls it."""

import json

from django.test import Client

from reviews.models import Item
from reviews.placing import next_place, put_in
from reviews.services import create_queue
from tests.factories import bearer, make_interaction, make_user, owner_of

GOOD = {"key": "good", "kind": "single", "text": "Good?", "options": ["yes", "no"]}
TONE = {"key": "tone", "kind": "scale", "text": "Tone", "least": 1, "most": 5}


def make_queue(project, questions=(GOOD,), *, n=0, **more):
    """A queue of `n` new interactions."""
    described = {"name": "Audit", "questions": list(questions)} | more
    queue = create_queue(project=project, by=owner_of(project), **described)
    add_items(queue, [make_interaction(project, completion=f"Answer {number}") for number in range(n)])
    return queue


def add_items(queue, interactions):
    """The Items of these interactions, in order; of pairs, (one, other) each."""
    units = [tuple(one.pk for one in each) if isinstance(each, tuple) else (each.pk,) for each in interactions]
    put_in(queue, units, next_place(queue))
    return list(Item.objects.filter(queue=queue, interaction_id__in=[unit[0] for unit in units]).order_by("place"))


class Desk:
    """A person's program at a queue."""

    def __init__(self, queue, user=None, role="annotator"):
        self.queue, self.client = queue, Client()
        self.user = user or make_user(team=queue.project.team, role=role)
        self.headers = bearer(self.user)
        self.path = f"/api/v1/projects/{queue.project.key}/queues/{queue.key}"

    def call(self, method, path="", body=None, code=None):
        """The answer; `code` is what it must have."""
        data = json.dumps({} if body is None else body)
        answer = self.client.generic(
            method, f"{self.path}{path}", data, content_type="application/json", headers=self.headers
        )
        assert code is None or answer.status_code == code, answer.content
        return answer

    def get(self, path, code=200):
        return self.call("GET", path, code=code).json()

    def post(self, path, body=None, code=200):
        return self.call("POST", path, body, code).json()

    def patch(self, path, body, code=200):
        return self.call("PATCH", path, body, code).json()

    def next(self, **body):
        """The review to go on with, or None."""
        return self.post("/next", body)["review"]

    def submit(self, review, code=200, **body):
        body = {"answers": {"good": "yes"}} | body
        return self.post(f"/reviews/{review['id']}/submit", body, code)

    def answer(self, value="yes"):
        """Take the next item and answer its one question."""
        return self.submit(self.next(), answers={"good": value})

    def undo(self):
        return self.post("/undo")["review"]
