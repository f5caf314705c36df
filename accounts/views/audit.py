"""The audit log of a team, for its administrators and auditors."""

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access import audited_team_or_404
from accounts.audit import VERBS, entries_of, page_of
from accounts.forms import AuditForm


@require_GET
def audit_log(request, team):
    """Its newest lines, filtered by person, kind and day; `cursor` goes on to older ones."""
    team = audited_team_or_404(request.user, team)
    cursor = request.GET.get("cursor", "")
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19 or not cursor):
        raise Http404("There is no such page.")
    form = AuditForm(request.GET)
    entries, older = page_of(entries_of(team, **form.wanted), cursor) if form.is_valid() else ([], "")
    for entry in entries:
        entry.said = VERBS.get(entry.verb, entry.verb)
    context = {"team": team, "form": form, "entries": entries, "older": older}
    return render(request, "accounts/audit_log.html", context, status=422 if form.errors else 200)
