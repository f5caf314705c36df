"""Text that strangers wrote, made into HTML that does nothing but show it.

Markdown is rendered without HTML, then sanitised; nothing is fetched from elsewhere; what could mislead a reader
(characters that turn the direction of the text, or hide) is shown as a mark of its own. All of it in bounded time.
"""

import functools
import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import nh3
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from accounts.names import MISLEADING
from interactions import faithful, markup
from interactions.colours import Colours
from interactions.words import sought

MARKDOWN_LIMIT = 32_000  # characters; the worst text of this length takes about a second
MOST_BRACKETS = 2_000  # looking for the ends of more links than this takes time that grows with its square
RAW_LIMIT = 2_000_000
NO_LANGUAGE = "text"  # what the header of a block of code says where its fence says nothing
# embeddings, overrides and isolates; the plain marks LRM, RLM and ALM belong to good Hebrew and Arabic
DIRECTIONS = {
    "\u202a": "LRE",
    "\u202b": "RLE",
    "\u202c": "PDF",
    "\u202d": "LRO",
    "\u202e": "RLO",
    "\u2066": "LRI",
    "\u2067": "RLI",
    "\u2068": "FSI",
    "\u2069": "PDI",
}
_UNSPACED = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]")  # scripts that write no spaces
LONG_LINE = 4_000  # characters; a browser needs seconds for a line of a million, and half of one for it in stretches
_LONG = re.compile(rf"[^\n]{{{LONG_LINE + 1},}}")
_STRETCH = re.compile(rf".{{1,{LONG_LINE}}}(?:\s|$)|.{{1,{LONG_LINE}}}", re.DOTALL)
_ADDRESS = re.compile(r"https?://\w[^\s<>\"]*")
_AFTER_ADDRESS = ".,;:!?)]}'"  # what mostly ends the sentence around it
_LINK = '<a class="link" href="{}" rel="noreferrer noopener nofollow" target="_blank" hx-boost="false">{}</a>'
VERBATIM = '<div class="verbatim">{}</div>\n'


@dataclass(frozen=True)
class Rendered:
    """HTML of a text, and how much of the text it shows; `complete` where nothing is left out of that."""

    html: SafeString
    shown: int
    length: int
    complete: bool = True

    @property
    def cut(self):
        return self.shown < self.length


def text(value):
    """Plain text as HTML: escaped, with the characters that turn or hide text shown as marks."""
    return mark_safe(MISLEADING.sub(_mark, escape(value)))  # noqa: S308 - escaped in this line


def linked(value):
    """The same, its web addresses as links, which tell nobody where they were followed from."""
    out, at = [], 0
    for match in _ADDRESS.finditer(value):
        address = match[0].rstrip(_AFTER_ADDRESS)
        if is_link(address) and not MISLEADING.search(address):
            out += [text(value[at : match.start()]), format_html(_LINK, address, address)]
            at = match.start() + len(address)
    return mark_safe("".join([*out, text(value[at:])]))  # noqa: S308 - each piece is escaped


def plainly(value):
    """The same as text, for attributes and titles, which hold no marks."""
    return MISLEADING.sub(lambda match: f"[{_mark_name(match[0])}]", str(value))


def markdown(source):
    """Markdown as safe HTML, up to MARKDOWN_LIMIT characters, cut at a line's end where there is one."""
    part = cut(source, MARKDOWN_LIMIT)
    html = _markdown(links=part.count("[") < MOST_BRACKETS).render(part, {"colours": Colours()})
    html = _sanitise(html)
    return Rendered(mark_safe(html), len(part), len(source), markup.shows_all(part, html))  # noqa: S308 - sanitised


def plain(source, limit):
    """The first characters of the text as it is, its lines and their indentation kept."""
    part = source[:limit]
    return Rendered(format_html(VERBATIM, text(part)), len(part), len(source))


def raw(source):
    """The text as it is, up to RAW_LIMIT characters."""
    part = source[:RAW_LIMIT]
    return Rendered(_lines(part), len(part), len(source))


def _lines(source):
    """Plain text as HTML, its very long lines in stretches: nothing is added where they meet, copied they are one."""
    out, at = [], 0
    for line in _LONG.finditer(source):
        out.append(text(source[at : line.start()]))
        out += [f'<span class="stretch">{text(piece)}</span>' for piece in _STRETCH.findall(line[0])]
        at = line.end()
    return mark_safe("".join([*out, text(source[at:])]))  # noqa: S308 - each piece is escaped


def code(source, language, colours=None):
    """Source text as HTML, coloured where the language is known and the text short; `colours` where several share
    what time there is."""
    html = (colours or Colours()).html(source, language)
    if html is None:
        return _lines(source)
    return mark_safe(MISLEADING.sub(_mark, html))  # noqa: S308 - Pygments escapes


def pretty(value):
    """A JSON value, indented, as coloured HTML; of an object the members alone."""
    source = json.dumps(value, ensure_ascii=False, indent=2)
    if isinstance(value, dict) and value:
        source = source[2:-2].replace("\n  ", "\n").strip()
    return code(source, "json")


def pretty_block(value):
    """A JSON value as a block of code."""
    return block(json.dumps(value, ensure_ascii=False, indent=2), "json")


def plain_block(value):
    """A JSON value as `pretty` shows it, without language and button."""
    return format_html('<div class="code"><pre tabindex="0"><code>{}</code></pre></div>', pretty(value))


def as_json(source):
    """The value where the text is a JSON object or list that would be shown as it was written, else None."""
    if not source.lstrip().startswith(("{", "[")) or len(source) > RAW_LIMIT:
        return None
    try:
        return faithful.loads(source)
    except (ValueError, RecursionError):
        return None


def found(value, pattern):
    """Plain text as HTML with the words that a search found marked. The pattern is a compiled one, or None."""
    if pattern is None:
        return text(value)
    out, at = [], 0
    for match in pattern.finditer(value):
        if match.end() > match.start():
            out += [text(value[at : match.start()]), format_html("<mark>{}</mark>", text(match[0]))]
            at = match.end()
    return mark_safe("".join([*out, text(value[at:])]))  # noqa: S308 - each piece is escaped


def words_pattern(query):
    """The words, "phrases" and prefixes* that a search asks for as a pattern for `found`, or None."""
    patterns = [pattern for term in sought(query)[:20] if (pattern := _term_pattern(term))]
    return re.compile("|".join(patterns), re.IGNORECASE) if patterns else None


def _term_pattern(term):
    words = [re.escape(word) for word in re.findall(r"[^\W_]+", term)]
    if not words:
        return ""
    if _UNSPACED.search(term):
        return r"\s*".join(words)
    return r"\b" + r"[\W_]+".join(words) + (r"\w*" if term.endswith("*") else r"\b")


def is_link(address):
    """May a page offer this address as a link?"""
    try:
        return urlsplit(address).scheme in {"http", "https"}
    except ValueError:
        return False


def cut(source, limit):
    """The beginning of the text, to the last line's end before the limit."""
    if len(source) <= limit:
        return source
    end = source.rfind("\n", limit // 2, limit)
    return source[: end if end > 0 else limit]


def _mark(match):
    character = match[0]
    name = _mark_name(character)
    return f'<span class="control" title="control character U+{ord(character):04X}">{name}</span>'


def _mark_name(character):
    return DIRECTIONS.get(character) or f"U+{ord(character):04X}"


@functools.cache
def _markdown(links):
    renderer = markup.parser()
    if not links:
        renderer.disable(["link", "image"])
    for rule in (_text, _formula, _formula_block, _verbatim, _fence, _code_block, _code_inline, _image, _heading_open,
                 _heading_close):  # fmt: skip
        renderer.add_render_rule(rule.__name__[1:], rule)
    renderer.add_render_rule("link_open", _link_open)
    renderer.add_render_rule("link_close", _link_close)
    renderer.add_render_rule("table_open", lambda *_: '<div class="scroll-x" tabindex="0"><table>')
    renderer.add_render_rule("table_close", lambda *_: "</table></div>")
    return renderer


def _text(self, tokens, index, options, env):
    return text(tokens[index].content)


def _verbatim(self, tokens, index, options, env):
    return format_html(VERBATIM, text(tokens[index].content))


def _code_inline(self, tokens, index, options, env):
    return f"<code>{text(tokens[index].content)}</code>"


def _formula(self, tokens, index, options, env):
    return f"<code>{text(tokens[index].content)}</code>"


def _formula_block(self, tokens, index, options, env):
    return format_html(VERBATIM, format_html("<code>{}</code>", text(tokens[index].content)))


def _code_block(self, tokens, index, options, env):
    return block(tokens[index].content, "")


def _fence(self, tokens, index, options, env):
    info = tokens[index].info.strip()
    return block(tokens[index].content, info.partition(" ")[0], info, env["colours"])


def block(source, language, header="", colours=None):
    """A block of code with its language, or what else its header says, and a button that copies it."""
    return format_html(
        '<div class="code"><header><span>{}</span>'
        '<button class="btn quiet s" type="button" data-copy-block>Copy</button></header>'
        '<pre tabindex="0"><code>{}</code></pre></div>\n',
        text(header or language or NO_LANGUAGE),
        code(source, language, colours),
    )


def _link_open(self, tokens, index, options, env):
    address = str(tokens[index].attrs["href"])
    return format_html('<a href="{}">', address) if _may_lead(address) else ""


def _link_close(self, tokens, index, options, env):
    """The end of the link; behind it its title, and its address where the page offers no link to it."""
    level = tokens[index].level
    before = (tokens[place] for place in range(index, -1, -1))
    opened = next(token for token in before if token.type == "link_open" and token.level == level)
    address, title = str(opened.attrs["href"]), opened.attrs.get("title")
    offered = _may_lead(address)
    said = [] if offered or opened.info == "auto" else [address]
    said += [f'"{title}"'] if title else []
    aside = format_html(' <span class="mute">({})</span>', text(" ".join(said))) if said else ""
    return ("</a>" if offered else "") + aside


def _may_lead(address):
    return is_link(address) or address.lower().startswith("mailto:")


def _image(self, tokens, index, options, env):
    """Pictures in Markdown live elsewhere: they are never fetched, a card shows the address."""
    address, title = str(tokens[index].attrs["src"]), tokens[index].attrs.get("title")
    name = text(tokens[index].content or "picture")
    inside_link = sum(token.nesting for token in tokens[:index] if token.type.startswith("link_"))
    said = text(address[:200] + (f' "{title}"' if title else ""))
    if inside_link or not is_link(address):
        return format_html('<span class="remote"><b>{}</b> <span>{}</span></span>', name, said)
    return format_html('<a class="remote" href="{}"><b>{}</b> <span>{}</span></a>', address, name, said)


def _level(token):
    """Headings of a completion stand below those of the page."""
    return min(int(token.tag[1]) + 2, 6)


def _heading_open(self, tokens, index, options, env):
    return f"<h{_level(tokens[index])}>"


def _heading_close(self, tokens, index, options, env):
    return f"</h{_level(tokens[index])}>\n"


_TAGS = {
    *("a", "b", "blockquote", "br", "button", "code", "del", "div", "em", "h3", "h4", "h5", "h6", "header", "hr", "li"),
    *("ol", "p", "pre", "s", "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {
    "*": set(),
    "a": {"class", "href"},
    "button": {"class", "type", "data-copy-block"},
    "div": {"class", "tabindex"},
    "ol": {"start"},
    "pre": {"tabindex"},
    "span": {"class", "title"},
}


def _sanitise(html):
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel="noreferrer noopener nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
