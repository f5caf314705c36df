"""Makes golden.json: what other people's libraries say of figures that are drawn from a seed.

    python -m venv /tmp/golden && /tmp/golden/bin/pip install tea-tasting statsmodels scipy pandas pyarrow
    /tmp/golden/bin/python tests/experiments/golden.py > tests/experiments/golden.json

In an environment of its own: the product does not need these libraries, and this needs nothing of the product.
"""

import importlib.metadata
import json
import platform
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import statsmodels.api as sm
import tea_tasting as tt
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

LIBRARIES = ("tea-tasting", "statsmodels", "scipy", "numpy")
SHARES = [((30, 100), (45, 120)), ((740, 1000), (779, 1010)), ((12, 400), (25, 380)), ((2311, 9000), (2305, 9000))]
RATIOS = [([6214, 6208, 5733], [1, 1, 1]), ([5010, 4990], [1, 1]), ([310, 90], [3, 1]), ([700, 250, 60], [7, 2, 1])]
VOTES = [(60, 40), (250, 250), (805, 38), (3, 12)]


def main():
    chance = np.random.default_rng(20_241_120)
    told = {
        "made by": {name: importlib.metadata.version(name) for name in LIBRARIES},
        "python": platform.python_version(),
        "shares": [of_shares(*pair) for pair in SHARES],
        "scalars": [of_scalars(chance, *of) for of in ((60, 80, 1.0), (500, 300, 0.2), (2000, 2500, 5.0))],
        "ratios": [of_ratio(*known) for known in RATIOS],
        "votes": [{"wins": w, "losses": lost, "p": stats.binomtest(w, w + lost).pvalue} for w, lost in VOTES],
        "chances": [of_chances(*pair) for pair in SHARES],
        "strengths": of_strengths(chance),
    }
    lines = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in told.items()]
    sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


def of_shares(one, other):
    """Wilson's interval of each and Newcombe's of the difference, second less first: statsmodels."""
    intervals = [list(map(float, proportion_confint(yes, n, 0.05, "wilson"))) for yes, n in (one, other)]
    newcombe = confint_proportions_2indep(*other, *one, method="newcomb", compare="diff", alpha=0.05)
    return {"counts": [one, other], "wilson": intervals, "newcombe": list(map(float, newcombe))}


def of_scalars(chance, n, m, scale):
    """Welch's interval of the difference, second less first, and the relative difference: tea-tasting."""
    one, other = chance.gamma(2.0, scale, n).round(6), chance.gamma(2.2, scale, m).round(6)
    frame = pd.DataFrame({"variant": [0] * n + [1] * m, "value": np.concatenate([one, other])})
    metric = tt.Mean("value", equal_var=False, use_t=True)
    found = tt.Experiment(value=metric).analyze(pa.Table.from_pandas(frame))["value"]
    return {
        "values": [one.tolist(), other.tolist()] if n < 100 else None,
        "moments": [[len(v), float(v.mean()), float(((v - v.mean()) ** 2).sum())] for v in (one, other)],
        "difference": float(found.effect_size),
        "welch": [float(found.effect_size_ci_lower), float(found.effect_size_ci_upper)],
        "lift": float(found.rel_effect_size),
        "student": [list(map(float, stats.t.interval(0.95, len(v) - 1, v.mean(), stats.sem(v)))) for v in (one, other)],
    }


def of_ratio(units, weights):
    """Chi-square of two arms by tea-tasting's sample ratio, of more by scipy.stats."""
    expected = np.array(weights) / sum(weights) * sum(units)
    chi2, p = stats.chisquare(units, expected)
    told = {"units": units, "weights": weights, "chi2": float(chi2), "p": float(p)}
    if len(units) == 2:
        frame = pa.table({"variant": [0] * units[0] + [1] * units[1]})
        metric = tt.SampleRatio(ratio=weights[1] / weights[0], method="norm", correction=False)
        told["tea-tasting p"] = float(tt.Experiment(ratio=metric).analyze(frame)["ratio"].pvalue)
    return told


def of_chances(one, other):
    """Chance that the second share is higher, and the loss of choosing it, by ten million draws of the posteriors."""
    chance = np.random.default_rng(7)
    first, second = (chance.beta(1 + yes, 1 + n - yes, 10_000_000) for yes, n in (one, other))
    return {
        "counts": [one, other],
        "chance": float((second > first).mean()),
        "loss": float(np.maximum(0, first - second).mean()),
    }


def of_strengths(chance):
    """Bradley-Terry without ties as a logistic regression, with errors clustered by judge: statsmodels."""
    truth, judges = np.array([0.0, 0.5, -0.3, 0.9]), np.repeat(np.arange(150), 6)
    pairs = np.array([chance.choice(4, 2, replace=False) for _ in judges])
    mood = np.repeat(chance.normal(0, 1.0, (150, 4)), 6, axis=0)
    apart = (truth + mood)[np.arange(len(judges)), pairs[:, 0]] - (truth + mood)[np.arange(len(judges)), pairs[:, 1]]
    won = (chance.random(len(judges)) < 1 / (1 + np.exp(-apart))).astype(int)
    design = np.zeros((len(judges), 4))
    design[np.arange(len(judges)), pairs[:, 0]] += 1
    design[np.arange(len(judges)), pairs[:, 1]] -= 1
    by_judge = {"cov_type": "cluster", "cov_kwds": {"groups": judges, "use_correction": False}}
    found = sm.Logit(won, design[:, 1:]).fit(disp=False, method="newton", tol=1e-12, **by_judge)
    return {
        "votes": [[int(a), int(b), int(w), int(j)] for (a, b), w, j in zip(pairs, won, judges, strict=True)],
        "difference to the first": found.params.tolist(),
        "errors, clustered by judge, without a correction for their number": found.bse.tolist(),
    }


if __name__ == "__main__":
    main()
