"""A result as one JSON file and as one Markdown text."""

import json
import time
from pathlib import Path

from bench.verdicts import verdicts

DOCS = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
BEGIN, END = "<!-- the latest run: written by python -m bench docs -->", "<!-- the end of the latest run -->"
SIGNS = {True: "kept", False: "**not kept**", None: "not measured"}


def write(data, result):
    """Write both files below the data folder; returns the path of the Markdown."""
    folder = Path(data) / "results"
    folder.mkdir(exist_ok=True)
    path = folder / time.strftime("%Y%m%d-%H%M%S")
    path.with_suffix(".json").write_text(json.dumps(result, indent=1))
    path.with_suffix(".md").write_text(markdown(result))
    return path.with_suffix(".md")


def latest(data):
    """The newest result of a data folder, or None."""
    found = sorted((Path(data) / "results").glob("*.json"))
    return json.loads(found[-1].read_text()) if found else None


def into_docs(result):
    """Put the tables of this result into docs/performance.md."""
    text = DOCS.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    DOCS.write_text(f"{before}{BEGIN}\n\n{markdown(result)}\n{END}{after}")


def markdown(result):
    """The tables of one run."""
    parts = [_head(result), _promises(result), _writing(result), *_reading(result), _machine(result), _settings(result)]
    return "\n\n".join(parts) + "\n"


def _head(result):
    machine = result["machine"]
    versions = {"PostgreSQL": result["settings"]["server_version"], **result["versions"]}
    earlier = result["filled"]["records"] - result["n"]
    told = [
        f"{result['n']:,} interactions" + (f" and {earlier:,} that earlier runs logged" if earlier else ""),
        result["at"],
        f"commit {result['commit']}",
        machine["cpu"],
        f"{machine['cores']} cores, {machine['memory_gb']} GiB",
        machine["system"],
        f"load before {result['load']:.1f}",
        *(f"{name} {version}" for name, version in versions.items()),
    ]
    return ", ".join(told) + "."


def _promises(result):
    found = verdicts(result, result.get("against"))
    return _table(["Promise", "Measured", ""], [[one.promise, one.measured, SIGNS[one.kept]] for one in found])


def _writing(result):
    rows = []
    for kind in ("writing", "ceilings"):
        for name, one in result["filled"][kind].items():
            empty = result["empty"][kind][name]
            rows.append([name, _round(empty["per_second"]), _round(one["per_second"]), *_percentiles(one)])
    heads = ["Writing (records a second)", "empty store", "filled store", "p50 ms", "p95 ms", "p99 ms"]
    for name, one in result["filled"].get("while", {}).items():
        rows.append([f"{name} while reading", "", _round(one["per_second"]), *_percentiles(one)])
    return _table(heads, rows)


def _reading(result):
    """A table for each door: quiet with one and eight readers, and eight while records come in."""
    reading = result["filled"]["reading"]
    for door in ("API", "page"):
        heads = [f"{door}: p50 / p95 / p99 in ms", *map(_readers, reading)]
        rows = [
            [name, *(" / ".join(_percentiles(reading[how][door][name])) for how in reading)]
            for name in reading["1"][door]
        ]
        yield _table(heads, rows)


def _machine(result):
    filled, mb = result["filled"], 1024**2
    rows = [[f"PSS, {when}: {name}", f"{value:,.0f}{'' if 'processes' in name else ' MB'}"]
            for when, told in filled["memory"].items() for name, value in told.items()]  # fmt: skip
    disk = filled["disk"]
    for table, sizes in disk["tables"].items():
        rows.append([f"disk: {table}", f"{sizes['table'] / mb:,.0f} MB, its indexes {sizes['indexes'] / mb:,.0f} MB"])
    rows += [[f"disk: {name}", f"{disk[name] / mb:,.0f} MB"] for name in ("other tables", "database", "folder")]
    raw = filled["raw"]
    rows.append(["raw JSON a record", f"{raw['with_pictures']:,.0f} B, without pictures {raw['without']:,.0f} B"])
    rows.append(["start: ready, first page", f"{filled['start']['ready']} s, {filled['start']['page']} s"])
    return _table(["Machine", ""], rows)


def _settings(result):
    return _table(["PostgreSQL setting", ""], [[f"`{name}`", value] for name, value in result["settings"].items()])


def _readers(how):
    """A heading for "1", "8" or "8 while singles"."""
    number, _, writing = how.partition(" while ")
    return ("1 reader" if number == "1" else f"{number} readers") + (f", {writing} coming in" if writing else "")


def _percentiles(row):
    return [_round(row[name]) if name in row else "" for name in ("p50", "p95", "p99")]


def _round(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:,.1f}"


def _table(heads, rows):
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
