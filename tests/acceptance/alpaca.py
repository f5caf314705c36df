"""Loads the published pairwise judgements by the batch call and compares the win rates with the published ones.

python -m tests.acceptance.alpaca --data FOLDER --address http://127.0.0.1:8000 --key mg_… --login EMAIL

The folder holds alpaca_eval_preferences.jsonl.gz and README.md, which tells the published rates. The login is asked for
a password, or LOGIN_PASSWORD holds it.
"""

import argparse
import gzip
import json
import re
import sys
import time
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.acceptance.real_data import log_in

KEY = "gpt4_judge"
BASE = "text_davinci_003"
PUBLISHED = re.compile(rf"published AlpacaEval win rates against {BASE}.*?: (.+)")
CELL = re.compile(r'<td><a href="([^"]*)"><b>([^<]*)</b>')
RATE = re.compile(r"(\S+) (\d+\.\d+)")


def main():
    asked = arguments()
    votes = read(asked.data / "alpaca_eval_preferences.jsonl.gz")
    server = httpx.Client(base_url=asked.address, headers={"Authorization": f"Bearer {asked.key}"}, timeout=300)
    project = make_project(server, f"alpaca-{time.time():.0f}")
    wrong = check_loading(server, project, votes)
    rates = published(asked.data / "README.md")
    wrong += check_rates(server, project, rates, votes)
    wrong += check_page(log_in(asked.address, asked.login), project, rates)
    print(f"{wrong} wrong" if wrong else "all as published")
    sys.exit(min(wrong, 1))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--address", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--login", required=True)
    return parser.parse_args()


def read(path):
    """The preferences, named by the numbers of their lines."""
    with gzip.open(path, "rt") as lines:
        return [json.loads(line) | {"external_id": f"alpaca-{number}"} for number, line in enumerate(lines, 1)]


def published(path):
    """{model: win rate in percent}"""
    [told] = PUBLISHED.findall(path.read_text())
    return {model: float(rate) for model, rate in RATE.findall(told)}


def make_project(server, key):
    server.post("/api/v1/projects", json={"key": key, "name": key}).raise_for_status()
    body = {"project": key, "key": KEY, "kind": "bool"}
    server.post("/api/v1/feedback-keys", json=body).raise_for_status()
    return key


def check(what, fine, figures=""):
    print(f"{'ok   ' if fine else 'WRONG'} {what}: {figures}".rstrip(": "), flush=True)
    return not fine


def check_loading(server, project, votes):
    """Once, and again with the same external ids."""
    texts = {(vote["prompt"], side["model"], side["text"]) for vote in votes for side in sides(vote)}
    wrong, seen = 0, []
    for what, expected in (("loaded", (len(votes), 0)), ("loaded again", (0, len(votes)))):
        started = time.monotonic()
        told = send(server, project, votes)
        seconds = time.monotonic() - started
        figures = f"{told['accepted']} new, {told['duplicates']} known, {len(told['rejected'])} refused"
        fine = (told["accepted"], told["duplicates"]) == expected and not told["rejected"]
        wrong += check(what, fine, f"{figures} in {seconds:.1f} s, {len(votes) / seconds:.0f}/s {told['rejected'][:1]}")
        held = server.get("/api/v1/interactions", params={"project": project, "limit": 1}).json()["count"]
        wrong += check("completions, each once", held == len(texts), f"{held} of {len(texts)}")
        seen.append((told["ids"], held, matrix(server, project)))
    return wrong + check("the second time changed nothing", seen[0] == seen[1])


def sides(vote):
    return vote["preferred_completion"], vote["other_completion"]


def send(server, project, votes):
    raw = gzip.compress("\n".join(json.dumps(vote) for vote in votes).encode(), 1)
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    answer = server.post("/api/v1/comparison/batch", params={"project": project}, content=raw, headers=headers)
    answer.raise_for_status()
    return answer.json()


def matrix(server, project):
    answer = server.get(f"/api/v1/feedback-keys/{KEY}/preferences", params={"project": project})
    answer.raise_for_status()
    return answer.json()


def check_rates(server, project, expected, votes):
    """The published rates to two decimals, and counts as a loop over the file makes them."""
    told = matrix(server, project)
    pairs = {frozenset((pair["a"], pair["b"])): pair for pair in told["pairs"]}
    wrong = check("models", {one["model"] for one in told["models"]} == {BASE, *expected}, len(told["models"]))
    for model, rate in expected.items():
        pair = pairs[frozenset((model, BASE))]
        found = pair["a_win_rate"] if pair["a"] == model else 1 - pair["a_win_rate"]
        side = ("a", "b") if pair["a"] == model else ("b", "a")
        counts = tuple(pair[f"{one}_wins"] for one in side) + (pair["ties"],)
        figures = f"{100 * found:.2f}, published {rate:.2f}; {counts}"
        wrong += check(f"{model} against {BASE}", f"{100 * found:.2f}" == f"{rate:.2f}", figures)
        wrong += check(f"{model} counted", counts == counted(votes, model), counts)
    ties = sum(pair["ties"] for pair in told["pairs"])
    return wrong + check("ties", ties == sum(bool(vote["tied"]) for vote in votes), ties)


def check_page(browser, project, expected):
    """The win matrix as people see it: the cell of each model against the base."""
    answer = browser.get(f"/p/{project}/feedback/keys/{KEY}/comparisons")
    wrong = check("page", answer.status_code == 200, answer.status_code)
    cells = {}
    for address, rate in CELL.findall(answer.text):
        query = dict(parse_qsl(urlsplit(unescape(address)).query))
        cells[query.get("a"), query.get("b")] = rate.replace("\xa0", " ").removesuffix(" %")
    for model, rate in expected.items():
        shown = cells.get((model, BASE))
        wrong += check(f"{model} against {BASE} on the page", shown == f"{rate:.2f}", shown)
    return wrong


def counted(votes, model):
    """(wins, losses, ties) of the model against the base."""
    counts = [0, 0, 0]
    for vote in votes:
        models = [side["model"] for side in sides(vote)]
        if sorted(models) == sorted((model, BASE)):
            counts[2 if vote["tied"] else models.index(model)] += 1
    return tuple(counts)


if __name__ == "__main__":
    main()
