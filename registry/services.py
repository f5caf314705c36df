"""What changes the models we know."""

from registry.models import Attachment, Model


def resolve_models(*, project, known=(), new=()):
    """{key: id} for models named by programs. Those of `new` are registered and attached where they are new;
    those of `known` must be known to the project's team, else they are left out of the answer."""
    wanted = set(known) | set(new)
    if not wanted:
        return {}
    attached = dict(Model.objects.filter(projects=project, key__in=wanted).values_list("key", "pk"))
    if missing := wanted - attached.keys():
        # in one order, so that two who register the same models never wait for each other in a circle
        Model.objects.bulk_create(
            [Model(team_id=project.team_id, key=key, name=key) for key in sorted(missing & set(new))],
            ignore_conflicts=True,
        )
        found = dict(Model.objects.filter(team_id=project.team_id, key__in=missing).values_list("key", "pk"))
        Attachment.objects.bulk_create(
            [Attachment(project=project, model_id=pk) for pk in sorted(found.values())], ignore_conflicts=True
        )
        attached |= found
    return attached
