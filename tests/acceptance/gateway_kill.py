"""Nothing acknowledged is lost: the gateway and the web server are killed while a hundred clients stream.

    python -m tests.acceptance.gateway_kill [--clients 100] [--port 8744]

Starts an installation of its own in a temporary folder beside an upstream. A hundred clients ask again and again, most
of them for streams of four seconds; meanwhile the gateway's process, the web server with all its processes, both, and
the database are killed (SIGKILL), one after the other, and the supervisor brings them back. Whatever was acknowledged,
by a [DONE] or by a 200, must be logged at the end: as it was told, and once. What the end of the web server or of the
database broke off is counted too: the streams are not with them, so there should be none.
"""

import argparse
import collections
import os
import signal
import sys
import time

from tests.acceptance.gateway_clients import Program
from tests.acceptance.gateway_place import Checks, Place

PROJECT, MODEL, SECONDS = "restless", "slow:4", 90
KILLS = [(8, "gateway"), (22, "web"), (36, "gateway and web"), (50, "postgres"), (60, "gateway")]  # at these seconds
BACK = 20  # seconds in which what was killed must serve again


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--port", type=int, default=8744)
    options = parser.parse_args()
    checks = Checks()
    with Place(options.port, rate=5) as place:
        place.make_project(PROJECT, [MODEL])
        address = f"{place.address}/openai/v1"
        clients = Program(
            "restless", address=address, key=place.key, model=PROJECT, number=options.clients, seconds=SECONDS
        )
        while not acknowledged(clients.lines):
            time.sleep(0.1)
        began, killed = time.monotonic(), []
        for at, what in KILLS:
            time.sleep(max(0, began + at - time.monotonic()))
            killed.append((time.time(), what))
            kill(place, what)
            print(f"at {at} s killed {what}; {acknowledged(clients.lines)} acknowledged so far", flush=True)
        results = clients.wait()
        place.installation.wait()
        rows = settled(place, results)
        check_breaks(checks, results, killed)
        checks.check("acknowledged", acknowledged(results) > 3 * options.clients, counted(results))
        checks.compare(results, rows)
        known = {one["prompt"] for one in results}
        strange = [row for row in rows if row["messages"][-1]["content"] not in known]
        checks.check("logged and never asked", not strange, len(strange))
        checks.check("the web server answers", place.api.get("projects").status_code == 200)
    return checks.end()


def kill(place, what):
    """SIGKILL to all that makes up `what`."""
    found = place.installation.victims()
    ids = []
    if "gateway" in what:
        ids.append(place.pid("gateway"))
    if "web" in what:
        ids += [pid for name, pid in found.items() if name.startswith("web")]
    if "postgres" in what:
        ids.append(found["postgres"])
    for pid in ids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def acknowledged(results):
    return sum("fault" not in one for one in results)


def counted(results):
    faults = collections.Counter(one["fault"] for one in results if "fault" in one)
    streamed = sum(one["streamed"] for one in results if "fault" not in one)
    return f"{acknowledged(results)}, {streamed} of them streams; failed: {dict(faults)}"


def settled(place, results, patience=60):
    """What is logged, once the spool is empty: until nothing acknowledged is missing, or patience ends."""
    end = time.monotonic() + patience
    told = {one["id"] for one in results if "fault" not in one}
    while True:
        rows = place.logged(PROJECT)
        missing = told - {row["id"] for row in rows}
        if not missing or time.monotonic() > end:
            return rows
        print(f"     {len(missing)} are not logged yet", flush=True)
        time.sleep(2)


def check_breaks(checks, results, killed):
    """How many answers each kill broke, and how long it took until somebody was served again."""
    for at, what in killed:
        going = [one for one in results if one["began"] < at < one["began"] + one["seconds"]]
        broken = [one for one in going if "fault" in one and not one["fault"].startswith("503")]  # these never began
        back = min(one["began"] + one["seconds"] for one in results if one["began"] > at and "fault" not in one)
        text = f"{len(broken)} of {len(going)} broke off; somebody new was served after {back - at:.1f} s"
        checks.check(f"{what} killed", back - at < BACK and (not broken or "gateway" in what), text)
    faults = [(one["began"] + one["seconds"], one) for one in results if "fault" in one]
    far = [one for end, one in faults if not any(0 < end - at < BACK for at, _ in killed)]
    checks.check("failures without a cause", not far, f"{len(far)} {far[:2] or ''}")


if __name__ == "__main__":
    sys.exit(main())
