"""Logging what passed. An answer never fails for it: what the database does not take waits in the spool."""

import enum
import logging
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections, connection
from django.db.utils import InterfaceError, OperationalError, ProgrammingError

from accounts.models import ApiKey, User
from gateway.spool import Spool, id_of, line_of
from gateway.together import Together
from interactions.ingest import Placed, ingest
from interactions.rules import Conflict
from projects.access import EntityNotFound
from projects.models import Project

AWAY = (InterfaceError, OperationalError, ProgrammingError)  # the last while tables are being changed
PATIENCE = 5  # seconds that one statement may take: a database that is stuck counts as one that is away
PAUSE = 1.0  # seconds between two looks at whether the spool can be emptied
LONGEST_PAUSE = 15.0
FORGETTING = 3_600  # seconds between two looks at whether what was set aside is of projects that were deleted

logger = logging.getLogger(__name__)


class Kept(enum.Enum):
    """What became of what was to be logged."""

    NOW = "yes"
    LATER = "later"  # it waits in the spool
    NO = "no"


@dataclass(frozen=True, slots=True)
class Passed:
    """One choice of an exchange, to be logged under the id that it was given."""

    project: Project
    by: User
    id: object
    arm: int | None
    record: dict

    def line(self):
        return line_of(project_id=self.project.pk, by=self.by, id=self.id, arm=self.arm, record=self.record)


class Keeper:
    """One thread that logs; `keep(list of Passed)` answers a Future of Kept, that of the one it did worst with."""

    def __init__(self, figures):
        self._figures = figures
        self._spool = Spool(Path(settings.DATA_DIR) / "spool", settings.GATEWAY_SPOOL_MB * 1024 * 1024)
        self._pause, self._connection, self._forgotten = PAUSE, None, -FORGETTING
        self._together = Together("keeper", self._keep, self._replay)
        self.is_full = False

    def keep(self, passed):
        return self._together.put(passed)

    def close(self):
        self._together.close()

    # -- on the keeper's thread -------------------------------------------------------------------
    def _keep(self, groups):
        """A Kept for each group."""
        close_old_connections()
        by_whom = defaultdict(list)
        for group in groups:
            for passed in group:
                by_whom[passed.project.pk, passed.by.pk, passed.by.by_key].append(passed)
        kept = {}
        for some in by_whom.values():
            kept |= self._store(some)
        order = list(Kept)
        return [max((kept[one.id] for one in group), key=order.index, default=Kept.NOW) for group in groups]

    def _store(self, some):
        """{id: Kept} of what one person logs in one project."""
        try:
            self._be_impatient()
            errors = _ingest(some[0].project, some[0].by, [(one.id, one.arm, one.record) for one in some])
        except AWAY as error:
            logger.warning("The database did not answer; %d interactions wait: %s", len(some), error)
            connection.close()
            return self._put_aside(some)
        except EntityNotFound as error:  # the project was deleted meanwhile: nothing of it is kept anywhere
            errors = {one.id: error for one in some}
        except Exception:
            if len(some) == 1:
                logger.exception("The interaction %s could not be logged and waits", some[0].id)
                return self._put_aside(some)
            return {id: kept for one in some for id, kept in self._store([one]).items()}
        self._figures.logged += len(some) - len(errors)
        self._figures.lost += len(errors)
        for id, error in errors.items():
            logger.error("The interaction %s was not logged: %s", id, error)
        return {one.id: Kept.NO if one.id in errors else Kept.NOW for one in some}

    def _put_aside(self, some):
        number = self._spool.add([one.line() for one in some])
        self._figures.spooled += number
        self._figures.lost += len(some) - number
        self.is_full = number < len(some)
        self._measure()
        if self.is_full:
            logger.error("The spool is full: %d interactions are lost", len(some) - number)
        return {one.id: Kept.LATER if place < number else Kept.NO for place, one in enumerate(some)}

    def _be_impatient(self):
        """Once for each connection to the database, which is a new one where the last has gone."""
        connection.close_if_health_check_failed()
        connection.ensure_connection()
        if connection.connection is not self._connection:
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, false)", [str(int(PATIENCE * 1000))])
            self._connection = connection.connection

    def _measure(self):
        self._figures.spool_bytes = self._spool.size

    def _replay(self):
        """Log what waits, a file a time; the pause before the next."""
        if self._spool.is_empty:
            self._forget_deleted()
            return PAUSE
        close_old_connections()
        path, lines = self._spool.oldest()
        try:
            self._be_impatient()
            refused = _replayed(lines)
        except AWAY:
            connection.close()
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            return self._pause
        self._spool.done(path, refused)
        self._figures.logged += len(lines) - len(refused)
        self.is_full, self._pause = False, PAUSE
        self._measure()
        return 0.01

    def _forget_deleted(self):
        """What was set aside goes with its project."""
        if time.monotonic() < self._forgotten + FORGETTING:
            return
        self._forgotten = time.monotonic()
        if not (projects := self._spool.projects_set_aside()):
            return
        close_old_connections()
        try:
            gone = projects - set(Project.objects.filter(pk__in=projects, deleted_at=None).values_list("pk", flat=True))
        except AWAY:
            connection.close()
            return
        if gone:
            self._spool.forget(gone)
            self._measure()


def _ingest(project, by, placed):
    """{id: error} of those that were refused; (id, arm, record) of each. What is stored already is left alone."""
    outcomes = ingest(
        project=project,
        records=[record for _, _, record in placed],
        by=by,
        placed=[Placed(id, arm) for id, arm, _ in placed],
    )
    return {id: outcome.error for (id, _, _), outcome in zip(placed, outcomes, strict=True) if outcome.error}


def _replayed(lines):
    """The lines that were refused for good, without those of projects that were deleted, which go; what the database
    does not answer for is raised."""
    by_whom, refused = defaultdict(list), []
    for line in lines:
        by_whom[line["project"], line["by"], line.get("key")].append(line)
    for (project_id, by_id, key_id), some in by_whom.items():
        project = Project.objects.filter(pk=project_id, deleted_at=None).first()
        by = User.objects.filter(pk=by_id).first()
        if project and by:
            by.by_key = ApiKey.objects.filter(pk=key_id).first()
            refused += _replay_some(project, by, some)
        else:
            logger.error("%d interactions of the project %s, which was deleted, are dropped", len(some), project_id)
    for line in refused:
        logger.error("The interaction %s was refused and is set aside", line["id"])
    return refused


def _replay_some(project, by, some):
    try:
        errors = _ingest(project, by, [(id_of(line), line["arm"], line["record"]) for line in some])
    except AWAY:
        raise
    except EntityNotFound:  # deleted at this moment
        return []
    except Conflict:
        return some
    except Exception:
        if len(some) > 1:
            return [refused for line in some for refused in _replay_some(project, by, [line])]
        logger.exception("The interaction %s could not be logged", some[0]["id"])
        return some
    return [line for line in some if id_of(line) in errors]
