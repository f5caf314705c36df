"""The answers of a queue as a file, one row an answer."""

import csv
import json

from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from reviews.answers import COLUMNS, answers_of, question_keys
from reviews.views.gate import audited_queue
from reviews.views.reporting import cell

TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}


@require_safe
def queue_answers(request, project, queue, form):
    """answers.csv or answers.jsonl; `by` an address: those of this person."""
    _, queue = audited_queue(request, project, queue)
    if form not in TYPES:
        raise Http404("Answers come as answers.csv or answers.jsonl.")
    rows = answers_of(queue, request.user, by=request.GET.get("by", "").replace("\x00", ""))
    lines = _csv(rows, question_keys(queue)) if form == "csv" else (_json(row) + "\n" for row in rows)
    answer = StreamingHttpResponse(lines, content_type=TYPES[form])
    day = timezone.localdate().isoformat()
    answer.headers["Content-Disposition"] = f'attachment; filename="{queue.key}-answers-{day}.{form}"'
    return answer


class _Line:
    """A file that gives back what is written to it."""

    def write(self, text):
        return text


def _csv(rows, keys):
    """A column each question, named answer.KEY; several options as a JSON list."""
    out = csv.writer(_Line())
    yield out.writerow([*COLUMNS, *(f"answer.{key}" for key in keys)])
    for row in rows:
        values = [*(row[name] for name in COLUMNS), *(row["answers"].get(key) for key in keys)]
        yield out.writerow([cell(_json(one) if isinstance(one, (dict, list, bool)) else one) for one in values])


def _json(value):
    return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
