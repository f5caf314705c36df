"""The commands: a file in, each line once, whatever kills it; and out again in the form that goes in."""

import errno
import gzip
import io
import itertools
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import zstandard
from django.core.management import CommandError, call_command

from feedback.giving import give_feedback
from feedback.services import create_feedback_key
from interactions.ingest import batches, files
from interactions.labels import remove_labels, set_label
from interactions.models import ImportProgress, Interaction, InteractionBody
from tests.conftest import Api
from tests.experiments.running import make_place, make_test
from tests.factories import make_interaction, make_project, make_user, owner_of
from tests.interactions.batch import ndjson
from tests.interactions.pixels import data_uri, shows, user_says


def plain(number, **more):
    return {"prompt": f"Question {number}", "completion": "Yes.", "labels": {"n": str(number)}, **more}


def named(number):
    return plain(number, external_id=f"r{number}")


@pytest.fixture
def write(tmp_path):
    """Writes records to a file, packed by its name."""

    def write(records, name="records.jsonl"):
        pack = {"gz": gzip.compress, "zst": zstandard.ZstdCompressor().compress}.get(name.rpartition(".")[2], bytes)
        (tmp_path / name).write_bytes(pack(records if isinstance(records, bytes) else ndjson(records)))
        return str(tmp_path / name)

    return write


def run(path, project, **options):
    """(what was said, what went wrong, the error that ended it or None) of an import."""
    out, err, error = io.StringIO(), io.StringIO(), None
    try:
        call_command("import_interactions", path, project=project.key, stdout=out, stderr=err, **options)
    except CommandError as raised:
        assert raised.returncode == 1
        error = str(raised)
    return out.getvalue(), err.getvalue(), error


def prompts(project):
    bodies = InteractionBody.objects.filter(interaction__project=project)
    return sorted(body.messages[0]["content"] for body in bodies)


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
@pytest.mark.parametrize("make", [plain, named])
def test_a_file_goes_in_once_however_often_it_is_imported(project, write, name, make):
    path = write([make(number) for number in range(1_200)], name)
    assert run(path, project) == ("1,200 logged, 0 there already, 0 refused\n", "", None)
    assert run(path, project) == ("0 logged, 1,200 there already, 0 refused\n", "", None)
    assert Interaction.objects.count() == 1_200
    other = make_project(team=project.team)
    assert run(path, other)[0].startswith("1,200 logged")


def test_lines_that_are_refused_are_told_by_number_and_tried_again(project, write):
    score = {"feedbacks": [{"metric": "score", "value": 1}]}
    path = write(ndjson([plain(1)]) + b"\n{nonsense\n" + ndjson([plain(4, **score), plain(5), {"completion": ""}]))
    out, err, error = run(path, project)
    assert (out, error is not None) == ("2 logged, 0 there already, 3 refused\n", True)
    assert [line.partition(":")[0] for line in err.splitlines()] == ["line 3", "line 4", "line 6"]
    assert "messages: Send a list" in err
    create_feedback_key(team=project.team, key="score", kind="scalar", projects=[project])
    assert run(path, project)[0] == "1 logged, 2 there already, 2 refused\n"
    assert run(path, project)[0] == "0 logged, 3 there already, 2 refused\n"
    assert prompts(project) == ["Question 1", "Question 4", "Question 5"]


@pytest.mark.parametrize("make", [plain, named])
@pytest.mark.parametrize("after", [0, 1, 3])
def test_an_import_that_was_killed_goes_on_where_it_stopped(project, write, monkeypatch, make, after):
    path = write([make(number) for number in range(50)])
    monkeypatch.setattr(batches, "PIECE", 10)
    pieces, real = itertools.count(), batches.ingest

    def dies(**arguments):
        if next(pieces) == after:
            raise KeyboardInterrupt
        return real(**arguments)

    monkeypatch.setattr(batches, "ingest", dies)
    with pytest.raises(KeyboardInterrupt):
        run(path, project)
    assert Interaction.objects.count() == after * 10
    monkeypatch.setattr(batches, "ingest", real)
    assert run(path, project)[0] == f"{50 - after * 10} logged, {after * 10} there already, 0 refused\n"
    assert prompts(project) == sorted(f"Question {number}" for number in range(50))


def test_what_cannot_be_noted_is_not_stored(project, write, monkeypatch):
    path = write([plain(number) for number in range(20)])
    monkeypatch.setattr(batches, "PIECE", 10)
    real = files._Progress.advance

    def late(self, told):
        if told[0].line > 10:
            ImportProgress.objects.update(line=20)  # somebody else was faster
        real(self, told)

    monkeypatch.setattr(files._Progress, "advance", late)
    out, _, error = run(path, project)
    assert (out, "Another import" in error) == ("10 logged, 0 there already, 0 refused\n", True)
    assert Interaction.objects.count() == 10


def test_a_file_that_is_cut_off_says_so_after_what_was_read(project, write):
    noise = [plain(number, metadata={"n": [number * k % 9_973 for k in range(40)]}) for number in range(1_500)]
    path = write(noise, "noise.jsonl.gz")
    with open(path, "r+b") as file:
        file.truncate(file.seek(0, 2) * 9 // 10)
    out, _, error = run(path, project)
    assert (out, "gzip" in error) == ("1,000 logged, 0 there already, 0 refused\n", True)


def test_who_logs_and_where_must_be_known(project, write):
    path = write([plain(1)])
    auditor = make_user("audit@example.org", team=project.team, role="auditor")
    make_user("nobody@example.org")
    assert "needs the permission" in run(path, project, user=auditor.email)[2]
    assert "EntityNotFound" in run(path, project, user="nobody@example.org")[2]
    assert "no user" in run(path, project, user="who@example.org")[2]
    with pytest.raises(CommandError, match="no project"):
        call_command("import_interactions", path, project="nowhere")
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_interactions", path + "x", project=project.key)
    make_project(project.key)
    assert "Several teams" in run(path, project)[2]
    engineer = make_user("e@example.org", team=project.team, role="engineer")
    out = io.StringIO()
    call_command("import_interactions", path, project=str(project.uid), user="E@example.org", stdout=out)
    assert Interaction.objects.get().logged_by == engineer


def export(project, path=None, **options):
    call_command("export_interactions", *([str(path)] if path else []), project=project.key, **options)


def test_of_a_file_that_could_not_be_written_nothing_stays(project, tmp_path, monkeypatch):
    make_interaction(project)

    def full(file, encoding):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("interactions.management.commands.export_interactions._packed", full)
    with pytest.raises(CommandError, match="No space left"):
        export(project, tmp_path / "all.jsonl")
    assert not list(tmp_path.iterdir())


@pytest.fixture
def varied(project, owner):
    """A project with interactions of every make, labelled and judged since."""
    for key, kind in (("good", "bool"), ("stars", "scalar")):
        create_feedback_key(team=project.team, key=key, kind=kind, projects=[project])
    seen = user_says({"type": "text", "text": "See"}, shows(data_uri()))
    first = make_interaction(project, messages=seen, labels={"a": "b"})
    judged = {"feedbacks": [{"metric": "stars", "value": 2.5, "details": "d"}], "metadata": {"n": 1.0}}
    at = "2026-03-01T10:00:00.123456+02:00"
    second = make_interaction(project, created_at=at, session_id="s", user="u", external_id="e", **judged)
    make_interaction(project, source="simulation", completion="")
    prompted = {"messages": None, "prompt": "退款", "latency_ms": 12.5, "model": None, "labels": {"a": "c", "z": "y"}}
    third = make_interaction(project, **prompted, created_at=1767225600000)
    set_label(interaction=first, key="a", value="changed", by=owner)
    remove_labels(project=project, ids=[third.pk], key="a", by=owner)
    remove_labels(project=project, ids=[third.pk], key="z", by=owner)
    good = project.feedback_keys.get(key="good")
    give_feedback(interaction=second, key=good, value=True, by=owner, user="u9")
    return project


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz", "out.jsonl.zst"])
def test_what_is_exported_imports_as_it_was(api, varied, tmp_path, name):
    export(varied, tmp_path / name, filter="source=logged&source=simulation")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    copy = make_project(team=varied.team)
    for key in varied.feedback_keys.all():
        create_feedback_key(team=copy.team, key=key.key, kind=key.kind, projects=[copy])
    assert run(str(tmp_path / name), copy) == ("4 logged, 0 there already, 0 refused\n", "", None)
    assert everything(api, copy) == everything(api, varied)


def test_what_was_exported_with_an_ab_test_is_read_back_where_that_is_not(client, db, tmp_path):
    place, elsewhere, path = make_place(), make_place(), str(tmp_path / "out.jsonl")
    Api(client, owner_of(place)).log(place, model="lake-8b", ab_campaign=make_test(place).key)
    export(place, path)
    out, _, error = run(path, elsewhere)
    assert (out, "--no-arms" in error) == ("0 logged, 0 there already, 1 refused\n", True)
    assert run(path, elsewhere, no_arms=True) == ("1 logged, 0 there already, 0 refused\n", "", None)
    before, after = (InteractionBody.objects.get(interaction__project=one) for one in (place, elsewhere))
    assert after.envelope["ab_campaign"] == before.envelope["ab_campaign"]
    assert (before.interaction.arm is None, after.interaction.arm) == (False, None)


def everything(api, project):
    query = {"project": project.key, "source": ["logged", "simulation"], "images": "inline"}
    rows = api.get("interactions", query).json()["results"]
    for row in rows:
        row.pop("id"), row.pop("project"), row.pop("project_id")
        for feedback in row["feedbacks"]:
            feedback.pop("id"), feedback.pop("created_at")
    return rows


def test_an_export_takes_the_same_filters(varied, capfdbinary):
    for query, expected in [("", 3), ("label=a", 1), ("feedback=good:true", 1), ("source=simulation", 1), ("q=退款", 1),
                            ("label=a&label=b", 0), ("after=2026-03-01", 2)]:  # fmt: skip
        export(varied, filter=query)
        assert len(capfdbinary.readouterr().out.splitlines()) == expected, query


@pytest.mark.parametrize(
    ("query", "said"), [("labl=a", "labl"), ("after=soon", "ISO 8601"), ("feedback=x", "no feedback")]
)
def test_a_filter_that_makes_no_sense_exports_nothing(varied, tmp_path, query, said):
    with pytest.raises(CommandError, match=said):
        export(varied, tmp_path / "out.jsonl", filter=query)
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_written_to_and_stays_one(project, tmp_path, write):
    run(write([plain(number) for number in range(3)]), project)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as apart:
        read = apart.submit(pipe.read_text)
        export(project, pipe)
        assert len(read.result(10).splitlines()) == 3
    assert pipe.is_fifo()


def test_an_export_goes_through_all_pages(project, monkeypatch, tmp_path, write):
    monkeypatch.setattr("interactions.management.commands.export_interactions.PAGE", 7)
    run(write([plain(number) for number in range(40)]), project)
    export(project, tmp_path / "out.jsonl", filter="order=created_at")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert sorted(line["prompt"] for line in lines) == sorted(f"Question {number}" for number in range(40))
