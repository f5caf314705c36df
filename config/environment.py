"""What the environment says, read; whoever wrote what cannot be is told so in a line, and nothing starts."""

import os
import sys
from urllib.parse import urlsplit

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
FLAGS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def flag(name, default=False):
    """True or false; empty is unset, as everywhere."""
    text = (os.environ.get(name) or "").strip()
    if text and text.lower() not in FLAGS:
        sys.exit(f"{name} is 1 or 0 (or true, yes, on, false, no, off), not {text!r}.")
    return FLAGS[text.lower()] if text else default


def items(text):
    """What stands between commas."""
    return [item.strip() for item in text.split(",") if item.strip()]


def listed(name, default=""):
    return items(os.environ.get(name) or "") or items(default)


def number(name, default, least, most, kind=int):
    """A number of these bounds."""
    text = os.environ.get(name) or str(default)
    try:
        value = kind(text)
    except ValueError:
        value = None
    if value is None or not least <= value <= most:
        sys.exit(f"{name} is a {'whole ' if kind is int else ''}number from {least} to {most}, not {text!r}.")
    return value


def hosts(name, default):
    """Names of hosts."""
    found = listed(name, default)
    if odd := [host for host in found if "/" in host]:
        sys.exit(f"{name} holds names of hosts, such as marginalia.example.org, not {odd[0]!r}.")
    return found


def address(name, default):
    """The address that people use: a scheme, a host, a port perhaps."""
    text = (os.environ.get(name) or default).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        sys.exit(f"{name} is where people come, such as https://marginalia.example.org, not {text!r}.")
    if parts.path or parts.query or parts.fragment:
        sys.exit(f"{name} has no path: give Marginalia a host name of its own, or a port ({text!r}).")
    return text


def log_level(name):
    level = (os.environ.get(name) or "WARNING").upper()
    if level not in LEVELS:
        sys.exit(f"{name} is one of {', '.join(LEVELS)}, not {level!r}.")
    return level


def database(address):
    """The parts of DATABASE_URL."""
    try:
        return conninfo_to_dict(address)
    except ProgrammingError:  # which may repeat the password
        sys.exit("DATABASE_URL is the address of a PostgreSQL, such as postgresql://user:password@host/name.")
