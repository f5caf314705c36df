"""How far a reviewer is, in words."""


def told(progress):
    """Progress as the desk's head shows it."""
    return {
        "done": progress.done,
        "skipped": progress.skipped,
        "total": progress.total,
        "pace": pace(progress.seconds_each, progress.seconds_left),
    }


def pace(each, left):
    """41 s a piece, about 1 h left"""
    parts = [f"{span(each)} a piece"] if each is not None else []
    parts += [f"about {span(left)} left"] if left else []
    return ", ".join(parts)


def span(seconds):
    """0.8 s, 41 s, 12 min, 3 h"""
    if seconds < 3:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3600:.0f} h"
