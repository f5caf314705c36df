"""Sending batches in tests."""

import json

NDJSON = "application/x-ndjson"


def ndjson(records):
    """Lines of JSON."""
    return b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in records)


def send_batch(api, project, raw, *, content_type=NDJSON, **headers):
    """(status, the answer) of a batch; `raw` is bytes, or records to be sent as lines."""
    raw = raw if isinstance(raw, bytes) else ndjson(raw)
    answer = api.post(f"interactions/batch?project={project.key}", raw=raw, content_type=content_type, **headers)
    return answer.status_code, json.loads(answer.getvalue())
