"""Whether all parts are well, for who watches over this machine; `ready` in config/views.py looks at one alone."""

import socket

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.db.utils import InterfaceError, OperationalError
from django.http import JsonResponse

from gateway.line import Line

LATE = 60  # seconds without a sign of the worker, which gives one every ten
PATIENCE = 1  # second
_WORK = """
    SELECT (SELECT extract(epoch FROM now() - max(last_heartbeat))::float FROM procrastinate_workers),
        count(*), coalesce(extract(epoch FROM now() - min(greatest(e.at, j.scheduled_at)))::float, 0)
    FROM procrastinate_jobs j LEFT JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred'
    WHERE j.status = 'todo' AND (j.scheduled_at IS NULL OR j.scheduled_at <= now())
"""


@login_not_required
def health(request):
    """200 where all of it is well, else 503; which part is not is told. Shows nothing of anybody."""
    told = {"database": {"ok": True}, "worker": {"ok": False}, "gateway": {"ok": gateway_answers(settings.DATA_DIR)}}
    try:
        with connection.cursor() as cursor:
            cursor.execute(_WORK)
            silent, waiting, oldest = cursor.fetchone()
    except (OperationalError, InterfaceError):
        told["database"]["ok"] = False
    else:
        told["worker"] = {"ok": silent is not None and silent < LATE, "seconds_since_heartbeat": _round(silent)}
        told["jobs"] = {"waiting": waiting, "oldest_waits_seconds": _round(oldest)}
    told["spool"] = {"bytes": sum(file.stat().st_size for file in (settings.DATA_DIR / "spool").glob("*"))}
    is_well = all(part.get("ok", True) for part in told.values())
    return JsonResponse({"ok": is_well, **told}, status=200 if is_well else 503, headers={"Cache-Control": "no-store"})


def _round(seconds):
    return None if seconds is None else round(seconds, 1)


def gateway_answers(data_dir):
    """Whether the gateway's process answers within a second: one that hangs takes connections all the same."""
    line, (ours, theirs) = Line(data_dir), socket.socketpair()
    with ours, theirs:
        try:
            if not line.send(theirs):
                return False
            theirs.close()
            ours.settimeout(PATIENCE)
            ours.sendall(b"GET /openai/v1/health HTTP/1.0\r\n\r\n")
            return bool(ours.recv(1))
        except OSError:
            return False
        finally:
            line.close()
