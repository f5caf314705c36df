"""Four hundred varied interactions, made by chance from one seed, and what a plain loop over them finds."""

import datetime
import random
import re
from dataclasses import dataclass

from feedback.giving import give_feedback
from feedback.services import create_feedback_key
from interactions.ingest import ingest
from interactions.models import Interaction
from tests.factories import owner_of
from tests.interactions.pixels import data_uri, shows, user_says

COUNT = 400
START = datetime.datetime(2025, 5, 20, tzinfo=datetime.UTC)
SAID = [
    ("When is my refund due?", "The refund comes within five days; no late fee is charged."),
    ("Is there a late fee?", "There's no fee for being late by a day. Re-opening costs 5 EUR."),
    ("My tent's zip broke", "Don't worry: it's covered. Bring the tent back."),
    ("我的退款什么时候到账？", "退款将在五天内到账。"),
    ("能退货吗", "可以退货，但不能退款。"),
    ("متى أسترد المبلغ؟", "يصل المبلغ خلال خمسة أيام."),
    ("เมื่อไหร่จะได้เงินคืน", "คุณจะได้เงินคืนภายในห้าวัน"),
    ("Wann kommt die Rückzahlung?", "Die Rückzahlung kommt in fünf Tagen. Größe: 42."),
    ("Où est ma commande n° 1234-5678 ?", "L'envoi part aujourd'hui, à bientôt."),
    ("いつ返金されますか", "五日以内に返金されます。"),
    ("Когда вернут деньги?", "Деньги вернут за пять дней."),
    ("print('hello_world') fails", 'Use state-of-the-art Python 3.11: `print("hello")`.'),
]
ODD = {'né"e': 'said:\n "a|b" \\u0001', "on": True, "share": 1.5, "no": None, "tags": ["a", {"try": 2}], "2": "try"}
INTENTS = ["refund", "cover", "cancel", "a|b", "x:y", "back\\slash"]


@dataclass
class Made:
    """One of the corpus: the record as sent, its id, and the feedback that is current on it."""

    id: str
    record: dict
    feedback: list
    reviewed: bool = False

    @property
    def text(self):
        parts = [self.record["completion"]]
        for message in self.record["messages"]:
            content = message["content"]
            parts += (
                [content] if isinstance(content, str) else [p["text"] for p in content or [] if p["type"] == "text"]
            )
        return "\n".join(parts)

    @property
    def at(self):
        return datetime.datetime.fromisoformat(self.record["created_at"])

    def label(self, key):
        return self.record["labels"].get(key)

    def values(self, key):
        return [value for name, value in self.feedback if name == key]

    def says(self, pattern):
        return bool(re.search(pattern, self.text, re.IGNORECASE))


def make_record(number, chance):
    prompt, completion = SAID[number % len(SAID)] if number < 24 else chance.choice(SAID)
    messages = [{"role": "user", "content": prompt}]
    if chance.random() < 0.1:
        colour = (number % 3, 0, 0)
        messages = user_says(
            {"type": "text", "text": prompt}, shows(data_uri() if colour[0] else "https://e.org/a.png")
        )
    if chance.random() < 0.15:
        call = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
        messages += [{"role": "assistant", "content": None, "tool_calls": [call]}]
        messages += [{"role": "tool", "tool_call_id": "1", "content": "nothing"}]
    labels = {"intent": chance.choice(INTENTS), "batch": str(number // 40)}
    labels |= {"escalated": "yes"} if chance.random() < 0.1 else {}
    labels |= {"ticket": f"T-{number}"} if chance.random() < 0.4 else {}
    labels = {key: value for key, value in labels.items() if chance.random() < 0.8}
    record = {
        "messages": messages,
        "completion": completion if chance.random() < 0.95 else "",
        "labels": labels,
        "session_id": f"session {chance.randrange(60)}",
        "source": chance.choices(["logged", "live", "dataset", "simulation"], [8, 4, 2, 2])[0],
        "created_at": (START + datetime.timedelta(milliseconds=chance.randrange(120 * 86_400_000))).isoformat(),
        "feedbacks": [],
    }
    optional = {
        "model": f"model-{chance.randrange(4)}",
        "user": f"u{chance.randrange(9)}",
        "latency_ms": chance.randrange(5_000),
    }
    record |= {name: value for name, value in optional.items() if chance.random() < 0.8}
    record |= {"external_id": f"case {number}"} if number % 5 == 0 else {}
    record |= {"corrected_completion": "Better so."} if number % 9 == 4 else {}
    record["metadata"] = {"tenant": f"t{number % 3}", "try": number % 4} if number % 2 else {}
    record["metadata"] |= {"error": {"code": "timeout"}} if number % 11 == 5 else {}
    record["metadata"] |= ODD if number % 7 == 3 else {}
    for _ in range(chance.choice([0, 0, 1, 2])):
        record["feedbacks"].append({"feedback_key": "stars", "value": chance.randrange(1, 6)})
    if chance.random() < 0.4:
        record["feedbacks"].append({"metric": "good", "value": chance.random() < 0.6})
    return record


def make_corpus(project):
    """[Made], oldest first, logged into the project in an order of its own."""
    owner, chance = owner_of(project), random.Random(7)
    for key, kind in (("good", "bool"), ("stars", "scalar"), ("good:ish", "scalar")):
        create_feedback_key(team=project.team, key=key, kind=kind, projects=[project])
    records = [make_record(number, chance) for number in range(COUNT)]
    outcomes = ingest(project=project, records=records, by=owner)
    made = [
        Made(
            str(outcome.id),
            record,
            [(given.get("feedback_key", "good"), float(given["value"])) for given in record["feedbacks"]],
        )
        for outcome, record in zip(outcomes, records, strict=True)
    ]
    for one in chance.sample(made, 60):
        key = project.feedback_keys.get(key=chance.choice(["good", "stars", "good:ish"]))
        value = float(chance.randrange(2))
        origin = chance.choice(["reviewer", "user", "grader"])
        give_feedback(interaction=Interaction.objects.get(pk=one.id), key=key, value=value, by=owner, origin=origin)
        one.feedback.append((key.key, value))
        one.reviewed = one.reviewed or origin == "reviewer"
    return sorted(made, key=lambda one: one.id)


def is_real(one):
    return one.record["source"] != "simulation"


def cases():
    """(query, what a record must meet): the conditions of the filter language, one at a time and together."""
    day = START + datetime.timedelta(days=40, hours=3, minutes=17)
    later = START + datetime.timedelta(days=70)
    alone = [
        ({}, lambda one: True),
        ({"label": "intent"}, lambda one: one.label("intent") is not None),
        ({"label": "ticket"}, lambda one: one.label("ticket") is not None),
        ({"label": "intent:refund"}, lambda one: one.label("intent") == "refund"),
        ({"label": "intent:refund|cover"}, lambda one: one.label("intent") in ("refund", "cover")),
        ({"label": r"intent:a\|b|x\:y"}, lambda one: one.label("intent") in ("a|b", "x:y")),
        ({"label": "intent:x:y"}, lambda one: one.label("intent") == "x:y"),
        ({"label": r"intent:back\\slash"}, lambda one: one.label("intent") == "back\\slash"),
        ({"label": ["intent:refund", "escalated"]},
         lambda one: one.label("intent") == "refund" and one.label("escalated")),
        ({"label": ["intent:refund", "intent:cover"]}, lambda one: False),
        ({"label": "nowhere"}, lambda one: False),
        ({"label": "intent:nothing"}, lambda one: False),
        ({"not_label": "intent"}, lambda one: one.label("intent") is None),
        ({"not_label": "intent:refund"}, lambda one: one.label("intent") != "refund"),
        ({"not_label": ["intent:refund|cover", "ticket"]},
         lambda one: one.label("intent") not in ("refund", "cover") and one.label("ticket") is None),
        ({"not_label": "nowhere"}, lambda one: True),
        ({"after": day.isoformat()}, lambda one: one.at >= day),
        ({"before": day.isoformat()}, lambda one: one.at < day),
        ({"after": day.isoformat(), "before": later.isoformat()}, lambda one: day <= one.at < later),
        ({"after": int(day.timestamp() * 1000)}, lambda one: one.at >= day),
        ({"after": day.isoformat(), "before": day.isoformat()}, lambda one: False),
        ({"after": later.strftime("%Y-%m-%d")}, lambda one: one.at >= later),
        ({"model": "model-1"}, lambda one: one.record.get("model") == "model-1"),
        ({"model": ["model-1", "model-2", "none"]}, lambda one: one.record.get("model") in ("model-1", "model-2")),
        ({"model": "none"}, lambda one: False),
        ({"feedback": "stars"}, lambda one: one.values("stars")),
        ({"feedback": "stars:none"}, lambda one: not one.values("stars")),
        ({"feedback": "stars:>=4"}, lambda one: any(v >= 4 for v in one.values("stars"))),
        ({"feedback": "stars:<=2"}, lambda one: any(v <= 2 for v in one.values("stars"))),
        ({"feedback": "stars:3"}, lambda one: 3 in one.values("stars")),
        ({"feedback": "stars:2..3"}, lambda one: any(2 <= v <= 3 for v in one.values("stars"))),
        ({"feedback": ["stars:>=4", "stars:<=2"]},
         lambda one: any(v >= 4 for v in one.values("stars")) and any(v <= 2 for v in one.values("stars"))),
        ({"feedback": "good:true"}, lambda one: 1 in one.values("good")),
        ({"feedback": "good:false"}, lambda one: 0 in one.values("good")),
        ({"feedback": ["good:true", "stars:>=3"]},
         lambda one: 1 in one.values("good") and any(v >= 3 for v in one.values("stars"))),
        ({"feedback": "good:ish"}, lambda one: one.values("good:ish")),
        ({"feedback": "good:ish:1"}, lambda one: 1 in one.values("good:ish")),
        ({"session": "session 7"}, lambda one: one.record["session_id"] == "session 7"),
        ({"session": "session"}, lambda one: False),
        ({"user": "u3"}, lambda one: one.record.get("user") == "u3"),
        ({"latency": "1000..3000"}, lambda one: 1000 <= one.record.get("latency_ms", -1) <= 3000),
        ({"latency": "4000.."}, lambda one: one.record.get("latency_ms", -1) >= 4000),
        ({"latency": "..500"}, lambda one: 0 <= one.record.get("latency_ms", -1) <= 500),
        ({"has_images": "true"}, lambda one: isinstance(one.record["messages"][0]["content"], list)),
        ({"has_images": "false"}, lambda one: isinstance(one.record["messages"][0]["content"], str)),
        ({"has_tools": "true"}, lambda one: len(one.record["messages"]) > 1),
        ({"has_tools": "0"}, lambda one: len(one.record["messages"]) == 1),
        *[({"q": query}, lambda one, pattern=pattern: one.says(pattern)) for query, pattern in WORDS],
    ]  # fmt: skip
    pairs = [(1, 17), (3, 25), (4, 12), (8, 16), (13, 32), (18, 22), (19, 35), (26, 43), (40, 3), (46, 1), (-1, 3),
             (-3, 17), (-5, 26), (48, 13), (49, 30), (51, 45)]  # fmt: skip
    given = [
        ({"feedback": "stars:>4"}, lambda one: any(v > 4 for v in one.values("stars"))),
        ({"feedback": "stars:<2"}, lambda one: any(v < 2 for v in one.values("stars"))),
        ({"feedback": "stars:2..<4"}, lambda one: any(2 <= v < 4 for v in one.values("stars"))),
        ({"feedback": "stars:..<3", "model": "model-1"},
         lambda one: any(v < 3 for v in one.values("stars")) and one.record.get("model") == "model-1"),
        ({"has_feedback": "true"}, lambda one: one.feedback),
        ({"feedback": "good:true", "model": "model-2"},
         lambda one: 1 in one.values("good") and one.record.get("model") == "model-2"),
        ({"feedback": "stars:none", "model": ["model-2", "model-3"]},
         lambda one: not one.values("stars") and one.record.get("model") in ("model-2", "model-3")),
        ({"has_feedback": "false"}, lambda one: not one.feedback),
        ({"reviewed": "true"}, lambda one: one.reviewed),
        ({"reviewed": "false"}, lambda one: not one.reviewed),
        ({"has_feedback": "true", "reviewed": "false"}, lambda one: one.feedback and not one.reviewed),
        ({"not_model": "model-1"}, lambda one: one.record.get("model") != "model-1"),
        ({"not_model": ["model-1", "model-2", "none"]},
         lambda one: one.record.get("model") not in ("model-1", "model-2")),
        ({"not_model": "model-1", "model": ["model-1", "model-2"]}, lambda one: one.record.get("model") == "model-2"),
        ({"not_model": "model-1", "feedback": "good:true"},
         lambda one: one.record.get("model") != "model-1" and 1 in one.values("good")),
        ({"has_error": "true"}, lambda one: "error" in one.record["metadata"]),
        ({"has_error": "false", "label": "intent:refund"},
         lambda one: "error" not in one.record["metadata"] and one.label("intent") == "refund"),
        ({"has_error": "true", "q": "refund"},
         lambda one: "error" in one.record["metadata"] and one.says(r"\brefund\b")),
        ({"has_correction": "true"}, lambda one: "corrected_completion" in one.record),
        ({"has_correction": "false", "model": "model-1"},
         lambda one: "corrected_completion" not in one.record and one.record.get("model") == "model-1"),
        ({"metadata": "tenant"}, lambda one: "tenant" in one.record["metadata"]),
        ({"metadata": "tenant:t1"}, lambda one: one.record["metadata"].get("tenant") == "t1"),
        ({"metadata": ["tenant:t1|t2", "try:3"]},
         lambda one: one.record["metadata"].get("tenant") in ("t1", "t2") and one.record["metadata"]["try"] == 3),
        ({"metadata": "try:2", "q": "refund"},
         lambda one: one.record["metadata"].get("try") == 2 and one.says(r"\brefund\b")),
        ({"metadata": "tenant:t2", "label": "intent:refund", "has_feedback": "true"},
         lambda one: one.record["metadata"].get("tenant") == "t2" and one.label("intent") == "refund" and one.feedback),
        ({"metadata": "share:1"}, lambda one: False),
        ({"metadata": "code:timeout"}, lambda one: False),
        ({"metadata": 'error:{"code":"timeout"}'}, lambda one: "error" in one.record["metadata"]),
        *[({"metadata": text}, lambda one: "on" in one.record["metadata"])
          for text in ("on:true", "no", "no:null", "share:1.5", 'tags:["a",{"try":2}]', "2:try", 'né"e',
                       'né"e:x|said:\n "a\\|b" \\\\u0001')],
        ({"q": "-refund"}, lambda one: not one.says(r"\brefund\b")),
        ({"q": 'in -"five days" -ref*', "has_images": "false"},
         lambda one: one.says(r"\bin\b") and not one.says(r"\bfive\W+days\b|\bref")
         and isinstance(one.record["messages"][0]["content"], str)),
    ]  # fmt: skip
    together = [merged(alone[one], alone[other]) for one, other in pairs]
    all_ = alone + given + together
    everywhere = [(query, lambda one, meets=meets: is_real(one) and meets(one)) for query, meets in all_]
    sources = [
        ({"external_id": "case 35"}, lambda one: one.record.get("external_id") == "case 35"),
        ({"external_id": "case 35", "fold": "near", "has_feedback": "true"},
         lambda one: one.record.get("external_id") == "case 35" and one.feedback),
        ({"external_id": "case 36"}, lambda one: False),
        ({"source": "simulation"}, lambda one: not is_real(one)),
        ({"source": ["live", "dataset"]}, lambda one: one.record["source"] in ("live", "dataset")),
        ({"source": ["simulation", "live"], "label": "intent:refund"},
         lambda one: one.record["source"] in ("simulation", "live") and one.label("intent") == "refund"),
        ({"source": "simulation", "q": "refund"}, lambda one: not is_real(one) and one.says(r"\brefund\b")),
    ]  # fmt: skip
    return everywhere + sources


def merged(one, other):
    (query, meets), (more, also) = one, other
    return {**query, **more}, lambda record: meets(record) and also(record)


WORDS = [
    ("refund", r"\brefund\b"),
    ("REFUND due", r"\brefund\b.*\bdue\b"),
    ("refun*", r"\brefun"),
    ("fund", r"\bfund\b"),
    ('"late fee"', r"\blate fee\b"),
    ('"fee late"', r"\bfee late\b"),
    ('"no late fee" refund', r"no late fee"),
    ("state-of-the-art", r"state-of-the-art"),
    ("re-open*", r"\bre-open"),
    ("don't", r"\bdon't\b"),
    ("it's", r"\bit's\b"),
    ("hello_world", r"hello_world"),
    ("1234-5678", r"1234-5678"),
    ("退款", "退款"),
    ("退", "退"),
    ("款退", "款退"),
    ("五天内", "五天内"),
    ("返金", "返金"),
    ("المبلغ", "المبلغ"),
    ("المب*", r"\bالمب"),
    ("เงินคืน", "เงินคืน"),
    ("rückzahlung", "rückzahlung"),
    ("RÜCKZAHLUNG größe", "größe"),
    ("деньги", "деньги"),
    ("ден*", r"\bден"),
    ("absentword", "absentword"),
]
