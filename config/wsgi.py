"""The web application, as gunicorn loads it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()
_UNANNOUNCED = str(2**40)


def application(environ, start_response):
    """Django takes a body without Content-Length for empty. A chunked one, which the server ends by itself, gets a
    length that it never reaches, so that batches may be streamed; whoever reads it counts the bytes."""
    if environ.get("wsgi.input_terminated") and "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        environ["CONTENT_LENGTH"] = _UNANNOUNCED
    return _django(environ, start_response)
