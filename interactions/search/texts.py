"""Whether a body holds the words that are wanted: cheaply where it does not, and where it plainly does."""

import re

_WORD = re.compile(r"'([^']*)'")
_ALONE = re.compile(r"\('([a-z0-9]+)'(:\*)?\)")
_AND, _THEN = " & ", " <-> "
_IN_ORDER = "interactions_words_in_order(b.messages, b.completion) @@ to_tsquery('simple', %s)"


def together(words):
    """The words without their order."""
    return words.replace(_THEN, _AND)


def indexed(words):
    """(SQL, values) of whether the body `b` holds the words of a tsquery's text, by the index of words; whether those
    of a phrase follow each other is looked up in the text."""
    sql, values = "interactions_words(b.messages, b.completion) @@ %s::tsquery", [together(words)]
    return (f"{sql} AND {_IN_ORDER}", [*values, words]) if _THEN in words else (sql, values)


def holding(words):
    """The same where no index helps.

    A text is read only where the body holds the longest of the words as letters at all, which takes half the time; of
    letters that JSON may write in another way that cannot be told. It is cut into words only where it must be: in a
    text of ASCII alone, a word of such letters is what stands between others.
    """
    letters = max((word for word in _WORD.findall(words) if word.isascii()), key=len, default=None)
    exact, values = (_IN_ORDER, [words]) if _THEN in words else indexed(words)
    exact = f"({exact}) IS TRUE"
    if letters is None:
        return exact, values
    if patterns := _patterns(words):
        found = " AND ".join(["t.plain ~* %s"] * len(patterns))
        exact = (
            f"(SELECT CASE WHEN {found} THEN true WHEN octet_length(t.plain) = length(t.plain) THEN false ELSE {exact}"
            " END FROM (SELECT interactions_text(b.messages, b.completion) AS plain OFFSET 0) AS t)"
        )
        values = [*patterns, *values]
    unlikely = (
        "strpos(lower(b.completion), %s) = 0 AND strpos(lower(b.messages::text), %s) = 0"
        " AND strpos(b.messages::text, '\\u') = 0"
    )
    # CASE: the order is kept, whatever the planner thinks of the costs
    return f"CASE WHEN {unlikely} THEN false ELSE {exact} END", [letters, letters, *values]


def is_plain(words):
    """Whether a text in ASCII need not be cut into words to know."""
    return bool(_patterns(words))


def _patterns(words):
    """A regular expression for each word; none where one of them is not plain ASCII, or they have an order."""
    found = [_ALONE.fullmatch(term) for term in words.split(_AND)]
    if not all(found):
        return []
    ends = [("" if each[2] else "(?![[:alnum:]])") for each in found]
    return [f"(?<![[:alnum:]]){each[1]}{end}" for each, end in zip(found, ends, strict=True)]
