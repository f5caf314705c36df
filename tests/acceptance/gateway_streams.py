"""Two hundred streams at once: none is lost, none is doubled, none is slow, and the table stays usable.

    python -m tests.acceptance.gateway_streams [--streams 200] [--rate 5] [--port 8741]

Starts an installation of its own in a temporary folder beside an upstream whose answers take ten seconds. The streams
begin spread over four seconds: first against the upstream itself, then through the gateway, while somebody opens the
table of the demo project again and again, then against the upstream once more. Time to first token may be 25 ms more
at the median than the upstream's own in its two rounds together; the table's 95th percentile must stay below 150 ms.
"""

import argparse
import os
import statistics
import sys
import threading
import time
from pathlib import Path

from tests.acceptance.gateway_clients import Program
from tests.acceptance.gateway_place import Checks, Place

PROJECT, MODEL = "streams", "slow:10"
WITHIN = 4  # seconds over which the streams begin
MORE_MS, PAGE_MS = 25, 150


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--rate", type=float, default=5, help="tokens a second of each stream")
    parser.add_argument("--port", type=int, default=8741)
    options = parser.parse_args()
    checks = Checks()
    with Place(options.port, rate=options.rate) as place:
        place.make_project(PROJECT, [MODEL])
        warm = through(place, 8, "Warming").wait()  # connections and code
        quiet = read_for(place, 6).wait()
        before = direct(place, options.streams)
        work = Work(place)
        reader = read_for(place, WITHIN + 10)
        clients = through(place, options.streams, "Stream")
        work.watch(reader=reader.process.pid, clients=clients.process.pid)
        results = clients.wait()
        pages = reader.wait()
        work.tell()
        after = direct(place, options.streams)
        check_streams(checks, results, options)
        check_first(checks, before, results, after)
        check_pages(checks, quiet, pages)
        rows = place.logged(PROJECT)
        checks.compare(warm + results, rows)
        number = len(warm) + len(results)
        checks.check("interactions", len(rows) == number, f"{len(rows)} logged, {number} streams")
    return checks.end()


def through(place, number, name):
    """Streams through the gateway."""
    address = f"{place.address}/openai/v1"
    return Program("streams", address=address, key=place.key, model=PROJECT, number=number, within=WITHIN, name=name)


def direct(place, number):
    """The same against the upstream itself."""
    address = place.upstream_address
    return Program("streams", address=address, key="none", model=MODEL, number=number, within=WITHIN).wait()


def read_for(place, seconds):
    demo = place.installation.demo
    os.environ["LOGIN_PASSWORD"] = demo["password"]
    page = f"/p/{demo['project']}/interactions"
    return Program("reader", address=place.address, login=demo["login"], page=page, seconds=seconds, pause=0.1)


class Work:
    """What each program worked meanwhile, in seconds of a processor: a machine that is busy otherwise shows in it."""

    def __init__(self, place):
        web = [pid for name, pid in place.installation.victims().items() if name.startswith("web")]
        self.of = {"gateway": [place.pid("gateway")], "web": web, "upstream": [place.upstream.pid]}
        self.began, self.before, self.all = time.monotonic(), self._now(), _busy()
        self.ended = {}

    def watch(self, **pids):
        """Programs that will have ended by then: they are looked at while they run."""
        threading.Thread(target=self._look, args=[pids], daemon=True).start()

    def _look(self, pids):
        while used := {name: _worked(pid) for name, pid in pids.items() if Path(f"/proc/{pid}/stat").exists()}:
            self.ended |= {name: max(worked, self.ended.get(name, 0)) for name, worked in used.items()}
            time.sleep(0.2)

    def _now(self):
        return {name: sum(map(_worked, pids)) for name, pids in self.of.items()}

    def tell(self):
        seconds = time.monotonic() - self.began
        ours = {name: now - self.before[name] for name, now in self._now().items()} | self.ended
        told = ", ".join(f"{name} {worked:.1f}" for name, worked in ours.items())
        others = _busy() - self.all - sum(ours.values())
        print(
            f"     of {seconds * os.cpu_count():.0f} s of {os.cpu_count()} processors: {told}, all others {others:.1f}"
        )


def _worked(pid):
    """Seconds of a processor that the process has used; 0 where there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _busy():
    user, nice, system, _, _, *rest = map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:8])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def check_streams(checks, results, options):
    failed = [one for one in results if "fault" in one]
    checks.check(
        "streams that came whole", not failed, f"{len(results) - len(failed)} of {options.streams} {failed[:2] or ''}"
    )
    words = {len(one["text"].split()) for one in results}
    checks.check("words of each", words == {int(10 * options.rate)}, sorted(words))
    begun, ended = max(one["began"] for one in results), min(one["began"] + one["seconds"] for one in results)
    together = ended - begun
    checks.check(
        "all of them at once",
        together > 3,
        f"for {together:.1f} s; each took {told([one['seconds'] for one in results])} s",
    )


def check_first(checks, before, results, after):
    own = [[1000 * one["first"] for one in each] for each in (before, after)]
    ours = [1000 * one["first"] for one in results if one["first"] is not None]
    print(f"     first token, ms: the upstream's own {told(own[0])}, afterwards {told(own[1])}")
    print(f"     first token, ms: through the gateway {told(ours)}")
    more = statistics.median(ours) - statistics.median(own[0] + own[1])
    checks.check("first token, more at the median", more <= MORE_MS, f"{more:.1f} ms, at most {MORE_MS}")


def check_pages(checks, quiet, pages):
    checks.check("pages that came", {one["status"] for one in pages} == {200}, f"{len(pages)} during the streams")
    quiet, busy = ([one["ms"] for one in each] for each in (quiet, pages))
    print(f"     the table, ms: {told(quiet)} before, {told(busy)} during the streams")
    p95 = statistics.quantiles(busy, n=20)[-1]
    checks.check("the table's p95", p95 < PAGE_MS, f"{p95:.0f} ms, below {PAGE_MS}")


def told(values):
    parts = statistics.quantiles(values, n=20)
    return f"median {statistics.median(values):.1f} (p95 {parts[-1]:.1f}, most {max(values):.1f})"


if __name__ == "__main__":
    sys.exit(main())
