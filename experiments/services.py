"""What changes A/B tests. Keywords only, each in one transaction; each leaves a line in the test's log."""


def create_test(
    *,
    project,
    by,
    key,
    name,
    feedback_key,
    models,
    judged_by="metric",
    weights=None,
    traffic_split=1.0,
    smallest_effect=0.0,
    planned_n=200,
    planned_days=3.0,
    auto_deploy=False,
):
    """A running ABTest. `feedback_key` is a FeedbackKey of the project, `models` are its attached Models, the control
    first, `weights` one for each (equal where None), `project` comes from the gate with its `.permissions`.

    RecordError tells faults by field (key, name, feedback_key, judged_by, models, weights, traffic_split,
    smallest_effect, planned_n, planned_days, auto_deploy); Conflict: the key is taken; PermissionDenied: auto_deploy
    without DEPLOY.
    """
    raise NotImplementedError


def free_share(project):
    """The share of the project's units, from 0 to 1, that no running test has."""
    raise NotImplementedError


def pause(*, test, by):
    """No unit meets an arm until it is resumed; the split stays reserved. Conflict where it is over, or paused."""
    raise NotImplementedError


def resume(*, test, by):
    """Go on after a pause. Conflict where it is over, or not paused."""
    raise NotImplementedError


def cancel(*, test, by, reason=""):
    """End it without a decision. Conflict where it is over."""
    raise NotImplementedError


def change_split(*, test, by, weights=None, traffic_split=None):
    """Another split begins a new sequence: the figures begin anew. None leaves it as it is. RecordError by field,
    Conflict where the test is over."""
    raise NotImplementedError


def decide(*, test, winner, reason, by):
    """End it with a Decision, which is returned: `winner` is an Arm, whose model becomes the project's default, or None.
    `by` None is the worker. RecordError without a reason, Conflict where it is over or the model is detached."""
    raise NotImplementedError


def roll_back(*, test, by):
    """Make the former default the default again; the Decision. Conflict where nothing was deployed, where it was rolled
    back already, or where somebody made another model the default since."""
    raise NotImplementedError
