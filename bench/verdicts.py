"""What was measured, beside what was promised."""

from typing import NamedTuple

LISTS = {"list": (15, 40), "words and label": (None, 150), "full records": (40, None)}  # ms: p50, p95
PAGE = 50  # ms, p50
COUNTS = {"one filter": 100, "several filters": 250}  # ms, p95
SMALL = 100_000


class Verdict(NamedTuple):
    """One promise: what it says, what was measured, and whether that is kept (None: it could not be measured)."""

    promise: str
    measured: str
    kept: bool | None


def verdicts(result, against=None):
    """All promises about one run; `against` is the result of a small store."""
    return [
        *_writing(result),
        *_reading(result["filled"]["reading"]),
        *_growth(result, against),
        *_crowd(result),
        *_machine(result["filled"]),
    ]


def _writing(result):
    for store in ("empty", "filled"):
        single, batches, bare, copy = _rates(result[store])
        yield _at_least(f"{store}: single POST, 8 clients, beside the bare view", single / bare, 0.5)
        yield _at_least(f"{store}: batches of 500 beside COPY into a bare table", batches / copy, 0.1)
    before, after = _rates(result["empty"]), _rates(result["filled"])
    yield _at_least("single POST: filled beside empty", after[0] / before[0], 0.75)
    yield _at_least("batches: filled beside empty", after[1] / before[1], 0.75)


def _rates(store):
    """(single POST, best of the batches, bare view, COPY) in records a second."""
    written, most = store["writing"], store["ceilings"]
    batches = max(one["per_second"] for way, one in written.items() if way.startswith("batch"))
    single = written["single, 8 clients"]["per_second"]
    return single, batches, most["bare view, 8 clients"]["per_second"], most["COPY, one stream"]["per_second"]


def _reading(reading):
    quiet = reading["1"]
    for target, (p50, p95) in LISTS.items():
        if p50:
            yield _worst(f"API, {target}: p50", quiet["API"], target, "p50", p50)
        if p95:
            yield _worst(f"API, {target}: p95", quiet["API"], target, "p95", p95)
    yield _worst("page: p50", quiet["page"], "page", "p50", PAGE)
    for target, most in COUNTS.items():
        yield _worst(f"facets and histogram, {target}: p95", quiet["page"], target, "p95", most)
    failed = sum(row["failed"] for doors in reading.values() for rows in doors.values() for row in rows.values())
    yield Verdict("no request fails", f"{failed} failed", failed == 0)


def _growth(result, against):
    promise = f"API, p50 at most twice that of {SMALL:,}"
    if not against:
        yield Verdict(promise, "not compared: name a result by --against", None)
        return
    before, after = (one["filled"]["reading"]["1"]["API"] for one in (against, result))
    shared = [name for name in after if "p50" in after[name] and "p50" in before.get(name, {})]
    ratio, name = max((after[name]["p50"] / before[name]["p50"], name) for name in shared)
    yield Verdict(promise, f"{ratio:.2f} ({name})", ratio <= 2)


def _crowd(result):
    reading = result["filled"]["reading"]
    for name, rows in reading.items():
        if "while" in name:
            for door in rows:
                ratio, row = max(_slower(rows[door], reading["8"][door]))
                yield Verdict(f"{door}, {name}: p95 at most 3 times the quiet one", f"{ratio:.2f} ({row})", ratio <= 3)


def _slower(busy, quiet):
    """(how many times slower, name) of each row."""
    return [
        (busy[name]["p95"] / quiet[name]["p95"], name) for name in busy if "p95" in busy[name] and "p95" in quiet[name]
    ]


def _machine(filled):
    for when, most in (("idle", 350), ("loaded", 700)):
        held = filled["memory"][when]["all beside shared buffers"]
        yield Verdict(f"memory, {when}: at most {most} MB", f"{held:.0f} MB", held <= most)
    ratio = filled["disk"]["database"] / (filled["records"] * filled["raw"]["without"])
    yield Verdict("disk: at most 1.6 times the raw JSON without its pictures", f"{ratio:.2f}", ratio <= 1.6)
    took = filled["start"]["ready"]
    yield Verdict("a second start in under 5 s", f"{took:.1f} s", took < 5)


def _at_least(promise, ratio, least):
    return Verdict(f"{promise}: at least {least:g}", f"{ratio:.2f}", ratio >= least)


def _worst(promise, rows, target, figure, most):
    """The slowest row of this target."""
    found = [(row[figure], name) for name, row in rows.items() if row["target"] == target and figure in row]
    if not found:
        return Verdict(f"{promise} at most {most} ms", "nothing was answered", None)
    worst, name = max(found)
    over = sum(value > most for value, _ in found)
    told = f"{worst:.1f} ms ({name})" + (f"; {over} of {len(found)} over it" if over else "")
    return Verdict(f"{promise} at most {most} ms", told, worst <= most)
