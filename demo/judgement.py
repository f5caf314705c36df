"""What people thought of an answer: a thumb, one to five stars, and what the reviewers found."""

from demo.situations import phrases

REVIEWERS = ["jonas.okafor@alder-row.example", "ines.adeyemi@alder-row.example"]
FOUND_WRONG = {
    "hallucination": ["Invented. Nothing like this is in the house rules.", "No such rule, no such fee.", "Made up."],
    "refusal": ["Refused, although the price list answers it.", "No reason to refuse here."],
    "vague": ["Says nothing. The answer is on page one of the handbook."],
    "curt": ["Not false, but leaves out the deadline.", "A fact without the fee or the date is half an answer."],
    "wrong-language": ["The member wrote in another language."],
    None: ["Promises a date that nobody has confirmed.", "Right in substance, but the fee is last year's."],
}  # fmt: skip
FOUND_RIGHT = ["Matches the house rules.", "Fee and deadline checked.", "Good, and it names the next step.", ""]


def feedbacks(rng, voice, language, flaw):
    """Feedback values as they are sent with an interaction; people forget to judge more often than not."""
    content = 0.1 if flaw else voice.quality
    return [*_helpful(rng, content), *_stars(rng, content, phrases()[language]), *_accurate(rng, voice, flaw)]


def _helpful(rng, content):
    if rng.random() < 0.6:
        yield {"feedback_key": "helpful", "value": rng.random() < content}


def _stars(rng, content, words):
    if rng.random() >= 0.45:
        return
    value = min(5, max(1, round(rng.gauss(1.2 + 3.6 * content, 0.8))))
    feedback = {"feedback_key": "csat", "value": value}
    if rng.random() < 0.35 and value != 3:
        feedback["details"] = rng.choice(words["praise" if value > 3 else "blame"])
    yield feedback


def _accurate(rng, voice, flaw):
    if rng.random() >= (0.3 if flaw else 0.085):
        return
    is_accurate = not flaw and rng.random() < voice.quality + 0.05
    details = rng.choice(FOUND_RIGHT if is_accurate else FOUND_WRONG[flaw])
    feedback = {
        "feedback_key": "policy-accurate", "value": is_accurate, "user": rng.choice(REVIEWERS), "origin": "reviewer",
    }  # fmt: skip
    yield feedback | ({"details": details} if details else {})
