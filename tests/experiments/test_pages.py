"""The pages of A/B tests through their addresses, as they answer without scripts and to scripts."""

import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from accounts.permissions import DEPLOY
from experiments import services
from experiments.evaluating import evaluate
from experiments.folding import settle
from experiments.labels import ByLabel, LabelRow
from experiments.models import ABTest, Decision
from experiments.rules import MAX_REASON
from experiments.templatetags.experiments import Words
from experiments.views.labels import label_rows
from interactions.ingest import ingest
from interactions.models import Interaction
from projects.services import archive_project
from registry.models import Attachment
from registry.services import detach, set_default
from tests.experiments.running import fill, make_place, make_test, vote
from tests.factories import make_user, owner_of

pytestmark = pytest.mark.django_db
SCRIPTS = {"HX-Request": "true"}
FORM = {
    "do": "make",
    "name": "dpo against sft",
    "key": "dpo-against-sft",
    "feedback_key": "helpful",
    "judged_by": "metric",
    "arm_0": "lake-8b",
    "weight_0": "1",
    "arm_1": "ridge-70b",
    "weight_1": "3",
    "split": "60",
    "smallest_effect": "2",
    "planned_n": "500",
    "planned_days": "7",
}


@pytest.fixture
def project(db):
    return make_place("claims")


@pytest.fixture
def pages(client, project):
    client.force_login(owner_of(project))
    return client


@pytest.fixture
def running(project):
    """B is clearly better, and enough of both have answered."""
    test = make_test(project, days_ago=5)
    fill(test, (130, 120, 40), (130, 120, 105))
    return test


def url(name, test=None, project=None, **more):
    where = {"project": (project or test.project).key, **({"test": test.key} if test else {}), **more}
    return reverse(f"ab_test_{name}", kwargs=where)


def text_of(answer):
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def as_reviewer(client, project):
    client.force_login(make_user(team=project.team, role="reviewer"))
    return client


def queries(client, address, **options):
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert client.get(address, **options).status_code == 200
    return len(asked)


# -- the list -------------------------------------------------------------------------------------
def test_without_tests_the_list_says_what_they_are_for_and_offers_the_first(pages, project):
    text = text_of(pages.get(url("list", project=project)))
    assert "No A/B test yet" in text and "Plan the first test" in text
    assert "Plan the first test" not in text_of(as_reviewer(pages, project).get(url("list", project=project)))


def test_the_list_tells_state_arms_progress_and_verdict(pages, running):
    evaluate(running)
    text = text_of(pages.get(url("list", project=running.project)))
    for said in ("dpo against sft", "Running", "lake-8b", "ridge-70b", "120 in each arm day 3", "B is better 6 of 7"):
        assert said in text, said


@pytest.mark.parametrize(
    ("models", "arms", "headline"),
    [
        (2, [(130, 120, 60), (130, 120, 60)], "No arm is ahead"),
        (2, [(130, 120, 60), (130, 120, 63)], "B is ahead, perhaps by chance"),
        (2, [(130, 30, 10), (130, 30, 20)], "Collecting"),
        (2, [(60, 60, 20), (150, 150, 120)], "The traffic does not match the split"),
        (3, [(130, 120, 36), (130, 120, 84), (12, 12, 12)], "The traffic does not match the split"),
        (3, [(130, 120, 36), (130, 120, 84), (130, 12, 12)], "Collecting"),
    ],
)
def test_the_list_says_of_a_test_what_its_page_says(pages, project, models, arms, headline):
    test = make_test(project, models=models, days_ago=5)
    fill(test, *arms)
    evaluate(test)
    page = pages.get(url("detail", test))
    assert page.context["report"].verdict.headline == headline
    assert "Chance that" not in text_of(page) and 'class="strong good"' not in page.content.decode()
    [row] = pages.get(url("list", project=project)).context["rows"]
    assert row.verdict == headline


def test_the_list_says_that_a_unit_was_seen_in_two_arms(pages, running):
    record = {"prompt": "?", "completion": "!", "model": "lake-8b", "ab_campaign": running.key, "user": "person-1-0"}
    ingest(project=running.project, records=[record], by=running.created_by)
    evaluate(running)
    assert "Units were seen in two arms" in text_of(pages.get(url("list", project=running.project)))


def test_the_list_counts_the_arms_that_take_part(pages, project):
    test = make_test(project, models=3, planned_n=200, days_ago=5)
    fill(test, (260, 250, 100), (260, 255, 200), (12, 12, 12))
    detach(project=project, model=test.arms.get(position=2).model, by=owner_of(project))
    evaluate(test)
    assert "A has 250 of 200" in text_of(pages.get(url("detail", test)))
    [row] = pages.get(url("list", project=project)).context["rows"]
    assert (row.least, row.verdict) == (250, "B is better")


def test_the_list_tells_how_a_test_ended_and_with_how_many(pages, project):
    """Both end before the worker looks at them for the first time."""
    by, tests = owner_of(project), [make_test(project, f"test-{n}", traffic_split=0.3, days_ago=5) for n in range(2)]
    for test in tests:
        fill(test, (90, 78, 20), (90, 82, 60))
    services.decide(test=tests[0], winner=tests[0].arms.get(position=1), reason="Enough.", by=by)
    services.cancel(test=tests[1], by=by)

    def told():
        return [(row.least, row.verdict) for row in pages.get(url("list", project=project)).context["rows"]]

    assert told() == [(78, "Ended without a decision"), (78, "B won")]
    services.roll_back(test=tests[0], by=by)
    assert told()[1] == (78, "B won, rolled back")


def test_the_list_is_narrowed_to_a_state(pages, project):
    tests = [make_test(project, f"test-{n}", traffic_split=0.2, name=f"Test {n}") for n in range(4)]
    by = owner_of(project)
    services.pause(test=tests[1], by=by)
    services.cancel(test=tests[2], by=by)
    services.decide(test=tests[3], winner=None, reason="Nobody asks any more.", by=by)
    shown = {
        state: [row.test.key for row in pages.get(url("list", project=project), {"state": state}).context["rows"]]
        for state in ("", "running", "paused", "cancelled", "decided", "asleep")
    }
    every = ["test-3", "test-2", "test-1", "test-0"]
    assert shown == {
        "": every, "running": ["test-0"], "paused": ["test-1"], "cancelled": ["test-2"], "decided": ["test-3"],
        "asleep": every,
    }  # fmt: skip


def test_the_list_asks_as_often_for_many_tests_as_for_one(pages, project):
    make_test(project, "first", traffic_split=0.1)
    pages.get(url("list", project=project))
    one = queries(pages, url("list", project=project))
    for n in range(3):
        make_test(project, f"test-{n}", traffic_split=0.1, models=3)
    assert queries(pages, url("list", project=project)) == one


def test_a_list_that_is_long_has_pages(pages, project, monkeypatch):
    monkeypatch.setattr("experiments.views.listing.SHOWN", 2)
    for n in range(3):
        make_test(project, f"test-{n}", traffic_split=0.1)
    first = pages.get(url("list", project=project))
    assert [row.test.key for row in first.context["rows"]] == ["test-2", "test-1"]
    second = pages.get(first.context["older"])
    assert [row.test.key for row in second.context["rows"]] == ["test-0"] and not second.context["older"]


# -- a new test -----------------------------------------------------------------------------------
def test_a_test_is_made_as_the_form_says(pages, project):
    answer = pages.post(url("create", project=project), FORM)
    test = ABTest.objects.get(project=project)
    assert answer.headers["Location"] == url("detail", test)
    assert (test.traffic_split, test.planned_n, test.planned_days) == (0.6, 500, 7)
    assert test.smallest_effect == pytest.approx(0.02)  # points of a share
    assert [(arm.model.key, arm.weight) for arm in test.arms.all()] == [("lake-8b", 1), ("ridge-70b", 3)]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"arm_1": ""}, "arm_1"),
        ({"arm_1": "lake-8b"}, None),
        ({"arm_1": "no-such-model"}, "arm_1"),
        ({"split": "0"}, "split"),
        ({"split": "130"}, "split"),
        ({"split": "a third"}, "split"),
        ({"key": "new"}, "key"),
        ({"key": "two words"}, "key"),
        ({"planned_n": "3"}, "planned_n"),
        ({"feedback_key": "stars"}, "feedback_key"),
        ({"weight_0": "-1"}, "weight_0"),
    ],
)
def test_what_cannot_be_is_told_beside_its_field_and_nothing_is_made(pages, project, sent, field):
    answer = pages.post(url("create", project=project), {**FORM, **sent})
    assert answer.status_code == 422
    errors = answer.context["form"].errors
    assert errors if field is None else field in errors
    assert 'value="dpo against sft"' in answer.content.decode()  # what was written stays
    assert not ABTest.objects.exists()


def test_a_key_that_is_taken_and_a_share_that_is_not_free_are_told(pages, project):
    make_test(project, traffic_split=0.6)
    answer = pages.post(url("create", project=project), FORM)
    assert answer.status_code == 422 and answer.context["form"].errors
    taken = pages.post(url("create", project=project), {**FORM, "split": "10"})
    assert taken.status_code == 422 and "key" in taken.context["form"].errors
    wrong = pages.post(url("create", project=project), {**FORM, "key": "two words", "effect": "much"}).context["form"]
    assert wrong.errors["key"] == ["A key has letters from a to z, digits, - and _, and nothing else."]
    assert [name for name, field in wrong.fields.items() if "autofocus" in field.widget.attrs] == ["key"]
    free = pages.post(url("create", project=project), {**FORM, "key": "another"})
    assert "split" in free.context["form"].errors and "0.4" in str(free.context["form"].errors)


def test_in_an_archived_project_no_test_begins(pages, project):
    archive_project(project=project)
    for name in ("list", "create"):
        answer = pages.get(url(name, project=project))
        assert "This project is archived" in text_of(answer) and "<textarea" not in answer.content.decode()
        for offered in ("New test", "Plan the first test", "Start the test", "needs a role"):
            assert offered not in text_of(answer), (name, offered)
    answer = pages.post(url("create", project=project), FORM)  # of a page that was opened before
    assert answer.status_code == 422 and list(answer.context["form"].errors) == ["__all__"]
    assert "claims is archived" in text_of(answer) and 'value="dpo against sft"' in answer.content.decode()


def test_letting_it_decide_itself_needs_the_permission_to_deploy(pages, project):
    role = Role.objects.get(team=project.team, key="engineer")
    role.permissions = [one for one in role.permissions if one != DEPLOY]
    role.save()
    pages.force_login(make_user(team=project.team, role="engineer"))
    answer = pages.post(url("create", project=project), {**FORM, "auto_deploy": "on"})
    assert answer.status_code == 422 and "auto_deploy" in answer.context["form"].errors
    assert not ABTest.objects.exists()


def test_the_planner_takes_what_was_measured_and_says_what_is_missing(pages, project):
    fill(make_test(project, traffic_split=0.2), (40, 40, 30), (40, 40, 30))
    form = pages.get(url("create", project=project))
    assert "75.0 %" in text_of(form) and "Write the difference" in text_of(form)
    assert "27 interactions on a day that had any" in text_of(form)  # 80 on three days
    unknown = pages.post(url("plan", project=project), {**FORM, "effect": "5"}).context["plan"]
    assert unknown.plan.days is None and unknown.plan.units == 4 * unknown.plan.units_per_arm  # one arm has a quarter
    part = pages.post(url("plan", project=project), {**FORM, "effect": "5", "daily": "100"}, headers=SCRIPTS)
    assert part.templates[0].name == "experiments/_plan.html"
    assert part.context["plan"].days is None and "how many of them give feedback" in text_of(part)
    covered = {**FORM, "effect": "5", "daily": "100", "coverage": "50"}
    part = pages.post(url("plan", project=project), covered, headers=SCRIPTS)
    plan = part.context["plan"].plan
    assert plan.answered_per_arm > 500 and part.context["plan"].days > 1
    half = pages.post(url("plan", project=project), {**FORM, "effect": "12.5", "daily": "100"})
    assert "For a difference of 12.5 pt" in text_of(half)
    finer = pages.post(url("plan", project=project), {**FORM, "effect": "4"}).context["plan"].plan
    assert finer.answered_per_arm > plan.answered_per_arm
    sent = {**covered, "effect": "10", "judged_by": "preference"}
    by_votes = pages.post(url("plan", project=project), sent).context["plan"]
    assert by_votes.plan.units_per_arm == by_votes.plan.answered_per_arm > 100 and by_votes.days
    of_numbers = {**FORM, "feedback_key": "seconds", "effect": "3", "smallest_effect": "0"}
    assert "Write the deviation" in text_of(pages.post(url("plan", project=project), of_numbers))
    of_numbers["spread"] = "10"
    assert pages.post(url("plan", project=project), of_numbers).context["plan"].plan.answered_per_arm > 100
    for sent, said in (
        ({"effect": "2"}, "larger than"),
        ({"effect": "2,5"}, "Difference to find: Write a number"),
        ({}, "Write the"),
    ):
        assert said in text_of(pages.post(url("plan", project=project), {**FORM, **sent}))


NUMBERS = ["1e-300", "1e300", "-5", "nan", "inf", "0", "99.9", "1" * 400, "٣"]


@pytest.mark.parametrize("field", ["effect", "base", "spread", "daily", "coverage", "split", "smallest_effect"])
def test_the_planner_answers_whatever_is_written(pages, project, field):
    for number in NUMBERS:
        for key in ("helpful", "seconds"):
            sent = {"effect": "5", "base": "60", "spread": "2", "daily": "300", "feedback_key": key, field: number}
            assert pages.post(url("plan", project=project), {**FORM, **sent}).status_code == 200, (number, key)


@pytest.mark.parametrize("field", ["split", "smallest_effect", "planned_n", "planned_days", "weight_0", "effect"])
def test_numbers_that_cannot_be_are_no_fault_of_the_server(pages, project, field):
    for place, number in enumerate(NUMBERS):
        sent = {**FORM, "key": f"test-{place}", "split": "1", field: number}
        assert pages.post(url("create", project=project), sent).status_code in {302, 422}, number


def test_without_scripts_the_plan_is_worked_out_and_taken_over_by_the_form(pages, project):
    sent = {**FORM, "effect": "5", "base": "70", "daily": "400", "coverage": "50"}
    answer = pages.post(url("create", project=project), {**sent, "do": "plan"})
    plan = answer.context["plan"]
    assert answer.status_code == 200 and f"{plan.plan.answered_per_arm:,}" in text_of(answer)
    taken = pages.post(url("create", project=project), {**sent, "do": "use"}).content.decode()
    assert f'name="planned_n" value="{plan.plan.answered_per_arm}"' in taken
    assert f'name="planned_days" value="{plan.days}"' in taken
    unknown = pages.post(url("create", project=project), {**sent, "daily": "", "do": "use"}).content.decode()
    assert f'name="planned_days" value="{FORM["planned_days"]}"' in unknown  # nobody knows how many: what was written
    assert not ABTest.objects.exists()


def test_another_arm_is_one_more_row(pages, project):
    answer = pages.post(url("create", project=project), {**FORM, "do": "arm"})
    assert [field.value() for field, _ in answer.context["form"].arms] == ["lake-8b", "ridge-70b", None]
    assert not answer.context["form"].errors


# -- the page -------------------------------------------------------------------------------------
def test_the_page_says_who_is_ahead_by_how_much_and_which_checks_hold(pages, running):
    answer = pages.get(url("detail", running))
    text, report = text_of(answer), answer.context["report"]
    assert report.verdict.headline in text
    for gate in report.gates:
        assert gate.name in text and " ".join(gate.shown.split()) in text
    for said in (
        "ridge-70b",
        "33.3 %",
        "87.5 % 80.4 to 92.3 %",
        "+54.2",
        "120 92.3 %",
        "240",
        "Chance that B is best &gt; 99.9 % at one planned look, expected loss under",
        "Make the winner",
        "UTC, by the day",
    ):
        assert said in text, said
    assert "±" not in text
    assert len(answer.context["drawn"].chart.series[1].line.dots) == 2  # of three days; the first has too few
    assert f"arm={running.arms.get(position=1).pk}" in answer.content.decode()


def test_an_arm_whose_calls_fail_is_told(pages, running):
    before = text_of(pages.get(url("detail", running)))
    assert "fail more often" not in before and "0 of 130" not in before
    record = {"prompt": "?", "completion": "", "model": "ridge-70b", "ab_campaign": running.key, "latency_ms": 9}
    record |= {"metadata": {"error": {"code": "timeout"}}}
    ingest(
        project=running.project,
        records=[{**record, "user": f"person-1-{n}"} for n in range(60)],
        by=running.created_by,
    )
    settle()
    text = text_of(pages.get(url("detail", running))).replace("\xa0", " ")
    assert "Calls of B fail more often 31.6 % of them tell of an error, 0.0 % of those of A." in text
    assert "60 of 190" in text and "500 ms" in text  # of the 130 others


def test_to_look_at_the_page_is_no_evaluation(pages, running):
    for evaluations, said in enumerate(("B is better.", "B is better.", "B is the winner.")):
        assert running.evaluations.count() == evaluations
        answer = pages.get(url("detail", running))
        assert said in text_of(answer)
        assert answer.context["report"].gates[-1].holds is (evaluations == 2)
        evaluate(running)


def test_who_decides_after_one_evaluation_has_not_seen_two(pages, running):
    evaluate(running)
    pages.post(url("decide", running), {"do": "winner", "winner": "B", "reason": "It helps more."})
    decision = Decision.objects.get()
    assert [gate["holds"] for gate in decision.gates] == [True] * 6 + [False]
    assert decision.rule.startswith("Decided by hand. The rule said: B is better; 6 of 7 checks held. The rule: Always")


def test_an_interaction_says_which_arm_it_was_and_leads_to_the_test(pages, project, running):
    arm = running.arms.get(position=1)
    shown = Interaction.objects.filter(arm=arm.pk).first()
    answer = pages.get(reverse("interaction_detail", kwargs={"project": project.key, "pk": shown.pk}))
    assert f"B of {running.name}" in text_of(answer) and url("detail", running) in answer.content.decode()
    table = pages.get(reverse("interaction_list", kwargs={"project": project.key}), {"arm": arm.pk})
    assert f"A/B arm B of {running.name}" in text_of(table)


def test_the_page_asks_as_often_however_much_there_is(pages, project):
    small, large = make_test(project, "small", traffic_split=0.2), make_test(project, "large", traffic_split=0.2)
    fill(small, (60, 60, 20), (60, 60, 30))
    fill(large, (150, 140, 20), (150, 140, 30), days=9)
    pages.get(url("detail", small))
    assert queries(pages, url("detail", small)) == queries(pages, url("detail", large)) < 30


def test_scripts_get_the_figures_without_the_form(pages, running):
    answer = pages.get(url("detail", running), headers=SCRIPTS)
    html = answer.content.decode()
    assert 'id="figures"' in html and "hx-swap-oob" in html and 'id="gates"' in html
    assert "<textarea" not in html and "<main" not in html
    assert "HX-Request" in answer.headers["Vary"]


def test_a_test_without_traffic_tells_how_it_comes(pages, project):
    test = make_test(project)
    text = text_of(pages.get(url("detail", test)))
    assert "Collecting" in text and "Not every arm has had traffic yet" in text and test.key in text
    by_uid = pages.get(reverse("ab_test_detail", kwargs={"project": project.uid, "test": test.key}))
    assert f"Ask the gateway for the model {project.uid} " in text_of(by_uid)


def test_traffic_that_does_not_fit_the_split_is_told_with_where_to_look(pages, project):
    test = make_test(project, days_ago=2)
    fill(test, (200, 150, 90), (100, 75, 45))
    html = pages.get(url("detail", test)).content.decode()
    assert "The traffic does not match the split" in html
    assert re.search(r'href="[^"]*arm=\d+[^"]*">Look into [AB]<', html)


def test_units_that_were_seen_in_two_arms_are_told(pages, running):
    fill(running, (0, 0, 0), (20, 20, 20), who="person-0")  # whom A has met
    seen = [f"person-0-1-{n}" for n in range(20)]
    records = [
        {"prompt": "Again", "completion": "Yes.", "model": "lake-8b", "ab_campaign": running.key, "user": user}
        for user in seen
    ]
    ingest(project=running.project, records=records, by=running.created_by)
    settle()
    text = text_of(pages.get(url("detail", running)))
    assert "Units were seen in two arms" in text and "20 crossed" in text and "Show them" in text
    page = pages.get(url("crossed", running))
    unit, address = page.context["rows"][0]
    assert len(page.context["rows"]) == 20 and [met.arm.letter for met in unit.met] == ["B", "A"]
    assert unit.user in seen and len(pages.get(address).context["page"]) == 2
    told = pages.get(f"/api/v1/projects/{running.project.key}/ab-tests/{running.key}/crossed").json()
    assert {one["user"] for one in told["results"]} == set(seen) and told["results"][0]["arms"][1]["letter"] == "A"


def test_an_arm_whose_model_was_detached_is_told(pages, running):
    by = owner_of(running.project)
    detach(project=running.project, model=running.arms.get(position=1).model, by=by)
    text = text_of(pages.get(url("detail", running)))
    assert "B takes no traffic" in text and "ridge-70b" in text
    assert "no default serves calls" in text and "make a model the default" in text
    set_default(project=running.project, model=running.arms.get(position=0).model, by=by)
    text = text_of(pages.get(url("detail", running)))
    assert "units of this arm meet the project’s default" in text and "refused" not in text
    asked = text_of(pages.get(reverse("project_models", args=[running.project.key]), {"of": "logged"}))
    assert "lake-8b. In the A/B tests that run it is A of dpo against sft, and takes part no more. It is the d" in asked
    refused = pages.post(url("decide", running), {"do": "winner", "winner": "B", "reason": "It was better."})
    assert refused.status_code == 422 and "It was better." in text_of(refused)


def test_with_the_control_off_the_page_compares_the_arms_that_are_left(pages, project):
    test = make_test(project, models=3, days_ago=5)
    fill(test, (130, 120, 40), (130, 120, 45), (130, 120, 105))
    detach(project=project, model=test.arms.get(position=0).model, by=owner_of(project))
    answer = pages.get(url("detail", test))
    standing, form = answer.context["drawn"].standing, answer.context["form"]
    assert (standing.one, standing.other, standing.difference, standing.tone) == ("C", "B", "+50.0", "good")
    assert [letter for letter, _ in form.fields["winner"].choices] == ["", "B", "C"] and form["winner"].value() == "C"
    refused = pages.post(url("decide", test), {"do": "winner", "winner": "A", "reason": "Why not."})
    assert "A takes no traffic" in text_of(refused) and not Decision.objects.exists()
    archive_project(project=project)
    assert "nothing comes into this test" in text_of(pages.get(url("detail", test)))


def test_the_key_that_a_running_test_is_judged_by_stays_linked(pages, running):
    project, api = running.project, f"/api/v1/feedback-keys/helpful?project={running.project.key}"
    refused = pages.delete(api)
    assert refused.status_code == 409 and "dpo-against-sft is judged by helpful" in refused.content.decode()
    unlink = reverse("feedback_key_unlink", args=[project.key, "helpful"])
    assert "end it first" in text_of(pages.post(unlink, follow=True))
    assert "Nothing can be given any more" not in text_of(pages.get(url("detail", running)))
    project.feedback_keys.clear()  # as an earlier version let it be
    assert "Nothing can be given any more" in text_of(pages.get(url("detail", running)))
    services.cancel(test=running, by=owner_of(project))
    page = pages.get(url("detail", running))
    assert "Nothing can be given" not in text_of(page) and "/feedback/keys/helpful" not in page.content.decode()


def test_an_arm_that_is_detached_after_the_end_changes_nothing_that_was_said(pages, project):
    test, by = make_test(project, models=3, days_ago=5), owner_of(project)
    fill(test, (130, 120, 40), (130, 120, 105), (130, 120, 50))
    detach(project=project, model=test.arms.get(position=2).model, by=by)
    services.decide(test=test, winner=None, reason="Enough.", by=by)
    before = pages.get(url("detail", test)).context["report"]
    assert [arm.off for arm in before.arms] == [False, False, True] and before.judgement.best == 1
    detach(project=project, model=test.arms.get(position=1).model, by=by)
    after = pages.get(url("detail", test)).context["report"]
    assert [arm.off for arm in after.arms] == [False, False, True] and after.judgement == before.judgement


def test_nobody_is_said_to_be_best_while_an_arm_cannot_be_judged(pages, project):
    """Of A 30 %, of B 70 % and of the twelve of C all said yes."""
    test = make_test(project, models=3, days_ago=5)
    fill(test, (130, 120, 36), (130, 120, 84), (12, 12, 12))
    answer = pages.get(url("detail", test))
    drawn = answer.context["drawn"]
    assert "B against A" in text_of(answer) and drawn.rows[1].difference == "+40.0"
    assert "Chance that" not in text_of(answer) and "expected loss" not in text_of(answer)
    assert drawn.leader is None and not any(row.is_best for row in drawn.rows)
    told = pages.get(f"/api/v1/projects/{project.key}/ab-tests/{test.key}").json()
    assert {arm["chance"] for arm in told["arms"]} == {None} and told["judgement"]["best"] is None
    assert {(arm["chance"], arm["loss"]) for arm in told["judgement"]["arms"]} == {(None, None)}


def test_pausing_and_resuming_are_told(pages, running):
    assert "is paused" in text_of(pages.post(url("pause", running), follow=True))
    assert "Paused since" in text_of(pages.get(url("detail", running)))
    assert "Paused" in text_of(pages.post(url("pause", running), follow=True))  # told, not a fault
    assert "goes on" in text_of(pages.post(url("resume", running), follow=True))


def test_a_cancelled_test_offers_nothing_more(pages, running):
    text = text_of(pages.post(url("cancel", running), follow=True))
    assert "Nothing was decided" in text
    assert "Make the winner" not in text and "Change split" not in text
    assert pages.post(url("pause", running), follow=True).status_code == 200  # told, not a fault


def test_another_split_begins_the_figures_anew_and_says_so_before(pages, running):
    before = text_of(pages.get(url("detail", running)))
    assert "With other weights the figures begin anew" in text_of(pages.get(url("split", running)))
    grown = text_of(pages.post(url("split", running), {"split": "60", "weight_0": "1", "weight_1": "1"}, follow=True))
    assert "who met an arm keeps it" in grown and "sequence 2" not in grown
    refused = pages.post(url("split", running), {"split": "0", "weight_0": "1", "weight_1": "1"})
    assert refused.status_code == 422 and "split" in refused.context["form"].errors
    pages.post(url("split", running), {"split": "50", "weight_0": "1", "weight_1": "4"})
    running.refresh_from_db()
    assert (running.sequence, running.traffic_split) == (2, 0.5)
    answer = pages.get(url("detail", running))
    assert "sequence 2" in text_of(answer) and answer.context["drawn"].units == 0
    assert "B 40 %" in text_of(answer) and "outside 50 %" in text_of(answer)
    link = answer.context["drawn"].rows[1].behind
    assert "an arm’s link shows its interactions of all sequences" in text_of(answer)
    assert "of all sequences" not in before and len(pages.get(f"{link}&limit=200").context["page"]) == 130


def test_the_split_as_it_was_shown_begins_nothing_anew(pages, project):
    test = make_test(project, traffic_split=1 / 3, weights=[1, 1.23456789])
    logged = test.events.count()
    form = pages.get(url("split", test)).context["form"]
    shown = {name: form[name].value() for name in form.fields}
    assert shown == {"split": "33.33", "weight_0": "1", "weight_1": "1.23457"}
    text = text_of(pages.post(url("split", test), shown, follow=True))
    test.refresh_from_db()
    assert "That is its split: it goes on." in text and "begin anew" not in text
    assert (test.sequence, test.traffic_split, test.events.count()) == (1, 1 / 3, logged)
    pages.post(url("split", test), {**shown, "weight_0": "2"})
    test.refresh_from_db()
    assert (test.sequence, test.traffic_split) == (2, 1 / 3)
    assert [arm.weight for arm in test.arms.all()] == [2, 1.23456789]


def test_by_label_is_a_part_of_its_own_and_without_scripts_a_page(pages, running):
    part = pages.get(url("labels", running), headers=SCRIPTS)
    assert part.templates[0].name == "experiments/_by_label.html"
    assert "exploratory" in text_of(part) and "refund" in text_of(part) and "claim" in text_of(part)
    assert "<main" in pages.get(url("labels", running), {"label": "intent"}).content.decode()
    assert pages.get(url("labels", running), {"label": "nobody:knows", "arm": "Z"}).status_code == 200


def test_a_row_by_label_is_coloured_by_the_ends_of_its_interval():
    """Newcombe's of 6 in 10 against 2 in 10 is not symmetric: half its width is less than the difference."""
    rows = [LabelRow("a", 20, [(10, 0.2), (10, 0.6)], 0.4, (-0.023, 0.673))]
    rows.append(LabelRow("b", 20, [(10, 0.2), (10, 0.6)], 0.4, (0.023, 0.673)))
    rows.append(LabelRow("c", 20, [(10, 0.2), (10, 0.6)], None, None))
    told = label_rows(ByLabel("intent", rows), Words(True), lower_is_better=False)
    assert [(one.tone, one.between) for one in told] == [
        ("", "\u22122.3 to +67.3"), ("good", "+2.3 to +67.3"), ("", ""),
    ]  # fmt: skip
    assert label_rows(ByLabel("intent", rows[1:]), Words(True), lower_is_better=True)[0].tone == "bad"


# -- the end --------------------------------------------------------------------------------------
def test_a_decision_needs_a_reason_and_what_was_chosen_stays(pages, running):
    answer = pages.post(url("decide", running), {"do": "winner", "winner": "B", "reason": " "})
    assert answer.status_code == 422
    assert "Say why" in text_of(answer) and answer.context["form"]["winner"].value() == "B"
    answer = pages.post(url("decide", running), {"do": "winner", "winner": "B", "reason": "x" * (MAX_REASON + 1)})
    assert list(answer.context["form"].errors) == ["reason"]
    assert not Decision.objects.exists()


def test_deciding_makes_the_winner_the_default_keeps_the_record_and_is_rolled_back(pages, running):
    Attachment.objects.filter(project=running.project, model__key="lake-8b").update(is_default=True)
    reason = "Read forty pairs: B names the limits."
    text = text_of(pages.post(url("decide", running), {"do": "winner", "winner": "B", "reason": reason}, follow=True))
    for said in ("B won", reason, "Deployed", "Decided", "ridge-70b is the default now", "Roll back"):
        assert said in text, said
    assert Attachment.objects.get(project=running.project, is_default=True).model.key == "ridge-70b"
    record = pages.get(url("record", running))
    assert "attachment" in record.headers["Content-Disposition"]
    kept = json.loads(record.content)
    assert (kept["decision"]["winner"], kept["decision"]["reason"]) == ("B", reason)
    assert len(kept["decision"]["gates"]) == 7 and kept["decision"]["figures"]
    back = text_of(pages.post(url("roll_back", running), follow=True))
    assert "lake-8b is the default again" in back and "Rolled back" in back
    assert Attachment.objects.get(project=running.project, is_default=True).model.key == "lake-8b"


def test_a_test_is_stopped_without_a_winner(pages, running):
    sent = {"do": "none", "winner": "B", "reason": "The question is settled."}
    assert "No winner" in text_of(pages.post(url("decide", running), sent, follow=True))
    assert Decision.objects.get(test=running).winner is None


def test_a_decision_that_comes_too_late_is_told_with_what_was_written(pages, running):
    services.decide(test=running, winner=None, reason="First.", by=owner_of(running.project))
    answer = pages.post(url("decide", running), {"do": "winner", "winner": "B", "reason": "A careful reason."})
    assert answer.status_code == 422 and "A careful reason." in text_of(answer)
    assert Decision.objects.get(test=running).reason == "First."
    live = pages.get(url("detail", running), headers=SCRIPTS)  # of a page that was opened before
    assert "was decided in the meantime" in text_of(live) and "every 10s" not in live.content.decode()


# -- people ---------------------------------------------------------------------------------------
def test_a_teammate_who_may_only_look_sees_all_and_changes_nothing(client, running):
    as_reviewer(client, running.project)
    text = text_of(client.get(url("detail", running)))
    assert "ridge-70b" in text and "needs a role that may" in text
    for offered in ("Make the winner", "Pause", "Change split"):
        assert offered not in text, offered
    for name in ("pause", "cancel", "decide", "roll_back", "split"):
        assert client.post(url(name, running), {"winner": "B", "reason": "x"}).status_code == 403, name
    assert client.get(url("create", project=running.project)).status_code == 403
    running.refresh_from_db()
    assert running.ended_at is None and running.paused_at is None


def test_a_stranger_and_another_projects_people_find_nothing(client, running):
    client.force_login(make_user())
    assert client.get(url("detail", running)).status_code == 404
    other = make_place("elsewhere")
    client.force_login(owner_of(other))
    assert client.get(reverse("ab_test_detail", kwargs={"project": other.key, "test": running.key})).status_code == 404
    assert client.post(url("pause", running)).status_code == 404


# -- preferences ----------------------------------------------------------------------------------
def test_three_arms_by_preferences_show_ranks_and_every_pair(pages, project):
    test = make_test(project, models=3, judged_by="preference", days_ago=3)
    vote(test, fill(test, (60, 0, 0), (60, 0, 0), (60, 0, 0)), (1, 2, 2))
    answer = pages.get(url("detail", test))
    text, drawn = text_of(answer), answer.context["drawn"]
    assert "Bradley-Terry" in text and "Every pair" in text
    assert [row.strong.rank_low for row in drawn.strong] == [1, 1, 3]
    assert drawn.judges == 60 and "Judges 60" in text  # each of whom voted on all three
    a_b = drawn.matrix[0][1][1]
    assert (a_b.wins, a_b.losses, a_b.ties) == (15, 45, 0)
    b_c = drawn.matrix[1][1][2]
    assert (b_c.wins, b_c.losses, b_c.ties) == (0, 0, 60)
    other = {"models": 2, "judged_by": "preference", "traffic_split": 0.1}
    services.change_split(test=test, by=owner_of(project), traffic_split=0.5)
    vote(other := make_test(project, "other", **other), fill(other, (60, 0, 0), (60, 0, 0), who="else"), (1, 2))
    read = pages.get(a_b.address)
    assert len(read.context["rows"]) == 50 and len(pages.get(read.context["older"]).context["rows"]) == 10
    assert "in the A/B test dpo against sft" in text_of(read)
    everything = a_b.address.partition("&test=")[0]
    assert len(pages.get(pages.get(everything).context["older"]).context["rows"]) == 50


def test_of_three_arms_a_single_vote_is_shown_as_a_vote_and_nothing_more(pages, project):
    test = make_test(project, models=3, judged_by="preference", days_ago=3)
    vote(test, fill(test, (1, 0, 0), (1, 0, 0), (1, 0, 0))[:2], (2, 1))
    answer = pages.get(url("detail", test))
    text, drawn = text_of(answer), answer.context["drawn"]
    assert "One unit alone has a value; 50 are needed." in text and "99.9" not in text
    assert [row.strong.wins for row in drawn.strong[:2]] == [0, 1] and drawn.strong[2].strong is None
    for row in drawn.strong[:2]:
        assert (row.strong.strength, row.strong.rank_low, row.strong.chance, row.at.middle) == (None,) * 4


def test_of_a_test_by_preferences_that_has_traffic_and_no_vote_only_votes_are_missing(pages, project):
    test = make_test(project, models=3, judged_by="preference", days_ago=3)
    fill(test, (20, 0, 0), (20, 0, 0), (20, 0, 0))
    evaluate(test)
    text = text_of(pages.get(url("detail", test)))
    assert "No preference yet. Nobody has compared two arms yet." in text and "No traffic" not in text
    assert "POST /api/v1/comparison" in text and "Ask the gateway" not in text
    assert "An arm’s line begins once 50 of its units have a value." in text
    assert "No preference yet" in text_of(pages.get(url("list", project=project)))
    services.cancel(test=test, by=owner_of(project))
    text = text_of(pages.get(url("detail", test)))
    assert "There was too little feedback for a line." in text and "line begins" not in text


def test_arms_that_no_chain_of_votes_connects_are_told(pages, project):
    test = make_test(project, models=4, judged_by="preference", days_ago=3)
    ids = fill(test, *[(80, 0, 0)] * 4)
    vote(test, ids[:2], (1, 2))
    assert "Not all of these arms can be compared" not in text_of(pages.get(url("detail", test)))
    vote(test, ids[2:], (1, 2))
    answer = pages.get(url("detail", test))
    assert "Not all of these arms can be compared" in text_of(answer) and answer.context["drawn"].leader is None


def test_two_arms_by_preferences_show_win_rates_and_lead_to_the_pairs(pages, project):
    test = make_test(project, judged_by="preference", days_ago=3)
    vote(test, fill(test, (80, 0, 0), (80, 0, 0)), (1, 2))
    answer = pages.get(url("detail", test))
    assert "Win rate" in text_of(answer) and "75.0 %" in text_of(answer)
    assert "UTC, by the day a judge first voted" in text_of(answer)
    assert "Traffic matches the split does not apply" in text_of(answer)
    assert "100.0 %" not in text_of(answer)
    assert "Judges 80" in text_of(answer)
    assert "By vote, A won 20, lost 60 and tied 0 (0.0 % of all)" in text_of(answer).replace("\xa0", " ")
    pairs = pages.get(answer.context["pairs"])
    assert pairs.status_code == 200 and len(pairs.context["rows"]) == 50


def test_a_number_of_which_less_is_better_is_written_in_its_own_digits(pages, project):
    test = make_test(project, feedback="seconds", days_ago=3)
    fill(test, (80, 80, 60), (80, 80, 20))  # ones and noughts are numbers too
    answer = pages.get(url("detail", test))
    row = answer.context["drawn"].rows[1]
    assert (row.value, row.difference, row.tone) == ("0.250", "\u22120.500", "good")
    assert f"B has {row.value} against 0.750 of A: {row.difference} " in answer.context["report"].verdict.text
    assert row.between in answer.context["report"].verdict.text
