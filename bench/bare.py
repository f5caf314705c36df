"""The ceiling for writing one by one: a bare Django view that stores what it gets by one INSERT, each committed."""

import json
import os
import uuid

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import JsonResponse
from django.urls import path
from psycopg.conninfo import conninfo_to_dict

TABLE = "bench_bare"
_address = conninfo_to_dict(os.environ["DATABASE_URL"])

settings.configure(
    SECRET_KEY=uuid.uuid4().hex,
    ALLOWED_HOSTS=["localhost"],
    ROOT_URLCONF="bench.bare",
    MIDDLEWARE=[],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _address["dbname"],
            "USER": _address.get("user", ""),
            "HOST": _address.get("host", ""),
            "CONN_MAX_AGE": None,
        }
    },
)


def store(request):
    """Parse the record, store it, answer 201 once it is committed."""
    record = json.loads(request.body)
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {TABLE} (record) VALUES (%s::jsonb) RETURNING id", [request.body.decode()])
        (key,) = cursor.fetchone()
    return JsonResponse({"id": key, "model": record["model"]}, status=201)


urlpatterns = [path("store", store)]
django.setup()
application = WSGIHandler()
