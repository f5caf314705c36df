"""Which models a team or a project has, as lists show them."""

from django.db.models import Count, Q

from registry.models import Attachment, Model

SHOWN = {"called": "Can be called", "logged": "Only logged"}
MOST_SUGGESTED = 200


def models_of(team, *, shown="called", words=""):
    """The team's Models with providers and the number of projects that use them: `called` have a provider, `logged`
    are only known from what was logged. `words` stand in key, name or external id."""
    rows = Model.objects.filter(team=team, **_provided("provider", shown)).select_related("provider")
    if words:
        rows = rows.filter(Q(key__icontains=words) | Q(name__icontains=words) | Q(external_id__icontains=words))
    return rows.annotate(n_projects=Count("attachments", filter=Q(attachments__detached_at=None)))


def attachments_of(project, *, shown="called", words=""):
    """The project's current Attachments with model and provider."""
    rows = Attachment.objects.filter(project=project, detached_at=None, **_provided("model__provider", shown))
    if words:
        rows = rows.filter(Q(model__key__icontains=words) | Q(model__name__icontains=words))
    return rows.select_related("model__provider", "attached_by")


def history_of(project):
    """Attachments that ended."""
    ended = Attachment.objects.filter(project=project).exclude(detached_at=None)
    return ended.select_related("model", "attached_by", "detached_by")


def attachable(project):
    """The first models by name that can be called and that the project does not use."""
    current = Attachment.objects.filter(project=project, detached_at=None).values("model")
    rows = Model.objects.filter(team=project.team_id).exclude(provider=None).exclude(pk__in=current)
    return list(rows.order_by("name", "pk").only("key", "name")[:MOST_SUGGESTED])


def _provided(path, shown):
    return {f"{path}__isnull": shown == "logged"} if shown in SHOWN else {}
