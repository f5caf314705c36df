"""Which situation comes next: none that the same page of a table shows already."""

from collections import Counter, deque

from demo.situations import situations

# Nearly all of a language must have had their turn before one comes again.
REMEMBERED = 0.7
RARE, PICTURED, STAFF = 0.12, 0.14, 0.55  # how often, against one of the others


class Chooser:
    """Hands out situations of a language, and their phrasings in turn."""

    def __init__(self, rng):
        self.rng = rng
        self.recent = {language: deque(maxlen=int(REMEMBERED * len(found))) for language, found in situations().items()}
        self.uses = Counter()

    def situation(self, language, *, audience=None):
        """One that has not been chosen lately, of this audience if one is named."""
        recent = self.recent[language]
        fresh = [
            found for found in situations()[language] if found.key not in recent and audience in (None, found.audience)
        ]
        chosen = self.rng.choices(fresh, [_weight(found) for found in fresh])[0]
        recent.append(chosen.key)
        return chosen

    def prompt(self, situation):
        """The position of the phrasing whose turn it is."""
        if situation.name not in self.uses:
            self.uses[situation.name] = self.rng.randrange(len(situation.prompts))
        self.uses[situation.name] += 1
        return self.uses[situation.name] % len(situation.prompts)


def _weight(situation):
    if situation.rare:
        return RARE
    return PICTURED if situation.pictures else STAFF if situation.audience == "staff" else 1
