"""What a queue asks and how it is to be judged, in versions: answers keep those that they were given to."""

from django.db import transaction

from feedback.models import FeedbackKey
from feedback.services import checked_value, keys_of
from interactions.rules import RecordError, tell, text_fault
from reviews.models import Form, Guideline, Kind, Queue
from reviews.questions import PAIR, SCALE, SINGLE, YES_NO, read_questions

MAX_GUIDELINE = 100_000


def guideline_of(queue):
    """The newest Guideline or None."""
    return Guideline.objects.filter(queue=queue).select_related("by").order_by("-version").first()


def form_of(queue):
    """The newest Form or None."""
    return Form.objects.filter(queue=queue).select_related("by").order_by("-version").first()


@transaction.atomic
def write_guideline(*, queue, text, by):
    """A new version; the text that stands already makes none, nor does an empty first one. The Guideline or None."""
    if not isinstance(text, str) or len(text) > MAX_GUIDELINE or text_fault(text):
        raise RecordError({"guideline": [f"Send Markdown of at most {MAX_GUIDELINE:,} characters."]})
    Queue.objects.select_for_update().get(pk=queue.pk)
    last = guideline_of(queue)
    if text == (last.text if last else ""):
        return last
    return Guideline.objects.create(queue=queue, version=last.version + 1 if last else 1, text=text, by=by)


@transaction.atomic
def write_questions(*, queue, questions, by):
    """A new Form version; the same questions again make none. RecordError names what is wrong by its path, beginning
    with `questions`; what answers become must fit the project's feedback keys. Answers given before keep theirs."""
    try:
        read = read_questions(questions)
        _check_for(queue, read)
    except RecordError as error:
        raise RecordError({f"questions{path}": texts for path, texts in error.fields.items()}) from None
    Queue.objects.select_for_update().get(pk=queue.pk)
    last = form_of(queue)
    if last and last.questions == read:
        return last
    return Form.objects.create(queue=queue, version=last.version + 1 if last else 1, questions=read, by=by)


def check_kind(queue):
    """RecordError, at `kind`, where the questions that stand are not those of a queue of its kind."""
    try:
        _check_for(queue, form_of(queue).questions)
    except RecordError as error:
        texts = [text for path, texts in error.fields.items() if "writes." not in path for text in texts]
        if texts:
            raise RecordError({"kind": [f"{texts[0]} Send questions with it."]}) from None


def _check_for(queue, questions):
    """What only the queue and the project's feedback keys can tell."""
    errors, keys = {}, keys_of(queue.project)
    for place, question in enumerate(questions):
        path, [(name, key)] = f"[{place}]", (question["writes"] or {None: None}).items()
        is_pair = question["kind"] == PAIR
        if is_pair and queue.kind != Kind.PAIR:
            tell(errors, f"{path}.kind", "Only a queue of pairs asks which of two is better.")
        if queue.kind == Kind.PAIR and name and not is_pair:
            tell(errors, f"{path}.writes", "In a queue of pairs only the question which is better writes; send null.")
        if name not in {"feedback", "preference"}:
            continue
        if key not in keys:
            tell(errors, f"{path}.writes.{name}", f"This project has no feedback key {key!r}.")
        elif name == "feedback" and (fault := _key_fault(keys[key], question)):
            tell(errors, f"{path}.writes.feedback", fault)
    if errors:
        raise RecordError(errors)


def _key_fault(key, question):
    """Why the key does not take every answer to the question, or None."""
    if question["kind"] == YES_NO:
        values = [0, 1]
    elif question["kind"] == SCALE:
        values = range(question["least"], question["most"] + 1)
        if key.kind == FeedbackKey.Kind.BOOL:
            return f"{key.key} takes yes or no, not a scale."
    else:
        values = [float(option["value"]) for option in question["options"] if question["kind"] == SINGLE]
    try:
        for value in values:
            checked_value(key, value)
    except ValueError as error:
        return str(error)
    return None
