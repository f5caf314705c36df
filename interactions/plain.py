"""A message as plain text: as the table shows it, and as what is alike is found by it."""

import re

PREVIEW = 130  # characters
_EMPHASIS = re.compile(r"\*\*|```\w*|`|^\s{0,3}(?:#{1,6}|>|[-*])\s|^[\s|:-]{3,}$|^\s*\||\|\s*$", re.MULTILINE)
_SLANTED = re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]{1,200})(?<=[^\s*])\*(?![\w*])")
_MARK = re.compile(r"[*`#>|:-]")  # without any of these there is nothing to emphasise
_NOT_WORD = re.compile(r"[\W_]+")
_NOT_WORD_OF_ASCII = "".join(chr(code) if chr(code).isalnum() else " " for code in range(128))


def text_of(message):
    """The text parts of one message, joined by spaces."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    return " ".join(part["text"] for part in content or [] if part["type"] == "text")


def words_of(text):
    """What is alike is so by this: letters and digits, whatever their case, with one space between them."""
    text = text.casefold()
    if text.isascii():  # in a tenth of the time
        return " ".join(text.translate(_NOT_WORD_OF_ASCII).split())
    return _NOT_WORD.sub(" ", text).strip()


def preview(text):
    """The first characters on one line, as the table shows them: without the signs of Markdown."""
    start = text[: PREVIEW * 4]
    bare = _EMPHASIS.sub("", start) if _MARK.search(start) else start
    bare = _SLANTED.sub(r"\1", bare) if "*" in bare else bare
    plain = " ".join(bare.split()) or " ".join(start.split())
    return plain[:PREVIEW]
