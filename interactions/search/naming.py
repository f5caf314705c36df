"""What a text that was pasted names: an interaction, a session or a user."""

import re
import uuid
from typing import Any, NamedTuple

from accounts import prepared
from interactions.claims import claimed
from interactions.models import Interaction
from interactions.rules import MAX_TEXT, text_fault

_QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“", "«": "»", "‘": "’", "{": "}"}
_HEX = "[0-9a-fA-F]"
# as it is, as the gateway answers it, and as the end of an address, whatever stands behind it there
_ID = re.compile(
    rf"(?:chatcmpl-|\S*/interactions/|urn:uuid:)?({_HEX}{{8}}-?(?:{_HEX}{{4}}-?){{3}}{_HEX}{{12}})(?:[/?#]\S*)?"
)
# a word that is looked for comes this way too: over all months, planning takes longer than looking
_OF_TEXT = """
    SELECT EXISTS (SELECT FROM interactions_interaction WHERE project_id = %s AND session = %s),
        EXISTS (SELECT FROM interactions_interaction WHERE project_id = %s AND "user" = %s AND "user" <> '')
"""


class Named(NamedTuple):
    """`kind` is interaction (`what` is the row), session or user (the text)."""

    kind: str
    what: Any


def find(project, text):
    """What this text names in the project, as Named, or None: an interaction by its id, alone, as the gateway returned
    it or in an address, or by its external id; else a session, else a user. Quotation marks around it are left out."""
    if text_fault(text := text.strip()):
        return None
    if row := _interaction(project, id_in(text)):
        return Named("interaction", row)
    given = [one for one in dict.fromkeys([text, _without_quotes(text)]) if 0 < len(one) <= MAX_TEXT]
    for one in given:
        if row := _interaction(project, claimed(project, "interaction", one)):
            return Named("interaction", row)
    for one in given:
        [(is_session, is_user)] = prepared.rows(_OF_TEXT, [project.pk, one, project.pk, one])
        if is_session or is_user:
            return Named("session" if is_session else "user", one)
    return None


def id_in(text):
    """The id that the text is, or gives in one of the forms that an interaction's id is copied in; None of others."""
    match = _ID.fullmatch(_without_quotes(text.strip()))
    return uuid.UUID(match[1]) if match else None


def _without_quotes(text):
    if len(text) > 2 and _QUOTES.get(text[0]) == text[-1]:
        return text[1:-1].strip()
    return text


def _interaction(project, pk):
    return pk and Interaction.objects.filter(project=project, pk=pk).first()
