"""What is read from many answers: rates and percentiles."""

import math


def percentile(values, share):
    """The smallest value that so large a share (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


def latencies(answers):
    """{n, p50, p95, p99, max} of the answers, in milliseconds, and how many `failed`."""
    good = [answer.took * 1000 for answer in answers if answer.status < 300]
    told = {"n": len(answers), "failed": len(answers) - len(good)}
    if good:
        told |= {f"p{share}": round(percentile(good, share / 100), 2) for share in (50, 95, 99)}
        told["max"] = round(max(good), 2)
    return told


def rate(answers, *, warm=0, each=1):
    """Things a second, `each` of them an answer: those that ended after the first `warm` seconds, over the time from
    there to the last end."""
    if not answers:
        return 0.0
    begun = min(answer.sent for answer in answers) + warm
    ended = [answer.sent + answer.took for answer in answers if answer.status < 300]
    counted = [end for end in ended if end > begun]
    return len(counted) * each / (max(counted) - begun) if counted else 0.0
