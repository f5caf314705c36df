"""The web application, as gunicorn loads it."""

import contextlib
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()
_UNANNOUNCED = str(2**40)
_PASSED_OVER = 256 * 1024 * 1024  # bytes of a refused body


def application(environ, start_response):
    """Django takes a body without Content-Length for empty. A chunked one, which the server ends by itself, gets a
    length that it never reaches, so that batches may be streamed; whoever reads it counts the bytes."""
    body = environ["wsgi.input"]
    if environ.get("wsgi.input_terminated") and "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        environ["CONTENT_LENGTH"] = _UNANNOUNCED
    response = _django(environ, start_response)
    return _HeardOut(response, body) if environ.get("CONTENT_LENGTH", "") not in {"", "0"} else response


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
