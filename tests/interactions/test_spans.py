"""A search is cut into parts that leave nothing out, few where it is near, wide where it is far."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interactions import ids
from interactions.search import spans

NOW = ids.now()
PLACES = [ids.first(NOW + datetime.timedelta(days=30 * month - 10)) for month in range(-24, 4)]
SOMEWHERE = st.none() | st.integers(-900, 120).map(lambda days: ids.first(NOW + datetime.timedelta(days=days)))


@pytest.fixture(autouse=True)
def _months(monkeypatch):
    monkeypatch.setattr(spans, "_places", lambda: PLACES)


@given(SOMEWHERE, SOMEWHERE, st.booleans())
def test_the_parts_follow_each_other_and_leave_nothing_out(lower, upper, descending):
    if lower and upper and upper < lower:
        lower, upper = upper, lower
    found = spans.parts(lower, upper, descending)
    ascending = found[::-1] if descending else found
    assert (ascending[0][0], ascending[-1][1]) == (lower, upper)
    assert all(one[1] == other[0] for one, other in zip(ascending, ascending[1:], strict=False))
    assert len(found) <= 7


def test_today_is_one_part_with_all_that_is_to_come():
    recent = ids.first(NOW - datetime.timedelta(minutes=10))
    assert spans.parts(recent, None, True) == [(recent, None)]
    first, second, third = spans.parts(None, None, True)[:3]
    assert first == (PLACES[24], None)
    assert (second, third) == ((PLACES[23], PLACES[24]), (PLACES[21], PLACES[23]))
