"""What changes providers. Their addresses and keys come in here and are encrypted; nothing tells them again."""

from urllib.parse import urlsplit

from django.core.validators import slug_re
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from accounts.audit import record
from projects.access import EntityNotFound
from registry.hosts import check_address
from registry.kinds import PRESETS
from registry.models import Model, Provider, State
from registry.rules import MAX_API_KEY, Fault, Taken, line_fault
from registry.sealing import Unreadable, seal, unseal

MAX_KEY = MAX_NAME = 100


@transaction.atomic
def create_provider(*, team, key, kind, by, name="", address="", api_key="", is_pool=False):
    """A Provider of the team. Without an address it stands where its kind does; Fault by field, Taken."""
    address, faults = _address(kind, address or _preset(kind).address)
    faults |= _faults(key=key, name=name or key, kind=kind, api_key=api_key, is_pool=is_pool)
    if kind in PRESETS and PRESETS[kind].needs_key and not api_key:
        faults["api_key"] = f"{Provider.Kind(kind).label} needs a key."
    if faults:
        raise Fault(faults)
    try:
        with transaction.atomic():
            provider = Provider.objects.create(
                team=team,
                key=key,
                name=name or key,
                kind=kind,
                sealed_address=seal(address),
                sealed_api_key=seal(api_key) if api_key else None,
                is_pool=is_pool,
            )
            record("provider.create", by=by, team=team, what=key, after={"kind": kind, "key": _mark(api_key)})
            return provider
    except IntegrityError:
        raise Taken(f"{team.name} has a provider with the key {key} already.") from None


@transaction.atomic
def change_provider(*, provider, by, **changes):
    """Change name, kind, address, api_key ("" takes it away) or is_pool. Another kind or another host takes the key
    away unless one is sent with it: who may not see a key may not have it sent elsewhere either."""
    provider = Provider.objects.select_for_update(of=["self"]).select_related("team").get(pk=provider.pk)
    kind, api_key = changes.get("kind", provider.kind), changes.pop("api_key", None)
    former = _former(provider)
    address, faults = _address(kind, changes.pop("address", "") or former)
    as_wanted = {name: changes.get(name, getattr(provider, name)) for name in ("name", "is_pool")}
    faults |= _faults(key=provider.key, kind=kind, api_key=api_key or "", **as_wanted)
    keeps = api_key is None and kind == provider.kind and _origin(address) == _origin(former)
    if not keeps and not api_key and kind in PRESETS and PRESETS[kind].needs_key:
        faults["api_key"] = f"Send the key too: {Provider.Kind(kind).label} needs one."
    if faults:
        raise Fault(faults)
    if not keeps:
        changes["sealed_api_key"] = seal(api_key) if api_key else None
    if address != former:
        changes["sealed_address"] = seal(address)
    told = {name: str(value) for name, value in changes.items() if not name.startswith("sealed_")}
    if "sealed_address" in changes:
        told["address"] = "another"
    if "sealed_api_key" in changes:
        told["key"] = _mark(api_key)
    if told:
        record("provider.change", by=by, team=provider.team, what=provider.key, after=told)
    return _save(provider, changes)


def _mark(api_key):
    """What the audit log tells of a key: that there is one."""
    return "set" if api_key else "none"


def _save(provider, changes):
    if {"sealed_address", "sealed_api_key"} & set(changes) or changes.get("kind", provider.kind) != provider.kind:
        fresh = {"state": State.UNKNOWN, "fault": "", "checked_at": None}
        changes = {**changes, **fresh, "reported": []}
        Model.objects.filter(provider=provider).update(**fresh)
    for name, value in changes.items():
        setattr(provider, name, value)
    if changes:
        provider.save(update_fields=list(changes))
    return provider


@transaction.atomic
def delete_provider(*, provider, by=None):
    """It goes with its key; Taken while models are registered with it."""
    try:
        provider.delete()
        record("provider.delete", by=by, team=provider.team, what=provider.key)
    except ProtectedError:
        keys = list(provider.models.order_by("key").values_list("key", flat=True)[:4])
        more = " and others" if len(keys) > 3 else ""
        raise Taken(
            f"It serves {', '.join(keys[:3])}{more}. Give them another provider, or none, before you delete this."
        ) from None


def providers_of(team):
    """The team's Providers by name."""
    return Provider.objects.filter(team=team).order_by("name", "pk")


def provider_or_404(team, key):
    """The team's Provider of this key; EntityNotFound."""
    provider = team.providers.filter(key=key).first() if slug_re.match(key) else None
    if provider is None:
        raise EntityNotFound("Provider", key)
    return provider


def _preset(kind):
    return PRESETS.get(kind) or PRESETS[Provider.Kind.OTHER]


def _address(kind, address):
    """(the address as it is kept, {} or {"address": why})"""
    if not address:
        return "", {"address": f"Send its base address, such as {_preset(kind).hint or _preset(kind).address}"}
    try:
        return check_address(address), {}
    except ValueError as fault:
        return "", {"address": str(fault)}


def _former(provider):
    try:
        return unseal(provider.sealed_address)
    except Unreadable:
        return ""  # it cannot be kept, so one must be sent


def _origin(address):
    parts = urlsplit(address)
    return parts.scheme, parts.netloc


def _faults(*, key, name, kind, api_key, is_pool):
    faults = {
        "key": None if len(key) <= MAX_KEY and slug_re.match(key) else "Send letters, digits, - and _, at most 100.",
        "name": line_fault(name, MAX_NAME, "A name"),
        "kind": None if kind in PRESETS else f"Send one of {', '.join(PRESETS)}.",
        "api_key": line_fault(api_key, MAX_API_KEY, "A key") if api_key else None,
    }
    if is_pool and kind in PRESETS and not PRESETS[kind].is_runtime:
        faults["is_pool"] = f"{Provider.Kind(kind).label} runs on no machine of yours: send false, or another kind."
    if api_key and not api_key.isascii():  # a header carries nothing else
        faults["api_key"] = "A key has no other characters than those of ASCII."
    return {name: text for name, text in faults.items() if text}
