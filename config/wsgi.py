"""The web application, as gunicorn loads it."""

import os

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from gunicorn.http.errors import ParseException

from config.welcome import allowed_host

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
_PROBES = {"/ready", "/health"}


def application(environ, start_response):
    """Django takes a body without Content-Length for empty. A chunked one, which the server ends by itself, gets a
    length that it never reaches, so that batches may be streamed; whoever reads it counts the bytes."""
    if environ.get("PATH_INFO") in _PROBES:  # load balancers ask by the machine's address, which is no host of ours
        environ["HTTP_HOST"] = allowed_host()
    if environ.get("wsgi.input_terminated") and "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        environ["CONTENT_LENGTH"] = _UNANNOUNCED
        environ["wsgi.input"] = _Chunks(environ["wsgi.input"])
    return (_programs if _is_program(environ) else _pages)(environ, start_response)


def _is_program(environ):
    """Whether a key, and no session, tells who calls: nothing that is for people can change the answer."""
    by_key = environ.get("HTTP_AUTHORIZATION", "")[:7].lower() == "bearer "
    return by_key and environ.get("PATH_INFO", "").startswith("/api/v1/")


class _Chunks:
    """A chunked body; where a chunk is none, it is broken off there."""

    def __init__(self, body):
        self._body = body

    def read(self, size=None):
        return self._whole(self._body.read, size)

    def readline(self, size=None):
        return self._whole(self._body.readline, size)

    def _whole(self, read, size):
        try:
            return read(size)
        except ParseException as error:
            raise OSError(str(error)) from None
