"""Writing over HTTP: one by one and in batches, with one client and with eight; counted when readable."""

import json

from bench.clients import drive, request
from bench.figures import latencies, rate
from bench.supply import BATCH

SECONDS, WARM = 10, 2
MANY = 8  # clients
MOST = 6_000  # single records a second that are made beforehand
MOST_IN_BATCHES = 8_000


class LostWrites(Exception):
    """What was acknowledged is not there, or more is there than was acknowledged."""


def measure(door, supply, seconds=SECONDS):
    """{name: {clients, per_second, p50 …, acknowledged, readable}} of four ways to write into the door's project."""
    return {
        "single, 1 client": singles(door, supply, 1, seconds),
        "single, 8 clients": singles(door, supply, MANY, seconds),
        "batches of 500, 1 client": batches(door, supply, 1, seconds),
        "batches of 500, 8 clients": batches(door, supply, MANY, seconds),
    }


def singles(door, supply, clients, seconds=SECONDS):
    """One record a request."""
    wanted = MOST * (seconds + WARM) // (1 if clients > 1 else 3)
    return _measured(door, supply.singles(wanted, door.project, door.headers), clients, seconds, each=1)


def batches(door, supply, clients, seconds=SECONDS):
    """Five hundred records a request."""
    wanted = MOST_IN_BATCHES * (seconds + WARM) // BATCH
    return _measured(door, supply.batches(wanted, door.project, door.headers), clients, seconds, each=BATCH)


def _measured(door, requests, clients, seconds, each):
    before = door.count()
    answers = drive(door.port, requests, clients=clients, seconds=seconds + WARM, keep=64)
    acknowledged = sum(_accepted(answer) for answer in answers) if each > 1 else _created(answers)
    readable = door.count() - before
    if readable != acknowledged:
        raise LostWrites(f"{acknowledged} records were acknowledged in {door.project}, {readable} can be read.")
    warm = WARM if len(answers) > 2 * clients else 0
    told = {"clients": clients, "per_second": round(rate(answers, warm=warm, each=each), 1)}
    return told | latencies(answers) | {"acknowledged": acknowledged, "readable": readable}


def _created(answers):
    return sum(answer.status == 201 for answer in answers)


def _accepted(answer):
    """How many a batch's answer tells were accepted; it begins with the count."""
    if answer.status != 201:
        return 0
    return json.loads(answer.body.partition(b",")[0] + b"}")["accepted"]


class Door:
    """One project of a running product, as a program with a key reaches it."""

    def __init__(self, port, project, api_key):
        self.port, self.project = port, project
        self.headers = {"Authorization": f"Bearer {api_key}"}

    def get(self, path):
        """The request of an API path, as bytes."""
        return request("GET", f"/api/v1/{path}", self.headers)

    def ask(self, path):
        """The JSON that the API answers."""
        (answer,) = drive(self.port, [self.get(path)], clients=1)
        if answer.status != 200:
            raise LostWrites(f"{path}: {answer.status} {answer.body[:200]}")
        return json.loads(answer.body)

    def count(self):
        """How many interactions of the project the API counts; exact, for it asks for all of them."""
        told = self.ask(f"interactions?project={self.project}&limit=1&fields=id")
        if told["count_is_capped"]:
            raise LostWrites("The API's count of a whole project is capped: nothing can be proved by it.")
        return told["count"]
