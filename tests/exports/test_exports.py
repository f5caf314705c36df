"""Exports: what stands in the files, format by format, and that what was written is read back as it was."""

import hashlib
import io
import json
import subprocess
import sys
import tarfile

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exports.models import Export, Format, Pictures
from feedback.services import create_feedback_key, link_feedback_key
from tests.exports.exporting import ask, export, lines, parquet, run, table
from tests.factories import make_interaction, make_project
from tests.interactions.batch import NDJSON, send_batch
from tests.interactions.pixels import data_uri, picture, shows, user_says
from tests.interactions.test_label_keys import rename

pytestmark = pytest.mark.django_db


def everything(api, project):
    """All that the API tells of a project's interactions but their ids."""
    rows = api.get("interactions", {"project": project.key, "images": "inline"}).json()["results"]
    for row in rows:
        row.pop("id"), row.pop("project"), row.pop("project_id", None)
        for feedback in row["feedbacks"]:
            feedback.pop("id"), feedback.pop("created_at")
    return rows


@pytest.fixture
def copy(varied):
    """An empty project with the same feedback keys."""
    other = make_project(team=varied.team)
    for key in varied.feedback_keys.all():
        create_feedback_key(team=other.team, key=key.key, kind=key.kind, projects=[other])
    return other


def as_sent(raw, name, tmp_path):
    """The lines that are logged again, as the documented program makes them of a file."""
    path = tmp_path / name
    path.write_bytes(raw)
    command = [sys.executable, "-m", "exports.reading", str(path)]
    done = subprocess.run(command, cwd=django_settings.BASE_DIR, capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_json_lines_are_posted_again_as_they_are(api, varied, copy):
    told, raw = export(api, varied, format="jsonl")
    assert (told["number"], told["size"], told["sha256"]) == (4, len(raw), hashlib.sha256(raw).hexdigest())
    status, answer = send_batch(api, copy, raw)
    assert (status, answer["accepted"], answer["rejected"]) == (201, 4, [])
    assert everything(api, copy) == everything(api, varied)


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
@pytest.mark.parametrize("pictures", ["inside", "files"])
def test_a_file_is_read_back_into_an_empty_project_as_it_was(api, varied, copy, tmp_path, format, pictures):
    told, raw = export(api, varied, format=format, pictures=pictures)
    sent = as_sent(raw, told["file_name"], tmp_path)
    (tmp_path / "again.jsonl").write_bytes(sent)
    call_command("import_interactions", str(tmp_path / "again.jsonl"), project=copy.key, stdout=io.StringIO())
    assert everything(api, copy) == everything(api, varied)


def test_a_line_ends_where_the_file_says_so_alone(api, varied):
    make_interaction(varied, completion="a\u2028b\u2029c\u0085d")
    for format in ("jsonl", "openai"):
        _, raw = export(api, varied, format=format)
        assert len(raw.decode().splitlines()) == raw.count(b"\n")
        assert "a\u2028b\u2029c\u0085d" in json.dumps(lines(raw), ensure_ascii=False)


def test_a_picture_lies_in_the_tar_once_however_often_it_is_shown(api, project):
    shown = user_says({"type": "text", "text": "See"}, shows(data_uri()))
    for _ in range(3):
        make_interaction(project, messages=shown)
    _, raw = export(api, project, format="jsonl", pictures="files")
    with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
        names = tar.getnames()
        assert names == ["interactions.jsonl", f"pictures/{hashlib.sha256(picture()).hexdigest()}.png"]
        assert tar.extractfile(names[1]).read() == picture()
        [url] = {line["messages"][0]["content"][1]["image_url"] for line in lines(tar.extractfile(names[0]).read())}
        assert url == names[1]


def test_an_address_that_begins_like_a_picture_of_the_tar_is_left_as_it_is(api, project, tmp_path):
    shown = user_says(shows(data_uri()), shows("pictures/cat.png"))
    make_interaction(project, messages=shown)
    told, raw = export(api, project, format="jsonl", pictures="files")
    [line] = lines(as_sent(raw, told["file_name"], tmp_path))
    assert line["messages"] == shown


def test_pictures_that_are_left_out_are_links_to_them(api, project):
    make_interaction(project, messages=user_says(shows(data_uri())))
    _, raw = export(api, project, format="jsonl", pictures="left_out")
    url = lines(raw)[0]["messages"][0]["content"][0]["image_url"]
    path = url.removeprefix(django_settings.ADDRESS)
    assert api.client.get(path, headers=api.headers).content == picture()


FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A"]
SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_csv_file_is_a_formula(api, project, text):
    make_interaction(project, completion=text, prompt=text, messages=None, user=text, session_id=text,
                     labels={"risk": text, text.strip(): "x"}, model="=m")  # fmt: skip
    columns = ["prompt", "completion", "user", "session_id", "model", "labels", "label:risk", f"label:{text.strip()}"]
    _, raw = export(api, project, format="csv", columns=columns)
    [row] = table(raw)
    for name, cell in row.items():
        assert not cell.startswith(SIGNS), name
        assert not name.startswith(SIGNS)
    assert row["completion"] == "'" + text.replace("\n=", "\n'=").replace("\r=", "\r'=").replace("\t=", "\t'=")


def test_nor_is_what_a_spreadsheet_that_splits_at_semicolons_makes_of_it(api, project):
    make_interaction(project, completion='a;=HYPERLINK("x")\t-1;b; c\n- one\r\n=2\n;＝3')
    _, raw = export(api, project, format="csv", columns=["completion"])
    assert table(raw)[0]["completion"] == "a;'=HYPERLINK(\"x\")\t'-1;b; c\n- one\r\n'=2\n;'＝3"


def test_a_csv_file_has_the_chosen_columns_and_numbers_stay_numbers(api, varied):
    columns = ["latency_ms", "completion", "label:a", "feedback:stars", "feedback:good", "labels", "prompt"]
    told, raw = export(api, varied, format="csv", columns=columns, filter="order=created_at")
    rows = table(raw)
    assert list(rows[0]) == columns == told["columns"]
    assert [row["feedback:stars"] for row in rows if row["feedback:stars"]] == ["2.5"]
    assert [row["feedback:good"] for row in rows if row["feedback:good"]] == ["1.0"]
    assert [row["label:a"] for row in rows if row["label:a"]] == ["changed"]
    assert [row["latency_ms"] for row in rows if row["latency_ms"]] == ["12"]
    assert {row["prompt"] for row in rows} == {"See", "Am I covered?", "Covered?", "退款"}


MEMBERS = {
    "tenant": "acme", "formula": "=1+1", "on": True, "off": False, "n": -1.5, "whole": 2**60, "none": None, "no": [],
    "tags": ["a", {"b": 1}],
}  # fmt: skip
TOLD = {"tenant": "acme", "formula": "=1+1", "on": "true", "off": "false", "n": "-1.5", "whole": str(2**60),
        "none": None, "no": "[]", "tags": '["a",{"b":1}]', "missing": None}  # fmt: skip


def test_a_column_of_a_member_tells_what_was_sent_and_failed_which_calls_did(api, project):
    usage = {"prompt_tokens": 7, "cached": 2**60, "share": 0.5, "on": True, "details": {"a": 1}}
    make_interaction(project, metadata={**MEMBERS, "error": "no route"}, usage=usage)
    make_interaction(project)
    columns = ["failed", *(f"metadata:{key}" for key in TOLD), *(f"usage:{key}" for key in [*usage, "missing"])]
    told, raw = export(api, project, format="csv", columns=columns)
    empty, row = table(raw)
    assert list(row) == columns == told["columns"]
    assert empty == {name: "false" if name == "failed" else "" for name in columns}
    cells = {**TOLD, "formula": "'=1+1", "no": ""}
    assert [row[f"metadata:{key}"] for key in TOLD] == [cells[key] or "" for key in TOLD]
    assert [row[f"usage:{key}"] for key in usage] == ["7", str(2**60), "0.5", "true", '{"a":1}']
    assert row["failed"] == "true"
    _, raw = export(api, project, format="parquet", columns=columns)
    found = parquet(raw)
    assert found["failed"].to_pylist() == [False, True]
    assert {key: found[f"metadata:{key}"][1].as_py() for key in TOLD} == TOLD
    assert [found[f"usage:{key}"][1].as_py() for key in usage] == [7.0, float(2**60), 0.5, None, None]
    assert all(value is None for name in columns[1:] for value in [found[name][0].as_py()])


def test_nothing_but_a_column_of_a_key_opens_the_bodies(api, project):
    make_interaction(project, metadata={"tenant": "acme"})
    for column, opened in (("failed", False), ("label:metadata", False), ("metadata:tenant", True), ("usage:x", True)):
        told = ask(api, project, format="csv", columns=[column])
        with CaptureQueriesContext(connection) as queries:
            run(told)
        assert any("interactions_interactionbody" in one["sql"] for one in queries) is opened, column


@pytest.mark.parametrize("column", ["metadata:", "usage:", "meta:x", "usage:\x00", "metadata:\ud800", ":x"])
def test_what_is_no_column_is_refused_with_those_that_are(api, project, column):
    answer = api.post(f"projects/{project.key}/exports", {"format": "csv", "columns": [column]})
    assert answer.status_code == 400
    assert "metadata:KEY or usage:KEY" in answer.json()["fields"]["columns"][0]


@pytest.mark.parametrize("column", ["label:intent", "label:topic"])
def test_a_column_of_a_label_is_known_by_its_former_name_too(api, project, column):
    make_interaction(project, labels={"intent": "refund"})
    rename(project, "intent", "topic")
    _, raw = export(api, project, format="csv", columns=[column])
    assert table(raw) == [{column: "refund"}]


def test_text_of_several_lines_and_with_quotes_is_one_cell(api, project):
    make_interaction(project, completion='He said "no",\r\nthen;\nleft')
    _, raw = export(api, project, format="csv")
    assert table(raw)[0]["completion"] == 'He said "no",\r\nthen;\nleft'


def test_a_parquet_file_has_types(api, varied):
    _, raw = export(api, varied, format="parquet", columns=["created_at", "labels", "feedbacks", "feedback:stars"])
    found = parquet(raw)
    assert [str(field.type).split(",")[0] for field in found.schema][:2] == ["timestamp[ms", "map<string"]
    assert {value for value in found["feedback:stars"].to_pylist() if value} == {2.5}
    judged = [row for row in found["feedbacks"].to_pylist() if row]
    assert [one["feedback_key"] for one in judged[0]] == ["stars", "good"]


def test_training_data_ends_in_the_answer_with_tool_calls_kept(api, varied):
    _, raw = export(api, varied, format="openai", filter="has_tools=true")
    [chat] = lines(raw)
    assert list(chat) == ["messages"]
    assert [message["role"] for message in chat["messages"]] == ["user", "assistant", "tool", "assistant"]
    assert chat["messages"][1]["tool_calls"][0]["function"]["name"] == "look_up"
    assert chat["messages"][-1] == {"role": "assistant", "content": "Yes, covered."}
    _, raw = export(api, varied, format="openai", filter="has_tools=true", corrected=False)
    assert lines(raw)[0]["messages"][-1]["content"] == "No."


def test_an_answer_that_calls_tools_is_trained_with_as_calls_and_with_the_tools(api, project):
    function = {"name": "get_weather", "arguments": '{"city":"Paris"}'}
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}]
    calls = [{"index": 0, "id": "call_1", "type": "function", "function": function}]
    kept = {"tool_calls": calls, "parameters": {"tools": tools}}
    call = {"id": "call_1", "type": "function", "function": function}
    make_interaction(project, completion=json.dumps(calls), metadata=kept)
    make_interaction(project, completion="I look.", metadata=kept)
    make_interaction(project, completion="I look.", metadata=kept, corrected_completion="It is 20 degrees.")
    make_interaction(project, completion="No.", metadata={"tool_calls": "none"})
    _, raw = export(api, project, format="openai", filter="order=created_at")
    assert [(line["messages"][-1], line.get("tools")) for line in lines(raw)] == [
        ({"role": "assistant", "content": None, "tool_calls": [call]}, tools),
        ({"role": "assistant", "content": "I look.", "tool_calls": [call]}, tools),
        ({"role": "assistant", "content": "It is 20 degrees."}, tools),
        ({"role": "assistant", "content": "No."}, None),
    ]


def test_what_has_no_answer_is_not_trained_with_and_told(api, varied):
    told, raw = export(api, varied, format="openai")
    assert told["number"] == len(lines(raw)) == 3
    assert "1 without an answer was left out" in told["text"]


def test_pictures_of_training_data_are_in_the_spelling_it_takes_or_gone(api, varied):
    _, raw = export(api, varied, format="openai", filter="has_images=true")
    content = lines(raw)[0]["messages"][0]["content"]
    assert [part["image_url"]["url"][:15] for part in content[1:]] == [
        "data:image/png;",
        "data:image/jpg;",
        "https://e.org/a",
    ]
    _, raw = export(api, varied, format="openai", filter="has_images=true", pictures="left_out")
    content = lines(raw)[0]["messages"][0]["content"]
    assert [part["type"] for part in content] == ["text", "image_url"]  # one is somebody else's address


def compare(api, project, preferred, other, **more):
    body = {"project": project.key, "feedback_key": "better", "preferred_completion": str(preferred.pk),
            "other_completion": str(other.pk), **more}  # fmt: skip
    answer = api.post("comparison", body)
    assert answer.status_code in (200, 201), answer.content


@pytest.fixture
def judged(project):
    """A project whose answers are compared under two keys."""
    for key in ("better", "safer"):
        create_feedback_key(team=project.team, key=key, kind="bool", projects=[project])
    return project


def pairs(raw):
    return sorted((line["chosen"][0]["content"], line["rejected"][0]["content"]) for line in lines(raw))


def test_preference_pairs_are_of_answers_to_one_prompt_each_once(api, judged):
    good, bad = make_interaction(judged, completion="Good"), make_interaction(judged, completion="Bad")
    elsewhere = make_interaction(judged, completion="Else", messages=[{"role": "user", "content": "Other?"}])
    for user in ("a", "b"):
        compare(api, judged, good, bad, user=user)
    compare(api, judged, good, elsewhere)
    compare(api, judged, make_interaction(judged, completion="Good"), make_interaction(judged, completion="Bad"))
    told, raw = export(api, judged, format="dpo")
    assert lines(raw) == [
        {
            "prompt": [{"role": "user", "content": "Am I covered?"}],
            "chosen": [{"role": "assistant", "content": "Good"}],
            "rejected": [{"role": "assistant", "content": "Bad"}],
        }
    ]
    assert told["number"] == 1 and "3 that were preferred to no other" in told["text"]


def test_of_two_answers_the_one_preferred_more_often_is_chosen_by_the_key_asked_for(api, judged, monkeypatch):
    monkeypatch.setattr("exports.writing.SLICE", 1)
    a, b, c = (make_interaction(judged, completion=text) for text in ("A", "B", ""))
    compare(api, judged, a, b), compare(api, judged, b, a), compare(api, judged, a, c)
    for user in ("u", "v"):
        compare(api, judged, b, a, feedback_key="safer", user=user)
    told, raw = export(api, judged, format="dpo", feedback_key="better")
    assert (pairs(raw), told["feedback_key"], told["number"]) == ([], "better", 0)
    assert "1 pair that was preferred as often either way is not in it." in told["text"]
    assert "1 pair with an empty answer is not in it." in told["text"]
    assert pairs(export(api, judged, format="dpo", feedback_key="safer")[1]) == [("B", "A")]
    assert pairs(export(api, judged, format="dpo")[1]) == [("B", "A")]
    again = make_interaction(judged, completion="A")
    compare(api, judged, again, b), compare(api, judged, again, b, user="w")
    told, raw = export(api, judged, format="dpo")
    assert (pairs(raw), "1 pair that was preferred as often" in told["text"]) == ([], True)
    path = f"projects/{judged.key}/exports"
    assert api.post(path, {"format": "dpo", "feedback_key": "no"}).json()["fields"].keys() == {"feedback_key"}
    assert api.post(path, {"format": "jsonl", "feedback_key": "safer"}).json()["fields"].keys() == {"feedback_key"}


def test_a_better_answer_over_the_completion_is_a_pair(api, judged):
    good = make_interaction(judged, completion="Good", corrected_completion="Best")
    compare(api, judged, good, make_interaction(judged, completion="Bad"))
    assert pairs(export(api, judged, format="dpo")[1]) == [("Best", "Good"), ("Good", "Bad")]
    assert pairs(export(api, judged, format="dpo", corrected=False)[1]) == [("Good", "Bad")]


def plain(comparison):
    """As text; the sides of a tie have no order."""
    sides = [json.dumps(comparison[name]) for name in ("preferred_completion", "other_completion")]
    rest = {name: value for name, value in comparison.items() if not name.endswith("_completion")}
    return json.dumps([sorted(sides) if "tied" in rest else sides, rest])


def test_comparisons_are_read_back_equal(api, judged):
    shown = user_says({"type": "text", "text": "See"}, shows(data_uri()))
    a, b, c = (make_interaction(judged, completion=text, model=text, messages=shown) for text in "abc")
    elsewhere, nameless = make_interaction(judged, model="d"), make_interaction(judged, model=None, messages=shown)
    compare(api, judged, a, b, user="u", origin="grader", external_id="x1")
    compare(api, judged, c, a, tied="bad", feedback_key="safer"), compare(api, judged, b, c, tied=True)
    compare(api, judged, a, elsewhere), compare(api, judged, nameless, a)
    told, raw = export(api, judged, format="comparisons")
    assert told["number"] == 5 and told["file_name"].startswith(f"{judged.key}-comparisons-")
    told, one = export(api, judged, format="comparisons", feedback_key="safer", filter="label=no")
    assert (told["number"], one) == (0, b"")
    other = make_project(team=judged.team)
    for key in judged.feedback_keys.all():
        link_feedback_key(project=other, key=key)
    answer = api.post(f"comparison/batch?project={other.key}", raw=raw, content_type=NDJSON)
    answer = json.loads(answer.getvalue())
    assert (answer["accepted"], len(answer["rejected"])) == (3, 2)  # two are told by ids
    again = lines(export(api, other, format="comparisons")[1])
    by_text = [line for line in lines(raw) if "messages" in line]
    assert sorted(map(plain, again)) == sorted(map(plain, by_text))
    assert {line.get("tied") for line in again} == {None, "bad", True}


@pytest.mark.parametrize("format", Format.values)
@pytest.mark.parametrize("pictures", Pictures.values)
def test_an_export_of_nothing_is_a_valid_file_and_says_so(api, project, format, pictures):
    told, raw = export(api, project, format=format, pictures=pictures)
    assert told["number"] == 0 and "Nothing matched" in told["text"]
    if pictures == "files":
        with tarfile.open(fileobj=io.BytesIO(raw)) as tar:
            [name] = tar.getnames()
            raw = tar.extractfile(name).read()
    if format == "parquet":
        assert parquet(raw).num_rows == 0 and "messages" in parquet(raw).column_names
    elif format == "csv":
        assert table(raw) == [] and raw.startswith(b"id,")
    else:
        assert raw == b""


def test_rows_equal_those_of_the_filter_in_its_order(api, varied):
    for query in ("", "label=a", "order=created_at", "has_images=true", "feedback=stars:>=2", "q=nowhere"):
        expected = [
            row["id"] for row in api.get(f"interactions?project={varied.key}&fields=id&{query}").json()["results"]
        ]
        _, raw = export(api, varied, format="csv", columns=["id"], filter=query)
        assert [row["id"] for row in table(raw)] == expected, query


def test_slices_of_few_rows_and_few_bytes_lose_nothing(api, project, monkeypatch):
    monkeypatch.setattr("exports.writing.SLICE", 3)
    monkeypatch.setattr("exports.writing.MOST", 400)
    monkeypatch.setattr("exports.pictures.GROUP", 100)
    for number in range(10):
        shown = user_says(shows(data_uri(picture(colour=(number % 3, 0, 0)))))
        make_interaction(project, messages=shown, completion=f"{number}")
    told, raw = export(api, project, format="jsonl")
    assert sorted(line["completion"] for line in lines(raw)) == sorted(map(str, range(10)))
    assert told["done"] == told["total"] == told["number"] == 10


def test_what_was_asked_for_is_written_down_with_it(api, varied, owner):
    saved = {"name": "Labelled", "filter": "label=a", "columns": ["id", "label:a"]}
    assert api.post(f"projects/{varied.key}/views", saved).status_code == 201
    told, raw = export(api, varied, format="csv", view="labelled")
    row = Export.objects.get()
    assert (row.by, row.query, row.format, row.columns) == (owner, "label=a", "csv", ["id", "label:a"])
    assert (told["view"], told["by"], told["number"], told["sha256"]) == (
        "Labelled", owner.email, 1, hashlib.sha256(raw).hexdigest(),
    )  # fmt: skip
    assert json.loads(json.dumps(told)) == told and told["expires_at"] > told["finished_at"]
