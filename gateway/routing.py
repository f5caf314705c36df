"""Who asks, and which model answers: all that is looked up before a call, for those who come together at once."""

import uuid
from dataclasses import dataclass

from django.core.exceptions import PermissionDenied
from django.db import connection
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
from registry.endpoints import Endpoint, NotCallable, endpoint_of_model
from registry.models import Capability, Model, Provider

AWAY = (InterfaceError, OperationalError)
_ATTACHED = f"""
    SELECT {prepared.columns(Model, "m")}, a.desired_online, {prepared.columns(Provider, "p")}
    FROM registry_attachment a JOIN registry_model m ON m.id = a.model_id
    LEFT JOIN registry_provider p ON p.id = m.provider_id
    WHERE a.project_id = %(project)s AND a.detached_at IS NULL
        AND (m.id = %(id)s OR m.key = %(key)s OR %(default)s AND a.is_default)
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
    try:
        return _look_up(looks)
    except AWAY:
        connection.close()  # it may have been idle while the database was started anew; asking twice does no harm
    try:
        return _look_up(looks)
    except AWAY as error:
        connection.close()
        return [error] * len(looks)


def _look_up(looks):
    known, found = {}, []
    for look in looks:
        try:
            found.append(_WAYS[type(look)](look, known))
        except (Refused, Http404, PermissionDenied) as error:
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
        except (Refused, Http404, PermissionDenied) as error:
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
    assigned = None if only else _assigned(project, look)  # who tries models out is no traffic of a test
    model, arm = (assigned.model_id, assigned.arm_id) if assigned else (look.model, None)
    endpoint = _once(known, (project.pk, model), lambda: _endpoint(project, model))
    _check_capability(endpoint, look.capability)
    return Route(user, project, Source.PLAYGROUND if only else Source.LIVE, endpoint, arm)


def _project(user, word, only):
    project = project_or_404(user, word, CALL)
    if only and project.uid != only:
        raise EntityNotFound("Project", word)
    if project.archived_at:
        raise Refused(409, f"The project {project.key} is archived and takes no interactions.", code="archived")
    return project


def _assigned(project, look):
    """The Assignment to an arm of an A/B test, None where none is to be."""
    if look.capability != Capability.TEXT or (look.model and not look.campaign):
        return None
    try:
        unit = unit_of(look.user, look.session)
        return assign(project=project, unit=unit, ab_campaign=look.campaign, model_key=look.model)
    except ValueError as error:
        raise Refused(400, str(error), code="no_arm", param="model") from None


def _endpoint(project, wanted):
    """The Endpoint of the project's model of this key or id; "" is its default. Refused, EntityNotFound."""
    id, key = (wanted, None) if isinstance(wanted, int) else (None, wanted)
    rows = prepared.rows(_ATTACHED, {"project": project.pk, "id": id, "key": key, "default": key == ""})
    if not rows and wanted:
        raise EntityNotFound("Model", wanted)
    if not rows:
        text = f"The project {project.key} has no default model: name one, as {project.ref}/MODEL."
        raise Refused(400, text, code="no_default_model", param="model")
    model, (is_online, *rest) = prepared.instance(Model, rows[0])
    if not is_online:
        text = f"{model.key} is switched off in {project.key}."
        raise Refused(400, text, code="model_offline", param="model")
    model.provider = prepared.instance(Provider, rest)[0] if model.provider_id else None
    try:
        return endpoint_of_model(model)
    except NotCallable as error:
        raise Refused(400, str(error), code="model_not_callable", param="model") from None


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
