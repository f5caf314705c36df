"""The lines of a file, format by format: rows of interactions (with `.labels`) in, (row, [line as bytes]) out.

A row may yield no line: what is left out is told by how many there are of it.
"""

import csv
import io
import re

from exports.columns import are_of_body, cells
from exports.compared import comparisons_of, met_by
from exports.lines import line
from exports.models import Format, Pictures
from exports.pairs import line_of
from exports.pictures import Placing
from exports.records import as_record, feedback_of
from exports.training import answer_of, example, pair
from feedback.corrections import corrections_of
from interactions.ids import wire_time
from interactions.jsontext import dumps
from interactions.labels import names_of

# what a spreadsheet takes for the beginning of a formula, the broad forms of East Asian keyboards among them
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# where one that splits at semicolons or tabs, as in most of Europe, begins a cell within a text; after the end of a
# line only what no list begins with
INSIDE = re.compile("[;\t](?=[-=+@＝＋－＠])|[\r\n](?=[=@＝＠])")


class Lines:
    """Of one format; `header` is what a file of it begins with. `placing` says where pictures go."""

    header = b""

    def __init__(self, project, placing, columns=(), corrected=False, key=None):
        self.project, self.placing, self.key = project, placing, key
        self.columns, self.corrected = list(columns), corrected

    def __call__(self, rows):
        raise NotImplementedError


class JsonLines(Lines):
    """Records as the door takes them."""

    def __call__(self, rows):
        feedbacks, corrected = feedback_of(self.project, rows), corrections_of([row.pk for row in rows])
        for row, body, messages in self.placing.bodies(self.project, rows):
            record = as_record(row, body, messages, feedbacks.get(row.pk, []), corrected.get(row.pk))
            yield row, [line(record)]


class ParquetRows(Lines):
    """The cells of the chosen columns as JSON, of which another program makes the Parquet file."""

    def __call__(self, rows):
        for row, found in self.cells(rows):
            yield row, [line(found)]

    def cells(self, rows):
        """(row, {column: value}) of each; nothing is read that no column shows."""
        asked, names = set(self.columns), names_of(self.project.pk)
        given = "feedbacks" in asked or any(name.startswith("feedback:") for name in asked)
        feedbacks = feedback_of(self.project, rows) if given else {}
        better = corrections_of([row.pk for row in rows]) if "corrected_completion" in asked else {}
        opened = are_of_body(asked)
        bodies = self.placing.bodies(self.project, rows) if opened else ((row, None, None) for row in rows)
        for row, body, messages in bodies:
            found = cells(
                row, self.columns, names=names, body=body, messages=messages, feedbacks=feedbacks.get(row.pk, []),
                corrected=better.get(row.pk), time=wire_time,
            )  # fmt: skip
            yield row, found


class Csv(ParquetRows):
    """The same as CSV (RFC 4180, UTF-8), in which no text can be a formula."""

    @property
    def header(self):
        return _csv([neutral(name) for name in self.columns])

    def __call__(self, rows):
        for row, found in self.cells(rows):
            yield row, [_csv([_cell(value) for value in found.values()])]


class OpenAi(Lines):
    """Chats that end in the answer, as OpenAI's fine-tuning takes them."""

    def __call__(self, rows):
        better = corrections_of([row.pk for row in rows]) if self.corrected else {}
        for row, body, messages in self.placing.bodies(self.project, rows):
            answer = answer_of(body, better.get(row.pk))
            yield row, [line(example(messages, answer, body))] if answer else []


class Dpo(Lines):
    """What pairs of answers amount to, as exports.pairs settles it: a better answer over the completion it was written
    for, and the completion over what it was preferred to."""

    def __call__(self, rows):
        met = met_by(self.project, rows, self.key)
        better = corrections_of([row.pk for row in rows]) if self.corrected else {}
        there = [row for row in rows if row.pk in met or row.pk in better]
        for row, body, messages in self.placing.bodies(self.project, there):
            yield row, list(self._lines(row, body, messages, met.get(row.pk, ()), better.get(row.pk)))

    def _lines(self, row, body, messages, met, better):
        own, content = answer_of(body), row.content_hash.bytes
        if better:
            made = own and pair(messages, answer_of(body, better), own, body)
            yield line_of(row.pk, row.prompt_hash.bytes + better.encode(), content, 1, made)
        for one in met:
            made = pair(messages, own, one.answer, body) if own and one.answer and one.net > 0 else None
            yield line_of(row.pk, content, one.content_hash.bytes, one.net, made)


class Comparisons(Lines):
    """Comparisons as the door takes them, each once: with the side that was preferred, of a tie with the older one."""

    def __call__(self, rows):
        told = comparisons_of(self.project, rows, self.key)
        there = [row for row in rows if row.pk in told]
        for row, body, messages in self.placing.bodies(self.project, there):
            yield row, [line(one.record(body.completion, messages)) for one in told[row.pk]]


KINDS = {
    Format.JSONL: JsonLines,
    Format.CSV: Csv,
    Format.PARQUET: ParquetRows,
    Format.OPENAI: OpenAi,
    Format.DPO: Dpo,
    Format.COMPARISONS: Comparisons,
}
TRAINING = {Format.OPENAI, Format.DPO}
OF_COLUMNS = {Format.CSV, Format.PARQUET}
OF_COMPARISONS = [Format.DPO, Format.COMPARISONS]


def lines_of(
    project, *, format, pictures=Pictures.INSIDE, columns=(), corrected=False, key=None, folder=None, address=None
):
    """The Lines of a format. `key` is the FeedbackKey whose comparisons are told, None for all; `folder` takes pictures
    as files; `address(sha256)` is what links to one left out, which training data has none of."""
    placing = Placing(pictures, folder=folder, address=None if format in TRAINING else address)
    return KINDS[format](project, placing, columns, corrected, key)


def neutral(text):
    """The text as a cell that no spreadsheet reckons with: an apostrophe before what would begin a formula."""
    text = INSIDE.sub(r"\g<0>'", text)
    return f"'{text}" if text.startswith(FORMULA) else text


def _cell(value):
    """Numbers stay numbers: a minus before digits alone calculates nothing. Yes and no are those of JSON."""
    if value is None or isinstance(value, (int, float)):
        return dumps(value) if isinstance(value, bool) else value
    return neutral(value if isinstance(value, str) else dumps(value) if value else "")


def _csv(row):
    file = io.StringIO()
    csv.writer(file).writerow(row)
    return file.getvalue().encode()
