"""What calls of every app ask of a request: that it names its project, and holds nothing that nobody would read."""

from rest_framework import serializers

from accounts.permissions import READ
from interactions.rules import MAX_FAULTS, RecordError
from projects.access import project_or_404

UNSAID = "Send a value, or leave the word out."


class Strict(serializers.Serializer):
    """Refuses members it does not know."""

    def to_internal_value(self, data):
        if isinstance(data, dict) and (unknown := sorted(map(str, data.keys() - self.fields.keys()))):
            known = ", ".join(name for name, field in self.fields.items() if not field.read_only)
            raise serializers.ValidationError({unknown[0][:60]: [f"Unknown member; send {known}."]})
        return super().to_internal_value(data)


class OneOf(serializers.ChoiceField):
    """One of some words; who sends another is told them."""

    default_error_messages = {"invalid_choice": "Send one of {words}."}

    def fail(self, key, **named):
        super().fail(key, words=", ".join(map(str, self.choices)), **named)


def object_of(request, *members):
    """The JSON object that was sent; RecordError for anything else and, where they are named, for other members."""
    if not isinstance(request.data, dict):
        raise RecordError({"": ["Send a JSON object."]})
    if members:
        refuse_unknown(request.data, members)
    return request.data


def project_asked(request, permission=READ):
    """The project that the query string names, at the gate; RecordError where it names none, or several."""
    words = request.query_params.getlist("project")
    if len(words) != 1 or not words[0]:
        raise RecordError({"project": ["Name one project by its key or id."]})
    return project_or_404(request.user, words[0], permission)


def refuse_unknown(given, known):
    """RecordError names each of these words or members that is not known: what is misspelt must not pass for left
    out."""
    if unknown := sorted(set(given) - set(known)):
        told = f"Unknown; send {', '.join(sorted(known))}." if known else "Unknown; this call takes no such words."
        raise RecordError({name[:60]: [told] for name in unknown[:MAX_FAULTS]})


def refuse_empty(given, but=()):
    """RecordError names each word of a query string that says nothing: what an unset variable leaves behind must not
    pass for left out either. In the words `but` a blank is something said."""
    words = (name for name, values in given.lists() if not all(v if name in but else v.strip() for v in values))
    if empty := sorted(words):
        raise RecordError({name[:60]: [UNSAID] for name in empty[:MAX_FAULTS]})
