"""What changed between two texts, word by word; and the text that rendered HTML shows, so that this can be compared."""

import re
from bisect import bisect_left
from difflib import SequenceMatcher
from html.parser import HTMLParser
from itertools import groupby
from typing import NamedTuple

from interactions.rendering import NO_LANGUAGE

MOST_CHARACTERS = 500_000  # of both texts together
MOST_STEPS = 4_000_000  # comparisons of one word with one of its likes: about half a second

# Words with the white space behind them. Chinese, Japanese and Thai have none: there a character with its marks is one.
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
_MARKS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u3099\u309a"
_WORD = re.compile(rf"([{_UNSPACED}][{_MARKS}]*|[^\s{_UNSPACED}]+)(\s*)")

_BLOCKS = {
    *("blockquote", "div", "dd", "dl", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre"),
    *("header", "section", "table", "tbody", "thead", "tr", "ul"),
}
_NOT_TEXT = {"button", "script", "style"}
_CELLS = {"td", "th"}


class Piece(NamedTuple):
    """A part of a text: "same" in both, "removed" (only before) or "added" (only after)."""

    kind: str
    text: str


def differences(before, after, *, most=MOST_STEPS):
    """The pieces that lead from one text to the other, in reading order; None where the texts are too long to compare.

    The pieces that are not "added" make up exactly `before`, those that are not "removed" exactly `after`; no two
    neighbours are of one kind, and what was removed comes before what was added in its place. Words are compared by
    the longest common runs (difflib, without its guess at junk), whatever white space is behind them, and then the
    white space. `most` bounds the work in steps, not in seconds, so that a text has pieces always or never.
    """
    if before == after:
        return _merged([Piece("same", before)])
    if len(before) + len(after) > MOST_CHARACTERS:
        return None
    left, right = _words(before), _words(after)
    runs = _common_runs([word for word, _ in left], [word for word, _ in right], most)
    return None if runs is None else _merged(_pieces(left, right, runs))


def sides(pieces):
    """(pieces of the left side, pieces of the right side): what was before, and what is after."""
    left = _merged(piece for piece in pieces if piece.kind != "added")
    return left, _merged(piece for piece in pieces if piece.kind != "removed")


def visible_text(html):
    """The text that rendered HTML shows: blocks and rows end in a newline, a tab stands between cells.

    For HTML as `interactions.rendering` makes it. White space is as a browser lays it out; a block of code has the line
    of its fence above it, if that says anything, and its button is left out.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


def mark(both, *, most=MOST_STEPS):
    """Give both sides, each with a `transcript`, their `pieces`: (differs, text, white space behind it, not marked) of
    what their completions show; False where these are too long to compare."""
    pieces = differences(*(visible_text(side.transcript.completion.html) for side in both), most=most)
    if pieces is None:
        return False
    for side, own in zip(both, sides(pieces), strict=True):
        texts = [(piece.kind, piece.text.rstrip(), piece.text) for piece in own]
        side.pieces = [(kind != "same", words, text[len(words) :]) for kind, words, text in texts]
    return True


def _words(text):
    """Words with the white space behind each; the first is empty and has the white space that the text begins with."""
    begin = len(text) - len(text.lstrip())
    return [("", text[:begin]), *_WORD.findall(text, begin)]


def _common_runs(left, right, most):
    """(start in left, start in right, length) of the runs of equal words, in order; None where `most` is too few."""
    shorter = min(len(left), len(right))
    head = next((i for i in range(shorter) if left[i] != right[i]), shorter)
    tail = next((i for i in range(shorter - head) if left[-1 - i] != right[-1 - i]), shorter - head)
    ends = len(left) - tail, len(right) - tail
    between = _inner_runs(left[head : ends[0]], right[head : ends[1]], most)
    if between is None:
        return None
    return [(0, 0, head), *((i + head, j + head, size) for i, j, size in between), (*ends, tail)]


def _inner_runs(left, right, most):
    """As `_common_runs`: the longest run first, then what lies on either side of it, while there are steps left."""
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    runs, waiting = [], [(0, len(left), 0, len(right))]
    while waiting:
        left_from, left_to, right_from, right_to = waiting.pop()
        most -= left_to - left_from
        for word in left[left_from:left_to]:
            most -= bisect_left(matcher.b2j.get(word, ()), right_to)  # places that the search walks through
        if most < 0:
            return None
        i, j, size = run = matcher.find_longest_match(left_from, left_to, right_from, right_to)
        if size:
            runs.append(run)
            if left_from < i and right_from < j:
                waiting.append((left_from, i, right_from, j))
            if i + size < left_to and j + size < right_to:
                waiting.append((i + size, left_to, j + size, right_to))
    return sorted(runs)


def _pieces(left, right, runs):
    """Pieces word by word; what lies between two runs was removed on the left and added on the right."""
    left_at = right_at = 0
    for i, j, size in runs:
        yield from (Piece("removed", word + space) for word, space in left[left_at:i])
        yield from (Piece("added", word + space) for word, space in right[right_at:j])
        for (word, old), (_, new) in zip(left[i : i + size], right[j : j + size], strict=True):
            if old == new:
                yield Piece("same", word + old)
            else:
                yield from (Piece("same", word), Piece("removed", old), Piece("added", new))
        left_at, right_at = i + size, j + size


def _merged(pieces):
    """Between two same pieces one removed and one added at most, none of them empty."""
    merged = []
    for same, run in groupby((piece for piece in pieces if piece.text), lambda piece: piece.kind == "same"):
        run = list(run)
        for kind in ("same",) if same else ("removed", "added"):
            text = "".join(piece.text for piece in run if piece.kind == kind)
            merged += [Piece(kind, text)] if text else []
    return merged


class _Reader(HTMLParser):
    """Collects text as a browser lays it out."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.parts, self.as_it_is, self.hidden, self.cells, self.fence = [""], 0, 0, 0, False

    def text(self):
        self.end_line()
        return "".join(self.parts)

    def end_line(self):
        """One newline, unless the line is empty."""
        self.drop_space()
        if self.last() not in ("", "\n"):
            self.parts.append("\n")

    def drop_space(self):
        """White space at the end of a line or cell is not seen."""
        if not self.as_it_is:
            self.parts[-1] = self.parts[-1].rstrip(" ")

    def last(self):
        return next((part[-1] for part in reversed(self.parts) if part), "")

    def handle_starttag(self, tag, attrs):
        if tag in _NOT_TEXT:
            self.hidden += 1
        elif tag in _BLOCKS:
            self.end_line()
            self.cells = 0
        elif tag in _CELLS:
            self.drop_space()
            self.parts += ["\t"] if self.cells else []
            self.cells += 1
        elif tag == "br":
            self.parts.append("\n")
        self.as_it_is += tag == "pre"
        self.fence = self.fence or tag == "header"

    def handle_endtag(self, tag):
        if tag in _NOT_TEXT:
            self.hidden = max(self.hidden - 1, 0)
        elif tag in _BLOCKS:
            self.end_line()
        if tag == "pre":
            self.as_it_is = max(self.as_it_is - 1, 0)
        self.fence = self.fence and tag != "header"

    def handle_data(self, data):
        if self.hidden or (self.fence and data == NO_LANGUAGE):
            return
        if not self.as_it_is:
            data = re.sub(r"[ \t\n\r\f]+", " ", data)
            data = data[1:] if data.startswith(" ") and self.last() in ("", " ", "\n", "\t") else data
        self.parts += [data] if data else []
