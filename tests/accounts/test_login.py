"""Coming in, staying out, and the password."""

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.hashers import identify_hasher
from django.urls import reverse
from django.utils import timezone

from tests.factories import make_project, make_team, make_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def mara():
    return make_user("mara@example.org", password=PASSWORD)


def log_in(client, email="mara@example.org", password=PASSWORD, **more):
    return client.post(reverse("login"), {"username": email, "password": password, **more})


def test_the_password_is_kept_as_argon2(mara):
    assert identify_hasher(mara.password).algorithm == "argon2"


@pytest.mark.parametrize("email", ["mara@example.org", "Mara@Example.org", " mara@example.org "])
def test_who_knows_the_password_comes_in_whatever_the_case_of_the_address(client, mara, email):
    assert log_in(client, email).status_code == 302
    assert client.get(reverse("project_list")).status_code == 200


def test_unknown_address_wrong_password_and_closed_account_get_the_same_answer(client, mara):
    closed = make_user("closed@example.org", password=PASSWORD)
    closed.is_active = False
    closed.save()
    answers = [
        log_in(client, "mara@example.org", "wrong"),
        log_in(client, "nobody@example.org", "wrong"),
        log_in(client, "closed@example.org", PASSWORD),
    ]
    assert {answer.status_code for answer in answers} == {422}
    errors = {str(answer.context["form"].errors) for answer in answers}
    assert len(errors) == 1 and "do not go together" in errors.pop()


def test_after_ten_failures_even_the_right_password_waits(client, mara):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = log_in(client, password="wrong")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "15 minutes" in answer.content.decode()
    assert log_in(client, "MARA@example.org").status_code == 429
    assert log_in(client, make_user("other@example.org", password=PASSWORD).email).status_code == 302


@pytest.mark.parametrize("email", ["lıs@example.org", "LİS@example.org", "LıS@example.org"])
def test_no_other_spelling_of_an_address_has_tries_of_its_own(client, email):
    make_user("lis@example.org", password=PASSWORD)
    assert log_in(client, "LIS@example.org").status_code == 302
    client.logout()
    assert log_in(client, email).status_code == 422


@pytest.mark.parametrize(
    ("behind_proxy", "told", "counted"),
    [
        (True, "203.0.113.7", "203.0.113.7"),
        (True, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (True, "nonsense", "127.0.0.1"),
        (True, "", "127.0.0.1"),
        (False, "203.0.113.7", "127.0.0.1"),
    ],
)
def test_failures_are_counted_by_the_address_that_a_proxy_of_ours_saw(client, settings, behind_proxy, told, counted):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if behind_proxy else None
    client.post(reverse("login"), {"username": "a", "password": "b"}, headers={"X-Forwarded-For": told})
    assert AccessAttempt.objects.get().ip_address == counted


def test_a_login_in_between_forgets_the_failures(client, mara):
    for _ in range(2):
        for _ in range(settings.AXES_FAILURE_LIMIT - 1):
            log_in(client, password="wrong")
        assert log_in(client).status_code == 302
        client.post(reverse("logout"))


@pytest.mark.parametrize(
    ("wanted", "led_to"),
    [("/teams", "/teams"), ("https://evil.example/", "/"), ("//evil.example/", "/"), ("javascript:alert(1)", "/")],
)
def test_after_the_login_one_goes_on_where_one_wanted_but_only_here(client, mara, wanted, led_to):
    assert log_in(client, next=wanted).headers["Location"] == led_to


def test_a_page_asks_for_the_login_and_comes_back(client):
    answer = client.get(reverse("team_list"))
    assert answer.headers["Location"] == "/login?next=/teams"


def test_a_part_of_a_page_whose_session_ended_sends_the_whole_page_to_the_login(client):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/projects/p/interactions?label=a"}
    answer = client.get(reverse("login"), headers=headers)
    assert answer.headers["HX-Redirect"] == "/login?next=%2Fprojects%2Fp%2Finteractions%3Flabel%3Da"


def test_logging_out_is_a_post_and_ends_the_session(client, mara):
    client.force_login(mara)
    assert client.get(reverse("logout")).status_code == 405
    client.post(reverse("logout"))
    assert client.get(reverse("team_list")).status_code == 302


def change(client, old=PASSWORD, new="a different long one", again=None):
    values = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post(reverse("password"), values)


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(client, mara):
    elsewhere = type(client)()
    log_in(client)
    log_in(elsewhere)
    assert change(client).status_code == 302
    assert client.get(reverse("team_list")).status_code == 200
    assert elsewhere.get(reverse("team_list")).status_code == 302
    assert log_in(elsewhere).status_code == 422
    assert log_in(elsewhere, password="a different long one").status_code == 302


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"old": "wrong"}, "old_password"),
        ({"new": "short"}, "new_password2"),
        ({"new": "password123"}, "new_password2"),
        ({"again": "not the same one"}, "new_password2"),
    ],
)
def test_a_refused_password_says_so_beside_its_field(client, mara, values, field):
    client.force_login(mara)
    answer = change(client, **values)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert "autofocus" in str(answer.context["form"][field])


def test_a_session_left_open_does_not_let_the_password_be_guessed(client, mara):
    client.force_login(mara)
    answers = [change(client, old=f"guess {n}").status_code for n in range(settings.AXES_FAILURE_LIMIT)]
    assert answers == [422] * (settings.AXES_FAILURE_LIMIT - 1) + [429]
    assert change(client).status_code == 429
    mara.refresh_from_db()
    assert mara.check_password(PASSWORD)


def test_the_zone_is_the_chosen_one_then_the_browsers_then_utc(client, mara):
    def zone():
        content = client.get(reverse("api_keys")).content.decode()
        return content.partition("Times are in ")[2].partition(".")[0]

    client.force_login(mara)
    assert zone() == "UTC"
    client.cookies["tz"] = "Asia/Tokyo"
    assert zone() == "Asia/Tokyo"
    client.cookies["tz"] = "../../etc/passwd"
    assert zone() == "UTC"
    client.post(reverse("account"), {"name": "Mara", "timezone": "America/New_York"})
    assert zone() == "America/New_York"
    assert timezone.get_current_timezone_name() == "UTC"


def test_the_account_refuses_an_empty_name_and_an_unknown_zone(client, mara):
    client.force_login(mara)
    answer = client.post(reverse("account"), {"name": "", "timezone": "Mars/Base"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"name", "timezone"}


def test_the_start_leads_to_the_only_project_or_to_all_of_them(client, mara):
    client.force_login(mara)
    assert client.get(reverse("home")).headers["Location"] == reverse("project_list")
    project = make_project(team=make_team(owner=mara))
    assert client.get(reverse("home")).headers["Location"] == reverse("interaction_list", args=[project.key])
