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
MOST_LINES = 100  # of a formula
LONGEST_FORMULA = 2_000  # characters, of one within a line's text
_CLOSES = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
_DOLLARS = re.compile(r"\$(?![\s$])([^$\n]{1,500})(?<!\s)\$(?!\d)")
_TAKEN = re.compile(r"[\\*_^]")  # what is an escape or an emphasis in Markdown, or a power in a formula alone


def parser():
    """CommonMark with tables and strikethrough, without HTML.

    Definitions of references stay text: they would show nothing. Addresses stay as they were written, formulas of LaTeX
    too: to Markdown their backslashes are escapes, and would not be shown.
    """
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": MOST_LEVELS})
    markdown.enable(["table", "strikethrough"]).disable("reference")
    markdown.block.ruler.at("table", _table, _TERMINATES)
    markdown.block.ruler.before("table", "verbatim", _verbatim)
    markdown.block.ruler.before("table", "formula", _formula_block, {"alt": ["paragraph", "blockquote", "list"]})
    markdown.inline.ruler.before("escape", "formula", _formula)
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


def _formula(state, silent):
    """`\\(…\\)`, `\\[…\\]`, `$$…$$`, and `$…$` where Markdown would take something of it away."""
    end, source, start = -1, state.src, state.pos
    if closes := _CLOSES.get(source[start : start + 2]):
        end = source.find(closes, start + 3, min(state.posMax, start + LONGEST_FORMULA))
    elif (found := _DOLLARS.match(source, start, state.posMax)) and _TAKEN.search(found[1]):
        end = found.end() - 2
    if end < 0:
        return False
    if not silent:
        state.push("formula", "", 0).content = source[start : end + 2]
    state.pos = end + 2
    return True


def _formula_block(state, start, end, silent):
    """A formula of lines of its own, whatever they begin with, to the line that its end is the last of."""
    if state.is_code_block(start):
        return False
    first = state.bMarks[start] + state.tShift[start]
    closes = _CLOSES.get(state.src[first : first + 2])
    most = min(end, start + MOST_LINES)
    if closes in {None, "\\)"} or state.src.find(closes, first + 2, state.eMarks[most - 1]) < 0:
        return False
    opened = first + 2
    for line in range(start, most):
        if line > start and (state.isEmpty(line) or state.sCount[line] < state.blkIndent):
            return False
        at = state.src.find(closes, opened, state.eMarks[line])
        if at >= 0:
            break
        opened = state.bMarks[line + 1]
    else:
        return False
    if state.src[at + 2 : state.eMarks[line]].strip():
        return False
    if not silent:
        lines = state.getLines(start, line + 1, state.blkIndent, False)
        state.push("formula_block", "", 0).content = lines.strip("\n")
        state.line = line + 1
    return True
