"""The hand-written situations of texts/, and what belongs to a language rather than to a situation."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
# In these a warm opening or a cheerful offer at the end would be out of place.
PLAIN_INTENTS = {
    "code", "complaint", "contract", "draft", "emergency", "extraction", "lost-and-found", "misuse", "summarise",
    "translate",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A later turn; `after` names the answers that it can follow, None for all of them."""

    prompt: str
    answer: str
    after: list | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """One thing that members come with: their words, and the words that answer them."""

    key: str
    language: str
    topic: str
    intent: str
    prompts: list
    answers: list
    short: str
    audience: str = "members"
    rare: bool = False
    fits: list | None = None  # a prompt: the positions of the answers that fit
    bad: dict = field(default_factory=dict)  # a flaw: a text that has it
    slots: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)  # a value may end in its chance: "yes?0.3"
    tools: list = field(default_factory=list)
    tools_after: list | None = None
    pictures: list = field(default_factory=list)
    pictures_by_prompt: bool = False  # one picture (or "") a prompt instead of all with each
    then: tuple = ()

    @property
    def name(self):
        return f"{self.language}/{self.key}"

    @property
    def is_plain(self):
        return self.audience == "staff" or self.intent in PLAIN_INTENTS or self.labels.get("tone") == "distressed"

    def answers_for(self, prompt):
        """Positions of the answers that fit the prompt at this position."""
        if self.fits:
            return self.fits[prompt]
        return [prompt] if len(self.prompts) == len(self.answers) else list(range(len(self.answers)))

    def shortest(self, answer):
        """The answer as a small model gives it: the short one where it fits, else the first paragraph."""
        if answer == 0 or not (self.fits or len(self.prompts) == len(self.answers)):
            return self.short
        return self.answers[answer].split("\n\n")[0]

    def pictures_for(self, prompt):
        """Kinds of the drawings that come with the prompt at this position."""
        kinds = [self.pictures[prompt]] if self.pictures_by_prompt else self.pictures
        return [kind for kind in kinds if kind]

    def follow_ups(self, answer):
        return [turn for turn in self.then if turn.after is None or answer in turn.after]


@cache
def situations():
    """{language: [Situation, ...]}, in the order of the files."""
    found = {}
    for path in sorted((HERE / "texts").glob("*.toml")):
        file = tomllib.loads(path.read_text(encoding="utf-8"))
        defaults = {key: value for key, value in file.items() if key != "situation"}
        for entry in file["situation"]:
            turns = tuple(FollowUp(**turn) for turn in entry.pop("then", ()))
            situation = Situation(**{**defaults, **entry, "then": turns})
            found.setdefault(situation.language, []).append(situation)
    return found


@cache
def phrases():
    """{language: its months, names, greetings ...}, with `people` and `systems` beside the languages."""
    return tomllib.loads((HERE / "phrases.toml").read_text(encoding="utf-8"))
