"""The grammar of Markdown as the pages read it: nothing that was written is left out of what is shown."""

import re
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.common.utils import mdTrim
from markdown_it.rules_block.table import escapedSplit, getLine, table

MOST_LEVELS = 40  # that the parser goes down, beyond which it leaves out what stands there
DEEPEST = MOST_LEVELS - 2  # from here on the text is shown as it was written; a list takes two levels
_TERMINATES = {"alt": ["paragraph", "reference"]}
_NUMBERING = re.compile(r"^(?:[\s>*+-]|\d{1,9}[.)](?=\s|$))+", re.MULTILINE)
_INSIDE_TAG = r'(?:[^"<>]|"[^"]*")*'
_LINK = re.compile(rf'<a {_INSIDE_TAG}?href="([^"]*)"{_INSIDE_TAG}>(.*?)</a>', re.DOTALL)
_TAG = re.compile(f"<{_INSIDE_TAG}>")
_NO_LETTERS = re.compile(r"[\W_]+")


def parser():
    """CommonMark with tables and strikethrough, without HTML.

    Definitions of references stay text: they would show nothing. Addresses stay as they were written.
    """
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": MOST_LEVELS})
    markdown.enable(["table", "strikethrough"]).disable("reference")
    markdown.block.ruler.at("table", _table, _TERMINATES)
    markdown.block.ruler.before("table", "verbatim", _verbatim)
    markdown.normalizeLink = markdown.normalizeLinkText = str
    return markdown


def shows_all(source, html):
    """Whether all letters and digits of the Markdown are in its HTML, in their order, as text or as a link's address.
    The numbers of a list are not looked for."""
    # twice: an entity is itself in code, and what it stands for elsewhere
    wanted = _letters(unescape(unescape(_NUMBERING.sub(" ", source))))
    shown = iter(_letters(unescape(unescape(_TAG.sub("", _LINK.sub(r"\2 \1", html))))))
    return all(letter in shown for letter in wanted)


def _letters(text):
    return _NO_LETTERS.sub("", text)


def _table(state, start, end, silent):
    """A table whose rows keep the cells that the header has no column for."""
    before = len(state.tokens)
    if not table(state, start, end, silent):
        return False
    tokens = state.tokens[before:]
    del state.tokens[before:]
    for token in tokens:
        if token.type == "tr_open":
            line, columns = token.map, 0
        elif token.type in {"th_open", "td_open"}:
            columns += 1
        elif token.type == "tr_close":
            _push_cells(state, _cells(getLine(state, line[0]))[columns:], line)
        state.tokens.append(token)
    return True


def _cells(line):
    cells = escapedSplit(mdTrim(line))
    return cells[not cells[0] : len(cells) - (not cells[-1])]


def _push_cells(state, cells, lines):
    for cell in cells:
        state.push("td_open", "td", 1)
        inside = state.push("inline", "", 0)
        inside.content, inside.children, inside.map = mdTrim(cell), [], lines
        state.push("td_close", "td", -1)


def _verbatim(state, start, end, silent):
    """What lies too deep to be read as lists and quotes, to the end of the one it stands in."""
    if state.level < DEEPEST or silent:
        return False
    line = start
    while line < end and (state.isEmpty(line) or not 0 <= state.sCount[line] < state.blkIndent):
        line += 1
    state.push("verbatim", "", 0).content = state.getLines(start, line, state.blkIndent, False)
    state.line = line
    return True
