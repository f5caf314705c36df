"""A batch call: a stream of records in, one answer about all of them out, in constant memory. For every app's API."""

import json
import tempfile
from functools import partial

from django.core.exceptions import PermissionDenied
from django.http import Http404, StreamingHttpResponse
from rest_framework import exceptions, status
from rest_framework.parsers import BaseParser
from rest_framework.views import APIView

from accounts.authentication import sender_now
from interactions.calls import project_asked, refuse_unknown
from interactions.ingest.batches import read_lines, read_list
from interactions.jsontext import JSONError, loads
from interactions.rules import Conflict, IdTaken, RecordError
from interactions.streams import MAX_LINE, StreamError, TooMuch, TooSlow, lines, packing_of, reading, unpacked
from projects.access import EntityNotFound, project_or_404

# how a batch ends whose sender may not go on, or whose project takes no more
OVER = {
    exceptions.AuthenticationFailed: status.HTTP_401_UNAUTHORIZED,
    exceptions.NotAuthenticated: status.HTTP_401_UNAUTHORIZED,
    PermissionDenied: status.HTTP_403_FORBIDDEN,
    Http404: status.HTTP_404_NOT_FOUND,
    Conflict: status.HTTP_409_CONFLICT,
}
IN_MEMORY = 4 * 1024 * 1024  # bytes of the answer's lists, beyond which they go to a file


class AnyParser(BaseParser):
    """The stream is read by the view itself."""

    media_type = "*/*"


class BatchView(APIView):
    """Takes NDJSON or a JSON array, plain or packed."""

    parser_classes = [AnyParser]

    def answered(self, request, permission, take, words=()):
        """The answer to the batch for the project that the query names: 201 where any was accepted. `words` are what
        the query may hold besides.

        `take(admit, numbered)` stores what `read_lines` yields, and yields a Told of each. It asks `admit()` for the
        project before each piece: a stream may come for hours, and who sends it be gone by then.
        """
        project = project_asked(request, permission)
        refuse_unknown(request.query_params, {"project", *words})
        encoding = packing_of(request.headers.get("Content-Encoding", ""))
        admit, answer = partial(self._admit, request, project, permission), Answer()
        try:
            for told in take(admit, self._numbered(request, project, encoding)):
                answer.add(told)
        except TooMuch as error:
            return answer.response(status.HTTP_413_REQUEST_ENTITY_TOO_LARGE, str(error))
        except TooSlow as error:
            return answer.response(status.HTTP_408_REQUEST_TIMEOUT, str(error))
        except (StreamError, JSONError) as error:
            return answer.response(status.HTTP_400_BAD_REQUEST, str(error))
        except tuple(OVER) as error:
            if not answer.is_begun:
                raise
            return answer.response(next(code for kind, code in OVER.items() if isinstance(error, kind)), str(error))
        return answer.response(status.HTTP_201_CREATED if answer.accepted else status.HTTP_200_OK)

    def _admit(self, request, project, permission):
        """The same project, where the sender still may; by its own id: its key may mean another one by now."""
        try:
            return project_or_404(sender_now(request), project.uid, permission)
        except EntityNotFound:
            raise EntityNotFound("Project", project.ref) from None

    def _numbered(self, request, project, encoding):
        chunks = unpacked(reading(request._request.read), encoding)
        if request.content_type.partition(";")[0].strip().lower() != "application/json":
            return read_lines(project, lines(chunks))
        return read_list(project, self._array(chunks))

    def _array(self, chunks):
        text = bytearray()
        for chunk in chunks:
            text += chunk
            if len(text) > MAX_LINE:
                raise TooMuch(f"A JSON array has at most {MAX_LINE // 1024**2} MB; send NDJSON.")
        records = loads(bytes(text))
        if not isinstance(records, list):
            raise StreamError("Send a JSON array of records, or NDJSON as application/x-ndjson.")
        return records


class Answer:
    """What became of a batch: counts, and lists that spill to files when they grow."""

    def __init__(self):
        self.accepted = self.duplicates = 0
        self._notes = set()  # as many as A/B tests are named that take nothing
        # both are closed when the answer has been sent
        self._ids = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115
        self._rejected = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115

    @property
    def is_begun(self):
        return self._ids.tell() > 0

    def add(self, told):
        outcome = told.outcome
        self._append(self._ids, None if outcome.error else str(outcome.id))
        if outcome.note:
            self._notes.add(outcome.note)
        if outcome.error:
            self._append(self._rejected, {"position": told.position, **_rejected(outcome.error)})
        elif outcome.duplicate:
            self.duplicates += 1
        else:
            self.accepted += 1

    def response(self, code, error=None):
        return StreamingHttpResponse(self._text(error), status=code, content_type="application/json")

    def _append(self, file, value):
        file.write((b"," if file.tell() else b"") + json.dumps(value).encode())

    def _text(self, error):
        head = {"error": error, "fields": {}} if error else {}
        head |= {"accepted": self.accepted, "duplicates": self.duplicates}
        head |= {"notes": sorted(self._notes)} if self._notes else {}
        yield json.dumps(head)[:-1].encode() + b', "rejected": ['
        yield from self._content(self._rejected)
        yield b'], "ids": ['
        yield from self._content(self._ids)
        yield b"]}"

    def _content(self, file):
        with file:
            file.seek(0)
            while chunk := file.read(64 * 1024):
                yield chunk


def _rejected(error):
    """What is told of a record that was refused, beside its position."""
    fields = error.fields if isinstance(error, (RecordError, IdTaken)) else {}
    taken = {"completion_id": str(error.id)} if isinstance(error, IdTaken) else {}
    return {"error": str(error), "fields": fields, **taken}
