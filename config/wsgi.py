"""The web application, as gunicorn loads it."""

import contextlib
import os

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class _Programs(WSGIHandler):
    """Django without the middleware that is for people alone: sessions, their language of errors, what pages may load.
    Half of the time of a short call went there."""

    def load_middleware(self, is_async=False):
        everything, settings.MIDDLEWARE = settings.MIDDLEWARE, settings.MIDDLEWARE_OF_PROGRAMS
        try:
            super().load_middleware(is_async)
        finally:
            settings.MIDDLEWARE = everything


_pages = get_wsgi_application()
_programs = _Programs()
_UNANNOUNCED = str(2**40)
_PASSED_OVER = 256 * 1024 * 1024  # bytes of a refused body


def application(environ, start_response):
    """Django takes a body without Content-Length for empty. A chunked one, which the server ends by itself, gets a
    length that it never reaches, so that batches may be streamed; whoever reads it counts the bytes."""
    body = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated") and "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        environ["CONTENT_LENGTH"] = _UNANNOUNCED
    response = (_programs if _is_program(environ) else _pages)(environ, start_response)
    return _HeardOut(response, body) if environ.get("CONTENT_LENGTH", "") not in {"", "0"} else response


def _is_program(environ):
    """Whether a key, and no session, tells who calls: nothing that is for people can change the answer."""
    by_key = environ.get("HTTP_AUTHORIZATION", "")[:7].lower() == "bearer "
    return by_key and environ.get("PATH_INFO", "").startswith("/api/v1/")


class _HeardOut:
    """A response after which the rest of the request is passed over: a client that is still sending hears a refusal
    only if we go on listening, and can use the connection again."""

    def __init__(self, response, body):
        self.response, self.body = response, body

    def __iter__(self):
        return iter(self.response)

    def close(self):
        self.response.close()
        left = _PASSED_OVER
        with contextlib.suppress(OSError):  # what is broken or gone need not be heard out
            while left > 0 and (chunk := self.body.read(64 * 1024)):
                left -= len(chunk)
