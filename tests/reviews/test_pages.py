"""The pages of the review desk through their addresses, as they answer without scripts and to scripts."""

import json
import re
import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from feedback.corrections import correction_of
from feedback.services import create_feedback_key, unlink_feedback_key
from interactions.models import Interaction
from projects.access import project_or_404
from reviews.contents import set_gold
from reviews.desk import next_review, submit
from reviews.models import Item, Queue, Remap, Review, State
from reviews.versions import form_of, guideline_of
from reviews.views import unsent
from reviews.waiting import waiting
from tests.factories import make_interaction, make_project, make_team, make_user, owner_of
from tests.reviews.desks import PAIR, items_of, make_pairs, make_queue

pytestmark = pytest.mark.django_db
SCRIPTS = {"HX-Request": "true"}
GOOD = {"a.accurate": "slip", "a.tone": "4", "a.flags": ["promises payment"], "comment": "The limit is £100."}


@pytest.fixture
def project(db):
    project = make_project("claims")
    for place in range(4):
        make_interaction(project, messages=[{"role": "user", "content": f"Question {place}"}], model="lake-8b")
    return project_or_404(owner_of(project), project.key)


@pytest.fixture
def queue(project):
    return make_queue(project)


@pytest.fixture
def pages(client, project):
    client.force_login(owner_of(project))
    return client


def url(name, queue, **more):
    return reverse(name, kwargs={"project": queue.project.key, "queue": queue.key, **more})


def first(pages, queue):
    """The review that the desk opens with."""
    return pages.get(url("desk", queue)).context["review"]


def send(pages, queue, review, **sent):
    return pages.post(url("desk_review", queue, review_id=review.pk), {"do": "submit", **sent})


# -- the desk -------------------------------------------------------------------------------------
def test_an_answer_without_scripts_is_kept_and_leads_to_the_next_item(pages, queue):
    review = first(pages, queue)
    answer = send(pages, queue, review, **GOOD)
    assert answer.headers["Location"] == url("desk", queue)
    review.refresh_from_db()
    assert review.state == State.SUBMITTED
    assert review.answers == {"accurate": "slip", "tone": 4, "flags": ["promises payment"]}
    assert review.comment == "The limit is £100."
    page = pages.get(url("desk", queue))
    assert page.context["review"].item_id != review.item_id
    assert page.context["told"]["done"] == 1 and page.context["told"]["total"] == 4


def test_what_was_sent_after_the_session_ended_stands_in_its_form_after_the_login(pages, queue):
    review, owner = first(pages, queue), owner_of(queue.project)
    here = url("desk_review", queue, review_id=review.pk)
    owner.set_password("a long enough one")
    owner.save()
    pages.logout()
    answer = send(pages, queue, review, **GOOD)
    assert answer.headers["Location"] == f"/login?next={here}"
    assert "stands in its form" in pages.get(answer.headers["Location"]).content.decode()
    form = {"username": owner.email, "password": "a long enough one", "next": here}
    page = pages.post("/login", form, follow=True)
    text = page.content.decode()
    assert "you were logged out when you sent this" in text and "The limit is £100." in text
    assert text.count(" checked") == 3  # of each question
    review.refresh_from_db()
    assert review.state == State.PENDING
    assert "you were logged out" not in pages.get(here).content.decode()
    pages.logout()
    pages.post(here, GOOD, headers={"HX-Request": "true"})  # a script keeps it in the browser
    assert unsent.NAME not in pages.session
    nobody = url("desk_review", queue, review_id=uuid.uuid4())
    pages.post(nobody, GOOD)
    assert unsent.NAME not in pages.session  # strangers leave nothing here


def test_no_page_of_the_desk_is_kept_by_the_browser(pages, queue):
    review = first(pages, queue)
    addresses = [url("desk", queue), url("desk_review", queue, review_id=review.pk), url("desk_next", queue)]
    answers = [pages.get(address) for address in addresses] + [send(pages, queue, review)]
    assert [answer.headers["Cache-Control"] for answer in answers] == ["no-store"] * 4


def test_what_is_missing_is_told_beside_its_question_and_what_was_answered_stays(pages, queue):
    review = first(pages, queue)
    answer = send(pages, queue, review, **{"a.accurate": "slip", "comment": "half"})
    assert answer.status_code == 422
    faults = {one.key: one.fault for one in answer.context["asked"]}
    assert faults["tone"] and not faults["accurate"]
    text = answer.content.decode()
    assert 'value="slip" form="f-' in text and "half" in text
    review.refresh_from_db()
    assert review.state == State.DRAFT


@pytest.mark.parametrize("tone", ["9", "x", "1.5", "99999999999999", ""])
def test_an_answer_that_is_none_is_refused_and_never_breaks(pages, queue, tone):
    review = first(pages, queue)
    assert send(pages, queue, review, **{**GOOD, "a.tone": tone}).status_code == 422
    review.refresh_from_db()
    assert review.state == State.DRAFT


def test_scripts_are_told_how_far_it_is_and_what_was_refused(pages, queue):
    review = first(pages, queue)
    address = url("desk_review", queue, review_id=review.pk)
    refused = pages.post(address, {"do": "submit", "a.accurate": "slip"}, headers=SCRIPTS)
    assert refused.status_code == 422
    assert "Tone" in refused.json()["text"] and refused.json()["open"] == address
    taken = pages.post(address, {"do": "submit", **GOOD, "seconds": "2.5"}, headers=SCRIPTS)
    assert taken.json()["progress"]["done"] == 1
    again = pages.post(address, {"do": "submit", **GOOD, "seconds": "2.5"}, headers=SCRIPTS)
    assert again.json()["progress"]["done"] == 1
    review.refresh_from_db()
    assert review.seconds == 2.5


def test_items_ahead_are_those_not_in_hand(pages, queue):
    seen = [first(pages, queue)]
    for _ in range(3):
        besides = ",".join(str(one.pk) for one in seen)
        answer = pages.get(url("desk_next", queue), {"besides": besides}, headers=SCRIPTS)
        assert b"<html" not in answer.content
        seen.append(answer.context["review"])
    assert len({one.item_id for one in seen}) == 4
    besides = ",".join([*(str(one.pk) for one in seen), "nonsense"])
    assert pages.get(url("desk_next", queue), {"besides": besides}).context["review"] is None


def test_what_could_not_be_written_is_told_and_the_answer_kept(pages, project):
    key, _ = create_feedback_key(team=project.team, key="good", kind="bool", projects=[project])
    asked = {"key": "good", "kind": "yes_no", "text": "Is it good?", "writes": {"feedback": "good"}}
    queue = make_queue(project, "writes", questions=[asked])
    review = first(pages, queue)
    unlink_feedback_key(project=project, key=key)
    answer = pages.post(
        url("desk_review", queue, review_id=review.pk), {"do": "submit", "a.good": "true"}, headers=SCRIPTS
    )
    assert answer.status_code == 200 and "Is it good?" in answer.json()["text"]
    review.refresh_from_db()
    assert review.state == State.SUBMITTED
    send(pages, queue, first(pages, queue), **{"a.good": "false"})
    assert "Kept, but not written" in pages.get(url("desk", queue)).content.decode()


@pytest.mark.parametrize("required", [True, False])
def test_a_correction_left_as_it_stands_answers_a_required_one_and_corrects_nothing(pages, project, required):
    asked = {
        "key": "fix",
        "kind": "correction",
        "text": "Better?",
        "required": required,
        "writes": {"correction": True},
    }
    queue = make_queue(project, "fix", questions=[asked])
    review = first(pages, queue)
    stands = Interaction.objects.select_related("body").get(pk=review.item.interaction_id).body.completion
    pages.post(url("desk_draft", queue, review_id=review.pk), {"a.fix": stands})
    review.refresh_from_db()
    assert review.answers == {}
    assert send(pages, queue, review, **{"a.fix": f"{stands}\r\n"}).status_code == 302
    review.refresh_from_db()
    assert (review.state, review.answers) == (State.SUBMITTED, {"fix": stands} if required else {})
    assert correction_of(review.item.interaction_id) is None
    other = first(pages, queue)
    send(pages, queue, other, **{"a.fix": stands, "do": "skip"})
    other.refresh_from_db()
    assert (other.state, other.answers) == (State.SKIPPED, {})
    assert send(pages, queue, other, **{"a.fix": " "}).status_code == (422 if required else 302)


def test_skip_put_off_and_undo(pages, queue):
    review = first(pages, queue)
    send(pages, queue, review, do="skip")
    review.refresh_from_db()
    assert review.state == State.SKIPPED
    second = first(pages, queue)
    send(pages, queue, second, do="later")
    assert first(pages, queue).pk not in {review.pk, second.pk}
    back = pages.post(url("desk_undo", queue))
    assert back.headers["Location"] == url("desk_review", queue, review_id=second.pk)
    pages.post(url("desk_undo", queue))
    review.refresh_from_db()
    assert review.state == State.PENDING
    pages.post(url("desk_undo", queue))
    assert "nothing left to undo" in pages.get(url("desk", queue)).content.decode()
    assert pages.post(url("desk_undo", queue), headers=SCRIPTS).status_code == 204


@pytest.mark.parametrize(("do", "state"), [("skip", State.SKIPPED), ("later", State.DRAFT)])
def test_what_is_typed_stays_as_a_draft_when_the_item_is_skipped_or_put_off(pages, queue, do, state):
    review = first(pages, queue)
    typed = {"a.accurate": "wrong", "a.tone": "not yet", "comment": "to be looked up", "asks_lead": "on"}
    for _ in range(2):  # the browser sends it again where it got no answer
        send(pages, queue, review, **{**typed, "do": do})
        review.refresh_from_db()
        assert (review.state, review.locked_until) == (state, None)
        assert review.answers == {"accurate": "wrong", "flags": []}  # what fits
        assert review.comment == "to be looked up" and review.asks_lead
    shown = pages.get(url("desk_review", queue, review_id=review.pk))
    assert "to be looked up" in shown.content.decode()


def test_a_draft_that_is_emptied_and_put_off_is_empty(pages, queue):
    review = first(pages, queue)
    pages.post(url("desk_draft", queue, review_id=review.pk), {"a.accurate": "wrong", "comment": "hm"})
    send(pages, queue, review, do="later")
    review.refresh_from_db()
    assert "accurate" not in review.answers and review.comment == ""


def test_going_back_shows_what_was_said_and_changes_it(pages, queue):
    review = first(pages, queue)
    send(pages, queue, review, **GOOD)
    second = first(pages, queue)
    back = pages.get(url("desk_before", queue, review_id=second.pk), follow=True)
    assert back.context["review"].pk == review.pk and back.context["again"]
    send(pages, queue, review, **{**GOOD, "a.tone": "1"})
    review.refresh_from_db()
    assert review.answers["tone"] == 1
    assert pages.get(url("desk_before", queue, review_id=review.pk), headers=SCRIPTS).status_code == 204


def test_a_draft_is_kept_and_found_again(pages, queue):
    review = first(pages, queue)
    draft = {"a.accurate": "wrong", "a.tone": "not yet", "comment": "to be looked up", "asks_lead": "on"}
    assert pages.post(url("desk_draft", queue, review_id=review.pk), draft).status_code == 204
    page = pages.get(url("desk", queue))
    assert page.context["review"].pk == review.pk
    assert page.context["review"].answers["accurate"] == "wrong" and "tone" not in page.context["review"].answers
    assert "to be looked up" in page.content.decode() and page.context["review"].asks_lead


def free_again(review):
    Review.objects.filter(pk=review.pk).update(locked_until="2020-01-01T00:00Z")


def is_held(review):
    review.refresh_from_db()
    return review.locked_until > timezone.now()


def test_who_reads_for_long_keeps_the_item_and_the_questions_she_was_given(pages, queue):
    review = first(pages, queue)
    editor = {"n": "1", "q0.text": "Good?", "q0.kind": "yes_no", "q0.required": "on", "do": "save"}
    assert pages.post(url("queue_questions", queue), editor).status_code == 302
    free_again(review)
    assert pages.post(url("desk_hold", queue, review_id=review.pk)).status_code == 204
    assert is_held(review) and (review.form.version, review.state) == (1, State.PENDING)
    assert send(pages, queue, review, **GOOD).status_code == 302
    review.refresh_from_db()
    assert review.state == State.SUBMITTED and review.answers["tone"] == 4


def test_an_item_that_another_took_or_that_is_ended_is_not_held(client, project):
    queue = make_queue(project, "one", query="q=%22Question+1%22")
    client.force_login(owner_of(project))
    mine = first(client, queue)
    free_again(mine)
    client.force_login(make_user(team=project.team, role="annotator"))
    theirs = first(client, queue)
    assert client.post(url("desk_hold", queue, review_id=mine.pk)).status_code == 404
    client.force_login(owner_of(project))
    assert client.post(url("desk_hold", queue, review_id=mine.pk)).status_code == 204
    assert is_held(theirs) and not is_held(mine)
    send(client, queue, mine, do="skip")
    client.post(url("desk_hold", queue, review_id=mine.pk))
    mine.refresh_from_db()
    assert mine.locked_until is None


def test_of_conflicts_the_one_that_is_being_decided_is_held(client, project):
    queue = make_queue(project, "two", reviewers=2, questions=[{"key": "good", "kind": "yes_no", "text": "Good?"}])
    for good in (True, False):
        person = make_user(team=project.team, role="annotator")
        while review := next_review(queue, person):
            submit(review=review, answers={"good": good})
    client.force_login(owner_of(project))
    one, other = items_of(queue)[:2]
    client.post(url("conflict_decide", queue, item_id=other.pk))
    review = Review.objects.get(item=other, decides=True)
    free_again(review)
    assert client.post(url("desk_hold", queue, review_id=review.pk)).status_code == 204
    assert is_held(review) and not Review.objects.filter(item=one, decides=True).exists()


def test_a_deleted_interaction_is_a_card_that_can_be_skipped(pages, project, queue):
    review = first(pages, queue)
    Interaction.objects.filter(pk=review.item.interaction_id).delete()
    page = pages.get(url("desk", queue))
    assert page.status_code == 200 and "This interaction was deleted" in page.content.decode()
    assert send(pages, queue, review, do="skip").status_code == 302
    assert first(pages, queue).pk != review.pk


def test_at_the_end_the_desk_says_so(pages, queue):
    for _ in range(4):
        send(pages, queue, first(pages, queue), do="skip")
    page = pages.get(url("desk", queue))
    assert page.context["review"] is None and "Nothing is left for you here" in page.content.decode()


def test_questions_that_changed_are_asked_of_new_items_and_old_answers_keep_theirs(pages, queue):
    review = first(pages, queue)
    pages.post(url("desk_draft", queue, review_id=review.pk), {"a.accurate": "slip"})
    editor = {"n": "1", "q0.text": "Good?", "q0.kind": "yes_no", "q0.required": "on", "do": "save"}
    assert pages.post(url("queue_questions", queue), editor).status_code == 302
    page = pages.get(url("desk_review", queue, review_id=review.pk))
    assert [one.key for one in page.context["asked"]] == ["accurate", "tone", "flags"]
    send(pages, queue, review, **GOOD)
    page = pages.get(url("desk", queue))
    assert [one.key for one in page.context["asked"]] == ["good"] and "data-auto" in page.content.decode()


def test_anothers_review_is_not_shown_and_not_taken(client, project, queue):
    client.force_login(owner_of(project))
    review = first(client, queue)
    client.force_login(make_user(team=project.team, role="annotator"))
    assert client.get(url("desk_review", queue, review_id=review.pk)).headers["Location"] == url("desk", queue)
    assert send(client, queue, review, **GOOD).status_code == 404
    review.refresh_from_db()
    assert review.state == State.PENDING


def test_two_people_on_one_item_and_the_loser_keeps_a_draft(client, project):
    queue = make_queue(project, "one", query="q=%22Question+1%22")
    client.force_login(owner_of(project))
    review = first(client, queue)
    Review.objects.update(locked_until="2020-01-01T00:00Z")
    other = make_user(team=project.team, role="annotator")
    client.force_login(other)
    send(client, queue, first(client, queue), **GOOD)
    client.force_login(owner_of(project))
    answer = client.post(url("desk_review", queue, review_id=review.pk), {"do": "submit", **GOOD}, headers=SCRIPTS)
    assert answer.status_code == 409 and "draft" in answer.json()["text"]
    review.refresh_from_db()
    assert review.state == State.DRAFT and review.answers["tone"] == 4


@pytest.mark.parametrize(("role", "code"), [("annotator", 200), ("auditor", 403), ("program", 403)])
def test_the_desk_is_for_who_may_review(client, project, queue, role, code):
    client.force_login(make_user(team=project.team, role=role))
    assert client.get(url("desk", queue)).status_code == code


def test_who_is_no_member_is_told(client, project):
    queue = make_queue(project, "few", open_to_all=False)
    client.force_login(make_user(team=project.team, role="annotator"))
    assert client.get(url("desk", queue)).status_code == 403


def test_the_desk_takes_as_many_queries_whatever_is_in_the_queue(pages, project):
    counted = {}
    for key, query in (("small", "q=%22Question+1%22"), ("large", "")):
        queue = make_queue(project, key, query=query)
        first(pages, queue)
        with CaptureQueriesContext(connection) as queries:
            pages.get(url("desk", queue))
        counted[key] = len(queries)
    assert counted["small"] == counted["large"] <= 38


# -- pairs ----------------------------------------------------------------------------------------
@pytest.fixture
def pairs(project):
    prompt = [{"role": "user", "content": "Is a hotel covered?"}]
    make_interaction(project, messages=prompt, completion="Yes, for twelve months.", model="lake-8b")
    make_interaction(project, messages=prompt, completion="Yes, for one year.", model="ridge-70b")
    return make_pairs(project, query="q=hotel")


def test_models_are_hidden_until_the_vote_and_the_order_is_kept(pages, pairs):
    page = pages.get(url("desk", pairs))
    review, text = page.context["review"], page.content.decode()
    assert "lake-8b" not in text and "ridge-70b" not in text
    letters = [side.interaction.pk for side in page.context["sides"]]
    order = [review.item.interaction_id, review.item.other_id]
    assert letters == (order[::-1] if review.swapped else order)
    assert "twelve months" in text and '<mark class="only">' in text
    send(pages, pairs, review, **{"a.better": "b", "a.why": ["clearer", "shorter"]})
    after = pages.get(url("desk_review", pairs, review_id=review.pk)).content.decode()
    assert "lake-8b" in after and "ridge-70b" in after
    review.refresh_from_db()
    assert review.answers == {"better": "b", "why": ["clearer", "shorter"]}


# -- queues ---------------------------------------------------------------------------------------
def test_the_list_shows_what_waits_for_the_reader_and_so_does_the_navigation(pages, queue):
    page = pages.get(reverse("queue_list", kwargs={"project": "claims"}))
    [row] = page.context["rows"]
    assert (row.mine, row.done) == (4, 0)
    send(pages, queue, first(pages, queue), **GOOD)
    page = pages.get(reverse("queue_list", kwargs={"project": "claims"}))
    [row] = page.context["rows"]
    assert (row.mine, row.done) == (3, 1)
    assert '<span class="vh">waiting: </span>3</span>' in page.content.decode()


def test_without_queues_the_list_says_what_one_is(pages, project):
    text = pages.get(reverse("queue_list", kwargs={"project": "claims"})).content.decode()
    assert "No queue yet" in text and "Make the first queue" in text


def test_who_may_not_review_is_told(client, project, queue):
    client.force_login(make_user(team=project.team, role="auditor"))
    text = client.get(reverse("queue_list", kwargs={"project": "claims"})).content.decode()
    assert "You may look, not review" in text and "waiting:" not in text and url("desk", queue) not in text


def test_the_list_takes_as_many_queries_for_one_queue_as_for_many(pages, queue, project, django_assert_num_queries):
    address = reverse("queue_list", kwargs={"project": "claims"})
    pages.get(address)
    with CaptureQueriesContext(connection) as one:
        pages.get(address)
    for place in range(3):
        make_queue(project, f"more-{place}", query=None)
    with django_assert_num_queries(len(one)):
        pages.get(address)


NEW = {
    "name": "Safety",
    "key": "safety",
    "kind": "single",
    "reviewers": "2",
    "blind": "yes",
    "open_to_all": "yes",
    "guideline": "**Look** twice.",
}


def test_a_queue_is_made_with_its_guideline_and_asks_something(pages, project):
    address = reverse("queue_create", kwargs={"project": "claims"})
    preview = pages.post(address, {**NEW, "do": "preview"})
    assert "<strong>Look</strong> twice." in preview.content.decode() and not Queue.objects.exists()
    answer = pages.post(address, {**NEW, "do": "save"})
    queue = Queue.objects.get()
    assert answer.headers["Location"] == url("queue_questions", queue)
    assert (queue.key, queue.reviewers, queue.blind) == ("safety", 2, True)
    assert guideline_of(queue).text == "**Look** twice." and form_of(queue).questions
    assert pages.post(address, {**NEW, "do": "save"}).status_code == 422


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"key": "new"}, "key"),
        ({"reviewers": "99"}, "reviewers"),
        ({"open_to_all": "no"}, "members"),
    ],
)
def test_a_queue_that_cannot_be_is_refused_beside_the_field(pages, project, changed, field):
    answer = pages.post(reverse("queue_create", kwargs={"project": "claims"}), {**NEW, **changed})
    assert answer.status_code == 422 and field in answer.context["form"].errors
    assert not Queue.objects.exists()


def test_a_guideline_gets_a_version_and_members_are_set(pages, project, queue):
    person = make_user(team=project.team, role="annotator")
    given = {**NEW, "name": "Renamed", "reviewers": "1", "open_to_all": "no", "members": [person.pk], "do": "save"}
    assert pages.post(url("queue_edit", queue), given).status_code == 302
    queue.refresh_from_db()
    assert queue.name == "Renamed" and not queue.open_to_all
    assert list(queue.members.values_list("user", flat=True)) == [person.pk]
    assert guideline_of(queue).version == 2


def test_questions_are_added_moved_and_removed_without_scripts(pages, queue):
    address = url("queue_questions", queue)
    page = pages.get(address)
    sent = {"n": str(len(page.context["rows"]))}
    for row in page.context["rows"]:
        sent |= {f"q{row.place}.{name}": value for name, value in row.values.items()}
        sent |= {f"q{row.place}.required": "on"} if row.required else {}
    assert pages.post(address, {**sent, "do": "save"}).status_code == 302
    assert form_of(queue).version == 1  # the same again is no new version
    added = pages.post(address, {**sent, "do": "add"})
    assert len(added.context["rows"]) == 4 and form_of(queue).version == 1
    moved = pages.post(address, {**sent, "do": "up.2"})
    assert [row.key for row in moved.context["rows"]] == ["accurate", "flags", "tone"]
    removed = pages.post(address, {**sent, "do": "remove.0"})
    assert [row.key for row in removed.context["rows"]] == ["tone", "flags"]
    wrong = pages.post(address, {**sent, "q1.least": "9", "q0.options": "", "do": "save"})
    found = [list(row.wrong) for row in wrong.context["rows"]]
    assert wrong.status_code == 422 and found == [["options"], ["most"], []]
    page = wrong.content.decode()
    assert page.count(" autofocus") == 1 and 'aria-describedby="q0-options-fault" autofocus' in page
    assert '<ul class="errorlist" id="q1-most-fault"><li>' in page
    assert pages.post(address, {**sent, "q1.most": "7", "do": "save"}).status_code == 302
    assert form_of(queue).version == 2 and form_of(queue).questions[1]["most"] == 7


def test_filling_begins_and_what_cannot_be_read_is_told(pages, queue):
    address = url("queue_fill", queue)
    ids = re.findall(r' id="([^"]+)"', pages.get(address).content.decode())
    assert len(ids) == len(set(ids)) and "rule_query" in ids  # its two forms
    pasted = "http://127.0.0.1:8000/p/claims/interactions?q=%22Question+2%22&cursor=x"
    answer = pages.post(address, {"query": pasted, "method": "random", "size": "5", "seed": "7"})
    assert answer.status_code == 302 and "/jobs/" in answer.headers["Location"]
    sample = queue.samples.order_by("-pk").first()
    assert (sample.query, sample.seed, sample.size) == ("q=%22Question+2%22", 7, 5)
    pages.post(address, {"query": "q=Question", "method": "all", "fold": "on"})
    assert queue.samples.order_by("-pk").first().query == "q=Question&fold=near"
    assert pages.post(address, {"query": "colour=red", "method": "all"}).status_code == 422
    assert pages.post(address, {"query": "", "method": "random"}).status_code == 422


def test_a_rule_begins_and_ends(pages, queue):
    address = url("queue_rule", queue)
    assert pages.post(address, {"query": "label=a:b", "share": "25"}).status_code == 302
    queue.refresh_from_db()
    assert queue.rule["query"] == "label=a:b" and queue.rule["share"] == 0.25
    assert pages.post(address, {"query": "colour=red", "share": "25"}).status_code == 422
    assert pages.post(address, {"end": "1"}).status_code == 302
    queue.refresh_from_db()
    assert queue.rule is None


def test_items_are_taken_out_put_back_and_assigned(pages, project, queue):
    items, person = items_of(queue), make_user(team=project.team, role="annotator")
    address = url("queue_items", queue)
    pages.post(address, {"item": [items[0].pk, items[1].pk], "do": "remove"})
    assert Item.objects.filter(queue=queue, removed_at=None).count() == 2
    assert len(pages.get(url("queue_detail", queue), {"show": "removed"}).context["rows"]) == 2
    pages.post(address, {"item": [items[0].pk], "do": "back"})
    pages.post(address, {"item": [items[2].pk], "do": "assign", "user": person.pk})
    rows = {row.item.pk: row for row in pages.get(url("queue_detail", queue)).context["rows"]}
    assert set(rows) == {items[0].pk, items[2].pk, items[3].pk}
    assert rows[items[2].pk].assigned == [person]
    assert pages.post(address, {"item": ["x"], "do": "remove"}).status_code == 400
    assert pages.post(address, {"item": [], "do": "burn"}).status_code == 400


def test_an_item_that_asks_for_two_is_assigned_to_two(pages, project):
    queue = make_queue(project, "two", reviewers=2)
    people = [make_user(name=name, team=project.team, role="annotator") for name in ("Ada Ek", "Bo Yu")]
    sent = {"item": [items_of(queue)[0].pk], "do": "assign"}
    few = pages.post(url("queue_items", queue), {**sent, "user": [people[0].pk]}, follow=True).content.decode()
    assert "Each asks for 2 people" in few and "1 of 2 people" in few
    page = pages.post(url("queue_items", queue), {**sent, "user": [one.pk for one in people]}, follow=True)
    text = page.content.decode()
    assert "assigned to Ada Ek, Bo Yu." in text and "of 2 people" not in text and "Each asks" not in text
    for person in people:
        submit(review=next_review(queue, person), answers={"accurate": "yes", "tone": 3})
    assert not items_of(queue)[0].open
    pages.post(url("queue_items", queue), {**sent, "user": ""})
    assert not Item.objects.filter(queue=queue, assigned=True).exists()
    assert pages.post(url("queue_items", queue), {**sent, "user": "x"}).status_code == 400


def test_what_was_skipped_comes_back_into_ones_own_order(pages, queue):
    review = first(pages, queue)
    send(pages, queue, review, do="skip")
    pages.post(url("queue_items", queue), {"item": [review.item_id], "do": "again"})
    review.refresh_from_db()
    assert review.state == State.PENDING


def test_a_gold_item_is_set_and_not_shown_to_reviewers(pages, queue):
    item = items_of(queue)[0]
    address = url("queue_item", queue, item_id=item.pk)
    assert pages.post(address, {}).status_code == 422
    assert pages.post(address, {"a.accurate": "wrong"}).status_code == 302
    item.refresh_from_db()
    assert item.gold == {"accurate": "wrong"}
    pages.get(url("queue_detail", queue))  # where it is said that it was kept
    ordinary, gold = (pages.get(url("desk", queue)).content.decode() for _ in range(2))
    assert "gold" not in ordinary.lower() + gold.lower()
    assert pages.post(address, {"ordinary": "1"}).status_code == 302
    item.refresh_from_db()
    assert item.gold is None


def test_a_lead_finds_who_asks_and_reads_texts_and_comments(client, project):
    why = {"key": "why", "kind": "text", "text": "Why so?"}
    queue = make_queue(project, "asks", questions=[why], reviewers=2)
    client.force_login(make_user(name="Ada Ek", team=project.team, role="annotator"))
    asking, other = first(client, queue), None
    send(client, queue, asking, **{"a.why": "A limit is missing.", "comment": "Does s 1 apply?", "asks_lead": "on"})
    other = first(client, queue)
    send(client, queue, other, **{"a.why": "All is well."})
    client.force_login(owner_of(project))
    list_page = client.get(url("queue_detail", queue), {"show": "asks_lead"})
    assert [row.item.pk for row in list_page.context["rows"]] == [asking.item_id]
    text = client.get(url("queue_item", queue, item_id=asking.item_id)).content.decode()
    for told in ("Ada Ek", "asks a lead", "A limit is missing.", "Does s 1 apply?"):
        assert told in text
    text = client.get(url("queue_item", queue, item_id=other.item_id)).content.decode()
    assert "Ada Ek" in text and "shown once all answers are in" in text and "All is well." not in text
    client.force_login(make_user(team=project.team, role="annotator"))
    assert client.get(url("queue_item", queue, item_id=asking.item_id)).status_code == 403


def test_a_third_person_decides_and_sees_what_was_said(client, project):
    queue = make_queue(project, "two", query="q=%22Question+1%22", reviewers=2)
    for role, answer in (("annotator", "yes"), ("reviewer", "wrong")):
        client.force_login(make_user(name=f"The {role}", team=project.team, role=role))
        page = client.get(url("desk", queue))
        assert not page.context["others"]
        send(client, queue, page.context["review"], **{**GOOD, "a.accurate": answer})
    client.force_login(owner_of(project))
    page = client.get(url("queue_detail", queue))
    [(item, text)] = page.context["conflicts"]
    assert text == "Question 1"
    answer = client.post(url("conflict_decide", queue, item_id=item.pk), follow=True)
    text = answer.content.decode()
    assert "you decide" in text and "The annotator" in text and "Wrong" in text
    send(client, queue, answer.context["review"], **GOOD)
    item.refresh_from_db()
    assert item.decided and not item.conflict


def test_a_page_of_items_goes_on_where_the_last_ended(pages, project, queue, monkeypatch):
    monkeypatch.setattr("reviews.views.items.ROWS", 3)
    page = pages.get(url("queue_detail", queue))
    rest = pages.get(page.context["older"])
    seen = [row.item.pk for answer in (page, rest) for row in answer.context["rows"]]
    assert seen == [item.pk for item in items_of(queue)]
    assert pages.get(url("queue_detail", queue), {"cursor": "nonsense"}).status_code == 400


# -- what comes out -------------------------------------------------------------------------------
def test_the_report_as_page_json_and_csv(pages, project, queue):
    queue.name = "=1+1"
    queue.save()
    set_gold(item=items_of(queue)[0], answers={"accurate": "slip"})
    for _ in range(4):  # one of them is the gold item, which is no answer of the queue
        send(pages, queue, first(pages, queue), **GOOD)
    page = pages.get(url("queue_report", queue))
    assert page.status_code == 200 and "Accurate against the policy?" in page.content.decode()
    told = json.loads(pages.get(url("queue_report_file", queue, form="json")).content)
    assert told["totals"]["submitted"] == 3 and told["samples"][0]["seed"] == queue.samples.get().seed
    assert told["queue"]["key"] == queue.key
    table = pages.get(url("queue_report_file", queue, form="csv"))
    lines = table.content.decode().splitlines()
    assert f"totals,{queue.key},submitted,3,,," in lines
    assert not [line for line in lines if line.startswith(("=", "+", "@"))]
    assert pages.get(url("queue_report_file", queue, form="pdf")).status_code == 404


def test_a_report_of_an_empty_queue_and_of_nothing_answered(pages, project, queue):
    assert pages.get(url("queue_report", queue)).status_code == 200
    empty = make_queue(project, "empty", query=None)
    assert pages.get(url("queue_report", empty)).status_code == 200
    assert pages.get(url("desk", empty)).context["review"] is None


def test_coverage_tells_what_was_seen(pages, project, queue):
    send(pages, queue, first(pages, queue), **GOOD)
    address = reverse("review_coverage", kwargs={"project": "claims"})
    found = pages.get(address).context["found"]
    assert (found.all.seen, found.all.n) == (1, 4)
    assert pages.get(address, {"after": "nonsense"}).status_code == 400
    assert pages.get(address, {"after": "2020-01-01T00:00", "before": "2020-02-01T00:00"}).context["found"].all.n == 0


def test_coverage_of_a_project_without_interactions(client):
    project = make_project("bare")
    client.force_login(owner_of(project))
    address = reverse("review_coverage", kwargs={"project": "bare"})
    for query in ({}, {"days": "7"}, {"after": "2026-05-01T12:00"}, {"before": "2026-05-01T12:00"}):
        page = client.get(address, query)
        assert page.status_code == 200 and "Nothing in this period." in page.content.decode()


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ({"after": "2026-05-02T12:00", "before": "2026-05-01T12:00"}, "From: Send a time before the end."),
        ({"before": "9999-12-31T23:59"}, "To: Send a time from 1970 to 9998."),
        ({"after": "0001-01-01T00:00"}, "From: Send a time from 1970 to 9998."),
        ({"before": "soon"}, "To: Send a time such as 2026-05-01T12:00."),
    ],
)
def test_a_period_that_is_none_is_told_and_the_usual_one_is_shown(pages, project, queue, query, fault):
    page = pages.get(reverse("review_coverage", kwargs={"project": "claims"}), query)
    assert page.status_code == 400 and fault in page.content.decode()
    assert page.context["found"].all.n == 4
    assert {name: page.context[name] for name in query} == query


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Asia/Kolkata"])
def test_the_ends_of_a_coverage_are_times_of_the_reader(pages, project, zone):
    make_interaction(project, created_at="2025-03-01T10:30:00Z")
    ends = [f"2025-03-01T{hour}+00:00" for hour in ("10:15", "10:45")]
    local = [datetime.fromisoformat(end).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M") for end in ends]
    pages.cookies["tz"] = zone
    page = pages.get(
        reverse("review_coverage", kwargs={"project": "claims"}), dict(zip(("after", "before"), local, strict=True))
    )
    assert page.context["found"].all.n == 1
    shown = datetime.fromisoformat(ends[0]).replace(minute=0).astimezone(ZoneInfo(zone))
    assert f"{shown:%H:%M}" in page.content.decode()


# -- keys -----------------------------------------------------------------------------------------
def test_keys_are_remapped_and_shown_on_the_buttons(pages, project, queue):
    address = reverse("desk_keys", kwargs={"project": "claims"})
    assert pages.post(address, {"skip": "q", "submit": "enter", "letters": "on"}).status_code == 302
    remap = Remap.objects.get()
    assert remap.keys == {"skip": "q"} and remap.letters
    page = pages.get(url("desk", queue))
    assert json.loads(page.context["keys_json"])["skip"] == "q"
    assert pages.post(address, {"skip": "u", "letters": "on"}).status_code == 422
    assert pages.post(address, {"skip": "3"}).status_code == 422
    assert pages.post(address, {"skip": "qq"}).status_code == 422
    pages.post(address, {"usual": "1"})
    remap.refresh_from_db()
    assert remap.keys == {} and not remap.letters
    assert 'data-letters="off"' in pages.get(url("desk", queue)).content.decode()


def test_strangers_find_nothing(client, queue):
    client.force_login(make_user(team=make_team()))
    for name in ("desk", "queue_detail", "queue_report", "queue_fill", "queue_questions"):
        assert client.get(url(name, queue)).status_code == 404


def test_a_queue_of_pairs_asks_which_is_better(project):
    assert form_of(make_queue(project, "p", query=None, kind="pair", questions=PAIR)).questions[0]["kind"] == "pair"


def test_what_waits_is_what_is_open_and_not_ones_own_answer(pages, project, queue):
    owner, items = owner_of(project), items_of(queue)
    person = make_user(team=project.team, role="annotator")
    assert waiting(project, owner) == waiting(project, person) == {queue.pk: 4}
    first(pages, queue)  # begun, not done
    assert waiting(project, owner) == {queue.pk: 4}
    send(pages, queue, first(pages, queue), do="skip")
    pages.post(url("queue_items", queue), {"item": [items[3].pk], "do": "assign", "user": person.pk})
    assert (waiting(project, owner), waiting(project, person)) == ({queue.pk: 2}, {queue.pk: 4})
    set_gold(item=items[2], answers={"accurate": "yes"})
    pages.post(url("queue_items", queue), {"item": [items[1].pk], "do": "remove"})
    assert (waiting(project, owner), waiting(project, person)) == ({queue.pk: 1}, {queue.pk: 3})
    assert waiting(project, person, most=2) == {queue.pk: 2}
    pages.post(url("queue_close", queue))
    assert waiting(project, person) == {}
