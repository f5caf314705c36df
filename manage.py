#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL the embedded database is brought up for the time of the command."""

import os
import sys
from contextlib import nullcontext
from pathlib import Path

from django.core.management import execute_from_command_line

EMBEDDED = not os.environ.get("DATABASE_URL")
if EMBEDDED:
    from embedded.server import running

WITHOUT_DATABASE = {"check", "collectstatic", "diffsettings", "help", "make_icons", "spectacular", "version"}


def main(arguments):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    with database_for(arguments):
        execute_from_command_line(arguments)


def database_for(arguments):
    command = arguments[1] if len(arguments) > 1 else "help"
    if not EMBEDDED or command in WITHOUT_DATABASE or {"-h", "--help"} & set(arguments):
        return nullcontext()
    return running(os.environ.get("DATA_DIR") or Path(__file__).parent / "var")


if __name__ == "__main__":
    main(sys.argv)
