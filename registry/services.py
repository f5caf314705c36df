"""What changes the models we know, and which of them a project uses."""

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from accounts.audit import record
from accounts.permissions import DEPLOY
from projects.access import EntityNotFound
from projects.models import Project
from registry.known import Known
from registry.models import Attachment, Model, State
from registry.rules import Taken, check_model, model_key_fault

_attached = Known()


def resolve_models(*, project, known=(), new=()):
    """{key: id} for models named by programs. Those of `new` are registered and attached where they are new;
    those of `known` must be known to the project's team, else they are left out of the answer, as are new ones of
    which `unfit_models` tells. A model that was detached stays so, and one that can be called is attached offline:
    naming it is no leave to call it."""
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
            [
                Model(team_id=project.team_id, key=key, name=key)
                for key in sorted(missing & new)
                if not model_key_fault(key)
            ],
            ignore_conflicts=True,
        )
        found = Model.objects.filter(team_id=project.team_id, key__in=missing).only("key", "provider_id").order_by("pk")
        Attachment.objects.bulk_create(
            [Attachment(project=project, model=one, desired_online=one.provider_id is None) for one in found],
            ignore_conflicts=True,
        )
        attached |= {one.key: one.pk for one in found}
    return attached


def unfit_models(*, project, keys):
    """{key: why} of those that can be no model's; what the project's team has under such a key already goes on."""
    faults = {key: fault for key in keys if (fault := model_key_fault(key))}
    if not faults:
        return {}
    known = set(Model.objects.filter(team_id=project.team_id, key__in=faults).values_list("key", flat=True))
    return {key: fault for key, fault in faults.items() if key not in known}


@transaction.atomic
def register_model(*, team, key, provider, external_id, by, name="", capabilities=("text",), parameters=None):
    """A Model that can be called. One that was only known from what was logged gets the provider; one that has a
    provider already is Taken. Fault by field for what does not fit."""
    values = {
        "key": key,
        "name": name or key,
        "provider": provider,
        "external_id": external_id,
        "capabilities": list(capabilities),
        "parameters": {} if parameters is None else parameters,
    }
    check_model(team=team, **values)
    model, is_new = Model.objects.select_for_update(of=["self"]).get_or_create(team=team, key=key, defaults=values)
    if model.provider_id and not is_new:
        raise Taken(f"{team.name} has a model {key} already; change that one, or send another key.")
    told = {"provider": _told(provider), "external_id": external_id}
    record("model.register", by=by, team=team, what=key, after=told)
    return model if is_new else _change(model, values)


@transaction.atomic
def change_model(*, model, by, **changes):
    """Change name, provider (None: it can no longer be called), external_id, capabilities or parameters."""
    model = Model.objects.select_for_update(of=["self"]).select_related("team", "provider").get(pk=model.pk)
    values = {name: getattr(model, name) for name in ("name", "provider", "external_id", "capabilities", "parameters")}
    if changes.get("provider", model.provider) is None:
        changes |= {"external_id": ""}
    check_model(team=model.team, key=model.key, **(values | changes), is_new=False)
    changed = [name for name in changes if changes[name] != values[name]]
    if changed:
        told = {"before": {name: _told(values[name]) for name in changed}}
        told["after"] = {name: _told(changes[name]) for name in changed}
        record("model.change", by=by, team=model.team, what=model.key, **told)
    return _change(model, changes)


def _told(value):
    """A member of a model as the audit log tells it."""
    return getattr(value, "key", value)


def _change(model, changes):
    called = {"provider", "external_id", "capabilities", "parameters"}
    if any(getattr(model, name) != value for name, value in changes.items() if name in called):
        changes = {**changes, "state": State.UNKNOWN, "fault": "", "checked_at": None}
    for name, value in changes.items():
        setattr(model, name, value)
    model.save(update_fields=list(changes))
    return model


@transaction.atomic
def attach(*, project, model, by, desired_online=True):
    """The project uses the model from now on: the Attachment, which is the one it has where it is attached already
    (then only `desired_online` changes, and what logging attached is `by`'s from now on). After a detachment it is a
    new one."""
    guard_model(user=by, project=project, model=model)
    Project.objects.lock(project)
    attachment, is_new = Attachment.objects.update_or_create(
        project=project,
        model=model,
        detached_at=None,
        defaults={"desired_online": desired_online},
        create_defaults={"desired_online": desired_online, "attached_by": by},
    )
    if attachment.attached_by_id is None:
        attachment.attached_by = by
        attachment.save(update_fields=["attached_by"])
    told = {"online": attachment.desired_online}
    record("model.attach" if is_new else "model.switch", by=by, project=project, what=model.key, after=told)
    return attachment


def guard_model(*, user, project, model):
    """PermissionDenied where a guest, who reaches the project by a share, would attach or bring online a model of the
    team that the project never had, or has only because it was logged; EntityNotFound for another team's."""
    if model.team_id != project.team_id:
        raise EntityNotFound("Model", model.key)
    by_logging = Q(attached_by=None, desired_online=False)
    if Attachment.objects.filter(~by_logging, project=project, model=model).exists():
        return
    if user is not None and not project.team.memberships.filter(user=user).exists():
        raise PermissionDenied(f"{model.key} is a model of {project.team.name}: ask its people to attach it.")


def guard_default(*, project, model, **wanted):
    """PermissionDenied where what is wanted of the model's attachment (`is_default`, `desired_online`) changes what the
    project serves by default, and who asked for `project` by `project_or_404` may not. The names of what changes. The
    project stays locked until the transaction's end: nobody makes the model the default in between."""
    Project.objects.lock(project)
    now = Attachment.objects.filter(project=project, model=model, detached_at=None).first() or Attachment()
    changed = {name for name, value in wanted.items() if getattr(now, name) != value}
    if ("is_default" in changed or (now.is_default and changed)) and DEPLOY not in project.permissions:
        raise PermissionDenied(f"What {project.key} serves by default needs the permission {DEPLOY}.")
    return changed


@transaction.atomic
def detach(*, project, model, by):
    """The project no longer uses the model; what was logged of it stays, and so does the attachment as history. Where
    it was the default, the project has none then. EntityNotFound where it is not attached."""
    Project.objects.lock(project)
    ended = Attachment.objects.filter(project=project, model=model, detached_at=None)
    if not ended.update(detached_at=timezone.now(), detached_by=by, is_default=False):
        raise EntityNotFound("Model", model.key)
    record("model.detach", by=by, project=project, what=model.key)


@transaction.atomic
def set_default(*, project, model, by):
    """What is asked for by the project's key alone goes to this model from now on; returns the former default or
    None. `model` None: the project has no default. EntityNotFound where the model is not attached."""
    Project.objects.lock(project)
    current = Attachment.objects.filter(project=project, detached_at=None).select_related("model")
    former = current.filter(is_default=True).first()
    if former and model and former.model_id == model.pk:
        return former.model
    current.filter(is_default=True).update(is_default=False)
    if model and not current.filter(model=model).update(is_default=True):
        raise EntityNotFound("Model", model.key)
    told = {"before": {"default": former and former.model.key}, "after": {"default": model and model.key}}
    record("model.default", by=by, project=project, what=project.key, **told)
    return former and former.model


def default_of(project):
    """The Model that the project's key alone stands for, with its provider, or None."""
    attachment = (
        Attachment.objects.filter(project=project, detached_at=None, is_default=True)
        .select_related("model__provider")
        .first()
    )
    return attachment and attachment.model


def default_serves(project):
    """Whether calls by the project's key alone are answered: it has a default, and that is to be online."""
    return Attachment.objects.filter(project=project, detached_at=None, is_default=True, desired_online=True).exists()


def attached(project):
    """The project's current Attachments, each with model and provider: the default first, then by name."""
    current = Attachment.objects.filter(project=project, detached_at=None).select_related("model__provider")
    return list(current.order_by("-is_default", Lower("model__name"), "pk"))


def model_or_404(models, key):
    """The one of these Models that has the key, with its provider; EntityNotFound."""
    model = None if "\x00" in key else models.filter(key=key).select_related("provider", "team").first()
    if model is None:
        raise EntityNotFound("Model", key)
    return model
