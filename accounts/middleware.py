"""What a request takes from the person who makes it."""

import zoneinfo

from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone as current_timezone

COOKIE = "tz"
ZONES = frozenset(zoneinfo.available_timezones())


def timezone(get_response):
    """Show times in the zone the person chose, else in her browser's, else in UTC."""

    def middleware(request):
        chosen = request.user.timezone if request.user.is_authenticated else ""
        zone = _zone(chosen) or _zone(request.COOKIES.get(COOKIE, "")) or zoneinfo.ZoneInfo("UTC")
        with current_timezone.override(zone):
            return get_response(request)

    return middleware


def _zone(name):
    # a name from a cookie is a path to a file: only names that are known may be looked up
    return zoneinfo.ZoneInfo(name) if name in ZONES else None


def own_password(get_response):
    """Who came in with a password that somebody else has seen chooses her own before anything else."""

    def middleware(request):
        must_choose = request.user.is_authenticated and request.user.password_is_temporary
        if must_choose and request.path not in {reverse("password"), reverse("logout")}:
            return redirect("password")
        return get_response(request)

    return middleware
