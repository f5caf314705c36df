"""How many units a test needs before it can see what it looks for."""


def plan(kind, *, effect, base=None, spread=None, arms=2, power=0.8, alpha=0.05, daily=None, coverage=1.0):
    """Plan of a test that sees, with this power, an arm which is better than every other by `effect`.

    kind bool: `base` is the other arms' share, `effect` the difference of shares (below 0 where less is better).
    scalar: `spread` is the deviation of units' values. preference: `effect` is the difference of two win rates (0.1:
    55 % against 45 %), `spread` the share of ties. `daily`: units a day that enter the test; `coverage`: share of them
    that give feedback. ValueError says what cannot be.
    """
    raise NotImplementedError
