"""How numbers are told with their units."""


def size(n):
    """412 B, 1.2 kB, 3.4 MB"""
    for unit in ("B", "kB", "MB"):
        if n < 1_000 or unit == "MB":
            return f"{n:.0f} {unit}" if unit == "B" else f"{n:.1f} {unit}"
        n /= 1_000
    return ""
