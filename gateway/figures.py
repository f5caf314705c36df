"""What the gateway counts, and how Prometheus reads it."""

from collections import Counter
from dataclasses import dataclass, field

_TOLD = (
    ("logged", "counter", "interactions_logged_total", "Interactions that were logged."),
    ("spooled", "counter", "interactions_spooled_total", "Interactions that went to the spool to be logged later."),
    ("lost", "counter", "interactions_lost_total", "Interactions that could not be logged, the spool being full."),
    ("retried", "counter", "upstream_retries_total", "Calls to providers that were tried again."),
    ("open", "gauge", "requests_open", "Requests that are being answered."),
    ("spool_bytes", "gauge", "spool_bytes", "Bytes that wait in the spool."),
)


@dataclass
class Figures:
    """Counts since the process was started."""

    logged: int = 0
    spooled: int = 0
    lost: int = 0
    retried: int = 0
    open: int = 0
    spool_bytes: int = 0
    answers: Counter = field(default_factory=Counter)  # (call, status)
    failures: Counter = field(default_factory=Counter)  # code

    def text(self):
        """Prometheus' text format."""
        lines = []
        for attribute, kind, name, told in _TOLD:
            lines += _metric(name, kind, told, [("", getattr(self, attribute))])
        answers = [(f'{{call="{call}",status="{status}"}}', n) for (call, status), n in sorted(self.answers.items())]
        lines += _metric("answers_total", "counter", "Requests that were answered.", answers)
        failures = [(f'{{code="{code}"}}', n) for code, n in sorted(self.failures.items())]
        lines += _metric("upstream_failures_total", "counter", "Calls to providers that failed.", failures)
        return "".join(f"{line}\n" for line in lines)


def _metric(name, kind, told, values):
    name = f"marginalia_gateway_{name}"
    return [f"# HELP {name} {told}", f"# TYPE {name} {kind}", *(f"{name}{labels} {value}" for labels, value in values)]
