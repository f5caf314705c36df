"""Words to search for: what a person types becomes a tsquery over the text that `interactions_words` indexes."""

import re

from django.db import connection

_TERM = re.compile(r'"([^"]*)"?|(\S+)')


def tsquery(text):
    """Words, "a phrase" and pre* as the text of a tsquery that asks for all of them; '' where there is no word.

    The text is made plain by the same function as what is searched, so that both are cut into words alike; a word
    that falls into several (a hyphen, Chinese characters) is looked for as a phrase.
    """
    terms = [(phrase or word, word.endswith("*")) for phrase, word in _TERM.findall(text)]
    if not terms:
        return ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT interactions_plain(term) FROM unnest(%s::text[]) WITH ORDINALITY AS t(term, place) ORDER BY place",
            [[term for term, _ in terms]],
        )
        plain = [row[0].split() for row in cursor.fetchall()]
    phrases = (_phrase(words, prefix) for words, (_, prefix) in zip(plain, terms, strict=True) if words)
    return " & ".join(phrases)


def merge_pending():
    """Sort what was logged lately into the index of words, whose list of new entries every search reads whole."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(gin_clean_pending_list(inhrelid)), 0)::bigint FROM pg_inherits"
            " WHERE inhparent = to_regclass('interaction_words')"
        )
        return cursor.fetchone()[0]


def _phrase(words, prefix):
    quoted = [f"'{word}'" for word in words]  # letters and digits alone: nothing to escape
    return "(" + " <-> ".join(quoted) + (":*)" if prefix else ")")
