"""A result becomes tables that can be read, and promises that are kept or not."""

import json

import pytest

from bench import report
from bench.verdicts import verdicts

TIMES = {"n": 60, "failed": 0, "p50": 5.0, "p95": 9.0, "p99": 12.0, "max": 20.0}
ROWS = {
    "API": {
        "newest": {**TIMES, "target": "list"},
        "absent word, label of 40 %": {**TIMES, "target": "words and label"},
        "full records": {**TIMES, "target": "full records"},
    },
    "page": {
        "newest": {**TIMES, "target": "page"},
        "facets": {**TIMES, "target": "one filter"},
        "facets, two labels and feedback": {**TIMES, "target": "several filters"},
    },
}
WRITING = {
    "single, 8 clients": {**TIMES, "per_second": 900.0},
    "batches of 500, 8 clients": {**TIMES, "per_second": 2_500.0},
}
CEILINGS = {"bare view, 8 clients": {**TIMES, "per_second": 1_200.0}, "COPY, one stream": {"per_second": 20_000.0}}
HELD = {"web": 150.0, "web processes": 3, "all beside shared buffers": 300.0}
RESULT = {
    "n": 100_000, "seed": 1, "load": 0.1, "at": "2026-11-21T16:00:00Z", "commit": "acba5c3",
    "machine": {"cpu": "A processor", "cores": 2, "memory_gb": 23.4, "system": "Linux 6"},
    "versions": {"python": "3.11.7"}, "settings": {"server_version": "18.0", "jit": "off"},
    "empty": {"writing": WRITING, "ceilings": CEILINGS},
    "filled": {
        "writing": WRITING, "ceilings": CEILINGS, "records": 100_000,
        "reading": {"1": ROWS, "8": ROWS, "8 while singles": ROWS},
        "while": {"singles": {**TIMES, "per_second": 450.0}},
        "memory": {"idle": HELD, "loaded": HELD},
        "disk": {"tables": {"interactions_interaction": {"table": 1, "indexes": 2}}, "other tables": 1,
                 "database": 340_000_000, "folder": 2_000_000_000, "indexes": {}},
        "raw": {"with_pictures": 2_600.0, "without": 2_350.0},
        "start": {"ready": 2.5, "page": 2.6},
    },
}  # fmt: skip


def changed(path, value):
    """The result with one figure changed, named by a path such as filled/start/ready."""
    result = json.loads(json.dumps(RESULT))  # so that no two figures are one
    *folders, name = path.split("/")
    place = result
    for folder in folders:
        place = place[folder]
    place[name] = value
    return result


def test_a_result_that_keeps_everything_is_said_to():
    assert {one.kept for one in verdicts(RESULT, RESULT)} == {True}


@pytest.mark.parametrize(
    ("path", "value", "promise"),
    [
        ("filled/writing/single, 8 clients/per_second", 500.0, "bare view"),
        ("filled/writing/batches of 500, 8 clients/per_second", 1_700.0, "batches: filled beside empty"),
        ("filled/reading/1/API/newest/p50", 15.1, "API, list: p50"),
        ("filled/reading/1/API/absent word, label of 40 %/p95", 151.0, "words and label: p95"),
        ("filled/reading/1/page/newest/p50", 51.0, "page: p50"),
        ("filled/reading/1/page/facets/p95", 101.0, "one filter: p95"),
        ("filled/reading/8 while singles/API/newest/p95", 28.0, "3 times the quiet one"),
        ("filled/reading/8/API/newest/failed", 1, "no request fails"),
        ("filled/memory/idle/all beside shared buffers", 351.0, "memory, idle"),
        ("filled/disk/database", 400_000_000, "disk"),
        ("filled/start/ready", 5.2, "second start"),
    ],
)
def test_a_promise_that_is_not_kept_is_named(path, value, promise):
    broken = [one.promise for one in verdicts(changed(path, value)) if one.kept is False]
    assert any(promise in one for one in broken), broken


def test_growth_is_told_only_beside_a_small_store():
    slower = changed("filled/reading/1/API/newest/p50", 10.5)
    (told,) = [one for one in verdicts(slower, RESULT) if "twice" in one.promise]
    assert (told.kept, told.measured) == (False, "2.10 (newest)")
    assert [one.kept for one in verdicts(slower) if "twice" in one.promise] == [None]


def test_tables_have_as_many_cells_in_every_line():
    for block in report.markdown(RESULT).split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.strip().splitlines()}) == 1


def test_a_run_is_kept_as_json_and_as_text_and_the_latest_is_found(tmp_path):
    assert report.latest(tmp_path) is None
    path = report.write(tmp_path, RESULT)
    assert "**not kept**" not in path.read_text()
    assert report.latest(tmp_path) == RESULT == json.loads(path.with_suffix(".json").read_text())


def test_the_page_takes_the_latest_run_and_keeps_the_rest(tmp_path, monkeypatch):
    page = tmp_path / "performance.md"
    page.write_text(report.DOCS.read_text())
    before = page.read_text().split(report.BEGIN)[0]
    monkeypatch.setattr(report, "DOCS", page)
    report.into_docs(RESULT)
    report.into_docs({**RESULT, "n": 4_321})
    assert page.read_text().startswith(before)
    assert "4,321 interactions" in page.read_text() and "100,000 interactions, 2026" not in page.read_text()


def test_what_earlier_runs_left_in_the_store_is_told():
    assert report.markdown(RESULT).startswith("100,000 interactions, 2026")
    told = report.markdown(changed("filled/records", 123_456))
    assert told.startswith("100,000 interactions and 23,456 that earlier runs logged, 2026")
