"""What a queue asks, and whether an answer fits. Pure Python.

A question is {"key", "kind", "text", "hint", "required", "options": [{"value", "name", "hint"}] (single, several),
"least", "most" (scale), "writes", "defect"}. `writes` says what the answer becomes: {"label": key}, {"feedback": key},
{"preference": key}, {"correction": true} or null. `defect` lists the answers that tell of a defect, for the report.
Answers are {question key: option value | list of them | int | bool | text | "a", "b", "tie" or "both_bad"}.
"""

import re

from accounts.names import name_fault
from interactions.rules import MAX_LABEL_KEY, RecordError, kind_of, tell, text_fault

SINGLE, SEVERAL, SCALE, YES_NO, TEXT, CORRECTION, PAIR = KINDS = (
    "single", "several", "scale", "yes_no", "text", "correction", "pair",
)  # fmt: skip
COMPARED = {SINGLE, SEVERAL, SCALE, YES_NO, PAIR}  # two people can be of one mind about these; free text always differs
SIDES = {"a": "A is better", "b": "B is better", "tie": "Tie", "both_bad": "Both bad"}
SWAPPED = {"a": "b", "b": "a"}
# what an answer of a kind may become
WRITES = {
    SINGLE: ("label", "feedback"),
    SEVERAL: ("label",),
    SCALE: ("feedback", "label"),
    YES_NO: ("feedback", "label"),
    TEXT: (),
    CORRECTION: ("correction",),
    PAIR: ("preference",),
}
MOST_QUESTIONS = 50
MOST_OPTIONS = 50
MOST_STEPS = 100  # of a scale
MOST_TEXT = 100_000  # characters of an answer
MEMBERS = {"key", "kind", "text", "hint", "required", "options", "least", "most", "writes", "defect"}
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def read_questions(raw):
    """The questions, every member of each set; RecordError (a ValueError) names what is wrong by its path, such as
    [0].options[1].value."""
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_QUESTIONS:
        raise RecordError({"": [f"Send a list of 1 to {MOST_QUESTIONS} questions."]})
    errors, read, keys = {}, [], set()
    for place, one in enumerate(raw):
        question = _question(one, f"[{place}]", lambda path, text: tell(errors, path, text))
        if question and question["key"] in keys:
            tell(errors, f"[{place}].key", f"Two questions have the key {question['key']!r}.")
        if question:
            keys.add(question["key"])
            read.append(question)
    if errors:
        raise RecordError(errors)
    return read


def options_of(question):
    """[{"value", "name", "hint"}] that the digits choose from, in order; none for texts."""
    kind = question["kind"]
    if kind == SCALE:
        return [_option(value, str(value)) for value in range(question["least"], question["most"] + 1)]
    if kind == YES_NO:
        return [_option(True, "Yes"), _option(False, "No")]
    if kind == PAIR:
        return [_option(value, name) for value, name in SIDES.items()]
    return list(question["options"])


def in_order(question, chosen):
    """Values of several as the question's options stand, then those that only another version offers."""
    known = [option["value"] for option in options_of(question)]
    return sorted(chosen, key=lambda one: known.index(one) if one in known else len(known))


def check_answers(questions, answers, complete):
    """{question key: fault} of these answers; `complete` also asks for those that are required. A key that is none of
    the questions' is a fault too."""
    if not isinstance(answers, dict):
        return {"": f"Send an object of answers by question key, not {kind_of(answers)}."}
    known = {question["key"]: question for question in questions}
    faults = {str(key)[:64]: "There is no such question." for key in answers if key not in known}
    for key, question in known.items():
        answer = answers.get(key)
        if _is_empty(answer):
            if complete and question["required"]:
                faults[key] = "This asks for an answer."
        elif fault := _fault(question, answer):
            faults[key] = fault
    return faults


def tidied(questions, answers):
    """Sound answers in the one form they are kept in: those of several sorted, since another version of the questions
    may offer the same options in another order; empty ones left out, but for several, where none is an answer."""
    kept = {}
    for question in questions:
        key, answer = question["key"], answers.get(question["key"])
        if question["kind"] == SEVERAL:
            kept[key] = sorted(set(answer or []))
        elif not _is_empty(answer):
            kept[key] = answer
    return kept


def plain(question, answer, swapped):
    """The answer as all reviewers mean it: of a pair, A is the item's first interaction whoever saw it where."""
    return SWAPPED.get(answer, answer) if swapped and question["kind"] == PAIR else answer


def conflicts(given):
    """Whether people differ: `given` is [(questions, answers, swapped)]. Each question that several answered is
    compared, texts left aside; of several options it is which, in whatever order older rows have them."""
    said = {}
    for questions, answers, swapped in given:
        for question in questions:
            key, kind = question["key"], question["kind"]
            if kind in COMPARED and key in answers:
                meant = plain(question, answers[key], swapped)
                ends = question["least"], question["most"]  # of another scale the same figure means something else
                said.setdefault((key, kind, ends), []).append(set(meant) if kind == SEVERAL else meant)
    return any(one != answers[0] for answers in said.values() for one in answers[1:])


# -- reading a question ---------------------------------------------------------------------------
def _question(raw, path, wrong):
    """The question with all its members; None after a fault was told to `wrong`."""
    if not isinstance(raw, dict):
        wrong(path, f"A question is an object, not {kind_of(raw)}.")
        return None
    faults = []

    def told(at, text):
        faults.append(at)
        wrong(f"{path}.{at}", text)

    for name in sorted(raw.keys() - MEMBERS):
        told(str(name)[:60], f"Unknown member; a question has {', '.join(sorted(MEMBERS))}.")
    kind = raw.get("kind")
    if kind not in KINDS:
        told("kind", f"Send one of {', '.join(KINDS)}.")
        return None
    if not isinstance(raw.get("key"), str) or not _KEY.fullmatch(raw["key"]):
        told("key", "Send 1 to 64 small letters, digits, - or _, beginning with a letter or digit.")
    question = {
        "key": raw.get("key"),
        "kind": kind,
        "text": _text(raw, "text", 500, told, least=1),
        "hint": _text(raw, "hint", 500, told),
        "required": raw.get("required", True),
        "options": _options(raw.get("options"), kind, told),
        "least": raw.get("least", 1) if kind == SCALE else None,
        "most": raw.get("most", 5) if kind == SCALE else None,
        "writes": _writes(raw.get("writes"), kind, told),
        "defect": raw.get("defect") or [],
    }
    if not isinstance(question["required"], bool):
        told("required", "Send true or false.")
    if kind == SCALE:
        _check_scale(question, told)
    if not faults:
        _check_whole(question, told)
    return None if faults else question


def _text(raw, name, most, told, least=0):
    text = raw.get(name, "")
    if text is None and not least:
        return ""
    if not isinstance(text, str) or not least <= len(text.strip()) <= most:
        told(name, f"Send text of {least} to {most} characters.")
        return ""
    if fault := text_fault(text):
        told(name, fault)
    return text.strip()


def _options(raw, kind, told):
    if kind not in {SINGLE, SEVERAL}:
        if raw:
            told("options", f"A question of the kind {kind} has no options; leave them out.")
        return []
    if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_OPTIONS:
        told("options", f"Send a list of 1 to {MOST_OPTIONS} options.")
        return []
    read = []
    for place, one in enumerate(raw):
        one = {"value": one} if isinstance(one, str) else one
        if not isinstance(one, dict) or one.keys() - {"value", "name", "hint"}:
            told(f"options[{place}]", "An option is an object of value, name and hint.")
            continue

        def at(name, text, place=place):
            told(f"options[{place}].{name}", text)

        value = _text(one, "value", 200, at, least=1)
        if value and value in {option["value"] for option in read}:
            at("value", f"Two options have the value {value!r}.")
        read.append(_option(value, _text(one, "name", 200, at) or value, _text(one, "hint", 500, at)))
    return read


def _writes(raw, kind, told):
    if raw is None:
        return None
    may = WRITES[kind]
    if not isinstance(raw, dict) or len(raw) != 1 or next(iter(raw)) not in may:
        shapes = {"correction": '{"correction": true}'}
        named = " or ".join([shapes.get(name, f'{{"{name}": key}}') for name in may] + ["null"])
        told("writes", f"A question of the kind {kind} writes {named}.")
        return None
    [(name, key)] = raw.items()
    if name == "correction":
        if key is not True:
            told("writes.correction", "Send true, or null for writes.")
    elif not isinstance(key, str) or not 1 <= len(key) <= MAX_LABEL_KEY or text_fault(key):
        told(f"writes.{name}", f"Send a key: text of 1 to {MAX_LABEL_KEY} characters.")
    elif fault := name_fault(key):
        told(f"writes.{name}", fault)
    return dict(raw)


def _check_scale(question, told):
    ends = question["least"], question["most"]
    if not all(isinstance(end, int) and not isinstance(end, bool) for end in ends):
        told("least", "Send whole numbers as least and most.")
    elif not 1 <= ends[1] - ends[0] <= MOST_STEPS or abs(ends[0]) > 1_000:
        told("most", f"Send more than least, by at most {MOST_STEPS} steps.")


def _check_whole(question, told):
    """What is only asked of a question that is sound so far."""
    writes, kind = question["writes"] or {}, question["kind"]
    if kind == SINGLE and "feedback" in writes and any(number_of(one["value"]) is None for one in question["options"]):
        told("writes.feedback", "Feedback is a number: every option's value must be one, such as 0 and 1.")
    if kind == SEVERAL and "label" in writes:
        longest = max(len(one["value"]) for one in question["options"])
        if len(writes["label"]) + 1 + longest > MAX_LABEL_KEY:
            told("writes.label", f"With a slash and an option's value this is longer than {MAX_LABEL_KEY} characters.")
    known = [option["value"] for option in options_of(question)]
    if not isinstance(question["defect"], list) or any(not _among(one, known) for one in question["defect"]):
        told("defect", "Send a list of those answers that tell of a defect.")


# -- checking an answer ---------------------------------------------------------------------------
def number_of(text):
    """The finite number that a text is, or None."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) <= 1e12 else None


def _fault(question, answer):
    """Why this is no answer to the question, or None."""
    kind = question["kind"]
    if kind in {TEXT, CORRECTION}:
        if not isinstance(answer, str) or len(answer) > MOST_TEXT:
            return f"Send text of at most {MOST_TEXT:,} characters."
        return text_fault(answer)
    known = [option["value"] for option in options_of(question)]
    if kind == SEVERAL:
        if not isinstance(answer, list) or any(not _among(one, known) for one in answer):
            return f"Send a list of any of {_told(known)}."
        return None
    if not _among(answer, known):
        return f"Send a number from {known[0]} to {known[-1]}." if kind == SCALE else f"Send one of {_told(known)}."
    return None


def _among(value, known):
    """Whether it is one of these and of its type: in Python, 1 and true are one."""
    return any(type(value) is type(one) and value == one for one in known)


def _is_empty(answer):
    return answer is None or answer == [] or (isinstance(answer, str) and not answer.strip())


def _told(values):
    return ", ".join({True: "true", False: "false"}.get(value, str(value)) for value in values)


def _option(value, name, hint=""):
    return {"value": value, "name": name, "hint": hint}
