"""The batch call: many records, each standing alone, packed or not, whole or cut off."""

import gzip
import json

import pytest
import zstandard

from feedback.services import WHERE_KEYS_ARE_MADE
from interactions.models import Interaction
from tests.factories import make_project
from tests.interactions.batch import ndjson, send_batch

GOOD = {"prompt": "Am I covered?", "completion": "Yes."}
BAD = {"prompt": "Am I covered?", "completion": 5}


def numbered(count):
    return [GOOD | {"external_id": f"r{n}"} for n in range(count)]


def test_one_bad_line_keeps_none_of_the_others_out(api, project):
    status, answer = send_batch(api, project, [GOOD, BAD, GOOD])
    assert (status, answer["accepted"], answer["duplicates"]) == (201, 2, 0)
    assert answer["rejected"] == [
        {"position": 1, "error": "completion: Send text (it may be empty), not a number.",
         "fields": {"completion": ["Send text (it may be empty), not a number."]}}
    ]  # fmt: skip
    assert [one is None for one in answer["ids"]] == [False, True, False]
    assert {str(pk) for pk in Interaction.objects.values_list("pk", flat=True)} == set(answer["ids"]) - {None}


def test_a_line_that_is_no_json_is_refused_alone(api, project):
    status, answer = send_batch(api, project, b'{"prompt": "a"\n' + ndjson([GOOD]) + b"[]\n\xff\n" + ndjson([GOOD]))
    assert (status, answer["accepted"]) == (201, 2)
    assert [refused["position"] for refused in answer["rejected"]] == [0, 2, 3]


PLAIN = ndjson(numbered(3))
SHAPES = {
    "without a last newline": PLAIN.rstrip(b"\n"),
    "with Windows' newlines": PLAIN.replace(b"\n", b"\r\n"),
    "with blank lines": b"\n \n" + PLAIN.replace(b"\n", b"\n\n\t\n"),
    "with a byte order mark": b"\xef\xbb\xbf" + PLAIN,
}


@pytest.mark.parametrize("raw", SHAPES.values(), ids=SHAPES)
def test_lines_of_any_shape_are_read(api, project, raw):
    status, answer = send_batch(api, project, raw)
    assert (status, answer["accepted"], answer["rejected"]) == (201, 3, [])


PACKED = {
    "gzip": gzip.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "identity": bytes,
}


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("as_array", [False, True], ids=["lines", "array"])
def test_a_batch_may_be_packed(api, project, packing, as_array):
    records = numbered(5)
    raw = json.dumps(records).encode() if as_array else ndjson(records)
    content_type = "application/json; charset=utf-8" if as_array else "application/x-ndjson"
    status, answer = send_batch(
        api, project, PACKED[packing](raw), content_type=content_type, content_encoding=packing.upper()
    )
    assert (status, answer["accepted"], len(answer["ids"])) == (201, 5, 5)


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_packed_parts_one_after_another_are_one_stream(api, project, packing):
    raw = b"".join(PACKED[packing](ndjson([record])) for record in numbered(3))
    status, answer = send_batch(api, project, raw, content_encoding=packing)
    assert (status, answer["accepted"]) == (201, 3)


def test_2500_records_go_in_by_several_pieces_and_again_add_none(api, project):
    raw = gzip.compress(ndjson(numbered(2_500)), 1)
    status, answer = send_batch(api, project, raw, content_encoding="gzip")
    assert (status, answer["accepted"], len(set(answer["ids"]))) == (201, 2_500, 2_500)
    status, again = send_batch(api, project, raw, content_encoding="gzip")
    assert (status, again["accepted"], again["duplicates"]) == (200, 0, 2_500)
    assert again["ids"] == answer["ids"]
    assert Interaction.objects.count() == 2_500


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_a_stream_cut_off_tells_what_was_accepted(api, project, packing):
    noise = [record | {"metadata": {"n": [n * 7919 % 10_007 for n in range(k, k + 30)]}}
             for k, record in enumerate(numbered(1_800))]  # fmt: skip
    packed = PACKED[packing](ndjson(noise))
    status, answer = send_batch(api, project, packed[: len(packed) * 9 // 10], content_encoding=packing)
    assert status == 400
    assert packing in answer["error"]
    assert answer["accepted"] == len(answer["ids"]) == Interaction.objects.count() == 1_000


def test_blank_lines_without_end_are_refused(api, project):
    raw = ndjson([GOOD]) + b"\n" * 50_000_000 + ndjson([GOOD])
    status, answer = send_batch(api, project, gzip.compress(raw), content_encoding="gzip")
    assert (status, answer["accepted"], Interaction.objects.count()) == (400, 0, 0)
    assert "send a record a line" in answer["error"]


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
def test_bytes_that_are_not_packed_are_no_stream(api, project, packing):
    status, answer = send_batch(api, project, PLAIN, content_encoding=packing)
    assert (status, answer["accepted"]) == (400, 0)


def test_an_unknown_packing_is_refused(api, project):
    status, answer = send_batch(api, project, PLAIN, content_encoding="br")
    assert (status, "gzip" in answer["error"]) == (415, True)


@pytest.mark.parametrize("raw", [b"", b"\n\n"])
def test_nothing_is_a_batch_of_none(api, project, raw):
    assert send_batch(api, project, raw) == (200, {"accepted": 0, "duplicates": 0, "rejected": [], "ids": []})


@pytest.mark.parametrize("raw", [b" ", b'{"prompt": "a"}', b"[1", b"null", PLAIN])
def test_json_that_is_no_array_is_refused(api, project, raw):
    status, answer = send_batch(api, project, raw, content_type="application/json")
    assert (status, answer["accepted"], bool(answer["error"])) == (400, 0, True)


def test_a_line_beyond_the_limit_is_refused_alone(api, project):
    long = ndjson([GOOD | {"completion": "x" * (32 * 1024 * 1024)}])
    status, answer = send_batch(api, project, ndjson([GOOD]) + long + ndjson([GOOD]))
    assert (status, answer["accepted"], answer["ids"][1]) == (201, 2, None)
    assert "32 MB" in answer["rejected"][0]["error"]


def test_an_array_beyond_the_limit_is_refused(api, project):
    raw = json.dumps([GOOD | {"completion": "x" * (32 * 1024 * 1024)}]).encode()
    status, answer = send_batch(api, project, raw, content_type="application/json")
    assert (status, "NDJSON" in answer["error"]) == (413, True)


def test_records_may_name_their_project_but_no_other(api, project):
    other = make_project(team=project.team)
    names = [project.key, str(project.uid), other.key, 5, ""]
    status, answer = send_batch(api, project, [GOOD | {"project": name} for name in names])
    assert (status, answer["accepted"]) == (201, 2)
    assert [list(refused["fields"]) for refused in answer["rejected"]] == [["project"]] * 3
    assert not Interaction.objects.filter(project=other).exists()


def test_a_strangers_project_is_not_found(api):
    status, answer = send_batch(api, make_project("hidden"), PLAIN)
    assert (status, answer["error"]) == (404, "EntityNotFound: Project 'hidden'")


def test_what_is_unknown_is_told_by_position(api, project):
    records = [GOOD | {"model_service": "nobody"}, GOOD | {"feedbacks": [{"metric": "none", "value": 1}]}, GOOD]
    status, answer = send_batch(api, project, records)
    assert (status, answer["accepted"]) == (201, 1)
    told = [refused["error"] for refused in answer["rejected"]]
    key = f"EntityNotFound: FeedbackKey (metric) 'none'. {WHERE_KEYS_ARE_MADE}"
    assert told == ["EntityNotFound: Model 'nobody'", key]
