"""Made-up words by Zipf's law, so that it is known how common each of them is."""

import functools

import numpy as np

SIZE = 60_000  # words
_DRAWS = 2**22  # entries of the table that is drawn from; the rarest word has six of them
_SHIFT = 2.7  # Mandelbrot's: the very first words are less extreme than by Zipf alone
_SCRAMBLE = 7_919  # prime: words of neighbouring ranks do not look alike
_SYLLABLES = [consonant + vowel for consonant in "bdfghklmnprstvz" for vowel in "aeiou"]
_STOP = 1 / 11  # of the words end a sentence

# ranks of words that the reading asks for; no made-up word holds an x or a q, so that these words are ours alone
COMMON = range(20, 30)
MIDDLING = range(3_400, 3_450)
RARE = tuple(f"xq{_SYLLABLES[7 * place]}x" for place in range(10))  # each in one of 100,000 records
ABSENT = tuple(f"qx{_SYLLABLES[place]}xq" for place in range(60))


@functools.cache
def vocabulary():
    """The words by rank, then the same with a full stop behind them: an array of 2 * SIZE texts."""
    words = [_word(rank) for rank in range(SIZE)]
    return np.array([*words, *(word + "." for word in words)], dtype=object)


def word(rank):
    """The word of this rank, 0 being the most common."""
    return str(vocabulary()[rank])


def draw(rng, size):
    """So many words, some of them with a full stop, as a list."""
    numbers = _table()[rng.integers(0, _DRAWS, size, dtype=np.uint32)]
    numbers[rng.random(size, dtype=np.float32) < _STOP] += SIZE
    return vocabulary()[numbers].tolist()


@functools.cache
def _table():
    weights = 1 / (np.arange(SIZE) + 1 + _SHIFT)
    edges = np.round(np.cumsum(weights) / weights.sum() * _DRAWS).astype(np.int64)
    return np.repeat(np.arange(SIZE, dtype=np.uint32), np.diff(edges, prepend=0))


def _word(rank):
    """Two syllables for common words, three or four for the others."""
    base = len(_SYLLABLES)
    length = 2 if rank < base**2 else 3
    number, syllables = rank * _SCRAMBLE % base**length, []
    for _ in range(length):
        number, place = divmod(number, base)
        syllables.append(_SYLLABLES[place])
    return "".join(syllables) + ("n" if rank % 3 == 0 else "")
