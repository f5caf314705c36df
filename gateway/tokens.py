"""Short-lived keys for a page of ours: the browser calls the gateway with one instead of an API key."""

from dataclasses import dataclass

from django.core import signing

PREFIX = "mgp_"  # tells one from an API key
LIVES = 600  # seconds
_SALT = "gateway.playground"


@dataclass(frozen=True)
class Token:
    """Whom a token speaks for, and the one project that it opens."""

    user_id: int
    project_uid: str


def playground_token(*, user, project):
    """A bearer key for the gateway that opens this one project, as this person, for ten minutes."""
    return PREFIX + signing.dumps([user.pk, str(project.uid)], salt=_SALT)


def read_token(text):
    """The Token of a text that playground_token made within its time; else None."""
    if not text.startswith(PREFIX):
        return None
    try:
        user_id, uid = signing.loads(text.removeprefix(PREFIX), salt=_SALT, max_age=LIVES)
    except signing.BadSignature:
        return None
    return Token(user_id, uid)
