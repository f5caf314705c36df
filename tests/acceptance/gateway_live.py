"""A/B tests that live: the published openai package asks, a crowd says how it liked it, the better model is deployed.

    python -m tests.acceptance.gateway_live [--requests 8000] [--people 3000] [--port 8747]

Starts an installation of its own in a temporary folder beside an upstream with two models, whose answers a crowd finds
helpful 55 and 65 times of a hundred. In the first test those who met the better one answer less often: the feedback
coverage must hold the decision back, and nothing but it. In the second all answer alike: the worker must deploy the
better one by itself, which then serves the next request, and can be rolled back. Each person must always meet the
same model, and every answer must be logged, once.
"""

import argparse
import collections
import sys
import time

from openai import OpenAI

from tests.acceptance.gateway_clients import MARK, Program
from tests.acceptance.gateway_place import Checks, Place

PROJECT, FEEDBACK = "live", "helpful"
MODELS = ["fair", "good"]  # the control first; it is the default
QUALITY = {"fair": "55", "good": "65"}
UNEQUAL, EQUAL = {"55": 0.9, "65": 0.3}, {"55": 0.7, "65": 0.7}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=8_000, help="in each of the two tests")
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--port", type=int, default=8747)
    options = parser.parse_args()
    checks = Checks()
    with Place(options.port) as place:
        place.make_project(PROJECT, MODELS, FEEDBACK)
        first = begin(place, "held-back")
        one = ask(place, checks, options, UNEQUAL, 7)
        check_sticky(checks, one)
        check_held_back(place, checks, first)
        second = begin(place, "deployed")
        two = ask(place, checks, options, EQUAL, 11)
        check_never_back(checks, two)
        check_deployed(place, checks, second)
        serving(place, checks, "good")
        place.ask("POST", f"{second}/roll-back")
        serving(place, checks, "fair")
        logged = [row for row in place.logged(PROJECT) if row["messages"][-1]["content"].startswith("Question")]
        check_logged(checks, one, two, logged)
    return checks.end()


def begin(place, key):
    """The address of a new test, which takes everybody."""
    body = {"key": key, "name": key, "feedback_key": FEEDBACK, "models": MODELS, "auto_deploy": True}
    place.ask("POST", f"projects/{PROJECT}/ab-tests", body | {"planned_n": 200, "planned_days": 0})
    return f"projects/{PROJECT}/ab-tests/{key}"


def ask(place, checks, options, answering, seed):
    began = time.monotonic()
    program = Program(
        "crowd",
        address=place.address,
        key=place.key,
        project=PROJECT,
        users=options.people,
        requests=options.requests,
        feedback=FEEDBACK,
        answering=answering,
        seed=seed,
    )
    results = program.wait()
    seconds = time.monotonic() - began
    failed = [one for one in results if "fault" in one]
    figures = f"{len(results) - len(failed)} of {options.requests}, {len(results) / seconds:.0f}/s {failed[:2] or ''}"
    checks.check("requests answered", len(results) == options.requests and not failed, figures)
    return results


def mark_of(result):
    found = MARK.search(result.get("text") or "")
    return found[1] if found else None


def check_sticky(checks, results):
    met = collections.defaultdict(set)
    for one in results:
        met[one["user"]].add(mark_of(one))
    switched = [user for user, marks in met.items() if len(marks) > 1]
    checks.check("people who met two models", not switched, f"{len(switched)} of {len(met)}")
    people = collections.Counter(next(iter(marks)) for marks in met.values())
    checks.check("people of each", min(people.values()) > 0.45 * len(met), dict(people))


def check_never_back(checks, results):
    """The better one may be deployed while people still ask: then all meet it, and nobody goes back."""
    better = {}
    for one in results:
        mark = mark_of(one)
        better.setdefault(one["user"], []).append(mark == QUALITY["good"])
    back = [user for user, marks in better.items() if marks != sorted(marks)]
    checks.check("people who went back to the worse one", not back, f"{len(back)} of {len(better)}")


# -- what the tests say ---------------------------------------------------------------------------
def check_held_back(place, checks, test):
    """Two evaluations asked for, and the worker's own time: nothing is decided, for the coverage's sake."""
    time.sleep(6)  # the worker folds
    for _ in range(2):
        place.ask("POST", f"{test}/evaluate")
    time.sleep(75)  # more than a minute, in which the worker looks by itself
    told = place.ask("GET", test)
    show(told)
    open_gates = {gate["key"] for gate in told["gates"] if not gate["holds"]}
    checks.check("not decided", told["state"] == "in_progress", told["state"])
    checks.check(
        "held back by the coverage",
        "coverage" in open_gates and open_gates <= {"coverage", "twice"},
        sorted(open_gates),
    )
    place.ask("POST", f"{test}/cancel")


def check_deployed(place, checks, test, patience=240):
    began = time.monotonic()
    while (told := place.ask("GET", test))["state"] not in ("done", "cancelled"):
        if time.monotonic() - began > patience:
            break
        time.sleep(2)
    show(told)
    seconds = f"{time.monotonic() - began:.0f} s after the last request"
    checks.check("decided", told["state"] == "done", f"{told['state']}, {seconds}")
    decision = told["decision"] or {}
    checks.check("the better one won", decision.get("model") == "good", decision.get("model"))
    checks.check(
        "decided by the worker", decision.get("by") is None and decision.get("deployed") is True, decision.get("reason")
    )


def show(told):
    print(f"     {told['verdict']['headline']}: {told['verdict']['text']}")
    for arm in told["arms"]:
        people = f"{arm['units']} people, {arm['answered']} answered, mean {arm['value']}"
        print(f"     {arm['letter']} {arm['model']}: {people}")
    for gate in told["gates"]:
        print(f"     {'holds' if gate['holds'] else 'open '} {gate['name']}: {gate['shown']}")


def serving(place, checks, model):
    """Whose answer the next request of somebody new is."""
    with OpenAI(base_url=f"{place.address}/openai/v1", api_key=place.key, max_retries=0) as client:
        said = [{"role": "user", "content": "Who serves?"}]
        answer = client.chat.completions.create(model=PROJECT, messages=said, user=f"newcomer to {model}")
    found = MARK.search(answer.choices[0].message.content)
    checks.check(f"{model} serves the next request", bool(found) and found[1] == QUALITY[model], found and found[0])


def check_logged(checks, one, two, logged):
    """Each answer once, with the text that was told. Both tests ask the same questions."""
    texts = {row["id"]: row["completion"] for row in logged}
    results = [each for each in one + two if "fault" not in each]
    right = sum(texts.get(each["id"]) == each["text"] for each in results)
    checks.check("answers logged as told", right == len(results), f"{right} of {len(results)}")
    checks.check("each once", len(logged) == len(results) == len(texts), f"{len(logged)} logged")
    sources = collections.Counter(row["source"] for row in logged)
    checks.check("logged as live", set(sources) == {"live"}, dict(sources))
    users = {row["id"]: row["user"] for row in logged}
    checks.check("with their people", all(users.get(each["id"]) == each["user"] for each in results))


if __name__ == "__main__":
    sys.exit(main())
