"""Who asks, and which model answers: all that is looked up before a call, for those who come together at once."""

import uuid
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import close_old_connections, connection
from django.db.utils import InterfaceError, OperationalError
from django.http import Http404

from accounts import prepared
from accounts.authentication import remember_use, usable_key
from accounts.models import User
from accounts.permissions import CALL
from experiments.assignment import assign, unit_of
from gateway.failures import Refused, bad_key
from gateway.offering import offers
from gateway.tokens import PREFIX, read_token
from interactions.models import Source
from projects.access import EntityNotFound, project_or_404
from projects.models import Project
from registry.endpoints import Endpoint, NotCallable, endpoint_of
from registry.models import Capability

_ATTACHED = """
    SELECT m.id, a.desired_online FROM registry_attachment a JOIN registry_model m ON m.id = a.model_id
    WHERE a.project_id = %s AND a.detached_at IS NULL AND (m.key = %s OR %s AND a.is_default)
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What is to be looked up: the bearer key, and what it asks for."""

    key: str
    project: str = ""
    model: str = ""
    campaign: str = ""
    user: str = ""
    session: str = ""
    capability: str = Capability.TEXT


@dataclass(frozen=True, slots=True)
class Who:
    """Only whether the key is good is asked."""

    key: str


@dataclass(frozen=True, slots=True)
class Offers:
    """What the key may call."""

    key: str


@dataclass(frozen=True, slots=True)
class Route:
    """Who asks in which project, and the model that answers, in which arm of an A/B test."""

    by: User
    project: Project
    source: str
    endpoint: Endpoint
    arm: int | None = None


def look_up(looks):
    """For each Look a Route, for each Who the user, for each Offers a list of Offer, or the exception that says why
    not. What several ask for is asked of the database once, after the last of them came."""
    close_old_connections()
    known, found = {}, []
    for look in looks:
        try:
            found.append(_WAYS[type(look)](look, known))
        except (Refused, Http404, PermissionDenied) as error:
            found.append(error)
        except (InterfaceError, OperationalError) as error:
            connection.close()
            found.append(error)
    return found


def who(key):
    """(the user of a bearer key, the uid of the one project that it opens or None); Refused."""
    if key.startswith(PREFIX):
        token = read_token(key)
        user = token and User.objects.filter(pk=token.user_id, is_active=True).first()
        if user is None:
            raise bad_key(key)
        return user, uuid.UUID(token.project_uid)
    found = usable_key(key)
    if found is None:
        raise bad_key(key)
    remember_use(found)
    return found.user, None


def _once(known, what, ask):
    """What `ask()` answers, or raises, the first time."""
    if what not in known:
        try:
            known[what] = ask()
        except (Refused, Http404, PermissionDenied, NotCallable) as error:
            known[what] = error
    if isinstance(known[what], Exception):
        raise known[what]
    return known[what]


def _who(look, known):
    return _once(known, look.key, lambda: who(look.key))[0]


def _offers(look, known):
    user, only = _once(known, look.key, lambda: who(look.key))
    return offers(user, only)


def _route(look, known):
    user, only = _once(known, look.key, lambda: who(look.key))
    project = _once(known, (look.key, look.project), lambda: _project(user, look.project, only))
    model_id, arm = _model(project, look, known)
    try:
        endpoint = _once(known, model_id, lambda: endpoint_of(model_id))
    except NotCallable as error:
        raise Refused(400, str(error), code="model_not_callable", param="model") from None
    _check_capability(endpoint, look.capability)
    return Route(user, project, Source.PLAYGROUND if only else Source.LIVE, endpoint, arm)


def _project(user, word, only):
    project = project_or_404(user, word, CALL)
    if only and project.uid != only:
        raise EntityNotFound("Project", word)
    if project.archived_at:
        raise Refused(409, f"The project {project.key} is archived and takes no interactions.", code="archived")
    return project


def _model(project, look, known):
    """(model id, arm id or None)"""
    if look.capability == Capability.TEXT and (look.campaign or not look.model):
        try:
            unit = unit_of(look.user, look.session)
            found = assign(project=project, unit=unit, ab_campaign=look.campaign, model_key=look.model)
        except ValueError as error:
            raise Refused(400, str(error), code="no_arm", param="model") from None
        if found:
            return found.model_id, found.arm_id
    return _once(known, (project.pk, look.model), lambda: _attached(project, look.model)), None


def _attached(project, model):
    """The id of the project's model of this key, of its default without one."""
    rows = prepared.rows(_ATTACHED, [project.pk, model, not model])
    if not rows and model:
        raise EntityNotFound("Model", model)
    if not rows:
        text = f"The project {project.key} has no default model: name one, as {project.key}/MODEL."
        raise Refused(400, text, code="no_default_model", param="model")
    [(model_id, is_online)] = rows
    if not is_online:
        named = model or "The default model"
        raise Refused(400, f"{named} is switched off in {project.key}.", code="model_offline", param="model")
    return model_id


def _check_capability(endpoint, capability):
    able = endpoint.capabilities
    if capability in able or not able:
        return
    if capability == Capability.TEXT:
        text = f"{endpoint.model_key} answers no chat: it is a model for {', '.join(able)}."
    else:
        text = f"{endpoint.model_key} makes no embeddings: it is a model for {', '.join(able)}."
    raise Refused(400, text, code="wrong_capability", param="model")


_WAYS = {Look: _route, Who: _who, Offers: _offers}
