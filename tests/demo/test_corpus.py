"""The demo's records: the same everywhere, varied, and such that the door takes them."""

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from demo import arms
from demo.corpus import records
from demo.situations import phrases, situations
from interactions.records import read_record

NOW = datetime(2026, 3, 18, 14, 7, 31, 250000, tzinfo=UTC)
DEEP_NIGHT = datetime(2027, 1, 1, 3, 2, tzinfo=UTC)


@cache
def corpus(now=NOW):
    return list(records(now))


def question(record):
    content = [message for message in record["messages"] if message["role"] == "user"][-1]["content"]
    return content if isinstance(content, str) else content[0]["text"]


def pictures(record):
    parts = [message["content"] for message in record["messages"] if isinstance(message["content"], list)]
    return [part for content in parts for part in content if part["type"] == "image_url"]


def test_the_same_moment_gives_the_same_records():
    assert list(records(NOW)) == corpus()


def test_the_clock_shifts_the_times_and_leaves_the_chats_alone():
    def shape(record):
        return record["model"], record["labels"]["intent"], record["labels"]["lang"], record["user"]

    assert Counter(map(shape, corpus())) == Counter(map(shape, corpus(DEEP_NIGHT)))


@pytest.mark.parametrize("now", [NOW, DEEP_NIGHT])
def test_they_fill_the_last_60_days_in_order_up_to_the_last_hour(now):
    times = [datetime.fromisoformat(record["created_at"]) for record in corpus(now)]
    assert times == sorted(times)
    assert now - timedelta(days=60) <= times[0] < now - timedelta(days=59)
    assert now - timedelta(hours=1) < times[-1] <= now


def test_people_write_by_day_and_on_weekdays():
    times = [datetime.fromisoformat(record["created_at"]) for record in corpus()]
    hours, days = Counter(time.hour for time in times), Counter(time.weekday() for time in times)
    assert hours[19] > 10 * hours[3]
    assert min(days[day] for day in range(5)) > max(days[5], days[6])


def test_there_are_2400_in_six_languages_by_five_models():
    assert len(corpus()) == 2400
    languages = Counter(record["labels"]["lang"] for record in corpus())
    assert set(languages) == {"en", "de", "fr", "es", "ar", "zh"}
    assert min(languages.values()) > 120
    models = Counter(record["model"] for record in corpus())
    assert len(models) == 5
    assert min(models.values()) > 120


def test_whoever_is_in_the_ab_test_meets_one_model_for_good():
    met = {}
    for record in corpus():
        if "ab_campaign" in record:
            assert record["source"] == "live"
            met.setdefault(record["user"], set()).add(record["model"])
    assert len(met) > 150
    assert {len(models) for models in met.values()} == {1}
    assert set.union(*met.values()) == set(arms.ARMS)


def test_every_record_passes_the_door():
    for record in corpus():
        checked = read_record(record, now=NOW)
        assert checked.created_at == datetime.fromisoformat(record["created_at"])
    assert len({record["external_id"] for record in corpus()}) == 2400


def test_no_two_of_fifty_neighbours_are_alike():
    pairs = [(question(record), record["completion"]) for record in corpus()]
    for place, pair in enumerate(pairs):
        assert pair not in pairs[max(0, place - 50) : place], pair


def test_no_slot_and_no_choice_is_left_open():
    # names of slots, so that the braces of code are none
    slot = re.compile(
        r"\{(name|flat|house|neighbour|ticket|n|sum|big|hour|day|later|past|month|room|late|evening)\}|\[\["
    )
    for record in corpus():
        assert not slot.search(question(record) + record["completion"])
        assert not slot.search(" ".join(str(message.get("tool_calls")) for message in record["messages"]))


def test_each_script_is_written_in_its_own_letters():
    letters = {"ar": r"[\u0600-\u06ff]", "zh": r"[\u4e00-\u9fff]"}
    for record in corpus():
        if pattern := letters.get(record["labels"]["lang"]):
            assert re.search(pattern, question(record))


def test_later_turns_hold_the_chat_so_far():
    chats = {}
    for record in corpus():
        if session := record.get("session_id"):
            chats.setdefault(session, []).append(record)
    longer = [turns for turns in chats.values() if len(turns) > 1]
    assert len(longer) > 200
    for turns in longer:
        for before, after in zip(turns, turns[1:], strict=False):
            held = [*before["messages"], {"role": "assistant", "content": before["completion"]}]
            assert after["messages"][: len(held)] == held
            assert after["model"] == before["model"]


def test_tool_results_answer_the_calls_before_them():
    with_tools = [record for record in corpus() if any(message["role"] == "tool" for message in record["messages"])]
    assert len(with_tools) > 100
    for record in with_tools:
        called, answered = [], []
        for message in record["messages"]:
            for call in message.get("tool_calls", ()):
                assert isinstance(json.loads(call["function"]["arguments"]), dict)
                assert message["content"] is None
                called.append(call["id"])
            if message["role"] == "tool":
                assert json.loads(message["content"])
                answered.append(message["tool_call_id"])
        assert called == answered


def test_some_bring_pictures_and_one_message_brings_four():
    shown = [record for record in corpus() if pictures(record)]
    assert 0.03 < len(shown) / 2400 < 0.12
    assert max(len(pictures(record)) for record in shown) >= 4
    assert {type(part["image_url"]) for record in shown for part in pictures(record)} == {str, dict}


def test_feedback_is_given_about_as_often_as_people_give_it():
    given = Counter(feedback["feedback_key"] for record in corpus() for feedback in record["feedbacks"])
    assert 0.55 < given["helpful"] / 2400 < 0.65
    assert 0.40 < given["csat"] / 2400 < 0.50
    assert 0.07 < given["policy-accurate"] / 2400 < 0.14


def test_flawed_answers_are_liked_less():
    thumbs = {True: [], False: []}
    for record in corpus():
        for feedback in record["feedbacks"]:
            if feedback["feedback_key"] == "helpful":
                thumbs["flaw" in record["labels"]].append(feedback["value"])
    assert sum(thumbs[True]) / len(thumbs[True]) < 0.3 < 0.6 < sum(thumbs[False]) / len(thumbs[False])


def test_the_release_label_belongs_to_the_first_week_alone():
    labelled = [record for record in corpus() if "release" in record["labels"]]
    assert len(labelled) > 50
    end = NOW - timedelta(days=53)
    assert all(datetime.fromisoformat(record["created_at"]) < end for record in labelled)


def test_usage_and_latency_add_up():
    for record in corpus():
        usage = record["usage"]
        assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
        assert record["latency_ms"] > record["metadata"]["first_token_ms"] > 0


def test_every_situation_answers_each_of_its_prompts():
    for language, found in situations().items():
        assert {situation.language for situation in found} == {language}
        assert len({situation.key for situation in found}) == len(found)
        for situation in found:
            fitting = [place for prompt in range(len(situation.prompts)) for place in situation.answers_for(prompt)]
            assert set(fitting) == set(range(len(situation.answers))), situation.name
            assert {place for turn in situation.then for place in turn.after or ()} <= set(fitting), situation.name


def test_the_languages_have_the_same_phrases():
    kept = [set(words) for language, words in phrases().items() if language not in {"people", "systems"}]
    assert all(words == kept[0] for words in kept)
