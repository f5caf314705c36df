"""Published judgements as A/B tests: seven models by preferences, five by scores.

python -m tests.acceptance.ab_alpaca --data FOLDER [--address http://127.0.0.1:8000 --key mg_…]

The folder holds alpaca_eval_preferences.jsonl.gz, vicuna_bench_scored.jsonl.gz and README.md, which tells the published
win rates. First the figures go through the statistics alone; with an address, through the product as well: two tests
are made over REST, the answers and judgements are sent with their ab_campaign, and the reports are read back.
"""

import argparse
import gzip
import json
import sys
import time
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

import httpx

from experiments.gates import LETTERS, gates, verdict
from experiments.statistics import ArmFigures, Moments, judge, strengths_of_arms
from tests.acceptance.alpaca import BASE, check, published, read, sides

SCORE, PREFERENCE = "gpt4_score", "gpt4_judge"
CONTROL = "alpaca-13b"
CLOSE = 1e-9


def main():
    asked = arguments()
    votes = read(asked.data / "alpaca_eval_preferences.jsonl.gz")
    scored = scores(asked.data / "vicuna_bench_scored.jsonl.gz")
    rates = published(asked.data / "README.md")
    models = [BASE, *sorted(rates)]
    found = strengths_of(votes, models)
    wrong = check_rates(found, models, rates) + check_ranks(found, models)
    wrong += check_scores(judge_scores(scored), scored)
    if asked.address:
        server = httpx.Client(base_url=asked.address, headers={"Authorization": f"Bearer {asked.key}"}, timeout=300)
        wrong += check_preferences(server, votes, models, found, rates)
        wrong += check_metric(server, asked.data, scored)
    print(f"{wrong} wrong" if wrong else "all as it should be")
    sys.exit(min(wrong, 1))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--address")
    parser.add_argument("--key")
    return parser.parse_args()


# -- through the statistics alone --------------------------------------------------------------------
def strengths_of(votes, models):
    """Strengths of the models, by their places; a prompt is what judgements have in common."""
    place = {model: i for i, model in enumerate(models)}
    asked, prompts = [], []
    for vote in votes:
        one, other = (place[side["model"]] for side in sides(vote))
        asked.append((one, other, 0.5 if vote["tied"] else 1))
        prompts.append(vote["prompt"])
    return strengths_of_arms(asked, judges=prompts)


def figures_of(found, models):
    """An arm's win rate over all its votes."""
    for place, _ in enumerate(models):
        [one] = [one for one in found.arms if one.arm == place]
        n, rate = one.votes, one.win_rate
        yield ArmFigures(n, n, Moments(n, rate, one.wins + one.ties / 4 - n * rate * rate), float(n))


def check_rates(found, models, rates):
    """The published win rates against the base, to two decimals."""
    wrong = check("models", len(found.arms) == len(models) == 7, len(found.arms))
    for pair in found.pairs:
        if pair.one == 0:
            told, expected = f"{100 * (1 - pair.win_rate):.2f}", f"{rates[models[pair.other]]:.2f}"
            figures = f"{told}, published {expected}; {pair.losses}, {pair.wins}, {pair.ties}"
            wrong += check(f"{models[pair.other]} against {BASE}", told == expected, figures)
    return wrong


def check_ranks(found, models):
    """Strongest first, ranks as ranges that hold its own; models of one range are not told apart."""
    told, wrong = judge("preference", list(figures_of(found, models)), strengths=found), 0
    for rank, one in enumerate(found.arms, 1):
        figures = f"{one.strength:+.3f} ({one.low:+.3f} to {one.high:+.3f}), rank {one.rank_low} to {one.rank_high}"
        fine = one.rank_low <= rank <= one.rank_high and not told.arms[one.arm].refused
        wrong += check(models[one.arm], fine, figures)
    wrong += check("ranks are ranges", any(one.rank_low < one.rank_high for one in found.arms))
    best = models[told.best]
    wrong += check("the best is certainly better than the base", told.pair(told.best, 0).at_least > 0, best)
    print(f"      {say(told)}")
    return wrong


def scores(path):
    """{model: {question: its scores}}"""
    told = defaultdict(dict)
    with gzip.open(path, "rt") as lines:
        for record in map(json.loads, lines):
            given = [float(one["value"]) for one in record["feedbacks"]]
            told[record["model"]][record["labels"]["question"]] = given
    return {model: told[model] for model in sorted(told, key=lambda model: (model != CONTROL, model))}


def judge_scores(scored):
    """A question is the unit: several scores of one answer are one value."""
    arms = [Moments.of([fmean(given) for given in questions.values()]) for questions in scored.values()]
    return judge("scalar", [ArmFigures(one.n, one.n, one, 1.0) for one in arms], tuned_for=80)


def check_scores(told, scored):
    wrong = check("models with scores", len(scored) == 5, ", ".join(scored))
    for arm, (model, questions) in zip(told.arms, scored.items(), strict=True):
        mean = fmean(fmean(given) for given in questions.values())
        low, high = arm.interval
        figures = f"{arm.value:.3f} ({low:.3f} to {high:.3f}), chance {arm.chance:.3f}, n {arm.n}"
        wrong += check(model, abs(arm.value - mean) < CLOSE and arm.n == 80 and not arm.refused, figures)
    for place in range(1, len(told.arms)):
        pair = told.pair(place, 0)
        figures = f"{pair.difference:+.3f} ({pair.lower:+.3f} to {pair.upper:+.3f})"
        wrong += check(f"{list(scored)[place]} less {CONTROL}", pair.lower < pair.difference < pair.upper, figures)
    print(f"      {say(told)}")
    return wrong


def say(told):
    """The verdict, were it asked for now."""
    words = verdict(told, gates(told, age_days=9, planned_n=50, planned_days=1), LETTERS)
    return f"{words.headline}: {words.text}".replace("\xa0", " ")


# -- through the product -----------------------------------------------------------------------------
def check_preferences(server, votes, models, found, rates):
    """A test of seven models by the published judgements: the report's figures are those of the statistics alone."""
    project, prompts = make_project(server, PREFERENCE, "bool", models), {}
    make_test(server, project, PREFERENCE, models, judged_by="preference", planned_n=800)
    records = [vote | {"ab_campaign": "published", "user": name_of(prompts, vote["prompt"])} for vote in votes]
    wrong = send(server, "comparison", project, records)
    told = report(server, project)["judgement"]
    strong = {one["arm"]: one for one in told["strengths"]["arms"]}
    wrong += check("votes that arrived", told["strengths"]["votes"] == len(votes), told["strengths"]["votes"])
    for pair in told["strengths"]["pairs"]:
        if pair["one"] == 0:
            model, rate = models[pair["other"]], f"{100 * (1 - pair['win_rate']):.2f}"
            wrong += check(f"{model} against {BASE}, reported", rate == f"{rates[model]:.2f}", rate)
    for one in found.arms:
        other = strong[one.arm]
        figures = f"{other['strength']:+.3f} ({other['low']:+.3f} to {other['high']:+.3f})"
        same = abs(one.strength - other["strength"]) < CLOSE and (one.wins, one.ties) == (other["wins"], other["ties"])
        ranks = other["rank_low"], other["rank_high"]
        figures += f", rank {ranks[0]} to {ranks[1]}"
        wrong += check(f"{models[one.arm]}, reported", same and ranks[0] <= ranks[1], figures)
    return wrong


def check_metric(server, folder, scored):
    """A test of five models by their scores: a question of a model is a unit, for a person meets one model alone."""
    models = list(scored)
    project = make_project(server, SCORE, "scalar", models)
    make_test(server, project, SCORE, models, planned_n=80)
    with gzip.open(folder / "vicuna_bench_scored.jsonl.gz", "rt") as lines:
        records = [json.loads(line) for line in lines]
    for record in records:
        record |= {"ab_campaign": "published", "user": f"{record['model']} {record['labels']['question']}"}
    wrong = send(server, "interactions", project, records)
    told, expected = report(server, project)["judgement"], json.loads(json.dumps(asdict(judge_scores(scored))))
    wrong += check("the report is what the statistics say", alike(told, expected), f"{len(records)} answers")
    return wrong + check("every unit has its arm", [arm["n"] for arm in told["arms"]] == [80] * len(models))


def make_project(server, feedback_key, kind, models):
    """With the models attached, as logging attaches them."""
    key = f"ab-{feedback_key.replace('_', '-')}-{time.time():.0f}"
    server.post("/api/v1/projects", json={"key": key, "name": key}).raise_for_status()
    body = {"project": key, "key": feedback_key, "kind": kind}
    server.post("/api/v1/feedback-keys", json=body).raise_for_status()
    for model in models:
        record = {"project": key, "prompt": "Who is there?", "completion": "I am.", "model": model}
        server.post("/api/v1/interactions", json=record).raise_for_status()
    return key


def make_test(server, project, feedback_key, models, **more):
    body = {"key": "published", "name": "Published judgements", "feedback_key": feedback_key, "models": models, **more}
    answer = server.post(f"/api/v1/projects/{project}/ab-tests", json=body)
    answer.raise_for_status()


def send(server, what, project, records):
    raw = gzip.compress("\n".join(map(json.dumps, records)).encode(), 1)
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    answer = server.post(f"/api/v1/{what}/batch", params={"project": project}, content=raw, headers=headers)
    answer.raise_for_status()
    told = answer.json()
    return check(
        f"{what} sent to {project}", not told["rejected"], f"{told['accepted']} accepted {told['rejected'][:1]}"
    )


def report(server, project):
    """The test's report, once everything sent is counted: an evaluation counts it."""
    server.post(f"/api/v1/projects/{project}/ab-tests/published/evaluate").raise_for_status()
    answer = server.get(f"/api/v1/projects/{project}/ab-tests/published")
    answer.raise_for_status()
    words = answer.json()["verdict"]
    print(f"      {words['headline']}: {words['text']}".replace("\xa0", " "))
    return answer.json()


def name_of(prompts, prompt):
    """The same name for the same prompt."""
    return f"prompt {prompts.setdefault(prompt, len(prompts))}"


def alike(one, other):
    """Whether two structures are the same but for rounding."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= CLOSE * (1 + abs(one))
    return one == other


if __name__ == "__main__":
    main()
