"""Sending batches in tests."""

import io
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


class Coming(io.RawIOBase):
    """A body that comes in parts, for `wsgi.input`; `between()` is called once all but the last were read."""

    def __init__(self, *parts, between):
        self.parts, self.between = list(parts), between

    def read(self, size=-1):
        if len(self.parts) == 1 and self.between:
            self.between()
            self.between = None
        return self.parts.pop(0) if self.parts else b""


def send_slowly(api, path, *parts, between):
    """(status, the answer) of lines of which all but the last part are read before `between()` is called."""
    coming = {"wsgi.input": Coming(*parts, between=between)}
    answer = api.client.generic(
        "POST", f"/api/v1/{path}", b"".join(parts), content_type=NDJSON, headers=api.headers, **coming
    )
    return answer.status_code, json.loads(answer.getvalue())
