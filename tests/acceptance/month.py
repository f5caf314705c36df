"""What tests.acceptance.retention does beside the installation that it started; DATA_DIR says where that is.

Fills an old month by SQL (rows with every index, bodies with words, labels, feedback, comparisons with the present,
external ids), lets readers ask what they always ask, and takes the month.
"""

import argparse
import datetime
import json
import os
import statistics
import sys
import threading
import time
from pathlib import Path

import django
import httpx

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.db import connection, transaction  # noqa: E402

from feedback.models import FeedbackKey  # noqa: E402
from interactions import ids, partitions  # noqa: E402
from interactions.labels import resolve_labels  # noqa: E402
from interactions.models import Departure, Interaction  # noqa: E402
from interactions.proof import prove  # noqa: E402
from interactions.retention import months  # noqa: E402
from interactions.retention.rule import plan, whole_spans  # noqa: E402
from interactions.retention.run import run  # noqa: E402
from projects.models import Project  # noqa: E402
from projects.services import keep_for  # noqa: E402
from registry.models import Model  # noqa: E402

PIECE = 100_000
MONTHS_AGO = 4
MOST_SECONDS, MOST_WAIT = 2.0, 0.2
LABELS = [("channel", f"c{n}") for n in range(4)] + [("topic", f"t{n}") for n in range(300)]

_ID = """(lpad(to_hex(ms), 12, '0') || '7' || substr(md5(g::text), 1, 3) || '8' || substr(md5(g::text), 4, 15))::uuid"""
FILL = f"""
    CREATE TEMP TABLE piece ON COMMIT DROP AS
    SELECT g, {_ID} AS id, %(first_label)s + g %% 4 AS channel,
        %(first_label)s + 4 + (g::bigint * 7919 %% 300)::integer AS topic
    FROM (SELECT g, %(start)s::bigint + (g * %(step)s)::bigint AS ms FROM
        generate_series(%(low)s, %(high)s) g) AS times;

    INSERT INTO interactions_interaction (id, project_id, model_id, session, "user", source, prompt_preview,
        completion_preview, images, tools, prompt_hash, content_hash, near_hash, label_ids, feedbacks)
    SELECT id, %(project)s, %(model)s, 's' || g / 3, 'u' || g %% 5000, CASE g %% 50 WHEN 0 THEN 'simulation' ELSE
        'logged' END, 'Am I covered to drive a hire car ' || g, 'Yes, third party only.', 0, 0, md5(g::text)::uuid,
        md5('c' || g)::uuid, md5('n' || g)::uuid, ARRAY[channel, topic], '{{}}' FROM piece;

    INSERT INTO interactions_interactionbody (id, messages, completion, envelope, payload_sha256)
    SELECT id, json_build_array(json_build_object('role', 'user', 'content', 'Am I covered to drive a hire car ' || g ||
        ' ' || repeat(md5(g::text) || ' ', 20))), 'Yes, third party only, for up to ' || g %% 90 || ' days.',
        json_build_object('external_id', 'e' || g), sha256(g::text::bytea) FROM piece;

    INSERT INTO interactions_labelposting SELECT unnest(ARRAY[channel, topic]), id FROM piece;

    INSERT INTO feedback_feedback (interaction_id, id, feedback_key_id, value, details, "user", origin)
    SELECT id, id, %(key)s, g %% 2, '', '', 'user' FROM piece WHERE g %% 3 > 0;

    INSERT INTO interactions_claim SELECT left(encode(sha256(('e' || g)::bytea), 'hex'), 32)::uuid, id,
        sha256(g::text::bytea) FROM piece;
"""
COMPARE = """
    WITH pairs AS (
        SELECT a.id, a.id AS one, b.id AS other FROM
            (SELECT id, row_number() OVER () AS n FROM (SELECT id FROM interactions_interaction WHERE project_id =
                %(project)s AND source <> 'simulation' ORDER BY id LIMIT 10000) AS old) a JOIN
            (SELECT id, row_number() OVER () AS n FROM (SELECT id FROM interactions_interaction WHERE project_id =
                %(project)s AND source <> 'simulation' ORDER BY id DESC LIMIT 10000) AS young) b USING (n)
    )
    INSERT INTO feedback_preference (interaction_id, id, other_id, project_id, feedback_key_id, model_id,
        other_model_id, outcome, "user", origin, external_id)
    SELECT one, id, other, %(project)s, %(key)s, %(model)s, %(model)s, 'won', '', 'user', id::text FROM pairs
    UNION ALL SELECT other, id, one, %(project)s, %(key)s, %(model)s, %(model)s, 'lost', '', 'user', id::text FROM pairs
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, kind in (("rows", int), ("held", int), ("readers", int), ("address", str)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    options = parser.parse_args()
    key = json.loads((Path(os.environ["DATA_DIR"]) / "demo.json").read_text())["api_key"]
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{options.address}/api/v1/", headers=headers, timeout=60) as client:
        return check(client, options)


def check(client, options):

    project = fill(client, options.rows)
    held = hold_some(client, project, options.held)
    before = {pk: whole(client, pk) for pk in held}
    now = ids.now()
    keep_for(project=project, days=60)
    for other in type(project).objects.exclude(pk=project.pk):
        keep_for(project=other, days=30_000)  # the demo's own stay
    [told] = [one for one in plan(now) if one.project == project]
    spans = [span for span in whole_spans(now) if ids.time_of(span[0]) <= told.start < ids.time_of(span[1])]
    print(f"would go: {told.n:,}, {told.months} month whole, {told.held} held", flush=True)
    readers = Readers(client, project, options.readers)
    time.sleep(10)
    quiet = readers.lap()
    watch = Watch()
    began = time.monotonic()
    departures = months.drop(*spans[0], now)
    returned = time.monotonic() - began
    took = watch.seen() - began
    time.sleep(1)
    busy = readers.lap()
    readers.stop()
    faults = [
        *verdict("the month was gone for others after", took, MOST_SECONDS),
        *verdict("the longest that a reader of the database waited", busy["database"][-1], MOST_WAIT),
        *verdict("an answer of the API took longer than any before, by", busy["api"][-1] - quiet["api"][-1], MOST_WAIT),
        *[f"{n} requests failed" for n in [readers.failed] if n],
        *[f"{pk} is not what it was" for pk in held if whole(client, pk) != before[pk]],
        *[f"{departures[0].n:,} went" for one in departures if one.project_id == project.pk and one.n != told.n],
    ]
    for what in ("database", "api"):
        for when, laps in (("before", quiet), ("meanwhile", busy)):
            print(f"{what} {when}: {len(laps[what]):,}, median {statistics.median(laps[what]) * 1000:.0f} ms,"
                  f" longest {laps[what][-1] * 1000:.0f} ms")  # fmt: skip
    began = time.monotonic()
    months.drop_detached()
    print(f"room given back in {time.monotonic() - began + returned - took:.1f} s more")
    began = time.monotonic()
    run(now)
    print(f"external ids freed in {time.monotonic() - began:.1f} s")
    began = time.monotonic()
    faults += [f"the proof finds {n} differences" for n in [prove().n] if n]
    print(f"proof of what is left in {time.monotonic() - began:.1f} s")
    print("\n".join(faults) or "All as it should be.")
    return 1 if faults else 0


def verdict(what, seconds, most):
    print(f"{what}: {seconds:.3f} s (at most {most} s)", flush=True)
    return [f"{what} {seconds:.3f} s"] if seconds > most else []


def fill(client, rows):
    """A project with so many rows in an old month, and its roll-ups made by the proof."""

    client.post("projects", json={"key": "old", "name": "Old"}).raise_for_status()
    client.post("feedback-keys", json={"project": "old", "key": "good", "kind": "bool"}).raise_for_status()
    for n in range(20_000 // 500):
        lines = "\n".join(json.dumps({"prompt": f"now {n} {k}", "completion": "c", "model": "m"}) for k in range(500))
        client.post(
            "interactions/batch?project=old", content=lines, headers={"Content-Type": "application/x-ndjson"}
        ).raise_for_status()
    project, now = Project.objects.get(key="old"), ids.now()
    month = (now.replace(day=1) - datetime.timedelta(days=30 * MONTHS_AGO)).replace(day=1, hour=0, minute=0)
    partitions.ensure([month])
    labels = [resolve_labels(project=project, pairs={pair})[pair] for pair in LABELS]
    values = {
        "project": project.pk, "model": Model.objects.get(key="m").pk, "key": FeedbackKey.objects.get(key="good").pk,
        "first_label": labels[0], "start": ids.milliseconds(month) + 3_600_000, "step": 27 * 86_400_000 / rows,
    }  # fmt: skip
    began = time.monotonic()
    for low in range(0, rows, PIECE):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(FILL, {**values, "low": low, "high": min(low + PIECE, rows) - 1})
        print(f"{min(low + PIECE, rows):,} rows after {time.monotonic() - began:.0f} s", flush=True)
    with connection.cursor() as cursor:
        cursor.execute(COMPARE, values)
        cursor.execute("VACUUM ANALYZE")
    os.sync()  # a month that old lies on the disk
    began = time.monotonic()
    n = prove(rebuild=True).n
    print(f"roll-ups made by the proof, {n:,} places, in {time.monotonic() - began:.1f} s", flush=True)
    time.sleep(20)  # the worker folds
    return project


def hold_some(client, project, number):
    """Ids all over the month, held through the API."""

    rows = Interaction.objects.filter(project=project).order_by("content_hash").values_list("id", flat=True)
    old = [str(pk) for pk in rows[: number * 3] if pk.int >> 80 < (time.time() - 70 * 86_400) * 1000][:number]
    for pk in old:
        client.put(f"interactions/{pk}/hold", json={"reason": "Case 7"}).raise_for_status()
    return old


def whole(client, pk):
    """All that the API tells of an interaction."""
    paths = ("", "/feedback", "/hold")
    return [client.get(f"interactions/{pk}{path}").json() for path in paths]


class Watch:
    """Sees, on a connection of its own, when what goes is told to be gone: that is when others see it."""

    def __init__(self):
        self.thread = threading.Thread(target=self._look)
        self.thread.start()

    def _look(self):
        while not Departure.objects.exists():
            time.sleep(0.005)
        self.moment = time.monotonic()
        connection.close()

    def seen(self):
        self.thread.join()
        return self.moment


class Readers:
    """Threads that ask, each time measured: some the API, one the database itself."""

    def __init__(self, client, project, number):
        self.client, self.project, self.failed = client, project, 0
        self.times, self.stopped, self.lock = {"api": [], "database": []}, threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self._read_api, args=(place,)) for place in range(number)]
        self.threads.append(threading.Thread(target=self._read_database))
        for thread in self.threads:
            thread.start()

    def _read_api(self, place):
        queries = [{}, {"label": "topic:t7"}, {"fields": "id,labels"}, {"has_feedback": "true"}]
        number = place
        while not self.stopped.is_set():
            query = {"project": "old", "limit": 50, **queries[number % len(queries)]}
            self._measure("api", lambda query=query: self.client.get("interactions", params=query).raise_for_status())
            number += 1

    def _read_database(self):

        with connection.cursor() as cursor:
            query = "SELECT id FROM interactions_interaction WHERE project_id = %s AND source <> 'simulation'"
            while not self.stopped.is_set():
                self._measure(
                    "database", lambda: cursor.execute(f"{query} ORDER BY id DESC LIMIT 50", [self.project.pk])
                )

    def _measure(self, what, ask):
        began = time.monotonic()
        try:
            ask()
        except Exception as error:
            if not self.failed:
                print(f"failed: {error}", flush=True)
            self.failed += 1
        with self.lock:
            self.times[what].append(time.monotonic() - began)

    def lap(self):
        """What was measured since the last lap, the longest last."""
        with self.lock:
            taken, self.times = self.times, {"api": [], "database": []}
        return {what: sorted(times) for what, times in taken.items()}

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()


if __name__ == "__main__":
    sys.exit(main())
