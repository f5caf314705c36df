"""Whether a body holds the words that are wanted: cheaply where it does not, and where it plainly does."""

import re

CUT = 200_000  # characters from which on a text is no longer searched, as in `interactions_words`
_WORD = re.compile(r"'([^']*)'")
_THEN = " <-> "
_IN_ORDER = "interactions_words_in_order(b.messages, b.completion) @@ to_tsquery('simple', %s)"


def together(words):
    """The words without their order."""
    return words.replace(_THEN, " & ")


def indexed(words):
    """(SQL, values) of whether the body `b` holds the words of a tsquery's text, by the index of words; whether those
    of a phrase follow each other is looked up in the text."""
    sql, values = "interactions_words(b.messages, b.completion) @@ %s::tsquery", [together(words)]
    return (f"{sql} AND {_IN_ORDER}", [*values, words]) if _THEN in words else (sql, values)


def holding(words):
    """The same where no index helps.

    A text is cut into words only where it holds the longest of them as letters at all, which takes a tenth of the
    time; of letters that JSON may write in another way that cannot be told. Nor is it cut where a single word stands
    in the answer between blanks.
    """
    plain = [word.lower() for word in _WORD.findall(words)]
    letters = max((word for word in plain if word.isascii()), key=len, default=None)
    exact, exact_values = (_IN_ORDER, [words]) if _THEN in words else indexed(words)
    exact = f"({exact}) IS TRUE"
    if letters is None:
        return exact, exact_values
    unlikely = (
        "strpos(lower(b.completion), %s) = 0 AND strpos(lower(b.messages::text), %s) = 0"
        " AND strpos(b.messages::text, '\\u') = 0"
    )
    cases, values = f"WHEN {unlikely} THEN false", [letters, letters]
    if len(plain) == 1 and letters.isalpha():
        certain = (
            "strpos(concat(' ', lower(b.completion), ' '), %s) > 0"
            f" AND octet_length(b.messages::text) + octet_length(b.completion) < {CUT}"
        )
        cases, values = f"{cases} WHEN {certain} THEN true", [*values, f" {letters} "]
    # CASE: the order is kept, whatever the planner thinks of the costs
    return f"CASE {cases} ELSE {exact} END", [*values, *exact_values]
