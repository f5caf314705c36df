"""The playground's pages through their addresses: what is taken over, who may come in, and what a vote writes."""

import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.permissions import CALL, READ
from feedback.models import Outcome, Preference
from feedback.services import create_feedback_key
from gateway.playground import prompt_of
from gateway.tokens import read_token
from interactions.messages import payload_of
from interactions.models import Interaction
from interactions.retention.holds import hold, release
from projects.access import project_or_404
from projects.services import archive_project
from registry.providers import create_provider
from registry.services import attach, register_model, set_default
from tests.conftest import Api
from tests.factories import make_interaction, make_project, make_team, make_user, owner_of
from tests.test_guards import DOT

pytestmark = pytest.mark.django_db
ASKED = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Is a leak covered?"}]


@pytest.fixture
def client(handler):
    """A browser, not the openai package."""
    client = Client()
    client.handler = handler
    return client


@pytest.fixture
def project(db):
    project = make_project("claims")
    return project_or_404(owner_of(project), project.key)


@pytest.fixture
def provider(project, settings):
    settings.ALLOWED_UPSTREAMS = ["127.0.0.1"]
    owner = owner_of(project)
    return create_provider(
        team=project.team, key="desk", kind="vllm", by=owner, name="Desk", address="http://127.0.0.1:9/v1"
    )


def add_model(project, provider, key, capabilities=("text",), online=True):
    owner = owner_of(project)
    model = register_model(
        team=project.team, key=key, provider=provider, external_id=key, capabilities=list(capabilities), by=owner
    )
    attach(project=project, model=model, by=owner, desired_online=online)
    return model


@pytest.fixture
def models(project, provider):
    found = [add_model(project, provider, key) for key in ("harbor-8b", "lantern-mini", "ridge-70b")]
    set_default(project=project, model=found[2], by=owner_of(project))
    return found


@pytest.fixture
def key(project):
    return create_feedback_key(team=project.team, key="helpful", name="Helpful", kind="bool", projects=[project])[0]


@pytest.fixture
def pages(client, project):
    client.force_login(owner_of(project))
    return client


def url(name, project, **more):
    return reverse(name, kwargs={"project": project.key, **more})


def answers(project, n, **more):
    """Ids of so many answers to one prompt, as the playground logs them."""
    record = {"messages": ASKED, "source": "playground", **more}
    return [
        make_interaction(project, model=f"m{place}", completion=f"Answer {place}", **record).pk for place in range(n)
    ]


def cast(pages, project, key, verdict, given, best=""):
    body = {"key": key, "verdict": verdict, "answer": [str(one) for one in given], "best": str(best)}
    return pages.post(url("playground_vote", project), body)


def member(project, *permissions):
    """Somebody of the team with just these permissions."""
    person = make_user(team=project.team, role="auditor")
    membership = person.memberships.get(team=project.team)
    membership.role = project.team.roles.create(key="odd", name="Odd", permissions=list(permissions))
    membership.save()
    return person


# -- the page -------------------------------------------------------------------------------------
def test_the_page_offers_the_models_that_can_be_called_the_default_first(pages, project, provider, models):
    add_model(project, provider, "vectors", ["embedding"])
    add_model(project, provider, "resting", online=False)
    make_interaction(project, model="only-logged")
    answer = pages.get(url("playground", project))
    assert [one.model.key for one in answer.context["models"]] == ["ridge-70b", "harbor-8b", "lantern-mini"]
    assert answer.context["chosen"] == {"ridge-70b", "harbor-8b"}
    page = answer.content.decode()
    assert "only-logged" not in page and "vectors" not in page and "resting" not in page


def test_models_of_the_address_are_chosen_and_unknown_ones_are_passed_over(pages, project, models):
    answer = pages.get(url("playground", project), {"model": ["lantern-mini", "nobody"]})
    assert answer.context["chosen"] == {"lantern-mini"}


def test_without_a_model_that_can_be_called_the_page_says_what_is_missing(pages, client, project):
    make_interaction(project, model="only-logged")
    page = pages.get(url("playground", project)).content.decode()
    assert "No model that can be called" in page and f"/p/{project.key}/models" in page and 'id="prompt"' not in page
    client.force_login(make_user(team=project.team, role="reviewer"))
    page = client.get(url("playground", project)).content.decode()
    assert "No model that can be called" in page and "needs a role that may manage models" in page


def test_in_an_archived_project_nothing_is_run(pages, project, models):
    archive_project(project=project)
    text = pages.get(url("playground", project)).content.decode()
    assert "This project is archived" in text and 'id="run"' not in text
    assert text.count('<span class="tag hue-9">archived</span>') == 1  # beside its name, on every page


def test_without_a_feedback_key_there_is_no_vote_but_the_way_to_one(pages, client, project, models):
    page = pages.get(url("playground", project)).content.decode()
    assert "No feedback key to vote under" in page and reverse("feedback_key_create", args=[project.key]) in page
    assert 'id="verdict"' not in page
    client.force_login(make_user(team=project.team, role="reviewer"))
    assert (
        reverse("feedback_key_create", args=[project.key])
        not in client.get(url("playground", project)).content.decode()
    )


def test_the_page_is_shut_to_who_may_not_call_and_unknown_to_strangers(client, project, models):
    for role, code in {"engineer": 200, "reviewer": 200, "annotator": 403, "auditor": 403}.items():
        client.force_login(make_user(team=project.team, role=role))
        assert client.get(url("playground", project)).status_code == code, role
    client.force_login(make_user(team=make_team()))
    assert client.get(url("playground", project)).status_code == 404


def test_who_may_call_but_not_give_feedback_gets_no_vote(client, project, models, key):
    client.force_login(member(project, READ, CALL))
    page = client.get(url("playground", project)).content.decode()
    assert "Voting on answers needs a role that may give feedback" in page and 'id="verdict"' not in page
    assert cast(client, project, "helpful", "tie", answers(project, 2)).status_code == 403
    client.force_login(make_user(team=project.team, role="annotator"))  # feedback, but no calls
    assert cast(client, project, "helpful", "tie", answers(project, 2)).status_code == 403
    assert not Preference.objects.exists()


def test_the_page_takes_the_same_number_of_queries_whatever_there_is(pages, project, provider, models, key):
    def queries(**query):
        with CaptureQueriesContext(connection) as captured:
            assert pages.get(url("playground", project), query).status_code == 200
        return len(captured)

    one = make_interaction(project, messages=ASKED)
    queries(interaction=one.pk)
    few = queries(interaction=one.pk)
    for n in range(6):
        add_model(project, provider, f"more-{n}")
        create_feedback_key(team=project.team, key=f"key-{n}", kind="bool", projects=[project])
    long = make_interaction(project, messages=[*ASKED, {"role": "assistant", "content": "Yes."}] * 9 + ASKED[1:])
    assert queries(interaction=long.pk) == few


# -- what is taken over ---------------------------------------------------------------------------
def test_a_prompt_comes_over_with_its_texts_in_the_fields_and_the_rest_as_it_was(pages, project, models):
    rest = [{"role": "user", "content": "First"}, {"role": "assistant", "content": "Answered <b>so</b>"}]
    row = make_interaction(
        project, messages=[ASKED[0], *rest, ASKED[1]], metadata={"parameters": {"temperature": 0.3, "max_tokens": 64}}
    )
    page = pages.get(url("playground", project), {"interaction": str(row.pk)})
    assert (page.context["prompt"].system, page.context["prompt"].user) == ("Be brief.", "Is a leak covered?")
    text = page.content.decode()
    assert "2 messages in between" in text and "<b>so</b>" not in text
    assert 'name="temperature" min="0" max="2" step="any" value="0.3"' in text and 'value="64"' in text
    told = pages.get(url("playground_messages", project, pk=row.pk)).json()
    assert told == {"before": rest, "last": ASKED[1]}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_the_most_tokens_come_over_under_either_name(pages, project, models, name):
    row = make_interaction(project, metadata={"parameters": {name: 64}})
    page = pages.get(url("playground", project), {"interaction": str(row.pk)})
    assert 'name="max_tokens" min="1" max="1000000" step="1" value="64"' in page.content.decode()


def test_pictures_come_over_as_they_were_sent_in_the_form_that_providers_take(pages, project, models):
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": DOT}]
    row = make_interaction(project, messages=[{"role": "user", "content": parts}])
    page = pages.get(url("playground", project), {"interaction": str(row.pk)})
    assert page.context["prompt"].user == "What is it?" and "/blobs/" in page.content.decode()
    last = pages.get(url("playground_messages", project, pk=row.pk)).json()["last"]
    assert last["content"] == [parts[0], {"type": "image_url", "image_url": {"url": DOT}}]
    assert payload_of(Interaction.objects.get(pk=row.pk).body)["messages"][0]["content"] == parts  # the store's stays


@pytest.mark.parametrize(
    ("messages", "system", "user", "before"),
    [
        ([], "", "", 0),
        (ASKED[:1], "Be brief.", "", 0),
        (ASKED[1:], "", "Is a leak covered?", 0),
        ([*ASKED, {"role": "assistant", "content": "Yes."}], "Be brief.", "", 2),
        ([{"role": "system", "content": "S", "name": "x"}, ASKED[1]], "", "Is a leak covered?", 1),
        ([{"role": "developer", "content": "D"}, ASKED[1]], "", "Is a leak covered?", 1),
        ([{"role": "user", "content": [{"type": "text", "text": t} for t in "ab"]}], "", "", 1),
        ([{"role": "user", "content": "x" * 100_001}], "", "", 1),
        ([{"role": "user", "content": None}], "", "", 0),
    ],
)
def test_what_does_not_fit_a_field_is_kept_as_it_was(messages, system, user, before):
    prompt = prompt_of(messages)
    assert (prompt.system, prompt.user, len(prompt.before)) == (system, user, before)


def test_an_interaction_that_is_not_there_is_not_found_and_that_of_another_project_neither(pages, project, models):
    other = make_interaction(make_project("elsewhere", team=project.team))
    for text in (uuid.uuid4(), other.pk, "no-id", "", "\x00"):
        assert pages.get(url("playground", project), {"interaction": str(text)}).status_code == 404
    for name in ("playground_messages", "playground_answer"):
        assert pages.get(url(name, project, pk=other.pk)).status_code == 404


def test_the_detail_links_here_for_who_may_call(pages, client, project, models):
    row = make_interaction(project)
    detail, link = f"/p/{project.key}/interactions/{row.pk}", f"{url('playground', project)}?interaction={row.pk}"
    assert link in pages.get(detail).content.decode()
    assert link in pages.get(detail, headers={"HX-Request": "true"}).content.decode()
    client.force_login(make_user(team=project.team, role="auditor"))
    assert link not in client.get(detail).content.decode()


# -- what the script asks -------------------------------------------------------------------------
def test_the_pass_opens_this_project_for_this_person_and_is_kept_nowhere(pages, project):
    answer = pages.post(url("playground_pass", project))
    token = read_token(answer.json()["token"])
    assert (token.user_id, token.project_uid) == (owner_of(project).pk, str(project.uid))
    assert "no-store" in answer.headers["Cache-Control"]
    assert pages.get(url("playground_pass", project)).status_code == 405


def test_an_answer_is_shown_as_the_detail_shows_it_and_does_nothing(pages, project):
    hostile = "**Yes**\n\n<script>window.fired = 1</script> [x](javascript:alert(1)) \u202etxt"
    row = make_interaction(project, completion=hostile, source="playground")
    text = pages.get(url("playground_answer", project, pk=row.pk)).content.decode()
    assert "<strong>Yes</strong>" in text and "<script>" not in text and "href" not in text
    assert "RLO" in text and "\u202e" not in text
    empty = make_interaction(project, completion="", source="playground")
    assert "Empty." in pages.get(url("playground_answer", project, pk=empty.pk)).content.decode()
    called = {"type": "function", "function": {"name": "policy.lookup", "arguments": '{"policy": "HP-1"}'}}
    asks = make_interaction(project, completion="", source="playground", metadata={"tool_calls": [called]})
    text = pages.get(url("playground_answer", project, pk=asks.pk)).content.decode()
    assert "policy.lookup" in text and "HP-1" in text and "Empty." not in text


# -- votes ----------------------------------------------------------------------------------------
def outcomes(project):
    """{(model, other model): outcome} as the winner's or the first's side tells it."""
    rows = Preference.objects.filter(project=project).select_related("model", "other_model")
    return {(row.model.key, row.other_model.key): row.outcome for row in rows}


def test_the_best_one_wins_over_each_other_and_the_others_are_not_compared(pages, project, key):
    one, two, three = answers(project, 3)
    answer = cast(pages, project, "helpful", "best", [one, two, three], best=two)
    assert answer.status_code == 201 and len(answer.json()["votes"]) == 2
    won, lost = Outcome.WON, Outcome.LOST
    assert outcomes(project) == {
        ("m1", "m0"): won, ("m0", "m1"): lost, ("m1", "m2"): won, ("m2", "m1"): lost,
    }  # fmt: skip
    assert set(Preference.objects.values_list("by", "feedback_key__key")) == {(owner_of(project).pk, "helpful")}


@pytest.mark.parametrize(("verdict", "outcome"), [("tie", Outcome.TIED), ("bad", Outcome.TIED_BAD)])
def test_a_tie_is_one_of_each_pair(pages, project, key, verdict, outcome):
    assert cast(pages, project, "helpful", verdict, answers(project, 4)).status_code == 201
    told = outcomes(project)
    assert set(told.values()) == {outcome} and len(told) == 12


def test_a_vote_counts_in_the_keys_comparisons_and_is_taken_back_whole(pages, project, key):
    given = answers(project, 3)
    votes = cast(pages, project, "helpful", "best", given, best=given[0]).json()["votes"]
    page = f"/p/{project.key}/feedback/keys/helpful/comparisons"
    assert len(pages.get(page).context["matrix"].models) == 3
    answer = pages.post(url("playground_undo", project), {"vote": votes})
    assert answer.json() == {"taken_back": 2} and not Preference.objects.exists()
    assert not pages.get(page).context["matrix"].models
    assert pages.post(url("playground_undo", project), {"vote": votes}).json() == {"taken_back": 0}
    assert cast(pages, project, "helpful", "tie", given).status_code == 201


def test_what_she_compared_elsewhere_stays_when_it_is_sent_as_a_vote(pages, project, key):
    api, given = Api(Client(), owner_of(project)), answers(project, 2)
    live = [make_interaction(project, model=model, messages=ASKED).pk for model in ("m0", "m1")]
    record = {"project": project.key, "feedback_key": "helpful"}
    votes = []
    for (first, second), more in ((given, {"external_id": "their-own"}), (live, {})):
        body = record | more | {"preferred_completion": str(first), "other_completion": str(second)}
        told = api.post("comparison", body)
        assert told.status_code == 201, told.content
        votes.append(f"{first} {told.json()['comparison_id']}")
    assert pages.post(url("playground_undo", project), {"vote": votes}).json() == {"taken_back": 0}
    assert Preference.objects.count() == 4


@pytest.mark.parametrize("held", [0, 1])
def test_a_vote_on_an_answer_under_a_legal_hold_stays_until_that_is_released(pages, project, key, held):
    given = answers(project, 3)
    votes = cast(pages, project, "helpful", "best", given, best=given[0]).json()["votes"]
    hold(project=project, ids=[given[held]], reason="Case 7", by=owner_of(project))
    answer = pages.post(url("playground_undo", project), {"vote": votes})
    assert (answer.status_code, "under a legal hold" in answer.json()["text"]) == (403, True)
    assert Preference.objects.count() == 4
    release(project=project, ids=[given[held]], by=owner_of(project))
    assert pages.post(url("playground_undo", project), {"vote": votes}).json() == {"taken_back": 2}


def test_nobody_takes_back_what_another_said(pages, client, project, key):
    votes = cast(pages, project, "helpful", "tie", answers(project, 2)).json()["votes"]
    client.force_login(make_user(team=project.team, role="reviewer"))
    assert client.post(url("playground_undo", project), {"vote": votes}).json() == {"taken_back": 0}
    assert Preference.objects.count() == 2


def test_the_same_person_votes_once_on_the_same_answers_another_again(pages, client, project, key):
    given = answers(project, 3)
    assert cast(pages, project, "helpful", "tie", given[:2]).status_code == 201
    answer = cast(pages, project, "helpful", "best", given, best=given[2])
    assert answer.status_code == 409 and "already" in answer.json()["text"]
    create_feedback_key(team=project.team, key="kind", kind="bool", projects=[project])
    assert cast(pages, project, "kind", "tie", given[:2]).status_code == 201
    client.force_login(make_user(team=project.team, role="reviewer"))
    assert cast(client, project, "helpful", "bad", given[:2]).status_code == 201


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"key": "nothing"}, 404),
        ({"verdict": "worst"}, 422),
        ({"verdict": ""}, 422),
        ({"best": ""}, 422),
        ({"best": "0197a3c0-0000-7000-8000-000000000000"}, 422),
        ({"best": "\x00"}, 422),
        ({"answer": []}, 422),
        ({"answer": ["first", "first"]}, 422),
        ({"answer": ["first"]}, 422),
        ({"answer": ["first", "x"]}, 404),
        ({"answer": ["first", "stranger"]}, 404),
        ({"answer": ["first", "elsewhere"]}, 404),
        ({"answer": ["first", "logged"]}, 404),
        ({"answer": ["first", "another"]}, 422),
        ({"answer": ["first", "second", "third", "fourth", "fifth"]}, 422),
    ],
    ids=str,
)
def test_what_is_no_vote_writes_nothing_and_says_why(pages, project, key, change, code):
    named = dict(zip(("first", "second", "third", "fourth", "fifth"), answers(project, 5), strict=True))
    named |= {
        "stranger": uuid.uuid4(),
        "elsewhere": answers(make_project("elsewhere", team=project.team), 1)[0],
        "logged": make_interaction(project, messages=ASKED).pk,
        "another": make_interaction(project, source="playground").pk,
    }
    body = {"key": "helpful", "verdict": "best", "answer": ["first", "second"], "best": str(named["first"]), **change}
    body["answer"] = [str(named.get(name, name)) for name in body["answer"]]
    answer = pages.post(url("playground_vote", project), body)
    assert answer.status_code == code
    assert code == 404 or answer.json()["text"]
    assert not Preference.objects.exists()


def test_an_undo_of_nonsense_is_not_found(pages, project):
    for told in ("", "x", f"{uuid.uuid4()}", f"{uuid.uuid4()} \x00"):
        assert pages.post(url("playground_undo", project), {"vote": told}).status_code == 404
