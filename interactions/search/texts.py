"""Whether a body holds the words that are wanted, or the metadata: cheaply where it does not, and where it plainly
does."""

import re

from interactions.jsontext import dumps

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


def with_members(tests):
    """(SQL, values) of whether the metadata of the body `b` meet all these LabelTests: a value is a member's text, or
    what JSON writes for it. An envelope is read as JSON only where it has the letters of them all. PostgreSQL reads
    none with the escape of NUL, which may be in what was logged long ago: another one is put in its place."""
    likely, exact, letters, values = [], [], [], []
    for key, wanted in tests:
        likely.append("strpos(t.text, %s) > 0")
        letters.append(dumps(key))
        member = "(m.metadata -> %s::text)"
        values.append(key)
        if wanted is None:
            exact.append(f"{member} IS NOT NULL")
            continue
        either = list(dict.fromkeys(form for value in wanted for form in (value, dumps(value)[1:-1])))
        likely.append(f"({' OR '.join(['strpos(t.text, %s) > 0'] * len(either))})")
        letters += either
        exact.append(f"{member}::text = ANY(%s::text[])")
        values.append([form for value in wanted for form in (value, dumps(value))])
    metadata = "SELECT replace(t.text, '\\u0000', '\\u0001')::json -> 'metadata' AS metadata OFFSET 0"
    found = f"(SELECT {' AND '.join(exact)} FROM ({metadata}) AS m)"
    found = f"CASE WHEN {' AND '.join(likely)} THEN {found} ELSE false END"
    return f"(SELECT {found} FROM (SELECT b.envelope::text AS text OFFSET 0) AS t)", [*letters, *values]


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
