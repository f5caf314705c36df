"""The door as programs come in by it: over HTTP, through gunicorn, with the published client and an ordinary one."""

import asyncio
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from adaptive_sdk import Adaptive, AsyncAdaptive
from adaptive_sdk.graphql_client.exceptions import GraphQLClientGraphQLMultiError
from django.conf import settings
from django.db import connection

from feedback.services import create_feedback_key
from interactions.models import Interaction
from registry.services import resolve_models
from tests.factories import make_api_key, make_project, owner_of
from tests.interactions.batch import ndjson
from tests.interactions.pixels import data_uri

pytestmark = pytest.mark.django_db(transaction=True)
RECORD = {"prompt": "Am I covered?", "completion": "Yes."}


@pytest.fixture(scope="module")
def address(django_db_setup, django_db_blocker):
    """Where gunicorn serves the test's database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with django_db_blocker.unblock():
        info = connection.get_connection_params()
    names = {"dbname": "dbname", "user": "user", "password": "password", "host": "host", "port": "port"}
    url = "postgresql://?" + "&".join(f"{names[name]}={info[name]}" for name in names if info.get(name))
    environment = os.environ | {"DATABASE_URL": url, "ADDRESS": f"http://127.0.0.1:{port}"}
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "-w", "1", "-b", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def wait_for(url):
    for _ in range(200):
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError(f"{url} never answered")


@pytest.fixture
def shop():
    """A project with a known model and keys of both kinds."""
    project = make_project("my-project")
    resolve_models(project=project, new={"model-a"})
    for key, kind in (("acc", "bool"), ("rating", "scalar")):
        create_feedback_key(team=project.team, key=key, kind=kind, projects=[project])
    return project


@pytest.fixture
def http(address, shop):
    headers = {"Authorization": f"Bearer {make_api_key(owner_of(shop))}"}
    with httpx.Client(base_url=f"{address}/api/v1", headers=headers, timeout=30) as client:
        yield client


def test_the_published_client_logs_a_preference(address, shop, http):
    client = Adaptive(address, make_api_key(owner_of(shop)))
    client.set_default_project("my-project")
    texts = [{"model": "model-a", "text": "Yes."}, {"model": "model-b", "text": "No."}]
    client.feedback.log_preference("acc", *texts, messages=[{"role": "user", "content": "Am I covered?"}])
    made = [row["id"] for row in http.get("/interactions", params={"project": "my-project"}).json()["results"]]
    assert len(made) == 2
    client.feedback.log_preference("acc", *made)
    with pytest.raises(Exception, match="same interaction"):
        client.feedback.log_preference("acc", made[0], made[0])
    [pair] = http.get("/feedback-keys/acc/preferences", params={"project": "my-project"}).json()["pairs"]
    assert (pair["a"], pair["b"], pair["a_wins"] + pair["b_wins"]) == ("model-a", "model-b", 2)


def test_the_published_client_logs_an_interaction(address, shop, http):
    client = Adaptive(address, make_api_key(owner_of(shop)))
    client.set_default_project("my-project")
    user, session = uuid.uuid4(), uuid.uuid4()
    picture = data_uri()
    made = client.interactions.create(
        completion="hi",
        model="model-a",
        messages=[
            {"role": "system", "content": "S"},
            {
                "role": "user",
                "content": [{"type": "text", "text": "héllo"}, {"type": "image_url", "image_url": {"url": picture}}],
            },
        ],
        feedbacks=[{"feedback_key": "acc", "value": 1, "details": "good"}, {"feedback_key": "rating", "value": 4.5}],
        user=user,
        session_id=session,
        created_at="2024-01-02T03:04:05Z",
        labels={"k": "v"},
    )
    assert made.session_id == session and len(made.feedback_ids) == 2
    read = http.get(f"/interactions/{made.completion_id}", params={"images": "inline"}).json()
    assert read["messages"][1]["content"][1] == {"type": "image_url", "image_url": picture}
    assert (read["completion"], read["model"], read["labels"]) == ("hi", "model-a", {"k": "v"})
    assert (read["user"], read["session_id"], read["created_at"]) == (
        str(user),
        str(session),
        "2024-01-02T03:04:05.000Z",
    )
    assert [(one["feedback_key"], one["value"], one["details"]) for one in read["feedbacks"]] == [
        ("acc", 1.0, "good"), ("rating", 4.5, None),
    ]  # fmt: skip


def test_the_published_clients_asynchronous_twin_logs_too(address, shop, http):
    async def log():
        client = AsyncAdaptive(address, make_key)
        client.set_default_project("my-project")
        return await client.interactions.create(completion="c3", messages=[{"role": "user", "content": "m"}])

    make_key = make_api_key(owner_of(shop))
    with ThreadPoolExecutor() as thread:  # the browser tests may keep an event loop in this one
        made = thread.submit(asyncio.run, log()).result()
    assert made.feedback_ids == []
    assert http.get(f"/interactions/{made.completion_id}").json()["completion"] == "c3"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "model-b"}, "EntityNotFound: Model"),
        ({"project": "other"}, "EntityNotFound: Project"),
        ({"feedbacks": [{"feedback_key": "nps", "value": 1}]}, "EntityNotFound: FeedbackKey"),
    ],
)
def test_the_published_client_is_told_what_is_unknown(address, shop, changes, said):
    client = Adaptive(address, make_api_key(owner_of(shop)))
    client.set_default_project("my-project")
    with pytest.raises(Exception, match=f"Client error 404.*{said}"):
        client.interactions.create(**{"completion": "c", "messages": [{"role": "user", "content": "m"}], **changes})
    assert not Interaction.objects.exists()


def test_the_published_client_is_told_what_to_call_instead_of_graphql(address, shop):
    client = Adaptive(address, make_api_key(owner_of(shop)))
    client.set_default_project(shop.key)
    with pytest.raises(GraphQLClientGraphQLMultiError, match="give feedback by POST /api/v1/feedback"):
        client.feedback.log_metric(value=1, completion_id=str(uuid.uuid4()), feedback_key="helpful")
    with pytest.raises(GraphQLClientGraphQLMultiError, match="GET /api/v1/interactions"):
        client.interactions.list()


def test_the_published_client_with_a_wrong_key_is_kept_out(address, shop):
    client = Adaptive(address, "mg_wrong")
    client.set_default_project("my-project")
    with pytest.raises(Exception, match="Client error 401"):
        client.interactions.create(completion="c", messages=[{"role": "user", "content": "m"}])


def pieces(raw, size=7_000):
    return (raw[start : start + size] for start in range(0, len(raw), size))


@pytest.mark.parametrize("packing", ["identity", "gzip"])
def test_a_batch_may_come_in_chunks_of_no_known_length(http, packing):
    raw = ndjson([RECORD | {"external_id": f"r{n}"} for n in range(1_500)])
    raw = gzip.compress(raw) if packing == "gzip" else raw
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": packing}
    for code, accepted, known in ((201, 1_500, 0), (200, 0, 1_500)):
        answer = http.post("/interactions/batch?project=my-project", content=pieces(raw), headers=headers)
        assert (answer.status_code, answer.json()["accepted"], answer.json()["duplicates"]) == (code, accepted, known)


def test_one_interaction_may_come_in_chunks_too(http):
    raw = json.dumps(RECORD | {"project": "my-project"}).encode()
    headers = {"Content-Type": "application/json"}
    assert http.post("/interactions", content=pieces(raw, 10), headers=headers).status_code == 201


@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize(("path", "status"), [("/interactions", 413), ("/interactions/batch?project=x", 404)])
def test_a_large_body_that_is_refused_is_heard_out(http, chunked, path, status):
    """Else the client that still sends would see a broken line and no answer."""
    raw = b"{" + b" " * 60 * 1024 * 1024
    content = pieces(raw, 1024 * 1024) if chunked else raw
    answer = http.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert http.post("/interactions", json=RECORD | {"project": "my-project"}).status_code == 201


def test_a_body_cut_off_on_its_way_is_refused(address, shop):
    key = make_api_key(owner_of(shop))
    whole = json.dumps(RECORD | {"project": "my-project"})
    for path, media_type in (
        ("", "json"),
        ("/batch?project=my-project", "json"),
        ("/batch?project=my-project", "x-ndjson"),
    ):
        for framing, body in (
            ("Content-Length: 5000", whole[:30]),
            ("Transfer-Encoding: chunked", f"10\r\n{whole[:16]}\r\nnonsense"),
            ("Transfer-Encoding: chunked", f"10\r\n{whole[:16]}\r\n"),
            ("Transfer-Encoding: chunked", f"10\r\n{whole[:16]}\r\nzz\r\n{whole}\r\n0\r\n\r\n"),
            ("Transfer-Encoding: chunked", f"zz\r\n{whole}\r\n0\r\n\r\n"),
        ):
            lines = [
                f"POST /api/v1/interactions{path} HTTP/1.1", "Host: 127.0.0.1", f"Authorization: Bearer {key}",
                f"Content-Type: application/{media_type}", framing, "", body,
            ]  # fmt: skip
            told = talk(address, "\r\n".join(lines)).partition(b"\r\n")[0]
            assert told in {b"HTTP/1.1 400 Bad Request", b"HTTP/1.1 200 OK"}
    assert not Interaction.objects.exists()


def talk(address, text):
    """What the server answers to these bytes, after which nothing more will come."""
    host, _, port = address.rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall(text.encode())
        line.shutdown(socket.SHUT_WR)
        told = b""
        while part := line.recv(65_536):
            told += part
    return told


def test_what_was_acknowledged_is_there_for_the_next_request(http):
    for number in range(20):
        logged = http.post(
            "/interactions", json=RECORD | {"project": "my-project", "labels": {"n": str(number)}}
        ).json()
        found = http.get(
            "/interactions", params={"project": "my-project", "label": f"n:{number}", "fields": "id"}
        ).json()
        assert [row["id"] for row in found["results"]] == [logged["completion_id"]]
