"""Whether a body holds the words that are wanted: cheaply where it does not, and where it plainly does."""

import re

CUT = 200_000  # characters from which on a text is no longer searched, as in `interactions_words`
_WORD = re.compile(r"'([^']*)'")
_EXACT = "(interactions_words(b.messages, b.completion) @@ to_tsquery('simple', %s)) IS TRUE"


def holding(words):
    """(SQL, values) of whether the body `b` holds the words of a tsquery's text; it fits no index.

    A text is cut into words only where it holds the longest of them as letters at all, which takes a tenth of the
    time; of letters that JSON may write in another way that cannot be told. Nor is it cut where a single word stands
    in the answer between blanks.
    """
    plain = [word.lower() for word in _WORD.findall(words)]
    letters = max((word for word in plain if word.isascii()), key=len, default=None)
    if letters is None:
        return _EXACT, [words]
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
    return f"CASE {cases} ELSE {_EXACT} END", [*values, words]
