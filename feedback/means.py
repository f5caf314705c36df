"""How certain a mean is."""

import math

from scipy.special import stdtrit

from feedback.moments import upper_share


def mean_interval(moments, confidence=0.95):
    """Interval (low, high) of a mean by Student's t ("The probable error of a mean", Biometrika 6 (1908) 1-25).

    None below two values, and None where all are equal: a width of zero would claim a certainty that the values do
    not give.
    """
    upper, deviation = upper_share(confidence), moments.stddev
    if not deviation:
        return None
    half = float(stdtrit(moments.n - 1, upper)) * deviation / math.sqrt(moments.n)
    return moments.mean - half, moments.mean + half
