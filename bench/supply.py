"""Records to be written: made before the clock starts, none of them twice."""

import datetime
import itertools
import json

from bench.clients import request
from bench.corpus import Corpus

SEED = 1_000  # of another corpus than the one that is read
BATCH = 500


class Supply:
    """New records without end, as bytes."""

    def __init__(self, run):
        """`run` tells two runs on one store apart."""
        corpus = Corpus(10**9, datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), SEED + run)
        blocks = (corpus.block(number) for number in itertools.count())
        self.run, self._records = run, itertools.chain.from_iterable(blocks)

    def records(self, count):
        """So many records as JSON bytes, of this moment: without `created_at`."""
        return [_dumps(self._of_now(record)) for record in itertools.islice(self._records, count)]

    def singles(self, count, project, headers, path="/api/v1/interactions"):
        """Requests of one record each."""
        named = b'{"project": "%b", ' % project.encode()
        return [request("POST", path, headers, named + text[1:]) for text in self.records(count)]

    def batches(self, count, project, headers, size=BATCH):
        """Requests of `size` records each, as NDJSON."""
        path = f"/api/v1/interactions/batch?project={project}"
        texts = (b"\n".join(self.records(size)) for _ in range(count))
        return [request("POST", path, headers, text, "application/x-ndjson") for text in texts]

    def _of_now(self, record):
        """The record as of this moment: in sessions of its own, without the label that only the first week has."""
        labels = {key: value for key, value in record["labels"].items() if key != "release"}
        kept = {name: value for name, value in record.items() if name != "created_at"}
        return kept | {"labels": labels, "session_id": f"{self.run}-{record['session_id']}"}


def _dumps(record):
    return json.dumps(record, separators=(",", ":")).encode()
