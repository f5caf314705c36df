"""How gunicorn serves: threads, for a view that parses and answers 201 is fastest so, and keeps its connections."""

import gc
import os
import sys

from django.urls import get_resolver

from config import memory, settings

wsgi_app = "config.wsgi:application"
proc_name = "marginalia"
worker_class = "gateway.handing.FrontDoor"  # gthread, that hands the gateway's connections over
preload_app = True  # imported once, and a process that dies is replaced at once
workers = 2
threads = 8
keepalive = 75
timeout = 60  # of the worker's heartbeat; a long batch does not stop it
graceful_timeout = 5
limit_request_line = 8190  # a filter lies in the address, whole
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108  heartbeats must not wait for a disk
control_socket_disable = True
loglevel = "warning"
# who believes a proxy is Django, and that where BEHIND_PROXY says so: the server itself would believe anybody local
forwarder_headers = ""
secure_scheme_headers = {}
accesslog = "-" if settings.ACCESS_LOG else None  # into web.log
access_log_format = '%(t)s %(h)s "%(r)s" %(s)s %(b)s bytes %(M)s ms'


def post_fork(server, worker):
    """A thread that comes back from the database waits for one that reads a batch this long, at every statement."""
    sys.setswitchinterval(0.0001)
    gc.set_threshold(20_000, 20, 20)  # a page makes some ten thousand objects, of which a cycle is left now and then
    memory.give_back()


def when_ready(server):
    """Import the pages too, before the processes are forked off; wait until the database is prepared."""
    get_resolver().url_patterns  # noqa: B018
    gc.collect()
    gc.freeze()  # what is there by now is looked through by no process, and so stays shared by all
    if waiting := os.environ.get("PREPARED"):
        os.read(int(waiting), 1)  # ends when the supervisor closes its end of the pipe
