"""The pages of comparisons: the matrix equals a count over what was sent, a cell opens just its pairs, a pair shows
both answers and what only one of them says."""

import itertools
import re

import pytest
from django.urls import reverse

from feedback.models import Preference
from feedback.preferences import preferences_of
from feedback.services import unlink_feedback_key
from interactions.ingest.preferences import take_preferences
from interactions.ingest.removal import delete_interactions
from projects.access import project_or_404
from tests.factories import make_interaction, make_project, make_team, make_user, owner_of
from tests.feedback.compared import make_key

MODELS = ("a", "b/2", "c d", None)
# (first, second, won, lost, tied good, tied bad, tied)
COUNTS = [
    ("a", "b/2", 5, 2, 1, 0, 1),
    ("a", "c d", 3, 0, 0, 0, 0),
    ("b/2", "c d", 1, 1, 0, 2, 0),
    ("a", None, 1, 2, 0, 0, 0),
]


def sent(n, first, second, how):
    """One comparison of two answers that are this comparison's own."""
    sides = [{"model": model, "text": f"Answer {n} of {model}"} for model in (first, second)]
    sides[1]["text"] += "," * (first == second)  # the same text of one model is one interaction
    preferred, other = sides[::-1] if how == "lost" else sides
    tied = {"tied_good": "good", "tied_bad": "bad", "tied": True}.get(how)
    return {
        "feedback_key": "better",
        "prompt": f"Question {n}",
        "preferred_completion": preferred,
        "other_completion": other,
        "user": f"judge-{n}",
    } | ({"tied": tied} if tied else {})


def all_sent():
    numbers = itertools.count()
    for first, second, *counts in COUNTS:
        for how, n in zip(("won", "lost", "tied_good", "tied_bad", "tied"), counts, strict=True):
            for _ in range(n):
                yield sent(next(numbers), first, second, how)


def logged(project, record):
    """The record with the answers of no model, which only an id can name, logged."""
    for name in ("preferred_completion", "other_completion"):
        side = record[name]
        if isinstance(side, dict) and side["model"] is None:
            row = make_interaction(project, prompt=record["prompt"], messages=None, model=None, completion=side["text"])
            record = record | {name: str(row.pk)}
    return record


def take(project, records):
    owner = owner_of(project)
    records = [logged(project, record) for record in records]
    outcomes = take_preferences(project=project_or_404(owner, project.key), records=records, by=owner)
    assert not [outcome.error for outcome in outcomes if outcome.error]
    return [outcome.id for outcome in outcomes]


@pytest.fixture
def key(project):
    return make_key(project, "better")


@pytest.fixture
def compared(project, key):
    take(project, list(all_sent()))
    return project


@pytest.fixture
def pages(client, project):
    client.force_login(owner_of(project))
    return client


def url(name, project, key="better"):
    return reverse(name, kwargs={"project": project.key, "key": key})


def detail_url(project, interaction, pk):
    return reverse("comparison_detail", kwargs={"project": project.key, "interaction": interaction, "pk": pk})


def cells(pages, project):
    """{(row's model, column's model): (Pair, address)} as the page has them."""
    grid = pages.get(url("feedback_comparisons", project)).context["grid"]
    models = [row.model for row, _ in grid]
    return {(row.model, column): cell for row, own in grid for column, cell in zip(models, own, strict=True)}


def test_the_matrix_equals_a_count_over_what_was_sent(pages, compared):
    found = cells(pages, compared)
    assert set(found) == set(itertools.product(MODELS, MODELS))
    met = {}
    for first, second, won, lost, *ties in COUNTS:
        met[first, second], met[second, first] = (won, lost, sum(ties)), (lost, won, sum(ties))
    for place, (pair, _) in found.items():
        if place not in met:
            assert pair is None
            continue
        won, lost, tied = met[place]
        assert (pair.a_wins, pair.b_wins, pair.ties) == (won, lost, tied)
        assert pair.a_win_rate.rate == pytest.approx((won + tied / 2) / (won + lost + tied))
        assert pair.a_win_rate.low <= pair.a_win_rate.rate <= pair.a_win_rate.high


def test_every_cell_opens_just_its_pairs(pages, compared):
    for (first, second), (pair, address) in cells(pages, compared).items():
        if pair is None:
            continue
        context = pages.get(address).context
        rows = [row for row, _ in context["rows"]]
        assert len(rows) == pair.comparisons
        assert {(row.model and row.model.key, row.other_model and row.other_model.key) for row in rows} == {
            (first, second)
        }
        assert sorted(row.id for row in rows) == sorted({row.id for row in rows})
        assert [row.id for row in rows] == sorted((row.id for row in rows), reverse=True)
        numbers = {"": pair.comparisons, "won": pair.a_wins, "tied": pair.ties, "lost": pair.b_wins}
        for (_, narrowed, _), n in zip(context["ways"], numbers.values(), strict=True):
            assert len(pages.get(narrowed).context["rows"]) == n


def test_the_page_says_rates_with_two_digits(pages, compared):
    text = pages.get(url("feedback_comparisons", compared)).content.decode()
    assert "66.67 %" in text  # 5 won, 2 lost, 2 tied
    assert "33.33 %" in text


def test_strengths_come_with_ranks_and_records(pages, compared):
    standings = [one for one, _ in pages.get(url("feedback_comparisons", compared)).context["standings"]]
    by_model = {one.model: one for one in standings}
    assert (by_model["a"].wins, by_model["a"].losses, by_model["a"].ties) == (9, 4, 2)
    assert [one.strength for one in standings] == sorted((one.strength for one in standings), reverse=True)
    assert all(one.low < one.strength < one.high for one in standings)


def test_two_answers_of_one_model_stand_apart(pages, compared):
    take(compared, [sent(100, "a", "a", "won"), sent(101, "a", "a", "tied")])
    context = pages.get(url("feedback_comparisons", compared)).context
    [(within, address)] = context["within"]
    assert (within.model, within.comparisons, within.decided, within.ties) == ("a", 2, 1, 1)
    listed = pages.get(address).context
    assert len(listed["rows"]) == 2
    assert [len(pages.get(way).context["rows"]) for _, way, _ in listed["ways"]] == [2, 1, 1]


def test_groups_that_never_met_are_told(pages, compared):
    assert (
        "Not all of these models can be compared"
        not in pages.get(url("feedback_comparisons", compared)).content.decode()
    )
    take(compared, [sent(100, "x", "y", "won")])
    assert (
        "Not all of these models can be compared" in pages.get(url("feedback_comparisons", compared)).content.decode()
    )


def test_without_comparisons_the_page_says_how_they_come(pages, project, key):
    assert "No comparison yet" in pages.get(url("feedback_comparisons", project)).content.decode()
    values = pages.get(url("feedback_key_detail", project)).content.decode()
    assert url("feedback_comparisons", project) not in values


def test_pairs_come_fifty_a_page(pages, project, key):
    ids = take(project, [sent(n, "a", "b", "won") for n in range(120)])
    seen, address = [], f"{url('feedback_pairs', project)}?a=a&b=b"
    while address:
        context = pages.get(address).context
        seen.append([row.id for row, _ in context["rows"]])
        address = context["older"]
    assert [len(page) for page in seen] == [50, 50, 20]
    assert [one for page in seen for one in page] == sorted(ids, reverse=True)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", 302),
        ("?a=a", 302),
        ("?a=a&b=nobody", 404),
        ("?a=a&b=%00", 404),
        ("?a=a&b=b/2&outcome=draw", 400),
        ("?a=a&b=b/2&cursor=zz", 400),
        ("?a=a&b=b/2&outcome=tied_bad", 200),
    ],
)
def test_an_address_that_means_no_pairs_is_told(pages, compared, query, code):
    assert pages.get(url("feedback_pairs", compared) + query).status_code == code


def test_a_list_of_pairs_takes_a_fixed_number_of_queries(pages, compared, django_assert_num_queries):
    address = f"{url('feedback_pairs', compared)}?a=a&b=b/2"
    pages.get(address)
    with django_assert_num_queries(11):
        pages.get(address)
    take(compared, [sent(n, "a", "b/2", "won") for n in range(200, 230)])
    with django_assert_num_queries(11):
        pages.get(address)


def test_the_matrix_takes_a_fixed_number_of_queries(pages, compared, django_assert_num_queries):
    pages.get(url("feedback_comparisons", compared))
    with django_assert_num_queries(9):
        pages.get(url("feedback_comparisons", compared))
    take(compared, [sent(n, f"m{n}", "a", "won") for n in range(200, 210)])
    with django_assert_num_queries(9):
        pages.get(url("feedback_comparisons", compared))


# -- one pair -------------------------------------------------------------------------------------
@pytest.fixture
def pair(project, key):
    """(the preferred interaction, the other one, the comparison's id)"""
    said = ("Yes, **at most** 20 %.\n\n- Keep the bill", "Yes, at most 30 %.\n\n- Keep the bill\n- Call us")
    one, other = (
        make_interaction(project, prompt="Covered?", messages=None, model=model, completion=text)
        for model, text in zip(("m1", "m2"), said, strict=True)
    )
    record = {"feedback_key": "better", "preferred_completion": str(one.pk), "other_completion": str(other.pk)}
    [pk] = take(project, [record | {"user": "judge <7>"}])
    return one, other, pk


def test_a_pair_shows_both_answers_and_which_was_preferred(pages, project, pair):
    one, other, pk = pair
    context = pages.get(detail_url(project, one.pk, pk)).context
    assert [(side.interaction.pk, side.preferred) for side in context["sides"]] == [(one.pk, True), (other.pk, False)]
    turned = pages.get(detail_url(project, other.pk, pk))
    assert [(side.interaction.pk, side.preferred) for side in turned.context["sides"]] == [
        (other.pk, False),
        (one.pk, True),
    ]
    text = turned.content.decode()
    assert "B was preferred" in text
    assert "<strong>at most</strong>" in text
    assert "judge &lt;7&gt;" in text
    assert text.count("Covered?") == 1
    for interaction in (one, other):
        assert reverse("interaction_detail", kwargs={"project": project.key, "pk": interaction.pk}) in text


def test_the_differences_are_marked_on_both_sides(pages, project, pair):
    one, _, pk = pair
    plain = pages.get(detail_url(project, one.pk, pk)).content.decode()
    assert '<mark class="only">' not in plain
    assert f"{detail_url(project, one.pk, pk)}?diff=1" in plain
    marked = pages.get(detail_url(project, one.pk, pk), {"diff": "1"}).content.decode()
    only = [text.strip() for text in re.findall('<mark class="only">(.*?)</mark>', marked, re.DOTALL)]
    assert only == ["20", "30", "Call us"]
    assert "<ins" not in marked and "<del" not in marked


def test_two_that_say_the_same_have_no_differences(pages, project, key):
    record = sent(0, "a", "b", "won")
    record["preferred_completion"]["text"] = record["other_completion"]["text"] = "Yes, **both**. " * 20
    [pk] = take(project, [record])
    row = Preference.objects.get(id=pk, outcome="won")
    marked = pages.get(detail_url(project, row.interaction_id, pk), {"diff": "1"}).content.decode()
    assert "Both say the same, word for word." in marked
    assert '<mark class="only">' not in marked
    address = reverse("feedback_pairs", kwargs={"project": project.key, "key": "better"})
    assert pages.get(address, {"a": "a", "b": "b"}).content.decode().count("…</bdi>") == 2  # both go on


def test_texts_too_long_to_compare_are_shown_as_they_are(pages, project, key):
    long = ["x " * 16_000, "x y " * 8_000]
    record = sent(0, "a", "b", "won")
    record["preferred_completion"]["text"], record["other_completion"]["text"] = long
    [pk] = take(project, [record])
    row = Preference.objects.filter(id=pk).first()
    answer = pages.get(detail_url(project, row.interaction_id, pk), {"diff": "1"})
    assert answer.status_code == 200
    assert "too long to compare" in answer.content.decode()
    assert "x x x" in answer.content.decode()


def test_answers_to_two_prompts_show_both(pages, project, key):
    one, other = (make_interaction(project, prompt=text, messages=None) for text in ("First?", "Second?"))
    [pk] = take(
        project,
        [{"feedback_key": "better", "preferred_completion": str(one.pk), "other_completion": str(other.pk)}],
    )
    text = pages.get(detail_url(project, one.pk, pk)).content.decode()
    assert "B answered another prompt" in text
    assert "First?" in text and "Second?" in text


def test_hostile_answers_do_nothing(pages, project, key):
    record = sent(0, "<i>a", "b", "won") | {"prompt": "<script>p</script>", "user": "<script>u</script>"}
    record["preferred_completion"]["text"] = "<script>one</script>\u202e"
    [pk] = take(project, [record])
    row = Preference.objects.get(id=pk, outcome="won")
    for address in (
        detail_url(project, row.interaction_id, pk),
        detail_url(project, row.interaction_id, pk) + "?diff=1",
        url("feedback_comparisons", project),
        f"{url('feedback_pairs', project)}?a=%3Ci%3Ea&b=b",
        reverse("interaction_detail", kwargs={"project": project.key, "pk": row.interaction_id}),
    ):
        text = pages.get(address).content.decode()
        assert pages.get(address).status_code == 200
        for wrong in ("<script>p", "<script>u", "<script>one", "<i>a"):
            assert wrong not in text


def test_both_interactions_tell_of_it(pages, project, pair):
    one, other, pk = pair
    assert [row.id for row in preferences_of(one)] == [pk]
    for interaction, words in ((one, "Preferred over"), (other, "Lost to")):
        text = pages.get(
            reverse("interaction_detail", kwargs={"project": project.key, "pk": interaction.pk})
        ).content.decode()
        assert words in text
        assert detail_url(project, interaction.pk, pk) in text


@pytest.mark.parametrize(
    ("how", "words"), [("tied_good", "(both good)"), ("tied_bad", "(both bad)"), ("tied", "Tied with")]
)
def test_ties_are_told_as_they_were_given(pages, project, key, how, words):
    [pk] = take(project, [sent(0, "a", "b", how)])
    row = Preference.objects.filter(id=pk).first()
    address = reverse("interaction_detail", kwargs={"project": project.key, "pk": row.interaction_id})
    assert words in pages.get(address).content.decode()
    detail = pages.get(detail_url(project, row.interaction_id, pk))
    assert not any(side.preferred for side in detail.context["sides"])
    assert "Tied" in detail.content.decode()


def test_a_pair_takes_a_fixed_number_of_queries(pages, project, pair, django_assert_num_queries):
    one, _, pk = pair
    pages.get(detail_url(project, one.pk, pk))
    with django_assert_num_queries(7):
        pages.get(detail_url(project, one.pk, pk), {"diff": "1"})


def test_pairs_of_strangers_and_of_unlinked_keys_do_not_exist(client, pages, project, pair, key):
    one, other, pk = pair
    mine = make_interaction(project)
    assert pages.get(detail_url(project, mine.pk, pk)).status_code == 404
    elsewhere = make_project(team=project.team)
    assert pages.get(detail_url(elsewhere, one.pk, pk)).status_code == 404
    unlink_feedback_key(project=project, key=key)
    for address in (
        detail_url(project, one.pk, pk),
        url("feedback_comparisons", project),
        url("feedback_pairs", project),
    ):
        assert pages.get(address).status_code == 404
    shown = pages.get(reverse("interaction_detail", kwargs={"project": project.key, "pk": one.pk})).content.decode()
    assert "Preferred over" not in shown
    client.force_login(make_user(team=make_team()))
    assert client.get(detail_url(project, one.pk, pk)).status_code == 404


def test_who_may_read_reads_comparisons(client, project, pair):
    one, _, pk = pair
    client.force_login(make_user(team=project.team, role="auditor"))
    assert client.get(detail_url(project, one.pk, pk)).status_code == 200
    assert client.get(url("feedback_comparisons", project)).status_code == 200


def test_a_comparison_goes_with_its_interaction(pages, project, pair):
    one, other, pk = pair
    delete_interactions(project=project, ids=[other.pk])
    assert pages.get(detail_url(project, one.pk, pk)).status_code == 404
    assert pages.get(url("feedback_comparisons", project)).context["grid"] == []
