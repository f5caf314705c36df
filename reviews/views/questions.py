"""The editor of a queue's questions: one form of rows that works without scripts; each change is a new version."""

import re
from dataclasses import dataclass, field

from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods

from feedback.services import keys_of
from interactions.rules import RecordError
from reviews.models import Kind
from reviews.questions import KINDS, MOST_QUESTIONS, PAIR, SCALE, SEVERAL, SINGLE, WRITES, YES_NO
from reviews.versions import form_of, write_questions
from reviews.views.gate import managed_queue

NAMES = {
    "single": "One of several answers",
    "several": "Any of several answers",
    "scale": "A scale",
    "yes_no": "Yes or no",
    "text": "Text",
    "correction": "A better completion",
    "pair": "Which of two is better",
}
BECOMES = {
    "": "Stays in the review alone",
    "label": "A label",
    "feedback": "Feedback",
    "preference": "A preference",
    "correction": "The better answer",
}
FIELDS = ("key", "kind", "text", "hint", "options", "least", "most", "writes", "writes_key", "defect")
SHOWN = ("text", "kind", "key", "hint", "options", "least", "most", "writes", "writes_key", "defect")  # in this order
_PATH = re.compile(r"questions\[(\d+)\]\.?(.*)")
_OPTION = re.compile(r"options\[(\d+)\]\.?(.*)")
_YES_NO = {"yes": True, "true": True, "no": False, "false": False}


@dataclass
class Row:
    """A question as the editor's fields have it, all of them texts."""

    place: int
    values: dict
    required: bool = True
    faults: list = field(default_factory=list)  # what is wrong with no field of its own
    wrong: dict = field(default_factory=dict)  # {field: texts}

    def __getattr__(self, name):
        if name in FIELDS:
            return self.values.get(name, "")
        raise AttributeError(name)

    @property
    def is_single(self):
        return self.kind in {SINGLE, SEVERAL}

    @property
    def may_write(self):
        return WRITES.get(self.kind, ())


@require_http_methods(["GET", "HEAD", "POST"])
def queue_questions(request, project, queue):
    """The questions as they stand, or as they are being written."""
    project, queue = managed_queue(request, project, queue)
    form, faults = form_of(queue), []
    rows = [_row(n, question) for n, question in enumerate(form.questions)] if form else [Row(0, {})]
    if request.method == "POST":
        rows = _rearranged(_read(request.POST), request.POST.get("do", "save"))
        if request.POST.get("do", "save") == "save":
            try:
                written = write_questions(queue=queue, questions=[_question(row) for row in rows], by=request.user)
            except RecordError as error:
                faults = _spread(rows, error)
            else:
                is_new = form is None or written.pk != form.pk
                text = f"Version {written.version} of the questions: answers given before keep theirs."
                messages.success(request, text if is_new else "Nothing was changed.")
                return redirect("queue_detail", project=project.ref, queue=queue.key)
    kinds = [(kind, NAMES[kind]) for kind in KINDS if kind != PAIR or queue.kind == Kind.PAIR]
    context = {
        "project": project,
        "nav": "review",
        "queue": queue,
        "version": form.version if form else 0,
        "rows": rows,
        "faults": faults,
        "kinds": kinds,
        "becomes": list(BECOMES.items()),
        "feedback_keys": sorted(keys_of(project)),
        "may_add": len(rows) < MOST_QUESTIONS,
    }
    is_wrong = faults or any(row.faults or row.wrong for row in rows)
    context["first_wrong"] = next((f"q{row.place}.{name}" for row in rows for name in SHOWN if name in row.wrong), "")
    return render(request, "reviews/queue_questions.html", context, status=422 if is_wrong else 200)


# -- from the form --------------------------------------------------------------------------------
def _read(post):
    """[Row] of a form, as many as it tells of."""
    number = post.get("n", "0")
    number = min(int(number), MOST_QUESTIONS) if number.isdecimal() and len(number) < 4 else 0
    return [
        Row(
            place,
            {name: post.get(f"q{place}.{name}", "").replace("\r\n", "\n").strip() for name in FIELDS},
            f"q{place}.required" in post,
        )
        for place in range(number)
    ]


def _rearranged(rows, do):
    """The rows after add, or up, down, remove of the one whose place follows: remove.2"""
    what, _, place = do.partition(".")
    place = int(place) if place.isdecimal() and len(place) < 4 else -1
    if what == "add" and len(rows) < MOST_QUESTIONS:
        rows = [*rows, Row(len(rows), {"kind": SINGLE})]
    elif 0 <= place < len(rows):
        row = rows.pop(place)
        if what in {"up", "down"}:
            rows.insert(max(0, place - 1) if what == "up" else place + 1, row)
        elif what != "remove":
            rows.insert(place, row)
    for n, row in enumerate(rows):
        row.place = n
    return rows


def _question(row):
    """The question that a row means; what cannot be read stays for the check to refuse."""
    question = {
        "key": row.key or slugify(row.text)[:64],
        "kind": row.kind,
        "text": row.text,
        "hint": row.hint,
        "required": row.required,
    }
    if row.is_single:
        question["options"] = [_option(line) for line in row.options.splitlines() if line.strip()]
    if row.kind == SCALE:
        question |= {"least": _whole(row.least or "1"), "most": _whole(row.most or "5")}
    if row.writes:
        question["writes"] = {row.writes: True if row.writes == "correction" else row.writes_key}
    if row.defect:
        question["defect"] = [_answer(row.kind, text.strip()) for text in row.defect.split(",") if text.strip()]
    return question


def _option(line):
    value, name, hint = ([part.strip() for part in line.split("|", 2)] + ["", ""])[:3]
    return {"value": value, "name": name or value, "hint": hint}


def _whole(text):
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 9 else text


def _answer(kind, text):
    if kind == YES_NO:
        return _YES_NO.get(text.lower(), text)
    return _whole(text) if kind == SCALE else text


def _spread(rows, error):
    """Give each row's fields what is wrong with them, and the row what belongs to none; the rest is returned."""
    rest = []
    for path, texts in error.fields.items():
        found = _PATH.fullmatch(path)
        if not found or int(found[1]) >= len(rows):
            rest += texts
            continue
        row = rows[int(found[1])]
        name, where = _place(found[2])
        if name in SHOWN:
            row.wrong.setdefault(name, []).extend(f"{where}{text}" for text in texts)
        else:
            row.faults += [f"{found[2]}: {text}".removeprefix(": ") for text in texts]
    return rest


def _place(path):
    """(the field that asks for it, where in it): the line of an option, the key that an answer is written under."""
    if option := _OPTION.fullmatch(path):
        return "options", f"Line {int(option[1]) + 1}{f', {option[2]}' if option[2] else ''}: "
    name, dot, _ = path.partition(".")
    return (f"{name}_key" if name == "writes" and dot else name), ""


# -- to the form ----------------------------------------------------------------------------------
def _row(place, question):
    [(writes, key)] = (question["writes"] or {"": ""}).items()
    said = {True: "yes", False: "no"} if question["kind"] == YES_NO else {}
    values = {
        **{name: question[name] for name in ("key", "kind", "text", "hint")},
        "options": "\n".join(_line(option) for option in question["options"]),
        "least": "" if question["least"] is None else str(question["least"]),
        "most": "" if question["most"] is None else str(question["most"]),
        "writes": writes,
        "writes_key": "" if key is True else key,
        "defect": ", ".join(said.get(one, str(one)) for one in question["defect"]),
    }
    return Row(place, values, question["required"])


def _line(option):
    parts = [option["value"], option["name"], option["hint"]]
    if not option["hint"]:
        parts = parts[:1] if option["name"] == option["value"] else parts[:2]
    return " | ".join(parts)
