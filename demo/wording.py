"""Fills a text: `[[this|that]]` is chosen, `{slot}` is filled, dates are written as the language does."""

import re
from datetime import timedelta

from demo.situations import phrases

CHOICE = re.compile(r"\[\[(.+?)\]\]", re.DOTALL)
SLOT = re.compile(r"\{([a-z_]+)\}")


def choose(rng, text):
    """The text with each `[[this|that]]` decided."""
    return CHOICE.sub(lambda found: rng.choice(found[1].split("|")), text)


def fill(text, slots):
    """The text with its slots filled; braces that name no slot stay, they belong to code."""
    return SLOT.sub(lambda found: str(slots.get(found[1], found[0])), text)


def written_date(moment, language):
    """The day as the language writes it: Thursday 12 November."""
    words = phrases()[language]
    return words["date"].format(
        weekday=words["weekdays"][moment.weekday()], day=moment.day, month=words["months"][moment.month - 1]
    )


def written_sum(cents, language):
    """The sum as the language writes it: €48.20, 48,20 €."""
    amount = f"{cents / 100:.2f}"
    if language in {"de", "fr", "es"}:
        amount = amount.replace(".", ",")
    return phrases()[language]["money"].format(amount=amount)


def written_hour(minutes, language):
    """The time of day, in minutes after midnight, as the language writes it."""
    hour, minute = divmod(minutes, 60)
    return phrases()[language]["clock"].format(hour=hour % 24, minute=f"{minute:02d}")


def drawn_slots(rng, situation, member):
    """The choices behind the slots of one chat; what depends on the clock is added by `dated`."""
    language = situation.language
    slots = {
        "name": member.name,
        "flat": member.flat,
        "house": member.house,
        "neighbour": rng.choice(phrases()["people"]["neighbours"]),
        "ticket": f"R-{rng.randrange(40000, 60000)}",
        "n": rng.randrange(3, 20),
        "sum": written_sum(rng.randrange(1800, 14000, 5), language),
        "big": written_sum(rng.randrange(12000, 68000, 5), language),
        "hour": written_hour(rng.randrange(9 * 60, 17 * 60, 15), language),
        "morning": written_hour(rng.randrange(6 * 60, 10 * 60, 10), language),
        "evening": written_hour(rng.randrange(18 * 60, 21 * 60, 15), language),
        "late": written_hour(rng.randrange(22 * 60, 26 * 60, 5), language),
        "ahead": rng.randrange(1, 10),
        "ahead_later": rng.randrange(20, 60),
        "ago": rng.randrange(3, 26),
        "months_ahead": rng.randrange(1, 4),
    }
    slots.update({name: rng.choice(values) for name, values in situation.slots.items()})
    return slots | {f"{name}_cap": slots[name].capitalize() for name in situation.slots}


def dated(slots, moment, language):
    """The slots with their days as seen from this moment."""
    day = moment + timedelta(days=slots["ahead"])
    if day.weekday() == 6:  # nobody comes on a Sunday
        day += timedelta(days=1)
    return slots | {
        "day": written_date(day, language),
        "later": written_date(moment + timedelta(days=slots["ahead_later"]), language),
        "past": written_date(moment - timedelta(days=slots["ago"]), language),
        "month": phrases()[language]["months"][(moment.month - 1 + slots["months_ahead"]) % 12],
    }
