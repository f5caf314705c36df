"""Keys of programs."""

import datetime

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey
from accounts.services import create_api_key, revoke_api_key
from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def mara(client):
    user = make_user()
    client.force_login(user)
    return user


def call(client, plain):
    return client.get("/api/v1/projects", headers={"Authorization": f"Bearer {plain}"})


def test_a_key_is_shown_once_and_only_its_digest_is_kept(client, mara):
    answer = client.post(reverse("api_keys"), {"name": "Nightly import"})
    plain = answer.context["plain"]
    assert plain in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert plain not in client.get(reverse("api_keys")).content.decode()
    key = ApiKey.objects.get()
    assert key.hint == plain[:8] and plain.encode() not in bytes(key.digest)
    client.logout()
    assert call(client, plain).status_code == 200


def test_a_key_needs_a_name(client, mara):
    answer = client.post(reverse("api_keys"), {"name": ""})
    assert answer.status_code == 422
    assert "name" in answer.context["form"].errors
    assert not ApiKey.objects.exists()


def test_a_revoked_key_opens_nothing_and_leaves_the_list(client, mara):
    key, plain = create_api_key(user=mara, name="Laptop")
    client.post(reverse("api_key_revoke", args=[key.pk]))
    assert list(client.get(reverse("api_keys")).context["keys"]) == []
    client.logout()
    answer = call(client, plain)
    assert answer.status_code == 401
    assert "revoked" in answer.json()["error"]


def test_a_key_with_a_last_day_opens_the_door_until_that_day_is_over(client, mara):
    today = timezone.localdate()
    for day, told in ((today - datetime.timedelta(days=1), "This day is over."), ("9999-12-31", "an earlier day")):
        refused = client.post(reverse("api_keys"), {"name": "Audit", "ends_at": day})
        assert refused.status_code == 422 and told in refused.content.decode()
    plain = client.post(reverse("api_keys"), {"name": "Audit", "ends_at": today}).context["plain"]
    assert call(client, plain).status_code == 200
    assert ApiKey.objects.get().ends_at - timezone.now() <= datetime.timedelta(days=1)
    ApiKey.objects.update(ends_at=timezone.now() - datetime.timedelta(hours=1))
    assert "ended" in client.get(reverse("api_keys")).content.decode()
    client.logout()
    answer = call(client, plain)
    assert answer.status_code == 401 and "its time is over" in answer.json()["error"]


def test_nobody_sees_or_revokes_the_keys_of_others(client, mara):
    key, plain = create_api_key(user=make_user(), name="Theirs")
    assert "Theirs" not in client.get(reverse("api_keys")).content.decode()
    assert client.post(reverse("api_key_revoke", args=[key.pk])).status_code == 404
    assert call(client, plain).status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer mg_nonsense", "Bearer \x00", "Token mg_nonsense", ""])
def test_without_a_known_key_the_door_is_shut(client, db, header):
    answer = client.get("/api/v1/projects", headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert set(answer.json()) == {"error", "fields"}
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_of_somebody_who_left_opens_nothing(client):
    user = make_user()
    _, plain = create_api_key(user=user, name="Laptop")
    user.is_active = False
    user.save()
    assert call(client, plain).status_code == 401


def test_the_last_use_is_written_at_most_once_a_minute(client):
    key, plain = create_api_key(user=make_user(), name="Laptop")
    call(client, plain)
    key.refresh_from_db()
    first = key.last_used_at
    assert timezone.now() - first < datetime.timedelta(seconds=10)
    call(client, plain)
    key.refresh_from_db()
    assert key.last_used_at == first
    ApiKey.objects.update(last_used_at=first - datetime.timedelta(minutes=2))
    call(client, plain)
    key.refresh_from_db()
    assert key.last_used_at > first - datetime.timedelta(minutes=1)


def test_revoking_twice_keeps_the_first_moment():
    key, _ = create_api_key(user=make_user(), name="Laptop")
    revoke_api_key(key=key)
    key.refresh_from_db()
    first = key.revoked_at
    revoke_api_key(key=key)
    key.refresh_from_db()
    assert key.revoked_at == first
