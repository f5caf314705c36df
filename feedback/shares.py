"""How a share is written in per cent. Knows no Django: the statistics of A/B tests write theirs by it too."""

import math

_FINEST = 9  # digits after the point, beyond which a share is as good as 0 or 1


def in_points(share, digits=1):
    """A share from 0 to 1 in per cent, without the sign: 74.2, 0.040, 99.960. So many digits after the point, and at
    least two that count of what it is away from 0 or from 100: neither is said of what only comes near."""
    points = round(100 * share, 12)  # 99.9 is a tenth away from 100
    return f"{points:.{max(digits, digits_of(min(points, 100 - points)))}f}"


def digits_of(number):
    """Digits after the point with which two of a number below 1 count; 0 of a number that is next to nothing."""
    size = round(abs(number), 12)
    return min(_FINEST, 1 - math.floor(math.log10(size))) if 10**-_FINEST <= size < 1 else 0
