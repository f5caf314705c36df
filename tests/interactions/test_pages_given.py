"""Feedback and better answers from an interaction's page: given, corrected, taken back, undone; and their history."""

import html
import re

import pytest

from feedback.giving import give_feedback
from feedback.models import Feedback, Origin
from feedback.services import create_feedback_key, unlink_feedback_key
from interactions.labels import set_label
from interactions.models import Interaction
from tests.factories import bearer, make_interaction, make_project, make_user, owner_of
from tests.feedback.recount import recounted, rolled_up

HTMX = {"HX-Request": "true"}


@pytest.fixture
def keyed(project):
    project.good, _ = create_feedback_key(team=project.team, key="good", kind="bool", name="Good", projects=[project])
    project.stars, _ = create_feedback_key(
        team=project.team, key="stars", kind="scalar", name="Stars", minimum=1, maximum=5, step=1, projects=[project]
    )
    project.cost, _ = create_feedback_key(team=project.team, key="cost", kind="scalar", projects=[project])
    return project


@pytest.fixture
def page(client, keyed):
    """The owner's page of one interaction."""
    client.force_login(owner_of(keyed))
    return Page(
        client, make_interaction(keyed, completion="No, it is not.", feedbacks=[{"metric": "stars", "value": 2}])
    )


class Page:
    def __init__(self, client, interaction):
        self.client, self.interaction = client, interaction
        self.address = f"/p/{interaction.project.key}/interactions/{interaction.pk}"

    def text(self):
        answer = self.client.get(self.address)
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())))

    def post(self, path, headers=HTMX, **form):
        here = f"http://testserver{self.address}"
        return self.client.post(f"{self.address}/{path}", form, headers={**headers, "HX-Current-URL": here})

    def undo(self, answer):
        token = re.search(r'name="token" value="([^"]+)"', answer.content.decode())[1]
        path = f"/p/{self.interaction.project.key}/interactions/feedback/undo"
        return self.client.post(path, {"token": token}, headers=HTMX)

    def current(self):
        rows = Feedback.objects.current().filter(interaction_id=self.interaction.pk).order_by("id")
        return [(row.feedback_key.key, row.value, row.origin) for row in rows.select_related("feedback_key")]


LOGGED = ("stars", 2.0, "user")


def test_a_value_is_given_by_its_button_and_shown(page):
    answer = page.post("feedback", key="good", value="1")
    assert answer.status_code == 200
    assert "Good: yes" in answer.content.decode()
    assert page.current() == [LOGGED, ("good", 1.0, "reviewer")]
    assert Interaction.objects.get(pk=page.interaction.pk).feedbacks == {"stars": 2.0, "good": 1.0}
    assert (
        'value="1" id="give" data-key="g" data-goto aria-pressed="true"'
        in page.client.get(page.address).content.decode()
    )


def test_another_value_of_the_same_person_takes_the_place_of_hers_alone(page):
    page.post("feedback", key="stars", value="4")
    page.post("feedback", key="stars", value="5")
    assert page.current() == [LOGGED, ("stars", 5.0, "reviewer")]
    other = make_user(team=page.interaction.project.team, role="annotator")
    page.client.force_login(other)
    page.post("feedback", key="stars", value="1")
    assert page.current() == [LOGGED, ("stars", 5.0, "reviewer"), ("stars", 1.0, "reviewer")]
    assert "corrected Stars from 4 to 5" in page.text()


def test_the_same_value_again_takes_it_back(page):
    page.post("feedback", key="good", value="1")
    answer = page.post("feedback", key="good", value="1")
    assert "Took Good back" in answer.content.decode()
    assert page.current() == [LOGGED]
    assert "took Good yes back" in page.text()


def test_what_a_user_said_stays_in_the_history_with_her_words(page, keyed):
    said = {"value": 1, "user": "ada", "details": "You named the wrong fee", "origin": Origin.USER}
    change = give_feedback(interaction=page.interaction, key=keyed.stars, by=owner_of(keyed), **said)
    assert "gave Stars" not in page.text()  # it is the feedback that is shown
    page.post(f"feedback/{change.id}", value="5", details="She meant 5")
    text = page.text()
    by = owner_of(keyed)
    assert f"She meant 5 User ada corrected by {by.name} {by.email}" in text
    assert "corrected Stars from 1 to 5 She meant 5" in text
    assert "gave Stars 1 for user ada You named the wrong fee" in text
    [logged, corrected] = Feedback.objects.current().filter(interaction_id=page.interaction.pk).order_by("id")
    page.post(f"feedback/{logged.id}", withdraw="1")
    assert "took Stars 2 back" in page.text() and page.text().count("gave Stars 2") == 1


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1,500", 1500.0), ("12,345,678.5", 12345678.5), ("1 500", 1500.0), ("-0.5", -0.5), ("-1,500", -1500.0)]
    + [(typed, None) for typed in ("0,5", "1,50", "1,5000", "1500,000", "1,500,00", ",5", "1,", "1.5,000", "1 5")],
)
def test_a_figure_is_the_figure_that_was_typed_or_is_refused(page, typed, value):
    answer = page.post("feedback", key="cost", value=typed)
    assert page.current()[1:] == ([] if value is None else [("cost", value, "reviewer")])
    if value is None:
        assert (answer.status_code, "4, 0.5 or 1,500" in answer.content.decode()) == (422, True)


def test_what_was_given_is_corrected_with_a_note_and_taken_back(page):
    [one] = Feedback.objects.all()
    page.post(f"feedback/{one.id}", value="3", details="better\r\nthan said")
    [now] = Feedback.objects.current()
    assert (now.value, now.details, now.origin, now.by) == (
        3,
        "better\nthan said",
        "user",
        owner_of(page.interaction.project),
    )
    late = page.post(f"feedback/{one.id}", value="1", details="")
    assert (late.status_code, "corrected or withdrawn" in late.content.decode()) == (422, True)
    page.post(f"feedback/{now.id}", withdraw="1")
    assert page.current() == []
    assert "Nobody has said anything about it yet." in page.text()


def test_every_change_can_be_undone_once(page):
    given = page.post("feedback", key="good", value="0")
    undone = page.undo(given)
    assert ("Undone" in undone.content.decode(), page.current()) == (True, [LOGGED])
    assert page.undo(given).status_code == 422
    page.post("feedback", key="stars", value="4")
    corrected = page.post("feedback", key="stars", value="5")
    page.undo(corrected)
    assert page.current() == [LOGGED, ("stars", 4.0, "reviewer")]
    taken = page.post("feedback", key="stars", value="4")
    page.undo(taken)
    assert page.current() == [LOGGED, ("stars", 4.0, "reviewer")]
    assert page.undo(taken).status_code == 422
    assert page.undo(corrected).status_code == 422
    assert rolled_up(page.interaction.project) == recounted(page.interaction.project)


def test_an_undo_is_of_its_project_alone(page, client):
    given = page.post("feedback", key="good", value="1")
    token = re.search(r'name="token" value="([^"]+)"', given.content.decode())[1]
    other = make_project()
    client.force_login(owner_of(other))
    answer = client.post(f"/p/{other.key}/interactions/feedback/undo", {"token": token}, headers=HTMX)
    assert answer.status_code == 404
    assert page.current() == [LOGGED, ("good", 1.0, "reviewer")]
    assert client.post(f"/p/{other.key}/interactions/feedback/undo", {"token": "x"}, headers=HTMX).status_code == 422


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"key": "good", "value": "0.5"}, 422),
        ({"key": "stars", "value": "6"}, 422),
        ({"key": "stars", "value": "many"}, 422),
        ({"key": "stars", "value": "nan"}, 422),
        ({"key": "cost", "value": "1e400"}, 422),
        ({"key": "cost"}, 422),
        ({"key": "nps", "value": "1"}, 404),
        ({"value": "1"}, 404),
    ],
)
def test_what_the_key_does_not_take_is_refused_and_changes_nothing(page, form, code):
    assert page.post("feedback", **form).status_code == code
    assert page.current() == [LOGGED]


def test_details_that_cannot_be_kept_are_refused_without_names_of_the_wire(page):
    [one] = Feedback.objects.all()
    for details in ("a\0", "x" * 10_001):
        answer = page.post(f"feedback/{one.id}", value="3", details=details)
        assert (answer.status_code, "details:" in answer.content.decode()) == (422, False)
    assert page.current() == [LOGGED]


def test_without_scripts_the_page_comes_back_with_what_was_done(page):
    answer = page.post("feedback", headers={}, key="good", value="1", next=page.address)
    assert (answer.status_code, answer.headers["Location"]) == (302, page.address)
    assert "Good: yes" in page.text()
    assert (
        page.post("feedback", headers={}, key="good", value="7", next="//evil.example").headers["Location"]
        == page.address.rpartition("/")[0]
    )
    assert "takes true or false" in page.text()


def test_a_scale_of_few_steps_has_a_button_each(page):
    shown = page.client.get(page.address).content.decode()
    form = re.search(r'name="key" value="stars".*?</form>', shown, re.DOTALL)[0]
    assert re.findall(r'name="value" value="([^"]+)"', form) == ["1", "2", "3", "4", "5"]
    assert 'inputmode="decimal"' in re.search(r'name="key" value="cost".*?</form>', shown, re.DOTALL)[0]


@pytest.mark.parametrize(("role", "may"), [("annotator", True), ("reviewer", True), ("auditor", False)])
def test_who_may_give(page, role, may):
    page.client.force_login(make_user(team=page.interaction.project.team, role=role))
    shown = page.client.get(page.address).content.decode()
    assert ('data-key="g"' in shown, 'id="better"' in shown) == (may, may)
    assert page.post("feedback", key="good", value="1").status_code == (200 if may else 403)
    assert page.post("correction", completion="Yes.").status_code == (200 if may else 403)


def test_a_strangers_page_takes_nothing(page):
    [one] = Feedback.objects.all()
    page.client.force_login(make_user())
    for path in ("feedback", f"feedback/{one.id}", "correction"):
        assert page.post(path, key="good", value="1", completion="x").status_code == 404
    assert page.current() == [LOGGED]


def test_feedback_of_another_interaction_is_not_corrected_here(page, keyed):
    other = make_interaction(keyed)
    elsewhere = give_feedback(interaction=other, key=keyed.good, value=1, by=owner_of(keyed), origin=Origin.USER)
    assert page.post(f"feedback/{elsewhere.id}", value="0", details="").status_code == 404
    unlink_feedback_key(project=keyed, key=keyed.stars)
    [mine] = Feedback.objects.filter(interaction_id=page.interaction.pk)
    assert page.post(f"feedback/{mine.id}", value="1", details="").status_code == 404
    assert "Stars" not in page.text()


def test_the_better_answer_is_shown_with_what_it_changes(page):
    answer = page.post("correction", completion="Yes, it **is**.\r\n")
    assert answer.status_code == 200
    shown = page.client.get(page.address).content.decode()
    assert re.findall(r"<(ins|del)>(.*?)</\1>", shown, re.DOTALL)[:2] == [("del", "No, "), ("ins", "Yes, ")]
    assert "wrote a better answer" in page.text()
    for bad in ("", "   ", "a\0"):
        assert page.post("correction", completion=bad).status_code == 422
    page.post("correction", completion="Perhaps.")
    page.post("correction", withdraw="1")
    text = page.text()
    assert "took the better answer back" in text
    assert "What it said Yes, it **is**." in text and "What it said Perhaps." in text
    assert "<ins>" not in page.client.get(page.address).content.decode()


def test_what_was_said_under_a_key_that_is_no_longer_linked_stays_in_the_history(page, keyed):
    page.post("feedback", key="good", value="0")
    unlink_feedback_key(project=keyed, key=keyed.good)
    text = page.text()
    assert "gave Good (key no longer linked) no" in text and "Nothing was changed since" not in text


def test_the_page_of_the_history_lists_what_programs_gave_too_and_the_card_says_who_did(page, client, keyed):
    text, by = page.text(), owner_of(keyed)
    assert f"given by {by.name} {by.email}" in text and "Nothing was changed since. All that was given" in text
    give_feedback(interaction=page.interaction, key=keyed.good, value=1, by=by, user="ada", details="Said later")
    assert "Nothing was changed since." in page.text()
    page.address += "/history"
    assert "gave Good yes for user ada Said later" in page.text() and "gave Stars 2" in page.text()
    kinds = [event["what"] for event in _history_by_rest(client, page.interaction)]
    assert kinds == ["feedback", "feedback"]


def _history_by_rest(client, interaction):
    answer = client.get(f"/api/v1/interactions/{interaction.pk}/history", headers=bearer(owner_of(interaction.project)))
    return answer.json()["results"]


def test_all_of_a_long_history_can_be_read(page, client, keyed):
    row = Interaction.objects.get()
    for place in range(53):
        set_label(interaction=row, key="place", value=str(place), by=owner_of(keyed))
    older = re.search(r'href="([^"]+/history\?before=[^"]+)"', client.get(page.address).content.decode())[1]
    text = client.get(older).content.decode()
    assert text.count("changed <span") == 2 and text.count("set <span") == 1 and "Older" not in text
    newest = client.get(f"{page.address}/history").content.decode()
    assert newest.count("changed <span") == 50 and html.unescape(older).split("?")[1] in html.unescape(newest)
    client.force_login(owner_of(make_project()))
    assert client.get(f"{page.address}/history").status_code == 404


def test_a_hostile_note_or_answer_is_shown_as_text(page):
    [one] = Feedback.objects.all()
    hostile = "<script>alert(1)</script>\u202e"
    page.post(f"feedback/{one.id}", value="1", details=hostile)
    page.post("correction", completion=hostile)
    shown = page.client.get(page.address).content.decode()
    assert "<script>alert" not in shown
    assert shown.count("&lt;script&gt;") >= 2


def test_a_very_long_better_answer_does_not_swell_the_page(page):
    page.post("correction", completion="word " * 190_000)
    shown = page.client.get(page.address)
    assert len(shown.content) < 900_000
    assert "Too long to be compared" in shown.content.decode()
