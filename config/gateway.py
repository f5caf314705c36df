"""The gateway's process: python -m config.gateway. It calls models and logs what passes, for hundreds at a time."""

import gc
import os
import resource
import sys

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
settings.PROCRASTINATE_AUTODISCOVER_MODULE_NAME = ""  # it does no jobs, and what they import is large
django.setup()

from gateway.api import application  # noqa: E402  what it imports needs the models
from gateway.door import Server  # noqa: E402

TURN = 0.0001  # seconds that a thread runs while another waits: whoever writes a chunk waits no longer than that


def main():
    """Serve until asked to end."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # a stream has two connections
    sys.setswitchinterval(TURN)
    gc.collect()
    gc.freeze()
    if waiting := os.environ.get("PREPARED"):
        os.read(int(waiting), 1)  # ends when the supervisor closes its end of the pipe
    Server(application()).run()


if __name__ == "__main__":
    main()
