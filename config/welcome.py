"""What a person sees once all is up."""

import http.client
import json
import shlex

from config import settings

EXAMPLE = {
    "model": "my-model",
    "messages": [{"role": "user", "content": "What is a marginal note?"}],
    "completion": "A remark in the margin, beside the text it is about.",
    "labels": {"source": "curl"},
}
FIRST_USER = "  The first user: .venv/bin/python manage.py create_admin EMAIL (docs/operations.md)"


def is_ready():
    """Whether the web server answers, with the database behind it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.HOST, settings.HOST)  # noqa: S104
    connection = http.client.HTTPConnection(host, settings.PORT, timeout=2)
    try:
        connection.request("GET", "/ready", headers={"Host": allowed_host()})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def allowed_host():
    """A host name that requests may carry: another one, localhost too, is refused where ALLOWED_HOSTS leaves it out."""
    first = next(iter(settings.ALLOWED_HOSTS), "*")
    return "localhost" if first == "*" else first.removeprefix(".")  # with the dot it stands for those below it too


def welcome(seconds):
    """The address, and where there is a demo, how to get in and what to try first."""
    known = known_demo(settings.DATA_DIR / "demo.json")
    middle = for_demo(known) if known else FIRST_USER
    end = f"  Data and logs are in {settings.DATA_DIR}. Ctrl-C stops everything."
    return f"\n  Marginalia is up at {settings.ADDRESS}  ({seconds:.1f} s)\n\n{middle}\n\n{end}\n"


def known_demo(path):
    """What opens the demo, or None: where there is none, and where a power cut has left the file unreadable."""
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return None


def for_demo(demo):
    return (
        f"  Login      {demo['login']}\n"
        f"  Password   {demo['password']}\n"
        f"  API key    {demo['api_key']}\n\n"
        f"  Log an interaction:\n\n{curl(demo)}"
    )


def curl(demo):
    """One line to paste. It begins at the margin, so that a selected line is just the command."""
    body = shlex.quote(json.dumps({"project": demo["project"], **EXAMPLE}))
    headers = f"-H 'Authorization: Bearer {demo['api_key']}' -H 'Content-Type: application/json'"
    return f"curl -sS {settings.ADDRESS}/api/v1/interactions {headers} -d {body}"
