"""Which rows were ticked in a table of interactions."""

import uuid

from django.core.exceptions import BadRequest

MOST = 1_000


def chosen_ids(request):
    """The ids of the ticked rows of a form; BadRequest."""
    texts = request.POST.getlist("id")
    try:
        if len(texts) > MOST:
            raise ValueError
        return [uuid.UUID(text) for text in texts]
    except ValueError:
        raise BadRequest(f"Send up to {MOST:,} ids of interactions as 'id'.") from None
