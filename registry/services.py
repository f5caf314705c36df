"""What changes the models we know."""

from django.db import transaction

from registry.known import Known
from registry.models import Attachment, Model

_attached = Known()


def resolve_models(*, project, known=(), new=()):
    """{key: id} for models named by programs. Those of `new` are registered and attached where they are new;
    those of `known` must be known to the project's team, else they are left out of the answer."""
    wanted = {(project.pk, key) for key in (*known, *new)}
    found = _attached.of(wanted)
    if len(found) < len(wanted):
        found = {(project.pk, key): pk for key, pk in _resolve(project, set(known), set(new)).items()}
        transaction.on_commit(lambda: _attached.learn(found))
    return {key: pk for (_, key), pk in found.items()}


def _resolve(project, known, new):
    wanted = known | new
    attached = dict(Model.objects.filter(projects=project, key__in=wanted).values_list("key", "pk"))
    if missing := wanted - attached.keys():
        # in one order, so that two who register the same models never wait for each other in a circle
        Model.objects.bulk_create(
            [Model(team_id=project.team_id, key=key, name=key) for key in sorted(missing & new)],
            ignore_conflicts=True,
        )
        found = dict(Model.objects.filter(team_id=project.team_id, key__in=missing).values_list("key", "pk"))
        Attachment.objects.bulk_create(
            [Attachment(project=project, model_id=pk) for pk in sorted(found.values())], ignore_conflicts=True
        )
        attached |= found
    return attached
