"""Where exports lie: a folder each below DATA_DIR/exports, with the file, and while it is made what it is made of."""

import shutil

from django.conf import settings

ROWS = "rows.part"  # the lines as far as they are written
NEW = "file.part"  # what is made of them


def root():
    return settings.DATA_DIR / "exports"


def folder_of(export_id):
    """The folder of an export; it need not be there."""
    return root() / str(export_id)


def make_folder(export_id):
    """The folder, made where it was not: for this program's user alone, since it holds what people said."""
    root().mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = folder_of(export_id)
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def file_of(export):
    """The finished file; it need not be there."""
    return folder_of(export.pk) / "file"


def remove(export_id):
    """Remove the folder with all it holds; nothing where there is none."""
    shutil.rmtree(folder_of(export_id), ignore_errors=True)
