"""What lies in the store, to show that a refusal left nothing behind; and the form of JSON that is hashed there."""

import re

import rfc8785
from django.db import connection

from interactions.models import ImportProgress
from interactions.partitions import families
from registry.models import Attachment, Model

SMALL = ("claim", "label", "blob", "blobcontent", "rollup", "rollupdelta")


def stored():
    """{table: rows} of all that logging may write, in one query."""
    tables = [family.table for family in families()] + [f"interactions_{name}" for name in SMALL]
    tables += [model._meta.db_table for model in (Model, Attachment, ImportProgress)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f'(SELECT count(*) FROM "{table}")' for table in tables))
        return dict(zip(tables, cursor.fetchone(), strict=True))


def canonical_form(value):
    """The bytes of RFC 8785, whole numbers beyond 2^53 digit for digit."""
    return re.sub(rb'"\xee\x80\x80(-?\d+)"', rb"\1", rfc8785.dumps(_large_as_text(value)))


def _large_as_text(value):
    if isinstance(value, dict):
        return {name: _large_as_text(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_large_as_text(inner) for inner in value]
    return f"\ue000{value}" if isinstance(value, int) and abs(value) >= 2**53 else value
