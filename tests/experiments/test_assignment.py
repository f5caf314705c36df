"""Who meets which arm: always the same one, by the weights, and nobody two tests."""

import threading
from collections import Counter

import pytest
from django.db import connections

from experiments import services
from experiments.assignment import _takes_part, assign, bucket_of, unit_of
from experiments.models import Event
from interactions.rules import RecordError
from projects.access import EntityNotFound
from registry.models import Attachment
from registry.services import attach, detach, set_default
from tests.experiments.running import make_place, make_test
from tests.factories import owner_of

pytestmark = pytest.mark.django_db
UNITS = [unit_of(f"person-{n}", "s") for n in range(1_200)]
FEW = UNITS[:100]  # where shares are not the subject


def met(project, units=UNITS, **asked):
    """How many of the units meet each arm, by arm id; None for the default."""
    found = (assign(project=project, unit=unit, **asked) for unit in units)
    return Counter(one and one.arm_id for one in found)


def arms(test):
    return list(test.arms.order_by("position"))


def test_a_unit_is_the_end_user_where_one_is_named_else_the_session():
    assert unit_of("ada", "s-1") == unit_of("ada", "s-2") != unit_of("", "s-1") != unit_of("", "s-2")
    assert unit_of("x", "y") != unit_of("", "x")


def test_the_split_and_the_weights_are_kept_and_the_same_unit_meets_the_same_arm(place, django_assert_num_queries):
    a, b = arms(make_test(place, traffic_split=0.5, weights=[1, 3]))
    first = {unit: assign(project=place, unit=unit) for unit in UNITS}
    counts = Counter(one and one.arm_id for one in first.values())
    # five standard deviations of 1,200 draws
    assert abs(counts[None] - 600) < 87
    assert abs(counts[b.pk] / (counts[a.pk] + counts[b.pk]) - 0.75) < 0.09
    with django_assert_num_queries(len(UNITS)):
        assert {unit: assign(project=place, unit=unit) for unit in UNITS} == first
    assert {one.model_id for one in first.values() if one} == {a.model_id, b.model_id}


def test_another_split_deals_the_units_anew_and_keeps_those_who_take_part(place):
    test = make_test(place, traffic_split=0.5)
    first = {unit: assign(project=place, unit=unit) for unit in UNITS}
    services.change_split(test=test, by=owner_of(place), weights=[1, 2])
    second = {unit: assign(project=place, unit=unit) for unit in UNITS}
    assert {unit for unit in UNITS if first[unit]} == {unit for unit in UNITS if second[unit]}
    moved = sum(first[unit] != second[unit] for unit in UNITS if first[unit])
    assert moved > 200  # half of 600 would move by chance


def test_no_unit_is_ever_in_two_tests(place):
    one, other = make_test(place, "one", traffic_split=0.6), make_test(place, "other", traffic_split=0.4, models=3)
    taken = [{bucket for start, end in test.buckets for bucket in range(start, end)} for test in (one, other)]
    assert [len(buckets) for buckets in taken] == [6_000, 4_000] and not taken[0] & taken[1]
    counts = met(place)
    assert None not in counts and set(counts) == {arm.pk for arm in [*arms(one), *arms(other)]}
    assert abs(sum(counts[arm.pk] for arm in arms(one)) - 720) < 85


def test_a_test_that_grows_keeps_its_units_and_takes_only_free_ones(place):
    one, other = make_test(place, "one", traffic_split=0.2), make_test(place, "other", traffic_split=0.3)
    first = {unit: assign(project=place, unit=unit) for unit in UNITS}
    before = {unit for unit, found in first.items() if found and found.test_id == one.pk}
    services.change_split(test=one, by=owner_of(place), traffic_split=0.7)
    one.refresh_from_db()
    second = {unit: assign(project=place, unit=unit) for unit in UNITS}
    after = {unit for unit, found in second.items() if found and found.test_id == one.pk}
    assert all(first[unit] == second[unit] for unit in before) and one.sequence == 1
    assert before < after and sum(end - start for start, end in one.buckets) == 7_000
    assert services.free_share(place) == 0
    assert sum(end - start for start, end in other.buckets) == 3_000


def test_of_two_neighbours_a_bucket_is_in_one():
    assert [_takes_part([[10, 20]], bucket) for bucket in (9, 10, 19, 20)] == [False, True, True, False]


def test_two_projects_deal_their_units_apart():
    assert sum(bucket_of(1, unit) == bucket_of(2, unit) for unit in UNITS) < 5


def test_a_campaign_counts_whatever_the_split(place):
    test = make_test(place, traffic_split=0.01)
    a, b = arms(test)
    counts = met(place, ab_campaign=test.key)
    assert set(counts) == {a.pk, b.pk} and abs(counts[a.pk] - 600) < 87
    named = assign(project=place, unit=UNITS[0], ab_campaign=test.key, model_key="ridge-70b")
    assert (named.arm_id, named.model_id) == (b.pk, b.model_id)


def test_a_campaign_that_is_unknown_or_whose_model_is_no_arm_is_refused(place):
    make_test(place)
    with pytest.raises(EntityNotFound, match="A/B test 'nothing'"):
        assign(project=place, unit="user:a", ab_campaign="nothing")
    with pytest.raises(ValueError, match=r"fen-3b is no arm of the A/B test .*; its arms are lake-8b, ridge-70b"):
        assign(project=place, unit="user:a", ab_campaign="dpo-against-sft", model_key="fen-3b")
    with pytest.raises(EntityNotFound):  # another project's
        assign(project=make_place(), unit="user:a", ab_campaign="dpo-against-sft")


@pytest.mark.parametrize("end", ["pause", "cancel"])
def test_what_is_paused_or_over_takes_no_traffic(place, end):
    test = make_test(place)
    assert None not in met(place, FEW)
    getattr(services, end)(test=test, by=owner_of(place))
    assert set(met(place, FEW)) == set(met(place, FEW, ab_campaign=test.key)) == {None}
    if end == "pause":
        services.resume(test=test, by=owner_of(place))
        assert None not in met(place, FEW)


NOBODY = "and no default serves calls: its traffic is refused with 400."


@pytest.mark.parametrize(
    ("gone", "default", "told"),
    [
        ("detach", "lake-8b", "was detached: its traffic goes to the default."),
        ("switch off", "lake-8b", "is switched off: its traffic goes to the default."),
        ("detach", None, f"was detached, {NOBODY}"),
        ("detach", "ridge-70b", f"was detached, {NOBODY}"),
        ("switch off", "ridge-70b", f"is switched off, {NOBODY}"),
    ],
)
def test_an_arm_without_its_model_is_told_once_with_where_its_units_go(place, gone, default, told):
    test, by = make_test(place), owner_of(place)
    a, b = arms(test)
    set_default(project=place, model=default and place.models.get(key=default), by=by)
    if gone == "detach":
        detach(project=place, model=b.model, by=by)
    else:
        Attachment.objects.filter(project=place, model=b.model).update(desired_online=False)
    counts = met(place, FEW)
    assert set(counts) == {a.pk, None} and counts[None] > 30
    assert [line.text for line in Event.objects.filter(test=test, by=None)] == [f"ridge-70b {told}"]
    attach(project=place, model=b.model, by=by)
    assert set(met(place, FEW)) == {a.pk, b.pk}


def test_an_arm_of_weight_0_meets_nobody(place):
    a, _, c = arms(make_test(place, models=3, weights=[1, 0, 1]))
    assert set(met(place, FEW)) == {a.pk, c.pk}


@pytest.mark.django_db(transaction=True)
def test_tests_that_are_begun_at_the_same_moment_share_what_there_is():
    place, outcomes = make_place(), []

    def begin(number):
        try:
            outcomes.append(make_test(place, f"test-{number}", traffic_split=0.3).buckets)
        except RecordError as error:
            outcomes.append(str(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    begun = [one for one in outcomes if isinstance(one, list)]
    taken = [bucket for buckets in begun for start, end in buckets for bucket in range(start, end)]
    assert len(begun) == 3 and len(taken) == len(set(taken)) == 9_000
    assert all("only 0.1 is free" in one for one in outcomes if isinstance(one, str))


def test_two_who_change_the_split_from_what_they_saw_do_not_put_each_other_back(place):
    test = make_test(place, traffic_split=0.5)
    one, other = (services.test_or_404(place, test.key) for _ in range(2))
    list(other.arms.all())
    services.change_split(test=one, by=owner_of(place), weights=[1, 2])
    services.change_split(test=other, by=owner_of(place), traffic_split=0.2)
    assert [arm.weight for arm in arms(test)] == [1, 2]
    told = Event.objects.filter(test=test).order_by("-pk")[0].text
    assert told.startswith("Split changed from 50 % by 1 : 2 to 20 % by 1 : 2.")
