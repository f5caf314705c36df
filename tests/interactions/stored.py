"""What lies in the store, to show that a refusal left nothing behind."""

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
