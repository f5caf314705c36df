"""Who came to which arm, and how many of them gave feedback: what must be right before values are compared."""

from scipy.special import chdtrc

from experiments.statistics.figures import Coverage, Ratio

LEAST_UNITS = 50  # in an arm, below which nothing is computed; models.LEAST_UNITS is the same
LEAST_EXPECTED = 5  # units of an arm, below which chi-square is no approximation
ALARM = 0.001  # false alarms of the sample ratio, one in a thousand looks


def taking_part(arms):
    """Places of the arms that a winner has to be ahead of (ArmFigures or JudgedArms): not of those that are off, nor of
    weight 0, whatever units requests brought there by name."""
    return [place for place, arm in enumerate(arms) if not arm.off and arm.weight > 0]


def sample_ratio(units, weights):
    """Ratio of the units of each arm and what the weights would have given them.

    Pearson's chi-square with as many degrees of freedom as arms with a weight above 0, less one. It holds where p is at
    least 0.001. Arms of weight 0 are not counted, with whatever units requests brought there by name.
    """
    taking = [place for place, weight in enumerate(weights) if weight > 0]
    total, whole = sum(units[place] for place in taking), sum(weights)
    expected = [total * weight / whole if whole else 0.0 for weight in weights]
    if len(taking) < 2:
        return Ratio(expected, None, None, None, "Fewer than two arms take traffic.")
    if min(expected[place] for place in taking) < LEAST_EXPECTED:
        return Ratio(expected, None, None, None, f"Too few units to tell: {total:,} in all.")
    chi2 = sum((units[place] - expected[place]) ** 2 / expected[place] for place in taking)
    p = float(chdtrc(len(taking) - 1, chi2))
    return Ratio(expected, chi2, p, p >= ALARM, None)


def fail_apart(failed, calls):
    """Whether so many failed calls of each arm's are more than chance (chi-square, p below 0.001): an alarm and no
    proof, for calls of one unit resemble each other. False where there are too few to tell."""
    share = sum(failed) / sum(calls) if sum(calls) else 0.0
    expected = [(of * share, of * (1 - share)) for of in calls]
    if len(calls) < 2 or min(min(both) for both in expected) < LEAST_EXPECTED:
        return False
    apart = [(has - due) ** 2 for has, (due, _) in zip(failed, expected, strict=True)]
    chi2 = sum(one / due + one / rest for one, (due, rest) in zip(apart, expected, strict=True))
    return float(chdtrc(len(calls) - 1, chi2)) < ALARM


def coverage_of(units, answered):
    """Coverage: the share of each arm's units that have a value, and how many points they are apart."""
    shares = [has / of if of else None for has, of in zip(answered, units, strict=True)]
    known = [share for share in shares if share is not None]
    return Coverage(shares, 100 * (max(known) - min(known)) if len(known) > 1 else None)
