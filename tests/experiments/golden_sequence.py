"""Makes golden_sequence.json: what another library says of always-valid intervals.

    python -m venv /tmp/gbstats && /tmp/gbstats/bin/pip install gbstats
    /tmp/gbstats/bin/python tests/experiments/golden_sequence.py > tests/experiments/golden_sequence.json

In an environment of its own: it pins numpy below 2. It takes an approximation for the rho that is best at a number of
units; so rho is kept with each figure.
"""

import importlib.metadata
import json
import sys

from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest
from gbstats.models.statistics import SampleMeanStatistic

CASES = [  # (n, sum, sum of squares) of two arms, alpha, tuning parameter
    ((1000, 300, 300), (1010, 410, 410), 0.05, 5000),
    ((60, 31, 31), (75, 29, 29), 0.05, 5000),
    ((40_000, 12_100, 12_100), (9_000, 2_900, 2_900), 0.05, 400),
    ((2500, 7_500.5, 27_000.25), (2400, 7_420.0, 27_100.5), 0.025, 5000),
    ((800, -40.0, 900.0), (800, 60.0, 1_100.0), 0.01, 1600),
]


def main():
    told = {"gbstats": importlib.metadata.version("gbstats"), "cases": [of_case(*case) for case in CASES]}
    json.dump(told, sys.stdout, indent=1)
    print()


def of_case(one, other, alpha, tuning):
    statistics = [SampleMeanStatistic(n=n, sum=total, sum_squares=squares) for n, total, squares in (one, other)]
    config = SequentialConfig(difference_type="absolute", alpha=alpha, sequential_tuning_parameter=tuning)
    found = SequentialTwoSidedTTest(*statistics, config)
    return {
        "arms": [[known.n, known.mean, known.variance * (known.n - 1)] for known in statistics],
        "alpha": alpha,
        "rho": float(found.rho),
        "interval": list(map(float, found.confidence_interval)),
        "p": float(found.p_value),
    }


if __name__ == "__main__":
    main()
