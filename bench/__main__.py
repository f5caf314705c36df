"""python -m bench [run|fill|docs|simulations]: measures the product, and whether the statistics of A/B tests keep their
promises; `make bench` calls both. docs/performance.md tells more."""

import argparse
import json
import os
import sys
from pathlib import Path

from bench import report, simulations
from bench.fill import fill
from bench.product import ROOT, Product
from bench.run import run


def main():
    """Read the arguments and do what they say."""
    options = read_arguments()
    product = Product(options.data or ROOT / "var" / "bench" / str(options.n), options.port)
    filling = {"n": options.n, "seed": options.seed, "processes": options.processes}
    if options.what == "fill":
        fill(product, **filling)
    elif options.what == "docs":
        report.into_docs(report.latest(product.data))
    elif options.what == "simulations":
        sys.exit(not simulations.report(ROOT / "var" / "bench" / "simulations.json", options.seed))
    else:
        result = run(product, **filling, seconds=options.seconds, requests=options.requests)
        if options.against:
            result["against"] = json.loads(Path(options.against).read_text())
        path = report.write(product.data, result)
        print(path.read_text())
        print(f"  Kept in {path} and beside it as JSON.")


def read_arguments():
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", choices=["run", "fill", "docs", "simulations"], nargs="?", default="run")
    parser.add_argument("--n", type=_number, default=_number(os.environ.get("N") or "100_000"), help="records")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--data", default=os.environ.get("BENCH_DATA"), help="data folder, kept; var/bench/N unless said"
    )
    parser.add_argument("--port", type=int, default=8790, help="of the product; the bare view takes the next")
    parser.add_argument("--processes", type=int, default=2, choices=[1, 2], help="that fill")
    parser.add_argument("--seconds", type=int, default=10, help="that each way of writing is measured for")
    parser.add_argument("--requests", type=int, default=60, help="of each question, at least 50")
    parser.add_argument("--against", default=os.environ.get("AGAINST"), help="result.json of a small store, to compare")
    return parser.parse_args()


def _number(text):
    return int(text.replace("_", "").replace(",", ""))


if __name__ == "__main__":
    main()
