"""The demo's records: 2,400 interactions of a housing cooperative's helpdesk, in the form the door takes."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from demo import arms, drawings, rhythm, voices
from demo.choosing import Chooser
from demo.judgement import feedbacks
from demo.members import LANGUAGES, members, one_of, staff_member
from demo.situations import phrases
from demo.wording import choose, dated, drawn_slots, fill

SEED = "alder row"
INTERACTIONS = 2400
LATER_RELEASES = timedelta(days=rhythm.DAYS - 7)  # before that, the first one ran
CHANNELS = {"app": 50, "web": 25, "messenger": 12, "email": 8, "kiosk": 5}
SOURCES = {"live": 80, "logged": 15, "evaluation": 5}


def records(now: datetime) -> Iterator[dict]:
    """The records, oldest first, as POST /api/v1/interactions takes them, without `project`."""
    rng = Random(SEED)
    chats = list(_chats(rng))
    begun = rhythm.moments(rng, now, len(chats))
    turns = [turn for chat, moment in zip(chats, begun, strict=True) for turn in chat.records(moment, now)]
    turns.sort(key=lambda turn: turn["created_at"])
    for number, turn in enumerate(turns, start=1):
        yield {"external_id": f"helpdesk-{number:05d}"} | turn


def _chats(rng):
    """Chats until there are enough turns; the last one is cut where they end."""
    chooser, people, left = Chooser(rng), members(rng), INTERACTIONS
    while left:
        chat = Chat(rng, chooser, people, part=1 - left / INTERACTIONS)
        del chat.turns[left:]
        left -= len(chat.turns)
        yield chat


class Chat:
    """One person's session with one model; everything in it is decided but the clock."""

    def __init__(self, rng, chooser, people, part):
        self.rng, self.chooser = rng, chooser
        self.language = rng.choices(list(LANGUAGES), LANGUAGES.values())[0]
        situation = chooser.situation(self.language)
        self.is_staff = situation.audience == "staff"
        self.member = staff_member(rng, self.language) if self.is_staff else one_of(rng, people[self.language])
        self.voice = voices.voice_at(rng, part)
        self.session = str(UUID(int=rng.getrandbits(128), version=4)) if rng.random() < 0.85 else None
        self.channel = "intranet" if self.is_staff else rng.choices(list(CHANNELS), CHANNELS.values())[0]
        self.source = "playground" if self.is_staff else rng.choices(list(SOURCES), SOURCES.values())[0]
        trial = None if self.is_staff or self.source != "live" else arms.voice_of(self.member.id, part)
        self.voice, self.is_tried = trial or self.voice, trial is not None
        self.system = self._system(part)
        self.turns = []
        self._talk_about(situation)
        # some come back with something else in the same chat
        while self.session and not self.is_staff and rng.random() < 0.13:
            self._talk_about(chooser.situation(self.language, audience="members"))

    def _system(self, part):
        if self.rng.random() < 0.1:
            return None
        return "office" if self.is_staff else "helpdesk-v7" if self.rng.random() < part * 1.6 else "helpdesk-v6"

    def _talk_about(self, situation):
        """A situation, and as many of its later turns as the person has patience for."""
        rng, position = self.rng, self.chooser.prompt(situation)
        answer = rng.choice(situation.answers_for(position))
        slots = drawn_slots(rng, situation, self.member)
        prompt = self._decorated(choose(rng, situation.prompts[position]), is_new=not self.turns)
        flaw = voices.flaw_of(rng, self.voice, situation)
        if flaw:
            completion = voices.flawed_text(rng, situation, flaw)
        else:
            completion = voices.spoken(rng, self.voice, situation, answer)
        turn = self._turn(situation, slots, prompt, completion, flaw)
        turn["pictures"] = [_picture(rng, kind) for kind in situation.pictures_for(position)]
        if not flaw and answer in (situation.tools_after or [answer]) and rng.random() < self.voice.calls_tools:
            turn["tools"] = situation.tools
        if not self.session:
            return
        if flaw:
            self._ask_again(situation, slots, answer)
            return
        for follow_up in situation.follow_ups(answer):
            if rng.random() > 0.6:
                return
            self._turn(situation, slots, choose(rng, follow_up.prompt), choose(rng, follow_up.answer))

    def _ask_again(self, situation, slots, answer):
        """Now and then somebody does not put up with a bad answer, and gets a good one."""
        words = phrases()[self.language]
        if self.rng.random() < 0.35:
            completion = f"{self.rng.choice(words['sorry'])}\n\n{choose(self.rng, situation.answers[answer])}"
            self._turn(situation, slots, self.rng.choice(words["again"]), completion)

    def _turn(self, situation, slots, prompt, completion, flaw=None):
        rng = self.rng
        turn = {
            "slots": slots, "prompt": prompt, "completion": completion, "pictures": [], "tools": [],
            "labels": self._labels(situation, flaw),
            "feedbacks": feedbacks(rng, self.voice, self.language, flaw),
            "pause": rng.randrange(25, 400), "dice": rng.getrandbits(40),
        }  # fmt: skip
        self.turns.append(turn)
        return turn

    def _decorated(self, prompt, *, is_new):
        """The prompt with a greeting or a farewell, as some people write them."""
        words = phrases()[self.language]
        if not is_new:
            return self.rng.choice(words["also"]) + prompt
        if self.is_staff or prompt.isupper():
            return prompt
        hello = self.rng.choice(words["hello"]) if self.rng.random() < 0.28 else ""
        bye = self.rng.choice(words["bye"]) if self.rng.random() < 0.18 else ""
        return hello + prompt + bye

    def _labels(self, situation, flaw):
        rng = self.rng
        labels = {"intent": situation.intent, "topic": situation.topic, "lang": self.language, "channel": self.channel}
        for key, value in situation.labels.items():
            value, _, chance = value.partition("?")
            if rng.random() < float(chance or 1):
                labels[key] = value
        if flaw == "curt":
            labels["tone"] = "curt"
        elif flaw and rng.random() < 0.6:
            labels["flaw"] = flaw
        if rng.random() < (0.35 if flaw else 0.04):
            labels["needs-audit"] = "yes"
        if self.source == "evaluation":
            labels["set"] = "winter-questions"
        return labels

    def records(self, begun, now):
        """The turns in the form of the door, each with the chat so far."""
        length = timedelta(seconds=sum(turn["pause"] for turn in self.turns[1:]))
        moment = begun = min(begun, now - length - timedelta(seconds=20))
        messages = [{"role": "system", "content": phrases()["systems"][self.system]}] if self.system else []
        for number, turn in enumerate(self.turns):
            if number:
                moment += timedelta(seconds=turn["pause"])
            slots = dated(turn["slots"], begun, self.language)
            messages = [*messages, *self._messages(turn, slots)]
            completion = fill(turn["completion"], slots)
            yield self._record(turn, messages, completion, moment, is_first_release=now - moment > LATER_RELEASES)
            messages = [*messages, {"role": "assistant", "content": completion}]

    def _messages(self, turn, slots):
        """What comes before the completion of this turn: the question, the calls of tools, their results."""
        content = fill(turn["prompt"], slots)
        if turn["pictures"]:
            # both spellings are in use, so both are here
            spell = (lambda uri: uri) if turn["dice"] % 2 else (lambda uri: {"url": uri})
            content = [{"type": "text", "text": content}]
            content += [{"type": "image_url", "image_url": spell(uri)} for uri in turn["pictures"]]
        yield {"role": "user", "content": content}
        calls = [(f"call_{turn['dice'] + place:012x}", tool) for place, tool in enumerate(turn["tools"])]
        if calls:
            yield {"role": "assistant", "content": None, "tool_calls": [_call(id, tool, slots) for id, tool in calls]}
        for id, tool in calls:
            yield {"role": "tool", "tool_call_id": id, "content": _filled_json(tool["result"], slots)}

    def _record(self, turn, messages, completion, moment, *, is_first_release):
        rng = Random(turn["dice"])
        prompt_tokens = sum(_tokens(message, self.language) for message in messages)
        completion_tokens = voices.tokens_of(completion, self.language)
        first, latency = voices.latency_ms(rng, self.voice, completion_tokens)
        labels = turn["labels"]
        if is_first_release and turn["dice"] % 5 < 3:
            labels = labels | {"release": "r41"}
        record = {
            "model": self.voice.key,
            "messages": messages,
            "completion": completion,
            "labels": labels,
            "feedbacks": turn["feedbacks"],
            "user": self.member.id,
            "created_at": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "latency_ms": latency,
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "total_tokens": prompt_tokens + completion_tokens,
            },
            "metadata": {
                "system_prompt": self.system,
                "sampling": {"temperature": self.voice.temperature, "top_p": 0.9, "max_tokens": 1200},
                "first_token_ms": first,
                "house": self.member.house,
                "client": f"alder-{self.channel}/4.{turn['dice'] % 3}",
            },
            "source": self.source,
        }
        if self.is_tried:
            record["ab_campaign"] = arms.KEY
        return record | ({"session_id": self.session} if self.session else {})


def _picture(rng, kind):
    return drawings.data_uri(kind, rng.randrange(drawings.VARIANTS))


def _call(id, tool, slots):
    """A call of a tool as models make it: the arguments are JSON inside a text."""
    return {
        "id": id,
        "type": "function",
        "function": {"name": tool["name"], "arguments": _filled_json(tool["arguments"], slots)},
    }


def _filled_json(value, slots):
    filled = {key: fill(part, slots) if isinstance(part, str) else part for key, part in value.items()}
    for key, part in filled.items():
        if isinstance(part, list):
            filled[key] = [fill(item, slots) if isinstance(item, str) else item for item in part]
    return json.dumps(filled, ensure_ascii=False)


def _tokens(message, language):
    content = message["content"]
    if content is None:
        return sum(voices.tokens_of(call["function"]["arguments"], "en") for call in message["tool_calls"])
    if isinstance(content, str):
        return voices.tokens_of(content, "en" if message["role"] == "system" else language) + 4
    text = sum(voices.tokens_of(part["text"], language) for part in content if part["type"] == "text")
    return text + voices.TOKENS_A_PICTURE * sum(part["type"] == "image_url" for part in content) + 4
