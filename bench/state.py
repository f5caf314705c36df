"""What a data folder of the bench holds, written beside the data: which corpus, whose project, how far it is."""

import datetime
import json
import os
from pathlib import Path

from bench.corpus import Corpus

NAME = "bench.json"


class OtherCorpus(SystemExit):
    """The folder holds another corpus than the one asked for."""


def read(data):
    """The state of a data folder as a dictionary, empty where there is none."""
    path = Path(data) / NAME
    return json.loads(path.read_text()) if path.exists() else {}


def write(data, **changes):
    """Change members of the state, whole or not at all; returns it."""
    state = {**read(data), **changes}
    path = Path(data) / NAME
    beside = path.with_suffix(".new")
    with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(state, file, indent=2)
    beside.replace(path)
    return state


def corpus_of(state):
    """The corpus that a state tells of."""
    return Corpus(state["n"], datetime.datetime.fromisoformat(state["end"]), state["seed"])


def check(state, data, *, n, seed):
    """Refuse a folder that holds other records than these."""
    if state and (state["n"], state["seed"]) != (n, seed):
        raise OtherCorpus(
            f"{data} holds {state['n']:,} records of the seed {state['seed']}, not {n:,} of {seed}:"
            " name another --data."
        )
