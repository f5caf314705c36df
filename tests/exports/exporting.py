"""Exports in tests: asked for by REST, written as the worker does, read as their readers do."""

import csv
import io
import json

import pyarrow.parquet as pq

from exports import tasks
from jobs.work import run_job

WRITE = tasks.write_export.func.__wrapped__


def ask(api, project, **body):
    """The export as it was taken on."""
    answer = api.post(f"projects/{project.key}/exports", body)
    assert answer.status_code == 202, answer.content
    return answer.json()


def run(told):
    """Do its job."""
    run_job(WRITE, told["job"])


def look(api, project, told):
    return api.get(f"projects/{project.key}/exports/{told['id']}").json()


def fetch(api, project, told):
    """The file's bytes."""
    answer = api.get(f"projects/{project.key}/exports/{told['id']}/file")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def export(api, project, **body):
    """(the export when it is done, its file's bytes)"""
    told = ask(api, project, **body)
    run(told)
    told = look(api, project, told)
    assert told["state"] == "done", told
    return told, fetch(api, project, told)


def lines(raw):
    return [json.loads(line) for line in raw.splitlines()]


def table(raw):
    """The rows of a CSV file as dictionaries."""
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


def parquet(raw):
    return pq.read_table(io.BytesIO(raw))
