"""The five models of the demo: how each answers, how good it is, and how long it takes."""

from dataclasses import dataclass

from demo.situations import phrases
from demo.wording import choose

# Roughly: characters a token. Chinese and Arabic texts cost more tokens than they look.
CHARACTERS_A_TOKEN = {"zh": 1.2, "ar": 2.4}
TOKENS_A_PICTURE = 640


@dataclass(frozen=True, slots=True)
class Voice:
    """A model: a share of answers for each habit, and its speed."""

    key: str
    quality: float  # how content people are with an answer that isn't flawed, 0 to 1
    flawed: float  # the rest are shares of its answers
    terse: float
    opening: float
    closing: float
    aside: float
    calls_tools: float
    first_token_ms: int
    tokens_a_second: int
    temperature: float
    weight: tuple  # how much of the traffic it gets, at the start and at the end of the time
    since: float = 0  # the part of the time before which it did not exist


VOICES = [
    Voice("wren-3b-lite", 0.60, 0.17, 0.80, 0.10, 0.10, 0.00, 0.30, 90, 150, 0.2, (0.20, 0.13)),
    Voice("hearth-8b-sft", 0.72, 0.10, 0.10, 0.10, 0.10, 0.00, 0.80, 190, 74, 0.3, (0.48, 0.18)),
    Voice("hearth-8b-dpo", 0.82, 0.06, 0.00, 0.60, 0.45, 0.00, 0.85, 200, 71, 0.3, (0.24, 0.32)),
    Voice("hearth-8b-dpo-2", 0.89, 0.035, 0.00, 0.25, 0.35, 0.05, 0.95, 185, 76, 0.2, (0.20, 0.42), 0.6),
    Voice("hearth-27b", 0.90, 0.03, 0.00, 0.20, 0.25, 0.50, 0.95, 460, 27, 0.4, (0.10, 0.18)),
]


def voice_at(rng, part):
    """The model that answers, at this part of the time, 0 to 1."""
    alive = [voice for voice in VOICES if voice.since <= part]
    weights = [voice.weight[0] + part * (voice.weight[1] - voice.weight[0]) for voice in alive]
    return rng.choices(alive, weights)[0]


def flaw_of(rng, voice, situation):
    """The flaw of this answer, or None."""
    if rng.random() >= voice.flawed:
        return None
    own = list(situation.bad)
    return rng.choice(own * 3 + ["refusal", "vague"] if own else ["refusal", "vague"])


def flawed_text(rng, situation, flaw):
    """A text that shows the flaw: the situation's own one, or a general one of the language."""
    return choose(rng, situation.bad.get(flaw) or phrases()[situation.language][flaw])


def spoken(rng, voice, situation, answer):
    """The answer at this position in the manner of the model: short, or opened warmly, closed with an offer."""
    if rng.random() < voice.terse:
        return choose(rng, situation.shortest(answer))
    words = phrases()[situation.language]
    parts = [choose(rng, situation.answers[answer])]
    if not situation.is_plain:
        if rng.random() < voice.opening:
            parts.insert(0, rng.choice(words["opener"]))
        if rng.random() < voice.aside:
            parts.append(rng.choice(words["more"]))
        if rng.random() < voice.closing:
            parts.append(rng.choice(words["closer"]))
    return "\n\n".join(parts)


def tokens_of(text, language):
    """About how many tokens the text has."""
    return max(1, round(len(text) / CHARACTERS_A_TOKEN.get(language, 3.9)))


def latency_ms(rng, voice, tokens):
    """(to the first token, to the last): milliseconds, with the long tail that such times have."""
    first = voice.first_token_ms * rng.lognormvariate(0, 0.35)
    if rng.random() < 0.015:
        first += rng.uniform(2500, 9000)  # a cold start
    return round(first), round(first + 1000 * tokens / voice.tokens_a_second * rng.lognormvariate(0, 0.15))
