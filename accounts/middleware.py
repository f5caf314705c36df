"""What a request takes from the person who makes it."""

import zoneinfo

from django.utils import timezone as current_timezone

COOKIE = "tz"
ZONES = frozenset(zoneinfo.available_timezones())


def timezone(get_response):
    """Show times in the zone the person chose, else in her browser's, else in UTC."""

    def middleware(request):
        # only a session has a person here; asking for her on every call of the API would cost it a query
        chosen = request.user.timezone if _is_page(request) and request.user.is_authenticated else ""
        with current_timezone.override(_zone(chosen) or _zone(request.COOKIES.get(COOKIE, "")) or zoneinfo.ZoneInfo("UTC")):
            return get_response(request)

    return middleware


def _is_page(request):
    return not request.path.startswith(("/api/", "/static/"))


def _zone(name):
    # a name from a cookie is a path to a file: only names that are known may be looked up
    return zoneinfo.ZoneInfo(name) if name in ZONES else None
