"""A dictionary's ids, kept in the process: rows that are never changed and never given another id."""

MOST = 20_000  # entries, after which it is filled anew


class Known:
    """{name: id} of what is committed. Several threads may use it."""

    def __init__(self):
        self._ids = {}

    def of(self, names):
        """{name: id} of those that are known."""
        known = self._ids
        return {name: known[name] for name in names if name in known}

    def learn(self, found):
        """Remember these {name: id}, which must be committed."""
        if len(self._ids) + len(found) > MOST:
            self._ids = {}
        self._ids.update(found)
