"""Loads real interactions by every door into projects of their own and compares what is found with the files.

python -m tests.acceptance.real_data --data FOLDER --address http://127.0.0.1:8000 --key mg_… --login EMAIL

The folder holds interactions as .jsonl.gz. The import runs `manage.py import_interactions` with the environment of
this process, which must be the server's; the login is asked for a password, or LOGIN_PASSWORD holds it.
"""

import argparse
import gzip
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from getpass import getpass
from pathlib import Path
from urllib.parse import urlencode

import httpx

FILES = ("alpaca_eval", "vicuna_bench_scored", "multi_turn", "multimodal")
ROW = re.compile(r'id="i-([0-9a-f-]{36})"')
NEXT = re.compile(r'<a[^>]*href="([^"]*[?&;]cursor=[^"]*)"[^>]*rel="next"|<a[^>]*rel="next"[^>]*href="([^"]*)"')


def main():
    asked = arguments()
    records = read(asked.data)
    server = httpx.Client(
        base_url=asked.address, headers={"Authorization": f"Bearer {asked.key}"}, timeout=120,
        limits=httpx.Limits(max_connections=30),
    )  # fmt: skip
    browser = log_in(asked.address, asked.login)
    wrong = 0
    stamp = f"{time.time():.0f}"
    for name, load in (("post", by_post), ("batch", by_batch), ("import", by_import)):
        project = make_project(server, f"real-{name}-{stamp}")
        wrong += check_loading(server, project, records, load)
        wrong += check_reading_back(server, project, records)
        wrong += check_filters(server, browser, project, records)
    print("all as it should be" if not wrong else f"{wrong} checks FAILED")
    sys.exit(bool(wrong))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("data", "address", "key", "login"):
        parser.add_argument(f"--{name}", required=True)
    return parser.parse_args()


def read(folder):
    """The files' records, each with an external id that tells its file and line."""
    records = []
    for name in FILES:
        with gzip.open(Path(folder) / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
            records += [{**json.loads(line), "external_id": f"{name}-{place}"} for place, line in enumerate(lines, 1)]
    return records


def log_in(address, login):
    browser = httpx.Client(base_url=address, timeout=120, follow_redirects=True)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get("/login").text)[1]
    password = os.environ.get("LOGIN_PASSWORD") or getpass("Password: ")
    form = {"username": login, "password": password, "csrfmiddlewaretoken": token}
    browser.post("/login", data=form, headers={"Referer": f"{address}/login"}).raise_for_status()
    return browser


def make_project(server, key):
    server.post("/api/v1/projects", json={"key": key, "name": key}).raise_for_status()
    made = server.post("/api/v1/feedback-keys", json={"project": key, "key": "gpt4_score", "kind": "scalar"})
    made.raise_for_status()
    return key


def by_post(server, project, records):
    """One by one, 30 at a time."""

    def post(record):
        answer = server.post("/api/v1/interactions", json={"project": project, **record})
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(30) as threads:
        answers = list(threads.map(post, records))
    codes = Counter(code for code, _ in answers)
    return codes[201], codes[200], [body for code, body in answers if code not in {200, 201}]


def by_batch(server, project, records):
    """In one call, packed."""
    raw = gzip.compress("\n".join(json.dumps(record) for record in records).encode(), 1)
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    told = server.post("/api/v1/interactions/batch", params={"project": project}, content=raw, headers=headers).json()
    return told["accepted"], told["duplicates"], told["rejected"]


def by_import(server, project, records):
    """By the command, from a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "real.jsonl.gz"
        path.write_bytes(gzip.compress("\n".join(json.dumps(record) for record in records).encode(), 1))
        command = [sys.executable, "manage.py", "import_interactions", path, "--project", project]
        done = subprocess.run(command, capture_output=True, text=True)
    numbers = re.search(r"([\d,]+) logged, ([\d,]+) there already", done.stdout)
    logged, known = (int(number.replace(",", "")) for number in numbers.groups()) if numbers else (0, 0)
    return logged, known, [done.stderr[-500:]] if done.returncode else []


def check(project, what, fine, figures=""):
    print(f"{'ok   ' if fine else 'WRONG'} {project}: {what} {figures}".rstrip(), flush=True)
    return not fine


def check_loading(server, project, records, load):
    wrong = 0
    for time_, expected in (("loaded", (len(records), 0)), ("loaded again", (0, len(records)))):
        started = time.monotonic()
        new, known, faults = load(server, project, records)
        seconds = time.monotonic() - started
        figures = f"{new} new, {known} known, {len(faults)} refused in {seconds:.1f} s, {len(records) / seconds:.0f}/s"
        wrong += check(project, time_, (new, known) == expected and not faults, f"{figures} {faults[:1] or ''}")
        held = server.get("/api/v1/interactions", params={"project": project, "limit": 1}).json()["count"]
        wrong += check(project, "holds", held == len(records), held)
    return wrong


def found_by_api(server, project, query, limit=1000, **more):
    """Results of all pages."""
    query, results = {"project": project, "limit": limit, **query, **more}, []
    while True:
        answer = server.get("/api/v1/interactions", params=query)
        answer.raise_for_status()
        page = answer.json()
        results += page["results"]
        if page["next"] is None:
            return results
        query["cursor"] = page["next"]


def check_reading_back(server, project, records):
    sent = {record["external_id"]: record for record in records}
    fields = "id,external_id,messages,completion,labels,created_at,model,feedbacks"
    read_back = found_by_api(server, project, {}, images="inline", fields=fields, limit=500)
    differing = []
    for row in read_back:
        record = sent.pop(row["external_id"])
        same = row["messages"] == record["messages"] and row["completion"] == record["completion"]
        same &= row["labels"] == record.get("labels", {}) and row["model"] == record.get("model")
        same &= moment(row["created_at"]) == moment(record["created_at"])
        given = [(one["feedback_key"], one["value"], one.get("details")) for one in record.get("feedbacks", [])]
        same &= given == [(one["feedback_key"], one["value"], one["details"]) for one in row["feedbacks"]]
        if not same:
            differing.append(row["external_id"])
    wrong = check(project, "reads back equal", not sent and not differing, f"{len(read_back)} {differing[:3] or ''}")
    return wrong + check_pictures(server, project)


def check_pictures(server, project):
    """Every stored picture is served under the type that it has."""
    addresses = set(
        re.findall(r'http[^"]*/blobs/[^"]*', json.dumps(found_by_api(server, project, {"has_images": "true"})))
    )
    answers = [server.get(address) for address in addresses]
    fine = all(answer.headers["content-type"] in {"image/png", "image/jpeg"} for answer in answers)
    return check(project, "serves its pictures", fine and len(addresses) > 0, f"{len(addresses)} different")


def moment(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC)


def texts_of(record):
    for message in record["messages"]:
        content = message["content"]
        yield from [content] if isinstance(content, str) else (part.get("text", "") for part in content)
    yield record["completion"]


def says(pattern):
    return lambda record: any(re.search(pattern, text, re.IGNORECASE) for text in texts_of(record))


def label(key, *values):
    return lambda record: (record["labels"].get(key) in values) if values else key in record["labels"]


def without(test):
    return lambda record: not test(record)


def between(after=None, before=None):
    def test(record):
        at = moment(record["created_at"])
        return (after is None or at >= moment(after)) and (before is None or at < moment(before))

    return test


def model(*keys):
    return lambda record: record.get("model") in keys


def score(test):
    return lambda record: any(test(one["value"]) for one in record.get("feedbacks", []))


T1, T2, T3 = "2026-09-10T00:00:00Z", "2026-10-01T06:30:00Z", "2026-11-05T00:00:00Z"
CONDITIONS = {
    "label": [
        ([("label", "source:vicuna_bench")], label("source", "vicuna_bench")),
        ([("label", "dataset:koala|vicuna")], label("dataset", "koala", "vicuna")),
        ([("label", "topic")], label("topic")),
        ([("label", "item")], label("item")),
    ],
    "not": [
        ([("not_label", "dataset:helpful_base")], without(label("dataset", "helpful_base"))),
        ([("not_label", "dataset")], without(label("dataset"))),
    ],
    "time": [
        ([("after", T1), ("before", T2)], between(T1, T2)),
        ([("after", T3)], between(T3)),
        ([("before", T1)], between(None, T1)),
    ],
    "feedback": [
        ([("feedback", "gpt4_score")], score(lambda value: True)),
        ([("feedback", "gpt4_score:none")], without(score(lambda value: True))),
        ([("feedback", "gpt4_score:>=9")], score(lambda value: value >= 9)),
        ([("feedback", "gpt4_score:1..5")], score(lambda value: 1 <= value <= 5)),
    ],
    "model": [
        ([("model", "vicuna-13b")], model("vicuna-13b")),
        ([("model", "gpt4"), ("model", "claude-2"), ("model", "alpaca-13b")], model("gpt4", "claude-2", "alpaca-13b")),
    ],
    "words": [
        ([("q", "broadway")], says(r"(?<![^\W_])broadway(?![^\W_])")),
        ([("q", '"time management"')], says(r"(?<![^\W_])time[\W_]+management(?![^\W_])")),
        ([("q", "photograph*")], says(r"(?<![^\W_])photograph")),
        ([("q", "the")], says(r"(?<![^\W_])the(?![^\W_])")),
    ],
}


def combinations(records):
    """Forty that find something: each condition alone, and conditions of different kinds together."""
    alone = list(itertools.chain.from_iterable(CONDITIONS.values()))
    pairs = [
        (one[0] + other[0], lambda record, one=one, other=other: one[1](record) and other[1](record))
        for (_, ones), (_, others) in itertools.combinations(CONDITIONS.items(), 2)
        for one, other in zip(ones, others, strict=False)
    ]
    return [(query, test) for query, test in alone + pairs if any(map(test, records))][:40]


def check_filters(server, browser, project, records):
    """For each combination the API's set and the page's against a loop over the records."""
    ids = {row["external_id"]: row["id"] for row in found_by_api(server, project, {}, fields="id,external_id")}
    wrong, started, asked = 0, time.monotonic(), combinations(records)
    for query, test in asked:
        expected = {ids[record["external_id"]] for record in records if test(record)}
        api = [row["id"] for row in found_by_api(server, project, multi(query), fields="id")]
        page = found_by_page(browser, project, query)
        fine = sorted(api) == sorted(page) == sorted(expected)
        figures = f"expected {len(expected)}, API {len(api)}, page {len(page)}"
        wrong += check(project, f"finds {urlencode(query)}", fine, figures)
    print(f"      {project}: {len(asked)} combinations in {time.monotonic() - started:.1f} s")
    return wrong


def multi(query):
    """Pairs as a dictionary of lists."""
    return {name: [value for other, value in query if other == name] for name, _ in query}


def found_by_page(browser, project, query):
    """The ids of the rows on all pages of the table."""
    address, found = f"/p/{project}/interactions?{urlencode([*query, ('limit', 200)])}", []
    while address:
        answer = browser.get(address)
        answer.raise_for_status()
        found += ROW.findall(answer.text)
        following = NEXT.search(answer.text)
        address = following and (following[1] or following[2]).replace("&amp;", "&")
        if address and address.startswith("?"):
            address = f"/p/{project}/interactions{address}"
    return found


if __name__ == "__main__":
    main()
