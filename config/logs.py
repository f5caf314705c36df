"""What of a fault goes into the logs: a log that drowns in tracebacks has lost what led to it."""

from django.core.exceptions import DisallowedHost
from django.db.utils import InterfaceError, OperationalError

# all calls come to the same then, and the code that they went through is not to blame
BRIEF = (OperationalError, InterfaceError, DisallowedHost)
MOST = 300  # characters


class Brief:
    """A filter: one line for what the words tell as well as a traceback, none for a 503, of which whoever answers it
    has told."""

    def filter(self, record):
        if record.name == "django.request" and getattr(record, "status_code", None) == 503:
            return False
        error = record.exc_info and record.exc_info[1]
        if isinstance(error, BRIEF):
            said = record.getMessage()
            told = " ".join(str(error).split())[:MOST]
            record.msg, record.args = said if told in said else f"{said}: {told}", ()
            record.exc_info = record.exc_text = None
        return True
