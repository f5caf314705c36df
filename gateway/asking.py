"""What a request asks for, read from its body in either dialect and checked before anything is called."""

import uuid
from dataclasses import dataclass, field

from accounts.names import name_fault
from gateway.failures import Refused
from interactions import ids
from interactions.records import read_record
from interactions.rules import RecordError, kind_of, text_fault

MOST_CHOICES = 16
# what is the gateway's own; all else goes to the provider as it came
OWN = {
    "model", "messages", "stream", "stream_options", "n", "user", "session_id", "labels", "metadata", "store",
    "ab_campaign",
}  # fmt: skip
# what the other dialect's schema has and nothing here does
UNKNOWN = ("system_prompt_args", "tags", "use_tools", "max_ttft_ms", "constrained_decoding")


@dataclass(slots=True)
class Asked:
    """A request for a chat. `project` and `model` are the words before and behind the first slash ("": none was
    named); `parameters` go to the provider as they came."""

    project: str
    model: str
    messages: list
    parameters: dict = field(default_factory=dict)
    stream: bool = False
    include_usage: bool = False
    n: int = 1
    user: str = ""
    session: str = ""
    labels: dict = field(default_factory=dict)
    metadata: dict = field(default_factory=dict)
    campaign: str = ""
    store: bool = True
    made: list = field(default_factory=list)  # of the choices' ids, before the call

    def record(self):
        """The part of the record that is known before the call."""
        record = {"messages": self.messages, "session_id": self.session, "labels": self.labels}
        return {**record, "user": self.user} if self.user else record


def read_chat(body):
    """The Asked of a JSON object; Refused names what is wrong with it."""
    if not isinstance(body, dict):
        raise Refused(400, f"Send a JSON object, not {kind_of(body)}.")
    project, model = read_model(body)
    options = _given(body, "stream_options", dict, {})
    asked = Asked(
        project=project,
        model=model,
        messages=body.get("messages"),
        parameters=parameters_of(body),
        stream=_given(body, "stream", bool, False),
        include_usage=options.get("include_usage") is True,
        n=_number(body),
        user=_given(body, "user", str, ""),
        session=_given(body, "session_id", str, "") or str(uuid.uuid4()),
        labels=_given(body, "labels", dict, {}),
        metadata=_given(body, "metadata", dict, {}),
        campaign=_given(body, "ab_campaign", str, ""),
        store=_given(body, "store", bool, True),
    )
    _check(asked)
    now = ids.now()
    asked.made = [ids.make(now) for _ in range(asked.n)]
    return asked


def read_model(body):
    """(project, model or "") of project/model."""
    named = body.get("model")
    if not isinstance(named, str) or not named or text_fault(named):
        raise Refused(400, "Send the model as project/model, or the project alone for its default.", param="model")
    project, _, model = named.partition("/")
    return project, model


def parameters_of(body):
    """What goes to the provider as it came, of a chat or of texts for vectors; Refused."""
    for name in UNKNOWN:
        if body.get(name):
            raise Refused(400, f"The gateway does nothing with {name}; leave it out.", param=name)
    ours = OWN.union(UNKNOWN)
    return {name: value for name, value in body.items() if name not in ours and value is not None}


def _given(body, name, kind, default):
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, kind):
        raise Refused(400, f"{name}: send {kind_of(kind())}, not {kind_of(value)}.", param=name)
    if kind is str and (fault := text_fault(value)):
        raise Refused(400, f"{name}: {fault}", param=name)
    return value


def _number(body):
    n = body.get("n")
    if n is None:
        return 1
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST_CHOICES:
        raise Refused(400, f"n: send a whole number from 1 to {MOST_CHOICES}.", param="n")
    return n


def _check(asked):
    """Refused where the exchange could not be logged afterwards."""
    metadata = {"metadata": asked.metadata, "parameters": asked.parameters}
    try:
        read_record({**asked.record(), "completion": "", "metadata": metadata}, now=ids.now())
        # whether the project has such a key from before is known only when it is stored: too late to refuse it
        if faults := {f"labels.{key[:60]}": [fault] for key in asked.labels if (fault := name_fault(key))}:
            raise RecordError(faults)
    except RecordError as error:
        raise Refused(400, str(error), param=next(iter(error.fields), None)) from None
