"""From the figures of the arms to what may be said of them."""


def judge(kind, arms, *, lower_is_better=False, alpha=0.05, tuned_for=5000, strengths=None):
    """Judgement of a test's arms (ArmFigures each, the control first).

    kind: bool, scalar or preference. tuned_for: units with a value that each arm is planned to have, where the
    always-valid intervals are narrowest. strengths: what strengths_of_arms answered, needed for a preference of three
    or more arms. ValueError for an unknown kind, fewer than two arms, an alpha outside of (0, 1).
    """
    raise NotImplementedError
