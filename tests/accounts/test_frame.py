"""What stands around every page: the top bar, the icons, and the pages of errors."""

import re
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError
from django.template import Context, Template, TemplateSyntaxError
from django.test import Client
from django.urls import reverse

from config.management.commands.make_icons import sprite
from config.templatetags.icons import icon_names
from config.views import bad_request, server_error
from tests.factories import make_project, make_user, owner_of


def test_the_sprite_holds_every_icon_once():
    symbols = ElementTree.fromstring(sprite(icon_names()))
    assert [symbol.get("id") for symbol in symbols] == list(icon_names())
    assert len(set(icon_names())) == len(icon_names())
    assert all(len(symbol) for symbol in symbols)


def test_an_icon_that_no_package_draws_is_told():
    with pytest.raises(CommandError, match="no-such-icon"):
        sprite(["no-such-icon"])


def test_an_icon_that_is_not_listed_is_told():
    with pytest.raises(TemplateSyntaxError, match="nothing-here"):
        Template("{% load icons %}{% icon 'nothing-here' %}").render(Context())


@pytest.mark.django_db
def test_the_switcher_leads_to_every_project_and_marks_this_one(client):
    project = make_project("claims")
    other = make_project("motor", team=project.team)
    client.force_login(owner_of(project))
    page = client.get(reverse("project_settings", args=["claims"])).content.decode()
    switcher = re.search(r'<nav class="popover menu from-start".*?</nav>', page, re.DOTALL)[0]
    assert reverse("interaction_list", args=[other.key]) in switcher
    assert switcher.count('aria-current="true"') == 1
    assert reverse("project_list") in switcher


@pytest.mark.django_db
def test_a_page_carries_no_inline_script_or_style(client):
    project = make_project("claims")
    client.force_login(owner_of(project))
    for name, arguments in [("project_settings", ["claims"]), ("api_keys", []), ("team", [project.team.key])]:
        answer = client.get(reverse(name, args=arguments))
        page = answer.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|hx-on", page)
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize("theme", ["dark", "light", '"><script>'])
def test_the_theme_is_written_into_the_page_so_that_it_does_not_flash(client, theme):
    client.cookies["theme"] = theme
    page = client.get(reverse("login")).content.decode()
    assert (f'data-theme="{theme}"' in page) == (theme in {"dark", "light"})


@pytest.mark.django_db
def test_what_is_not_there_is_told_in_the_look_to_people_and_as_json_to_programs(client):
    answer = client.get("/nothing/here")
    assert (answer.status_code, "There is nothing here" in answer.content.decode()) == (404, True)
    answer = client.get("/api/v1/nothing")
    assert (answer.status_code, set(answer.json())) == (404, {"error", "fields"})


@pytest.mark.django_db
def test_a_refusal_says_which_permission_is_missing(client):
    project = make_project("claims")
    client.force_login(make_user(team=project.team, role="auditor"))
    answer = client.get(reverse("project_settings", args=["claims"]))
    assert (answer.status_code, "project.manage" in answer.content.decode()) == (403, True)


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_in_the_look():
    answer = Client(enforce_csrf_checks=True).post(reverse("login"), {"username": "a", "password": "b"})
    assert (answer.status_code, "gone stale" in answer.content.decode()) == (403, True)


def test_the_page_of_an_error_within_needs_no_database(rf):
    answer = server_error(rf.get("/p/claims/interactions"))
    assert (answer.status_code, "Something broke here" in answer.content.decode()) == (500, True)


def test_the_page_of_a_malformed_request_needs_no_database(rf):
    answer = bad_request(rf.get("/"), Exception())
    assert (answer.status_code, "could not be understood" in answer.content.decode()) == (400, True)
