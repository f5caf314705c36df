"""Asking for an export, its end, and what goes when its time is over."""

import contextlib
import time
import uuid

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from accounts.audit import record
from accounts.models import User
from accounts.permissions import MANAGE_PROJECT
from exports.columns import USUAL, read_columns
from exports.finishing import ENDINGS
from exports.formats import OF_COLUMNS, OF_COMPARISONS, TRAINING
from exports.models import KEPT, Export, Format, Pictures, SavedView
from exports.places import remove, root
from feedback.services import keys_of
from interactions.rules import Conflict, RecordError
from interactions.ticked import MOST
from interactions.times import pinned
from jobs.models import ENDED, State
from jobs.services import Ended, begin, cancel
from projects.access import EntityNotFound

KIND = "exports.write"
UNDER_WAY = 5  # of one person in one project
FRESH = 3_600  # seconds that a folder without an export is left alone: it may just be made


@transaction.atomic
def begin_export(
    *, project, by, format, query="", view="", ids=None, columns=(), pictures=Pictures.INSIDE, corrected=False,
    feedback_key="",
):  # fmt: skip
    """Have the worker write what `query` (a query string in its one form) matches, or the interactions of these `ids`
    in their order; the Export. Of other projects' interactions none is written.

    `columns` are for CSV and Parquet alone, none for the usual ones; `corrected` takes the better answer where there
    is one, in training data alone; `feedback_key` is the one whose comparisons are told, "" for all, where a format
    tells comparisons. RecordError names what is wrong, Conflict that too much is under way.
    """
    _check(project, format, pictures, columns, corrected, feedback_key, ids)
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # of two begun at once the other one is counted
    running = Export.objects.filter(project=project, by=by, job__state__in=[State.WAITING, State.RUNNING])
    if running.count() >= UNDER_WAY:
        raise Conflict(f"{UNDER_WAY} of your exports are under way here. Wait for one of them, or delete it.")
    format = Format(format)
    export = Export(
        project=project, by=by, query=pinned(query, timezone.now()), view=view, ids=ids, format=format,
        pictures=pictures, corrected=corrected, feedback_key=feedback_key,
        columns=read_columns(list(columns)) or USUAL.get(format, []), file_name=_file_name(project, format, pictures),
    )  # fmt: skip
    title = f"Export as {format.label}" + (f": {view}" if view else "")
    export.job = begin(project=project, by=by, kind=KIND, title=title, parameters={"export": str(export.pk)})
    export.save(force_insert=True)
    told = {"id": str(export.pk), "filter": export.query, "format": export.format}
    record("export.create", by=by, project=project, what=export.file_name, after=told)
    return export


def _check(project, format, pictures, columns, corrected, feedback_key, ids):
    faults = {}
    if format not in Format.values:
        faults["format"] = [f"Send one of {', '.join(Format.values)}."]
    if pictures not in Pictures.values:
        faults["pictures"] = [f"Send one of {', '.join(Pictures.values)}."]
    if columns and format in set(Format.values) - OF_COLUMNS:
        faults["columns"] = ["Columns are chosen for csv and parquet; leave them out here."]
    if corrected and format in set(Format.values) - TRAINING:
        faults["corrected"] = ["This is for openai and dpo; leave it out here. Other formats hold both answers."]
    if feedback_key and format in set(Format.values) - {*OF_COMPARISONS}:
        faults["feedback_key"] = [f"This is for {' and '.join(OF_COMPARISONS)}; leave it out here."]
    elif feedback_key and feedback_key not in (keys := keys_of(project)):
        faults["feedback_key"] = [f"The project has no such key. It has {', '.join(keys) or 'none'}."]
    if ids is not None and not 1 <= len(ids) <= MOST:
        faults["ids"] = [f"Send 1 to {MOST:,} ids of interactions."]
    if faults:
        raise RecordError(faults)


def _file_name(project, format, pictures):
    kind = f"-{format}" if format in {*TRAINING, *OF_COMPARISONS} else ""
    ending = "tar" if pictures == Pictures.FILES else ENDINGS.get(format, "jsonl")
    return f"{project.key}{kind}-{timezone.now():%Y%m%d-%H%M%S}.{ending}"


def exports_of(project, user):
    """The Exports of a project that this person may fetch, newest first: her own, and all for who manages it.
    `.chosen` is how many ids it names, None where a filter says what is in it."""
    seen = Q() if MANAGE_PROJECT in project.permissions else Q(by=user)
    rows = Export.objects.filter(seen, project=project).select_related("by", "job").defer("ids")
    return rows.annotate(chosen=F("ids__len")).order_by("-created_at", "pk")


def export_or_404(project, user, export_id):
    """One of `exports_of`; EntityNotFound else."""
    export = exports_of(project, user).filter(pk=export_id).first()
    if export is None:
        raise EntityNotFound("Export", export_id)
    return export


def delete_export(*, export):
    """End it where it is under way, and remove its file."""
    if export.job and not export.job.has_ended:
        with contextlib.suppress(Ended):
            cancel(job=export.job)
    pk = export.pk  # the row's end takes it away
    export.delete()
    remove(pk)


def clear(now):
    """Remove what is over: exports that ended so long ago, what was written of failed ones, exports and views of
    deleted projects, and folders that nobody knows."""
    SavedView.objects.filter(project__deleted_at__isnull=False).delete()
    for failed in Export.objects.filter(job__state=State.FAILED).values_list("pk", flat=True):
        remove(failed)
    ended = now - KEPT
    over = Q(finished_at__lt=ended) | Q(job__state__in=ENDED, job__ended_at__lt=ended) | Q(job=None, finished_at=None)
    for export in Export.objects.filter(over | Q(project__deleted_at__isnull=False)).select_related("job"):
        delete_export(export=export)
    for folder in root().iterdir() if root().exists() else ():
        if time.time() - folder.stat().st_mtime > FRESH and not _is_known(folder.name):
            remove(folder.name)


def _is_known(name):
    try:
        return Export.objects.filter(pk=uuid.UUID(name)).exists()
    except ValueError:
        return True  # not of our making
