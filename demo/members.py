"""The people who write: each with a language, a home and a name."""

from dataclasses import dataclass

from demo.situations import phrases

LANGUAGES = {"en": 45, "de": 18, "fr": 10, "es": 9, "ar": 9, "zh": 9}
MEMBERS = 380
STAFF = ["office-okafor", "office-adeyemi", "office-lind", "technical-bauer", "technical-sato"]


@dataclass(frozen=True, slots=True)
class Member:
    id: str
    language: str
    name: str
    house: str
    flat: str


def members(rng):
    """{language: [Member, ...]}; who stands first in a list writes most."""
    found = {language: [] for language in LANGUAGES}
    numbers = rng.sample(range(1000, 9999), MEMBERS)
    # each language has its people, whatever the dice say
    languages = list(LANGUAGES) * 4 + rng.choices(list(LANGUAGES), LANGUAGES.values(), k=MEMBERS - 4 * len(LANGUAGES))
    for number, language in zip(numbers, languages, strict=True):
        house = rng.choice(phrases()["people"]["houses"])
        found[language].append(Member(f"member-{number}", language, _name(rng, language), house, _flat(rng)))
    return found


def _name(rng, language):
    return rng.choice(phrases()[language]["names"])


def _flat(rng):
    return f"{rng.randint(1, 9)}-{rng.randint(1, 14):02d}"


def one_of(rng, people):
    """Somebody; the first of the list nine times as often as the last."""
    return people[int(len(people) * rng.random() ** 2)]


def staff_member(rng, language):
    """Somebody from the office, with the home of the member that the question is about."""
    return Member(
        rng.choice(STAFF), language, _name(rng, language), rng.choice(phrases()["people"]["houses"]), _flat(rng)
    )
