"""Questions as a form shows them, and the answers that come back from it."""

from dataclasses import dataclass, field

from reviews.questions import CORRECTION, PAIR, SCALE, SEVERAL, SIDES, TEXT, YES_NO, options_of

BUTTONS = 12  # more steps of a scale are typed
PREFILLED = 20_000  # characters of a completion that is offered for correction
PAIR_ORDER = ("a", "tie", "b", "both_bad")  # as their buttons stand
_SENT = {True: "true", False: "false"}


@dataclass
class Choice:
    """One of a question's answers; `digit` is the key that chooses it while the question is marked."""

    value: str
    name: str
    hint: str
    digit: str
    chosen: bool


@dataclass
class Asked:
    """A question with what was answered so far; `n` is its place."""

    question: dict
    n: int
    answer: object
    fault: str = ""
    original: str = ""
    choices: list = field(default_factory=list)

    @property
    def key(self):
        return self.question["key"]

    @property
    def kind(self):
        return self.question["kind"]

    @property
    def text(self):
        return self.question["text"]

    @property
    def required(self):
        return self.question["required"]

    @property
    def name(self):
        return name_of(self.question)

    @property
    def is_several(self):
        return self.kind == SEVERAL

    @property
    def in_a_row(self):
        return self.kind in {SCALE, YES_NO}

    @property
    def aside(self):
        """What stands small beside the question."""
        words = [self.question["hint"]] if self.question["hint"] else []
        if self.is_several and not words:
            words.append("any number")
        if self.kind == SCALE and not self.choices:
            words.append(f"{self.question['least']} to {self.question['most']}")
        return ", ".join([*words, "required" if self.required else "optional"])

    @property
    def typed(self):
        """What stands in the field of a text or a number."""
        if self.kind == CORRECTION and self.answer is None:
            return self.original if len(self.original) <= PREFILLED else ""
        return "" if self.answer is None else self.answer


def asked(questions, answers, *, faults=None, original=""):
    """[Asked] of the questions, in order."""
    faults = faults or {}
    found = []
    for n, question in enumerate(questions):
        one = Asked(question, n, answers.get(question["key"]), faults.get(question["key"], ""), original)
        one.choices = _choices(question, one.answer)
        found.append(one)
    return found


def submits_itself(questions):
    """A single yes or no is answered and sent by one key."""
    return len(questions) == 1 and questions[0]["kind"] == YES_NO


def name_of(question):
    """The name of its field."""
    return f"a.{question['key']}"


def read_answers(questions, post, original="", complete=False):
    """{question key: answer} of what a form sent. What does not fit stays as it came, for the check to refuse. A
    correction that was left as the completion stands is none; `complete`, where one is required, it says that it is
    fine so."""
    answers = {}
    for question in questions:
        texts = [text.replace("\r\n", "\n") for text in post.getlist(name_of(question))]
        texts = [text for text in texts if text.strip()]
        if texts:
            answers[question["key"]] = _answer(question, texts)
        if question["kind"] == CORRECTION and texts and texts[-1].strip() == original.strip():
            del answers[question["key"]]
            if complete and question["required"]:
                answers[question["key"]] = original
    return answers


def _answer(question, texts):
    kind, text = question["kind"], texts[-1]
    if kind == SEVERAL:
        return texts
    if kind == SCALE:
        return int(text) if text.strip().lstrip("-").isdecimal() and len(text) < 9 else text
    if kind == YES_NO:
        return {"true": True, "false": False}.get(text, text)
    return text


def _choices(question, answer):
    if question["kind"] in {TEXT, CORRECTION}:
        return []
    options = options_of(question)
    if question["kind"] == SCALE and len(options) > BUTTONS:
        return []
    if question["kind"] == PAIR:
        options = [{"value": value, "name": SIDES[value], "hint": ""} for value in PAIR_ORDER]
    chosen = answer if isinstance(answer, list) else [answer]
    return [
        Choice(
            _SENT.get(option["value"], str(option["value"])) if question["kind"] == YES_NO else str(option["value"]),
            option["name"],
            option.get("hint", ""),
            _digit(question, n, option["value"]),
            any(type(one) is type(option["value"]) and one == option["value"] for one in chosen),
        )
        for n, option in enumerate(options)
    ]


def _digit(question, n, value):
    """On a scale the figure itself, else the place of the option: 1 to 9."""
    if question["kind"] == SCALE and question["least"] >= 0 and question["most"] <= 10:
        return "0" if value == 10 and question["least"] > 0 else str(value) if value < 10 else ""
    return str(n + 1) if n < 9 else ""
