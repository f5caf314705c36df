"""A test by the values of a label: what a difference is of, and by which name of the key it is asked for."""

import numpy as np
import pytest
from django.urls import reverse

from experiments import folding
from interactions.ingest.preferences import take_preferences
from interactions.labels import set_labels
from tests.experiments.running import fill, make_test
from tests.factories import owner_of
from tests.interactions.test_label_keys import rename

pytestmark = pytest.mark.django_db
WILSON_80_OF_100 = (0.71117, 0.86663)


def compare(test, pairs, judge="judge-{n}"):
    """Votes of these (preferred, other)."""
    sent = [
        {"feedback_key": test.feedback_key.key, "preferred_completion": str(one), "other_completion": str(other),
         "user": judge.format(n=n)}
        for n, (one, other) in enumerate(pairs)
    ]  # fmt: skip
    outcomes = take_preferences(project=test.project, records=sent, by=test.created_by)
    assert not [outcome.error for outcome in outcomes if outcome.error]
    folding.settle()


def label(place, ids, key="tone", value="polite"):
    set_labels(project=place, ids=ids, key=key, value=value, by=owner_of(place))


def rows_of(program, address, test, key="tone"):
    return program.get(f"{address}/{test.key}/labels", {"key": key}).json()["rows"]


@pytest.fixture
def compared(place):
    """(a test by preferences, 200 interactions of A, 200 of B)"""
    test = make_test(place, judged_by="preference")
    return test, *fill(test, (200, 0, 0), (200, 0, 0))


def test_win_rates_of_other_votes_differ_as_those_of_other_people(program, place, address, compared):
    """Of each vote one side alone is polite, and wins four times of five: nothing is between the arms."""
    test, a, b = compared
    label(place, [*a[:100], *b[100:]])
    polite = [(one, other) if n < 100 else (other, one) for n, (one, other) in enumerate(zip(a, b, strict=True))]
    compare(test, [pair if n % 5 else pair[::-1] for n, pair in enumerate(polite)])
    [row] = rows_of(program, address, test)
    assert row["arms"] == [[100, pytest.approx(0.8)], [100, pytest.approx(0.8)]]
    low, high = WILSON_80_OF_100
    half = np.hypot(0.8 - low, high - 0.8)
    assert row["difference"] == pytest.approx(0) and row["interval"] == pytest.approx([-half, half], abs=1e-4)


def test_win_rates_of_the_same_votes_are_mirrored(program, place, address, compared):
    test, a, b = compared
    label(place, [*a[:100], *b[:100]])
    pairs = list(zip(b, a, strict=True))
    compare(test, [pair if n % 5 else pair[::-1] for n, pair in enumerate(pairs)])
    [row] = rows_of(program, address, test)
    low, high = WILSON_80_OF_100
    assert row["difference"] == pytest.approx(0.6)
    assert row["interval"] == pytest.approx([2 * low - 1, 2 * high - 1], abs=1e-4)


def test_a_judge_who_votes_of_both_kinds_ties_the_two_rates(program, place, address, compared):
    """Each judge sees a polite answer of A once and one of B once, and a part of them likes whatever is polite."""
    test, a, b = compared
    label(place, [*a[:100], *b[100:]])
    of_a, of_b = np.arange(100) < 60, np.arange(100) < 80
    for polite, other, won in ((a[:100], b[:100], of_a), (b[100:], a[100:], of_b)):
        compare(test, [pair if good else pair[::-1] for *pair, good in zip(polite, other, won, strict=True)])
    [row] = rows_of(program, address, test)
    error = np.std(of_b.astype(float) - of_a, ddof=1) / 10
    assert row["difference"] == pytest.approx(0.2)
    assert row["interval"][1] - row["interval"][0] == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_a_former_name_of_the_key_tells_the_same(client, program, place, address):
    test = make_test(place)
    fill(test, (180, 180, 60), (180, 180, 120))
    before = rows_of(program, address, test, "lang")
    rename(place, "lang", "language")
    told = program.get(f"{address}/{test.key}/labels", {"key": "lang"}).json()
    assert (told["key"], told["rows"]) == ("language", before) and len(before) == 3
    client.force_login(owner_of(place))
    where = {"project": place.key, "test": test.key}
    page = client.get(reverse("ab_test_labels", kwargs=where), {"label": "lang"}).content.decode()
    assert "<option selected>language</option>" in page and "of 60" in page
