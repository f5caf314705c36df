"""The audit log: who changed what. A service that changes something writes its line in the same transaction."""

from accounts.models import AuditEntry

# what was done, as the log tells it between a person and what it was done to
VERBS = {
    "team.create": "made the team",
    "member.add": "took into the team",
    "member.invite": "invited into the team",
    "member.accept": "accepted the invitation into the team",
    "member.decline": "declined the invitation into the team",
    "member.withdraw": "withdrew the invitation of",
    "member.role": "changed the role of",
    "member.remove": "removed from the team",
    "member.leave": "left the team",
    "account.rename": "changed the name of",
    "account.deactivate": "ended the account of",
    "account.activate": "opened again the account of",
    "password.reset": "gave a new one-time password to",
    "key.create": "made the API key",
    "key.revoke": "revoked the API key",
    "project.create": "made the project",
    "project.rename": "renamed the project",
    "project.keep": "changed how long it keeps of the project",
    "project.archive": "archived the project",
    "project.unarchive": "opened again the project",
    "project.delete": "deleted the project",
    "share.set": "shared the project with",
    "share.end": "ended the share with",
    "hold.place": "put under a legal hold",
    "hold.release": "released from the legal hold",
    "interaction.delete": "deleted",
    "note.delete": "deleted the note of",
    "note.restore": "put back the note of",
    "label.rename": "renamed the label",
    "feedback-key.link": "linked the feedback key",
    "feedback-key.unlink": "unlinked the feedback key",
    "model.register": "registered the model",
    "model.change": "changed the model",
    "model.attach": "attached the model",
    "model.switch": "switched on or off the model",
    "model.detach": "detached the model",
    "model.default": "changed the default model of the project",
    "provider.create": "made the provider",
    "provider.change": "changed the provider",
    "provider.delete": "deleted the provider",
    "export.create": "asked for the export",
    "export.download": "downloaded the export",
    "ab-test.decide": "decided the A/B test",
    "ab-test.roll-back": "rolled back the A/B test",
    "ab-test.cancel": "cancelled the A/B test",
}
MOST_IDS = 1_000  # of one line; how many there were is told beside them
PAGE = 50


def record(verb, *, by, team=None, project=None, what="", before=None, after=None):
    """Remember that `by` (None: who runs the server) did `verb`, one of VERBS, to `what`, a word that names it.

    `before` and `after` are small objects of what was changed, null for nothing. It is the team's, the project's own
    where none is given, whatever becomes of either; the API key that it was done with is `by`'s.
    """
    _write([team.pk if team else project.team_id], verb, by, project, what, before, after)


def record_of_person(verb, *, by, person, what="", before=None, after=None):
    """The same of what is a person's own, such as her keys: a line for each team that she is in."""
    _write(person.memberships.values_list("team_id", flat=True), verb, by, None, what or person.email, before, after)


def _write(team_ids, verb, by, project, what, before, after):
    key = getattr(by, "by_key", None)
    AuditEntry.objects.bulk_create(
        AuditEntry(
            team_id=team_id,
            actor_id=by.pk if by else None,
            key_id=key.pk if key else None,
            project_id=project.pk if project else None,
            project_key=project.key if project else "",
            verb=_known(verb),
            object=str(what)[:200],
            before=before,
            after=after,
        )
        for team_id in team_ids
    )


def _known(verb):
    if verb not in VERBS:
        raise ValueError(f"{verb!r} is none of the audit log's verbs.")
    return verb


def ids_told(ids):
    """Of many ids the first thousand, and how many there were, for `before` or `after`."""
    ids = sorted(map(str, ids))
    return {"number": len(ids), "ids": ids[:MOST_IDS]}


def entries_of(team, *, person="", verb="", after=None, before=None):
    """The team's lines: of the person with this address, of this verb, from `after` to before `before`."""
    rows = AuditEntry.objects.filter(team=team).select_related("actor", "key")
    if person:
        rows = rows.filter(actor__email__iexact=person)
    if verb:
        rows = rows.filter(verb=verb)
    if after:
        rows = rows.filter(at__gte=after)
    if before:
        rows = rows.filter(at__lt=before)
    return rows


def page_of(rows, cursor="", limit=PAGE):
    """(the newest of these lines, the cursor of what follows or ""); `cursor` is the id of the last one seen."""
    if cursor:
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows.order_by("-pk")[: limit + 1])
    return found[:limit], str(found[limit - 1].pk) if len(found) > limit else ""
