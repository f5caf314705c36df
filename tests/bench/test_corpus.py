"""The corpus is what it is said to be, and the store gets of it what a program would have sent."""

import dataclasses
import datetime
import json
from collections import Counter

import pytest

from bench import words
from bench.corpus import BLOCK, LABELS, RARE_EVERY, TEN_PICTURES, Corpus, rare_word
from bench.stored import stored
from interactions.records import Record, read_record

END = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)


@pytest.fixture(scope="module")
def corpus():
    return Corpus(20_000, END)


@pytest.fixture(scope="module")
def records(corpus):
    return [record for number in range(0, corpus.blocks, 2) for record in corpus.block(number)]


def share(records, holds):
    return sum(map(bool, map(holds, records))) / len(records)


def test_a_block_can_be_made_again(corpus):
    assert corpus.block(3) == Corpus(20_000, END).block(3)
    assert corpus.block(3) != Corpus(20_000, END, seed=2).block(3)


def test_records_are_in_the_order_of_their_time_within_the_ninety_days(corpus, records):
    times = [datetime.datetime.fromisoformat(record["created_at"]) for record in records]
    assert times == sorted(times)
    assert corpus.start <= times[0] and times[-1] < corpus.end


def test_the_last_block_ends_with_the_corpus():
    assert len(Corpus(BLOCK + 7, END).block(1)) == 7


def test_labels_and_feedback_are_as_common_as_is_said(records):
    def carries(label):
        key, value = label.split(":")
        return lambda record: record["labels"].get(key) == value

    assert share(records, carries(LABELS["40 %"])) == pytest.approx(0.4, abs=0.02)
    assert share(records, carries(LABELS["1 %"])) == pytest.approx(0.01, abs=0.004)
    assert share(records, lambda record: record.get("feedbacks")) == pytest.approx(2 / 3, abs=0.02)


def test_the_old_label_is_of_the_first_week_alone(corpus, records):
    key, value = LABELS["old"].split(":")
    week = corpus.start + datetime.timedelta(days=7)
    old = [record for record in records if record["labels"].get(key) == value]
    assert old and all(datetime.datetime.fromisoformat(record["created_at"]) < week for record in old)


def test_a_record_is_about_as_long_as_is_said(records):
    plain = [record for record in records if isinstance(record["messages"][-1]["content"], str)]
    assert sum(len(json.dumps(record)) for record in plain) / len(plain) == pytest.approx(2_400, rel=0.1)
    assert {len(record["messages"]) for record in records} == {1, 2, 3, 4, 5, 6}
    assert 1 - len(plain) / len(records) == pytest.approx(0.05, abs=0.01)


def test_words_are_as_common_as_is_said(records):
    texts = [
        set(" ".join([*stored(record).texts, record["completion"]]).replace(".", "").split())
        for record in records[:5_000]
    ]
    found = Counter(word for text in texts for word in text)
    assert all(found[words.word(rank)] / len(texts) > 0.5 for rank in words.COMMON)
    assert all(0.003 < found[words.word(rank)] / len(texts) < 0.03 for rank in words.MIDDLING)
    assert not any(found[word] for word in words.ABSENT)


def test_each_rare_word_ends_one_record_of_a_hundred_thousand():
    found = Counter(word for number in range(RARE_EVERY) if (word := rare_word(number)))
    assert found == dict.fromkeys(words.RARE, 1)


def test_one_record_carries_ten_pictures():
    block, place = divmod(TEN_PICTURES, BLOCK)
    assert stored(Corpus(10_000, END).block(block)[place]).images == 10


def test_what_is_stored_is_what_checking_would_have_made_of_it(records):
    for record in records[:600]:
        made, read = stored(record), read_record(record, now=END)
        for field in dataclasses.fields(Record):
            assert getattr(made, field.name) == getattr(read, field.name), field.name
        assert made.hashes() == read.hashes()
        assert (made.prompt_preview, made.completion_preview) == (read.prompt_preview, read.completion_preview)
