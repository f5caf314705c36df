"""Reading over HTTP: what is asked of the API and of the pages, by one reader and by eight."""

import random
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlencode

from bench import words
from bench.clients import drive, request
from bench.corpus import DAYS, LABELS, RARE_EVERY, RELEASE_DAYS, TEN_PICTURES
from bench.figures import latencies
from interactions import ids
from interactions.wanted import Cursor

REQUESTS = 60  # each
MANY = 8  # readers
# times as many requests of each question by several readers at once: a moment in which the machine does something else
# meets all of them, and would be more than a twentieth of few requests
ROUNDS = 4
DEEP = 10_000 * 50  # rows
PART = {"HX-Request": "true"}  # how the page asks for what it does not come with
TABLE_FIELDS = "id,model,labels,feedbacks,user,session_id,created_at,source,latency_ms"


class Row(NamedTuple):
    """One thing that is asked: its name, the target it is held to, and the query strings (or ids) of its requests."""

    name: str
    target: str
    asked: list


class Questions:
    """What is asked of one corpus, drawn from a seed: as far as it makes sense no question twice."""

    def __init__(self, corpus, requests=REQUESTS):
        self.corpus, self.requests = corpus, requests
        self.rng = random.Random(7)

    def lists(self):
        """Rows whose questions are query strings, for the API's list and for the page alike."""
        forty, one, rare, old = (label for label in LABELS.values())
        common = [words.word(rank) for rank in words.COMMON]
        middling = [words.word(rank) for rank in words.MIDDLING]
        return [
            self._row("newest", "list", {}),
            self._row("10,000 pages deep", "list", {}, at=self._deep),
            self._row("label of 40 %", "list", {"label": forty}, at=self._anywhere),
            self._row("label of 1 %", "list", {"label": one}, at=self._anywhere),
            self._row("label of 0.01 %", "list", {"label": rare}),
            self._row("label of the first week", "list", {"label": old}, at=self._after_the_first_week),
            self._row("labels of 40 % and 1 %", "list", {"label": [forty, one]}, at=self._anywhere),
            self._row("not the label of 40 %", "list", {"not_label": forty}, at=self._anywhere),
            self._row("feedback: not helpful", "list", {"feedback": "helpful:false"}, at=self._anywhere),
            self._row("feedback: score of 4 and more", "list", {"feedback": "score:>=4"}, at=self._anywhere),
            self._row("one day", "list", self._day),
            self._row("common word", "list", lambda: {"q": self.rng.choice(common)}, at=self._anywhere),
            self._row("middling word", "list", lambda: {"q": self.rng.choice(middling)}),
            self._row("rare word", "list", lambda: {"q": self.rng.choice(words.RARE)}),
            self._row("absent word", "list", self._absent),
            self._row(
                "common word, label of 1 %", "words and label", lambda: {"q": self.rng.choice(common), "label": one}
            ),
            self._row("absent word, label of 40 %", "words and label", lambda: {**self._absent(), "label": forty}),
            self._row("one session", "list", lambda: {"session": self.corpus.session(self._number())}),
            self._row("one user", "list", lambda: {"user": f"user-{self.rng.randrange(self.corpus.users)}"}),
            self._row("with pictures", "list", {"has_images": "true"}, at=self._anywhere),
        ]

    def counts(self):
        """Rows of the facets and of the histogram, which the page asks for apart."""
        forty, one, *_ = LABELS.values()
        several = lambda: {"label": [forty, one], "feedback": "helpful:true"}  # noqa: E731
        return {
            "facets": [
                self._row("facets", "one filter", {}),
                self._row("facets, label of 40 %", "one filter", {"label": forty}),
                self._row("facets, one day", "one filter", self._day),
                self._row("facets, two labels and feedback", "several filters", several),
                self._row("facets, common word", "one filter", {"q": words.word(words.COMMON[0])}),
            ],
            "histogram": [
                self._row("histogram", "one filter", {}),
                self._row("histogram, label of 40 %", "one filter", {"label": forty}),
                self._row("histogram, two labels and feedback", "several filters", several),
            ],
        }

    def _row(self, name, target, query, at=None):
        asked = []
        for _ in range(self.requests):
            pairs = query() if callable(query) else query
            asked.append(urlencode({**pairs, "cursor": str(at())} if at else pairs, doseq=True))
        return Row(name, target, asked)

    def _number(self):
        return self.rng.randrange(self.corpus.n)

    def _before(self, number):
        return Cursor(ids.first(self.corpus.moment(max(number, 1))))

    def _anywhere(self):
        return self._before(self.corpus.n - self.rng.randrange(self.corpus.n * 4 // 5))

    def _deep(self):
        depth = min(DEEP, self.corpus.n * 9 // 10)
        return self._before(self.corpus.n - depth - self.rng.randrange(self.corpus.n // 20))

    def _after_the_first_week(self):
        weeks = self.corpus.n * RELEASE_DAYS // DAYS
        return self._before(self.rng.randrange(weeks * 2, self.corpus.n))

    def _day(self):
        start = self.corpus.start.replace(hour=0, minute=0, second=0) + timedelta(days=self.rng.randrange(1, DAYS - 1))
        return {"after": _time(start), "before": _time(start + timedelta(days=1))}

    def _absent(self):
        return {"q": f"{self.rng.choice(words.ABSENT)}{self.rng.randrange(1000)}"}


def _time(moment):
    return moment.isoformat().replace("+00:00", "Z")


class Reader:
    """Sends the questions, as a program with a key and as a person with a session."""

    def __init__(self, door, cookie, corpus, requests=REQUESTS):
        self.door, self.corpus = door, corpus
        self.cookie = {"Cookie": cookie}
        self.questions = Questions(corpus, requests * ROUNDS)
        self.requests = requests
        self.ids = self._some_ids()
        self.ten = self._ten_pictures()

    def rows(self):
        """[(door, name, target, requests)] of everything that is measured."""
        return [*self._api(), *self._pages()]

    def measure(self, readers, only=None):
        """{door: {name: {n, p50, p95, p99, max, failed, target}}}, each asked by so many readers at once."""
        found = {}
        for where, name, target, requests in self.rows():
            if only is None or where in only:
                drive(self.door.port, requests[:2], clients=1, keep=0)  # plans and pages are warm
                asked = requests if readers > 1 else requests[: self.requests]
                answers = drive(self.door.port, asked, clients=readers, keep=0)
                found.setdefault(where, {})[name] = latencies(answers) | {"target": target}
        return found

    def _api(self):
        base = f"interactions?project={self.door.project}&limit=50"
        lists = self.questions.lists()
        for row in lists:
            yield "API", row.name, row.target, [self._call(f"{base}&fields={TABLE_FIELDS}&{one}") for one in row.asked]
        newest = next(row for row in lists if row.name == "10,000 pages deep")
        yield "API", "full records", "full records", [self._call(f"{base}&{one}") for one in newest.asked]
        yield "API", "one detail", "list", [self._call(f"interactions/{one}") for one in self.ids]
        if self.ten:
            yield "API", "one with 10 pictures", "list", [self._call(f"interactions/{self.ten}")] * len(self.ids)

    def _pages(self):
        page = f"/p/{self.door.project}/interactions"
        for row in self.questions.lists():
            yield "page", row.name, "page", [self._page(page, one) for one in row.asked]
        for part, rows in self.questions.counts().items():
            for row in rows:
                yield "page", row.name, row.target, [self._page(f"{page}/{part}", one, PART) for one in row.asked]
        yield "page", "one detail", "page", [self._page(f"{page}/{one}", "") for one in self.ids]
        if self.ten:
            yield "page", "one with 10 pictures", "page", [self._page(f"{page}/{self.ten}", "")] * len(self.ids)

    def _call(self, path):
        return self.door.get(path.rstrip("&"))

    def _page(self, path, query, headers=None):
        return request("GET", f"{path}?{query}" if query else path, {**self.cookie, **(headers or {})})

    def _some_ids(self):
        """Ids from all over the corpus, one for each request."""
        base, found = f"interactions?project={self.door.project}&limit=1&fields=id", []
        for _ in range(self.questions.requests):
            cursor = self.questions._before(self.questions._number() + 1)
            found += [row["id"] for row in self.door.ask(f"{base}&cursor={cursor}")["results"]]
        return found

    def _ten_pictures(self):
        """The id of an interaction with ten pictures, or None where the corpus is too small to have one."""
        number = TEN_PICTURES + (self.corpus.n - TEN_PICTURES - 2) // RARE_EVERY * RARE_EVERY
        if not 0 <= number < self.corpus.n - 2:
            return None
        cursor = self.questions._before(number + 2)
        base = f"interactions?project={self.door.project}&limit=5&has_images=true&fields=id,messages&cursor={cursor}"
        shown = {row["id"]: str(row["messages"]).count("image_url") for row in self.door.ask(base)["results"]}
        return max(shown, key=shown.get, default=None)
