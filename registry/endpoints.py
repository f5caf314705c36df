"""Where and how a model is called. Address and key are in plain text here, and in nothing that is shown or logged."""

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from registry.kinds import PRESETS
from registry.models import Provider
from registry.sealing import Unreadable, unseal

CHAT, EMBEDDINGS, MODELS = "chat/completions", "embeddings", "models"
# shorter ones are no secret, such as a runtime's "x", and stand in words
LEAST_KEY, LEAST_HOST = 8, 4
Kind = Provider.Kind


class NotCallable(Exception):
    """The model cannot be called; the text says why."""


@dataclass(frozen=True)
class Endpoint:
    """All that a call needs. Its repr tells neither address nor key."""

    provider_kind: str
    address: str = field(repr=False)
    api_key: str = field(repr=False)  # "" where there is none
    external_id: str = ""
    parameters: dict = field(default_factory=dict)
    capabilities: list = field(default_factory=list)
    model_key: str = ""
    model_id: int | None = None

    def hidden(self, text):
        """The text without the key and the address, should somebody's error have repeated them."""
        parts = urlsplit(self.address)
        told = [self.address, f"{parts.netloc}{parts.path}", parts.netloc, parts.hostname or ""]
        secrets = [one for one in told if len(one) >= LEAST_HOST]
        secrets += [self.api_key] if len(self.api_key) >= LEAST_KEY else []
        for secret in sorted(secrets, key=len, reverse=True):
            for written in {secret, quote(secret, safe=""), secret.replace("/", "\\/")}:
                text = text.replace(written, "…")
        return text


def endpoint_of_model(model):
    """The Endpoint of a model whose provider is loaded; NotCallable."""
    if model.provider is None:
        raise NotCallable(f"The model {model.key} has no provider: it is only known from what was logged.")
    found = endpoint_of_provider(model.provider)
    return Endpoint(
        found.provider_kind,
        found.address,
        found.api_key,
        external_id=model.external_id,
        parameters=model.parameters,
        capabilities=model.capabilities,
        model_key=model.key,
        model_id=model.pk,
    )


def endpoint_of_provider(provider):
    """The Endpoint of the provider itself, without a model; NotCallable."""
    if provider.sealed_api_key is None and PRESETS[provider.kind].needs_key:
        raise NotCallable(f"The provider {provider.name} has no key, and {provider.get_kind_display()} needs one.")
    try:
        address = unseal(provider.sealed_address)
        api_key = "" if provider.sealed_api_key is None else unseal(provider.sealed_api_key)
    except Unreadable as fault:
        raise NotCallable(f"Address and key of the provider {provider.name} cannot be read. {fault}") from None
    return Endpoint(provider.kind, address, api_key)


def headers(endpoint, call=CHAT):
    """The headers that open the door to this call."""
    if not endpoint.api_key:
        return {}
    if endpoint.provider_kind == Kind.AZURE:
        return {"api-key": endpoint.api_key}
    if endpoint.provider_kind == Kind.ANTHROPIC and call == MODELS:  # not a part of its OpenAI dialect
        return {"x-api-key": endpoint.api_key, "anthropic-version": "2023-06-01"}
    return {"Authorization": f"Bearer {endpoint.api_key}"}


def url(endpoint, call):
    """The whole address of a call: CHAT, EMBEDDINGS or MODELS."""
    base, _, query = endpoint.address.partition("?")
    if endpoint.provider_kind == Kind.AZURE and query:  # an address for each deployment
        place = "" if call == MODELS else f"deployments/{quote(endpoint.external_id, safe='')}/"
        return f"{base.removesuffix('/openai')}/openai/{place}{call}?{query}"
    if endpoint.provider_kind == Kind.ANTHROPIC and call == MODELS:
        call = f"{MODELS}?limit=1000"
    return f"{base}/{call}" + (f"?{query}" if query else "")
