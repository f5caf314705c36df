"""The gateway's doors: OpenAI's dialect under /openai/v1, that of the adaptive-sdk client under /api/v1."""

import asyncio
import contextlib
import logging
import math
import time

from django.core.exceptions import PermissionDenied
from django.db.utils import InterfaceError, OperationalError
from django.http import Http404
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from gateway.answering import Plain, Streamed
from gateway.asking import read_chat, read_model
from gateway.dialects import Adaptive, OpenAI
from gateway.exchange import Exchange
from gateway.failures import NOT_SERVED, Failed, Refused, bad_key, unknown_host
from gateway.http import Left, answers_to, bearer, header, read_body, respond, watched
from gateway.line import CALLS, PREFIX
from gateway.routing import Look, Offers, Who
from gateway.service import Service
from interactions.jsontext import JSONError, dumps, loads
from interactions.message_records import shows_pictures
from interactions.rules import kind_of
from registry.endpoints import EMBEDDINGS
from registry.models import Capability

SHORT = 64 * 1024  # bytes of a body that is read before its sender is known
NO_DATABASE = "The database does not answer. Try again in a moment."
logger = logging.getLogger(__name__)


class Call:
    """An ASGI application for one address: `serve` answers or raises what is told in the dialect."""

    name = ""

    def __init__(self, service, dialect):
        self.service, self.dialect = service, dialect

    async def __call__(self, scope, receive, send):
        figures = self.service().figures
        figures.open += 1
        try:
            await self.serve(scope, receive, send)
        except Left:
            self.count(499)
        except Exception as error:
            await self._tell(send, error)
        finally:
            figures.open -= 1

    async def serve(self, scope, receive, send):
        raise NotImplementedError

    async def body(self, scope, receive):
        """(the key, the body); who sends something long is asked first."""
        key = bearer(scope)
        if not key:
            raise bad_key(key)
        if header(scope, b"content-encoding") not in ("", "identity"):
            raise Refused(415, "Send the body as it is: the gateway takes no Content-Encoding.")
        length = header(scope, b"content-length")
        if not (length.isdigit() and len(length) < 10 and int(length) <= SHORT):
            await self.service().look(Who(key))
        return key, await read_body(receive)

    async def read(self, key, raw, read):
        """What `read` makes of the body's JSON; whose key opens nothing hears of that alone."""
        try:
            if len(raw) > SHORT:  # who sent it was asked
                return await asyncio.to_thread(_read, raw, read)
            sent = _json(raw)
            if shows_pictures(sent):  # a short one may take seconds to decode
                await self.service().look(Who(key))
                return await asyncio.to_thread(read, sent)
            return read(sent)
        except Refused:
            await self.service().look(Who(key))
            raise

    async def _tell(self, send, error):
        error = _as_told(error)
        headers = getattr(error, "headers", [])
        if error.retry_after is not None:
            headers = [*headers, (b"retry-after", str(math.ceil(error.retry_after)).encode())]
        if not error.again:
            headers = [*headers, (b"x-should-retry", b"false")]  # the openai package would ask for nothing again
        if error.status == 401:
            headers = [*headers, (b"www-authenticate", b"Bearer")]
        self.count(error.status, error)
        await respond(send, error.status, self.dialect.error(error), headers)

    def count(self, status, error=None):
        self.service().count(f"{self.dialect.name}.{self.name}", status, error)


class Chat(Call):
    """A chat, plain or streamed."""

    name = "chat"

    async def serve(self, scope, receive, send):
        started = time.perf_counter()
        key, raw = await self.body(scope, receive)
        asked = await self.read(key, raw, read_chat)
        look = Look(key, asked.project, asked.model, asked.campaign, asked.user, asked.session)
        exchange = Exchange(asked, await self.service().look(look), started)
        answering = Streamed if asked.stream else Plain
        await answering(self, exchange, receive, send).run()


class Embeddings(Call):
    """Texts as vectors. Nothing of it is logged: there is no completion."""

    name = "embeddings"

    async def serve(self, scope, receive, send):
        key, raw = await self.body(scope, receive)
        asked, project, model, body = await self.read(key, raw, self._asked)
        look = Look(key, project, model, capability=Capability.EMBEDDING)
        route = await self.service().look(look)
        sent = {**route.endpoint.parameters, **body, "model": route.endpoint.external_id}
        async with watched(receive):
            _, answer = await self.service().providers.answer(route.endpoint, EMBEDDINGS, sent)
        _check_vectors(answer)
        answer = self.dialect.vectors(answer, asked, route)
        self.count(200)
        await respond(send, 200, answer)

    def _asked(self, body):
        if not isinstance(body, dict):
            raise Refused(400, f"Send a JSON object, not {kind_of(body)}.")
        return body, *read_model(body), self.dialect.embedding(body)


class Models(Call):
    """What the key may call, or one of it by its name."""

    name = "models"

    async def serve(self, scope, receive, send):
        offers = await self.service().look(Offers(bearer(scope)))
        models = [
            {"id": name, "object": "model", "created": created, "owned_by": "marginalia"} for name, created in offers
        ]
        asked = scope["path_params"].get("name")
        if asked is None:
            answer = {"object": "list", "data": models}
        else:
            answer = next((model for model in models if model["id"] == asked), None)
        if answer is None:
            raise Refused(404, f"EntityNotFound: Model {asked[:200]!r}", code="model_not_found", param="model")
        self.count(200)
        await respond(send, 200, answer)


class Metrics(Call):
    """What the gateway counts, for Prometheus."""

    name = "metrics"

    async def serve(self, scope, receive, send):
        await self.service().look(Who(bearer(scope)))
        text = self.service().figures.text().encode()
        await respond(send, 200, text, [(b"content-type", b"text/plain; version=0.0.4; charset=utf-8")])


def _read(raw, read):
    return read(_json(raw))


def _json(raw):
    try:
        return loads(raw)
    except JSONError as error:
        raise Refused(400, str(error)) from None


def _check_vectors(answer):
    data = answer.get("data")
    vectors = [one.get("embedding") if isinstance(one, dict) else None for one in data or () if isinstance(data, list)]
    if not vectors or not all(isinstance(vector, (list, str)) for vector in vectors):
        raise Failed(502, "The provider's answer holds no vectors.", code="garbage", upstream=200)


def _as_told(error):
    """What went wrong as Refused or Failed."""
    if isinstance(error, (Refused, Failed)):
        return error
    if isinstance(error, Http404):
        return Refused(404, str(error), code="model_not_found", param="model")
    if isinstance(error, PermissionDenied):
        return Refused(403, str(error), code="permission_denied")
    if isinstance(error, (InterfaceError, OperationalError)):
        logger.error("The database did not answer: %s", error)
        error = Refused(503, NO_DATABASE, code="no_database")
        error.again, error.retry_after = True, 2
        return error
    logger.exception("A call broke off", exc_info=error)
    return Refused(500, "Something went wrong here.", code="internal")


# -- the application ------------------------------------------------------------------------------
def application():
    """The ASGI application; its Service lives while it runs."""
    running = {}

    @contextlib.asynccontextmanager
    async def lifespan(app):
        running["service"] = service = Service()
        try:
            yield
        finally:
            await service.close()

    def of(call, dialect):
        return call(lambda: running["service"], dialect)

    openai, adaptive = OpenAI(), Adaptive()
    chat, embeddings = CALLS
    posts = {
        f"{PREFIX}chat/completions": of(Chat, openai),
        f"{PREFIX}embeddings": of(Embeddings, openai),
        chat: of(Chat, adaptive),
        embeddings: of(Embeddings, adaptive),
    }
    routes = [
        *(Route(path, call, methods=["POST"]) for path, call in posts.items()),
        Route(f"{PREFIX}models", of(Models, openai), methods=["GET"]),
        Route(f"{PREFIX}models/{{name:path}}", of(Models, openai), methods=["GET"]),
        Route(f"{PREFIX}metrics", of(Metrics, openai), methods=["GET"]),
    ]

    async def elsewhere(request, error):
        """What no route answers, in the words of its dialect."""
        text = NOT_SERVED if error.status_code == 404 else f"This address does not take {request.method}."
        dialect = openai if request.url.path.startswith(PREFIX) else adaptive
        told = dumps(dialect.error(Refused(error.status_code, text)))
        return Response(told, error.status_code, error.headers, "application/json")

    others = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: elsewhere})
    others.router.redirect_slashes = False  # a redirected POST comes as a GET, and what was wrong is told to nobody

    async def app(scope, receive, send):
        if scope["type"] == "http" and not answers_to(host := header(scope, b"host")):
            dialect = openai if scope["path"].startswith(PREFIX) else adaptive
            await respond(send, 400, dialect.error(unknown_host(host)))
            return
        # each piece of a stream would pass through starlette's layers
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        await (posts.get(scope["path"], others) if is_post else others)(scope, receive, send)

    return app
