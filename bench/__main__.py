"""python -m bench [run|fill]: measures the product; `make bench` calls it. See docs/performance.md."""

import argparse
import os
from pathlib import Path

from bench.fill import fill
from bench.product import ROOT, Product


def main():
    """Read the arguments and do what they say."""
    options = read_arguments()
    data = Path(options.data or ROOT / "var" / "bench" / str(options.n))
    product = Product(data, options.port)
    fill(product, n=options.n, seed=options.seed, processes=options.processes)


def read_arguments():
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("what", choices=["fill"], nargs="?", default="fill")
    parser.add_argument("--n", type=_number, default=_number(os.environ.get("N", "100_000")), help="records")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", help="data folder, kept between runs; var/bench/N unless said")
    parser.add_argument("--port", type=int, default=8790)
    parser.add_argument("--processes", type=int, default=2, choices=[1, 2], help="that fill")
    return parser.parse_args()


def _number(text):
    return int(text.replace("_", "").replace(",", ""))


if __name__ == "__main__":
    main()
