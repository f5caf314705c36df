"""Which of a project's units take part in a test: [start, end) pairs of buckets, apart from every other running test's.
Pure arithmetic."""


def free_of(taken, whole):
    """The pairs that none of these pairs touch, in order, of 0 to below `whole`."""
    free, at = [], 0
    for start, end in sorted(map(tuple, taken)):
        if start > at:
            free.append([at, start])
        at = max(at, end)
    return [*free, [at, whole]] if at < whole else free


def size(pairs):
    """How many buckets these are."""
    return sum(end - start for start, end in pairs)


def first(pairs, number):
    """The first so many buckets of these pairs."""
    found = []
    for start, end in pairs:
        if number <= 0:
            break
        found.append([start, min(end, start + number)])
        number -= end - start
    return found


def resized(own, free, number):
    """`number` buckets: of one's own as many as stay, and what more is needed of the free ones."""
    kept = first(own, number)
    return joined([*kept, *first(free, number - size(kept))])


def joined(pairs):
    """The same buckets in as few pairs as can be, in order."""
    found = []
    for start, end in sorted(map(tuple, pairs)):
        if found and found[-1][1] == start:
            found[-1][1] = end
        else:
            found.append([start, end])
    return found
