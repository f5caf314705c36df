"""The pages of models and providers, as owner, teammate and stranger."""

import pytest
from django.urls import reverse

from registry.models import Attachment, Model, Provider
from registry.providers import create_provider
from registry.services import attach, default_of, default_serves, register_model, set_default
from tests.factories import make_interaction, make_project, make_team, owner_of
from tests.registry.conftest import KEY

pytestmark = pytest.mark.django_db
HOST = "10.20.30.40"


@pytest.fixture
def page(client, project, owner):
    """page(name, ..., method="get"): the answer to the owner."""
    client.force_login(owner)

    def page(name, *given, data=None, method="get"):
        first = project.key if name.startswith("project_") or name in OF_PROJECT else project.team.key
        return getattr(client, method)(reverse(name, args=[first, *given]), data)

    return page


OF_PROJECT = {"model_attach", "model_detach", "model_online", "model_default"}


def said(answer):
    return " ".join(answer.content.decode().split())


def test_a_team_without_any_is_led_to_its_first_provider(page):
    assert "Add the first provider" in said(page("model_list"))
    assert "Add the first provider" in said(page("provider_list"))
    assert "None is only logged" in said(page("model_list", data={"of": "logged"}))
    assert "No model can be called here yet" in said(page("project_models"))


def test_a_provider_is_added_checked_and_never_shows_its_secrets(page, project, settings):
    record = {"name": "Pool", "key": "pool", "kind": "vllm", "address": f"http://{HOST}:8000/v1", "api_key": KEY}
    answer = page("provider_create", data=record | {"is_pool": "on"}, method="post")
    assert answer.headers["Location"] == reverse("provider_detail", args=[project.team.key, "pool"])
    assert Provider.objects.get().is_pool
    for shown in (page("provider_list"), page("provider_detail", "pool"), page("provider_edit", "pool")):
        assert shown.status_code == 200
        assert KEY not in said(shown) and HOST not in said(shown)
    assert "kept encrypted, shown to nobody" in said(page("provider_detail", "pool"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"key": "two words"}, "key"),
        ({"key": "taken"}, "key"),
        ({"kind": "none"}, "kind"),
        ({"address": "http://127.0.0.1:5432"}, "address"),
        ({"kind": "azure", "address": ""}, "address"),
        ({"kind": "openai", "api_key": ""}, "api_key"),
        ({"api_key": "schlüssel"}, "api_key"),
    ],
)
def test_a_refused_provider_says_so_beside_its_field_and_keeps_the_key_to_itself(page, project, owner, change, field):
    create_provider(team=project.team, key="taken", kind="vllm", address="http://10.1.1.1/v1", by=owner)
    record = {"name": "P", "key": "p", "kind": "vllm", "address": f"http://{HOST}/v1", "api_key": KEY} | change
    answer = page("provider_create", data=record, method="post")
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert KEY not in said(answer)
    assert Provider.objects.count() == 1


def test_an_edit_keeps_what_is_left_empty_and_drops_the_key_when_asked(page, project, provider):
    page("provider_edit", "pool", data={"name": "Renamed", "kind": "vllm"}, method="post")
    provider.refresh_from_db()
    assert (provider.name, provider.is_pool, provider.sealed_api_key is None) == ("Renamed", False, False)
    page("provider_edit", "pool", data={"name": "Renamed", "kind": "vllm", "drop_key": "on"}, method="post")
    provider.refresh_from_db()
    assert provider.sealed_api_key is None
    answer = page("provider_edit", "pool", data={"name": "Renamed", "kind": "openai"}, method="post")
    assert list(answer.context["form"].errors) == ["api_key"]


def test_the_check_button_really_calls_and_the_page_tells_what_came(page, provider, model, open_upstream, client):
    answer = client.post(reverse("provider_check", args=[provider.team.key, "pool"]), follow=True)
    assert "reports 2 models" in said(answer) and len(open_upstream.seen) == 1
    assert "Qwen/Qwen3-8B" in said(answer)
    register = f"{reverse('model_create', args=[provider.team.key])}?provider=pool&amp;external_id=Qwen%2FQwen3-8B"
    assert register in said(answer)
    form = client.get(register.replace("&amp;", "&")).context["form"]
    assert (form["external_id"].value(), form["provider"].value()) == ("Qwen/Qwen3-8B", "pool")
    answer = client.post(reverse("model_check", args=[provider.team.key, model.pk]), follow=True)
    assert "small answered within" in said(answer) and "Online" in said(answer)


@pytest.mark.parametrize(
    ("external_id", "key"),
    [
        ("Qwen/Qwen3-8B", "qwen-qwen3-8b"),
        ("models/gemini-2.5-flash", "gemini-2-5-flash"),
        ("llama3.2:latest", "llama3-2"),
        ("Élan//modèle_1/", "elan-modele_1"),
    ],
)
def test_the_form_of_a_reported_model_can_be_sent_as_it_opens(page, project, provider, external_id, key):
    shown = page("model_create", data={"provider": "pool", "external_id": external_id})
    record = {field.name: field.value() for field in shown.context["form"]}
    record["parameters"] = record["parameters"] or ""
    assert page("model_create", data=record, method="post").status_code == 302
    assert Model.objects.values_list("key", "external_id", "provider__key").get() == (key, external_id, "pool")


@pytest.mark.parametrize(
    ("kind", "external_id", "reported", "is_missing", "is_offered"),
    [
        ("vllm", "small", ["small"], False, False),
        ("vllm", "small", ["other"], True, True),
        ("vllm", "small", [], False, False),
        ("ollama", "llama3.2", ["llama3.2:latest"], False, False),
        ("ollama", "llama3.2:latest", ["llama3.2"], False, False),
        ("ollama", "llama3.2", ["llama3.2:1b"], True, True),
        ("google", "gemini-2.5-flash", ["models/gemini-2.5-flash"], False, False),
        ("azure", "our-deployment", ["gpt-4o"], False, True),
    ],
)
def test_a_model_is_missing_only_where_its_provider_reports_others(
    page, project, owner, kind, external_id, reported, is_missing, is_offered
):
    described = {"kind": kind, "address": "http://10.1.1.1/v1", "api_key": KEY}
    provider = create_provider(team=project.team, key="p", by=owner, **described)
    register_model(team=project.team, key="m", provider=provider, external_id=external_id, by=owner)
    provider.checked_at, provider.reported = provider.created_at, reported
    provider.save()
    shown = said(page("provider_detail", "p"))
    assert ("not among what it reported" in shown, "&amp;external_id=" in shown) == (is_missing, is_offered)


def test_a_failed_check_says_why_and_shows_no_secret(page, provider, settings, client):
    settings.ALLOWED_UPSTREAMS = []
    answer = client.post(reverse("provider_check", args=[provider.team.key, "pool"]), follow=True)
    assert "leads to this machine itself" in said(answer) and "Failing" in said(answer)
    assert KEY not in said(answer)


def test_a_pool_tells_how_vllm_is_started_with_a_hugging_face_id(page, provider, owner):
    for key, external_id in (("qwen", "Qwen/Qwen3-8B"), ("odd", "x; rm -rf $HOME")):
        register_model(team=provider.team, key=key, provider=provider, external_id=external_id, by=owner)
    lines = dict(page("provider_detail", "pool").context["lines"])
    lines = {model.key: line for model, line in lines.items()}
    assert lines["qwen"] == 'vllm serve Qwen/Qwen3-8B --host 0.0.0.0 --port 8000 --api-key "$VLLM_API_KEY"'
    assert lines["odd"].startswith("vllm serve 'x; rm -rf $HOME' ")


def test_a_provider_that_serves_is_not_deleted(page, provider, model, client):
    answer = client.post(reverse("provider_delete", args=[provider.team.key, "pool"]), follow=True)
    assert "It serves small" in said(answer)
    model.delete()
    client.post(reverse("provider_delete", args=[provider.team.key, "pool"]))
    assert not Provider.objects.exists()


def test_a_model_is_registered_and_changed(page, provider):
    record = {"name": "Big", "key": "big", "provider": "pool", "external_id": "org/big", "capabilities": ["text"]}
    answer = page("model_create", data=record | {"parameters": '{"temperature": 0.2}'}, method="post")
    assert answer.status_code == 302
    model = Model.objects.get()
    assert (model.parameters, model.capabilities) == ({"temperature": 0.2}, ["text"])
    assert "{&quot;temperature&quot;: 0.2}" in said(page("model_edit", model.pk))
    page("model_edit", model.pk, data=record | {"name": "Bigger", "capabilities": ["text", "image"]}, method="post")
    model.refresh_from_db()
    assert (model.name, model.capabilities, model.parameters) == ("Bigger", ["text", "image"], {})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"key": "a//b"}, "key"),
        ({"key": "small"}, "key"),
        ({"provider": "nothing"}, "provider"),
        ({"provider": ""}, "provider"),
        ({"external_id": ""}, "external_id"),
        ({"capabilities": []}, "capabilities"),
        ({"capabilities": ["sound"]}, "capabilities"),
        ({"parameters": "{"}, "parameters"),
        ({"parameters": "[" * 100_000}, "parameters"),
        ({"parameters": '{"stream": true}'}, "parameters"),
    ],
)
def test_a_refused_model_says_so_beside_its_field(page, model, change, field):
    record = {"name": "B", "key": "b", "provider": "pool", "external_id": "b", "capabilities": ["text"]} | change
    answer = page("model_create", data=record, method="post")
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert Model.objects.count() == 1


def test_a_project_attaches_makes_default_takes_offline_and_detaches(page, project, model):
    assert page("model_attach", data={"model": "small", "desired_online": "on"}, method="post").status_code == 302
    attachment = Attachment.objects.get()
    assert attachment.desired_online
    page("model_default", attachment.pk, method="post")
    assert default_of(project) == model
    assert "by default <code>small</code>" in said(page("project_models"))
    page("model_online", attachment.pk, data={"to": "off"}, method="post")
    assert "Offline" in said(page("project_models"))
    page("model_detach", attachment.pk, method="post")
    shown = said(page("project_models"))
    assert "no default" in shown and "Detached" in shown
    assert page("model_default", attachment.pk, method="post").status_code == 404
    assert page("model_attach", data={"model": "unheard"}, method="post").status_code == 422


def test_where_two_teams_use_one_key_calls_are_shown_by_the_name_that_leads_here(client, project, model, owner):
    second = make_project(project.key, team=make_team(owner=owner))
    client.force_login(owner)
    address = reverse("project_models", args=[second.uid])
    empty = said(client.get(address))
    theirs = create_provider(team=second.team, key="p", kind="vllm", address="http://10.1.1.1/v1", by=owner)
    small = register_model(team=second.team, key="small", provider=theirs, external_id="s", by=owner)
    attach(project=second, model=small, by=owner)
    full = said(client.get(address))
    assert f"<code>{second.uid}/its-key</code>" in empty and f"<code>{second.uid}/small</code>" in full
    for shown in (empty, full):
        assert f'model="{second.uid}"' in shown and f"{second.uid}/KEY for one" in shown
        assert f"{project.key}/" not in shown.partition("<main")[2].partition("</main>")[0]


def test_models_that_were_only_logged_are_listed_apart(page, project, model):
    make_interaction(project, model="seen")
    attach(project=project, model=model, by=None)
    called, logged = page("project_models"), page("project_models", data={"of": "logged"})
    assert [one.model.key for one in called.context["rows"]] == ["small"]
    assert [one.model.key for one in logged.context["rows"]] == ["seen"]


def test_pages_take_as_many_queries_for_one_model_as_for_many(page, project, model, django_assert_max_num_queries):
    attach(project=project, model=model, by=None)
    names = ("model_list", "project_models")

    def count(name):
        with django_assert_max_num_queries(40) as taken:
            page(name)
        return len(taken)

    before = {name: count(name) for name in names}
    for number in range(8):
        more = register_model(team=project.team, key=f"m{number}", provider=model.provider, external_id="m", by=None)
        attach(project=project, model=more, by=owner_of(project))
    assert {name: count(name) for name in names} == before


def test_a_teammate_who_may_not_change_sees_all_and_no_button(client, project, people, model, owner):
    attach(project=project, model=model, by=owner)
    set_default(project=project, model=model, by=owner)
    client.force_login(people["auditor"])
    team, key = project.team.key, project.key
    for path in (
        f"/teams/{team}/models",
        f"/teams/{team}/providers",
        f"/teams/{team}/providers/pool",
        f"/p/{key}/models",
    ):
        answer = client.get(path)
        assert answer.status_code == 200
        main = said(answer).partition("<main")[2].partition("</main>")[0]
        assert 'method="post"' not in main, path
    pk = Attachment.objects.get().pk
    for path in (
        f"/teams/{team}/models/new",
        f"/teams/{team}/models/{model.pk}/edit",
        f"/teams/{team}/models/{model.pk}/check",
        f"/teams/{team}/new-provider",
        f"/teams/{team}/providers/pool/edit",
        f"/teams/{team}/providers/pool/check",
        f"/teams/{team}/providers/pool/delete",
        f"/p/{key}/models/attach",
        f"/p/{key}/models/{pk}/detach",
        f"/p/{key}/models/{pk}/online",
        f"/p/{key}/models/{pk}/default",
    ):
        assert client.post(path, {"model": "small"}).status_code == 403, path
        client.force_login(people["stranger"])
        assert client.post(path, {"model": "small"}).status_code == 404, path
        client.force_login(people["auditor"])
    assert default_of(project) == model


def test_a_guest_is_not_told_which_models_the_team_has(client, project, model):
    guest = owner_of(make_project())
    project.shares.create(team=guest.teams.get(), role=project.team.roles.get(key="engineer"))
    client.force_login(guest)
    address = reverse("project_models", args=[project.key])
    answer = client.get(address)
    assert answer.status_code == 200
    main = said(answer).partition("<main")[2]
    assert "Small" not in main and "/small" not in main and '"small"' not in main
    refused = [client.post(f"{address}/attach", {"model": key}) for key in ("small", "nothing")]
    errors = [answer.context["form"].errors["model"] for answer in refused]
    assert errors[0] == errors[1]
    assert not Attachment.objects.exists()


def test_an_attachment_of_another_project_is_not_reached_through_this_one(page, project, model, owner):
    other = make_project(team=project.team)
    theirs = attach(project=other, model=model, by=owner)
    for name in ("model_detach", "model_online", "model_default"):
        assert page(name, theirs.pk, method="post").status_code == 404
    theirs.refresh_from_db()
    assert (theirs.detached_at, theirs.is_default) == (None, False)


def test_who_may_not_set_the_default_changes_it_on_no_page(client, project, people, owner, model):
    attachment = attach(project=project, model=model, by=owner)
    set_default(project=project, model=model, by=owner)
    role = project.team.roles.get(key="engineer")
    role.permissions.remove("model.deploy")
    role.save()
    client.force_login(people["engineer"])
    address = reverse("project_models", args=[project.key])
    for path, sent in {
        "attach": {"model": "small"},
        f"{attachment.pk}/online": {},
        f"{attachment.pk}/detach": {},
    }.items():
        answer = client.post(f"{address}/{path}", sent)
        assert (answer.status_code, "serves by default needs" in said(answer)) == (403, True), path
    assert default_serves(project)
