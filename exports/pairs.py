"""Of what was said of pairs of answers, the pairs that are trained with: each once, and the side that was preferred
more often over the other.

While a file is written, a line tells of one interaction and one other answer by how much more often it won than it
lost. Here all of them are put together: an answer may have been logged several times, and is the same by its prompt
and text. Knows no database; what is held is some two hundred bytes a pair.
"""

import hashlib
from dataclasses import dataclass

from exports.lines import one_line
from interactions.jsontext import dumps

EMPTY = b"null"  # in the place of a pair that has a side without an answer


@dataclass(frozen=True)
class Settled:
    """How many `pairs` are written; `even` ones, preferred as often either way, and `empty` ones, of which a side has
    no answer, are not. `without`: interactions that were compared and have none of the written pairs."""

    pairs: int = 0
    even: int = 0
    empty: int = 0
    without: int = 0


def line_of(row_id, own, other, net, pair):
    """A line (bytes) as `settle` reads it. `own` and `other` (bytes) tell one answer from others, `net` is by how much
    more often the own one won; `pair` (JSON) is what is trained with if it did, None where a side is empty."""
    ways = (hashlib.blake2b(way, digest_size=16).hexdigest() for way in (own + other, other + own))
    told = b"" if net <= 0 else EMPTY if pair is None else one_line(dumps(pair)).encode()
    return b" ".join([f"{row_id} {' '.join(ways)} {net}".encode(), told]) + b"\n"


def settle(path, new, beat):
    """Write the pairs of the lines at `path` to `new`, one a line; the Settled."""
    nets = {}
    for _, way, _, net, _ in _lines(path, beat):
        nets[way] = nets.get(way, 0) + net
    written, even, empty, having, met = set(), set(), set(), 0, 0
    row = row_having = None
    with open(new, "wb") as file:
        for row_id, way, back, _, pair in _lines(path, beat):
            met, row = met + (row_id != row), row_id
            # of answers that were logged several times, part of which a filter left out, either side may have won
            is_even = not nets[way] or (nets[way] > 0 and nets.get(back, 0) > 0)
            if is_even:
                even.add(min(way, back))
            elif nets[way] > 0:
                if pair == EMPTY:
                    empty.add(way)
                elif pair and way not in written:
                    written.add(way)
                    file.write(pair + b"\n")
                if way in written and row_id != row_having:
                    having, row_having = having + 1, row_id
    return Settled(len(written), len(even), len(empty), met - having)


def _lines(path, beat):
    with open(path, "rb") as file:
        for line in file:
            beat()
            row_id, way, back, net, pair = line.rstrip(b"\n").split(b" ", 4)
            yield row_id, bytes.fromhex(way.decode()), bytes.fromhex(back.decode()), int(net), pair
