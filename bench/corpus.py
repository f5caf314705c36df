"""The corpus: chats as programs log them, made from a seed. Any block of it can be made again at any time."""

import datetime
import uuid
from dataclasses import dataclass

import numpy as np

from bench import words
from bench.pictures import COUNT, pictures

BLOCK = 2_000  # records made at once, from a seed of their own
HALVES = 2  # by time, so that two processes can fill a store
DAYS = 90
SPAN = datetime.timedelta(days=DAYS)
RARE_EVERY = 100_000  # records to one with a rare word, and to one with ten pictures
TEN_PICTURES = 4_242  # where in these the latter stands
PICTURES = 0.05  # share of records with a picture

_DAY = 86_400.0
_RHYTHM = 0.6  # how much busier than the average the busiest time of a day is
_TURNS = (0.45, 0.15, 0.2, 0.08, 0.08, 0.04)  # chats of 1 to 6 messages
_MESSAGE, _COMPLETION = 32, 80  # words: mean of a message and of a completion, halved
MODELS = {"amber-2": 0.4, "amber-2-mini": 0.3, "cobalt-70b": 0.15, "cobalt-8b": 0.1, "ochre": 0.05}
CHANNELS = {"app": 0.4, "web": 0.25, "mail": 0.15, "kiosk": 0.05, None: 0.15}
TOPICS = {"warranty": 0.01} | {f"topic-{place}": 0.99 / 20 for place in range(20)}
LANGUAGES = {"en": 0.7, "de": 0.2, "fr": 0.1}
INCIDENT = 0.0001
RELEASE, RELEASE_DAYS = 0.3, 7  # a label that only the first week has
HELPFUL, SCORE = 0.5, 1 / 3  # shares with a yes or no, and with a number: together two thirds
FEEDBACK_KEYS = (("helpful", "bool"), ("score", "scalar"))

# the labels that the reading asks for: in 40 %, 1 % and 0.01 % of the records, and in the first week alone
LABELS = {"40 %": "channel:app", "1 %": "topic:warranty", "0.01 %": "incident:4711", "old": "release:beta"}


@dataclass(frozen=True)
class Corpus:
    """So many records over the 90 days before `end`, an aware datetime; the same arguments give the same records."""

    n: int
    end: datetime.datetime
    seed: int = 1

    @property
    def start(self):
        return self.end - SPAN

    @property
    def blocks(self):
        return -(-self.n // BLOCK)

    @property
    def users(self):
        return max(self.n // 400, 50)

    def moment(self, number):
        """When the record of this number (from 0) was logged, to within its slot."""
        return self._moments(np.array([float(number)]))[0]

    def session(self, number):
        """The session of the record of this number: three records each, ten records apart."""
        session = number // 30 * 10 + number % 10
        return str(
            uuid.UUID(int=((self.seed << 40) + session + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128, version=4)
        )

    def block(self, number):
        """The records of a block, oldest first, as POST /api/v1/interactions takes them, without `project`."""
        first = number * BLOCK
        size = min(BLOCK, self.n - first)
        rng = np.random.default_rng([self.seed, number])
        drawn = _Drawn(self, rng, first, size)
        return [drawn.record(place) for place in range(size)]

    def _moments(self, numbers):
        """Aware datetimes of these places on the line of records: nights are quieter, the order is kept."""
        seconds = numbers / self.n * SPAN.total_seconds()
        turn = 2 * np.pi / _DAY
        seconds = seconds - _RHYTHM / turn * np.sin(turn * seconds)
        return [self.start + datetime.timedelta(milliseconds=int(ms)) for ms in seconds * 1000]


class _Drawn:
    """Everything that chance decides about a block, drawn at once."""

    def __init__(self, corpus, rng, first, size):
        self.corpus, self.first = corpus, first
        self.moments = corpus._moments(first + np.arange(size) + rng.random(size))
        self.turns = _pick(rng, _TURNS, size) + 1
        self._draw_texts(rng, int(self.turns.sum()), size)
        self.models, self.model_of = list(MODELS), _pick(rng, MODELS.values(), size)
        self.channels, self.channel_of = list(CHANNELS), _pick(rng, CHANNELS.values(), size)
        self.topics, self.topic_of = list(TOPICS), _pick(rng, TOPICS.values(), size)
        self.languages, self.language_of = list(LANGUAGES), _pick(rng, LANGUAGES.values(), size)
        self.dice = rng.random((size, 4)).tolist()
        self.shown = rng.integers(0, COUNT, (size, 10)).tolist()
        self.helpful, self.scores = rng.random(size).tolist(), rng.integers(1, 6, size).tolist()
        self.users = (rng.random(size) ** 2 * corpus.users).astype(int).tolist()
        self.latency = (rng.gamma(2.0, 900.0, size) + 80).astype(int).tolist()

    def _draw_texts(self, rng, messages, size):
        lengths = np.empty(messages + size, dtype=np.int64)
        lengths[:messages] = rng.gamma(2.0, _MESSAGE, messages) + 4
        lengths[messages:] = rng.gamma(2.0, _COMPLETION, size) + 6
        ends = np.cumsum(lengths).tolist()
        drawn = words.draw(rng, ends[-1])
        self.texts = [" ".join(drawn[end - length : end]) for end, length in zip(ends, lengths.tolist(), strict=True)]
        self.numbers = rng.integers(100_000, 1_000_000, size).tolist()
        self.message_ends = np.cumsum(self.turns).tolist()
        self.messages = messages

    def record(self, place):
        """One record as a program would send it."""
        number = self.first + place
        labels, moment = self._labels(place), self.moments[place]
        record = {
            "messages": self._messages(place, number),
            "completion": self._completion(place, number),
            "model": self.models[self.model_of[place]],
            "labels": labels,
            "user": f"user-{self.users[place]}",
            "session_id": self.corpus.session(number),
            "created_at": moment.isoformat(timespec="milliseconds"),
            "source": "live",
            "usage": {"prompt_tokens": 20 * int(self.turns[place]) + number % 90, "completion_tokens": number % 400},
            "latency_ms": self.latency[place],
        }
        if feedbacks := self._feedbacks(place):
            record["feedbacks"] = feedbacks
        return record

    def _messages(self, place, number):
        end, turns = self.message_ends[place], int(self.turns[place])
        texts = self.texts[end - turns : end]
        if number % 3 == 0:
            texts[-1] += f" order {self.numbers[place]}"
        roles = ["system"] * (turns % 2 == 0) + ["user", "assistant"] * turns
        messages = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
        if shown := self._shown(place, number):
            parts = [{"type": "image_url", "image_url": {"url": pictures()[one][0]}} for one in shown]
            messages[-1]["content"] = [{"type": "text", "text": messages[-1]["content"]}, *parts]
        return messages

    def _shown(self, place, number):
        """The pictures of this record, by their place among the two hundred."""
        if number % RARE_EVERY == TEN_PICTURES:
            return self.shown[place]
        return self.shown[place][:1] if self.dice[place][0] < PICTURES else []

    def _completion(self, place, number):
        text = self.texts[self.messages + place]
        rare = rare_word(number)
        return f"{text} {rare}" if rare else text

    def _labels(self, place):
        _, incident, release, _ = self.dice[place]
        labels = {"topic": self.topics[self.topic_of[place]], "language": self.languages[self.language_of[place]]}
        if channel := self.channels[self.channel_of[place]]:
            labels["channel"] = channel
        if incident < INCIDENT:
            labels["incident"] = "4711"
        if release < RELEASE and self.moments[place] < self.corpus.start + datetime.timedelta(days=RELEASE_DAYS):
            labels["release"] = "beta"
        return labels

    def _feedbacks(self, place):
        """A yes or no on the first half of the dice, a number on the next sixth and on a third of the first half."""
        chance, feedbacks = self.dice[place][3], []
        if chance < HELPFUL:
            feedbacks.append({"feedback_key": "helpful", "value": self.helpful[place] < 0.8})
        if HELPFUL - SCORE / 2 <= chance < HELPFUL + SCORE / 2:
            feedbacks.append({"feedback_key": "score", "value": self.scores[place]})
        return feedbacks


def rare_word(number):
    """The rare word that the record of this number ends with, or None: ten words, each once in 100,000 records."""
    place, rest = divmod(number % RARE_EVERY - 777, RARE_EVERY // len(words.RARE))
    return words.RARE[place] if rest == 0 and place >= 0 else None


def _pick(rng, shares, size):
    """Places drawn by these shares."""
    edges = np.cumsum(list(shares))
    return np.minimum(np.searchsorted(edges, rng.random(size), side="right"), len(edges) - 1)
