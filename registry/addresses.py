"""The way to providers: each connection goes to exactly the address that was resolved and checked for it.

What uses httpx with these transports gives it `trust_env=False`, else a proxy of the environment would go around them
(`client` and `async_client` do), and never lets it follow redirects.
"""

import asyncio
import functools
import ipaddress
import socket
import time

import httpcore
import httpx

from registry.hosts import Inside, addresses_in, check, check_address, resolved

__all__ = ["Inside", "async_client", "async_transport", "check_address", "client", "transport"]

LIMITS = httpx.Limits(max_connections=2_000, max_keepalive_connections=100, keepalive_expiry=15)
TIMEOUT = httpx.Timeout(60, connect=10)
UNKNOWN = "The name of the host is not known."


def transport(**options):
    """For httpx.Client: connections to what may be called alone, else httpx.ConnectError says why not."""
    return _Transport(**{"limits": LIMITS, "verify": _tls()} | options)


def async_transport(**options):
    """For httpx.AsyncClient: connections to what may be called alone, else httpx.ConnectError says why not."""
    return _AsyncTransport(**{"limits": LIMITS, "verify": _tls()} | options)


def client(**options):
    """An httpx.Client that calls providers: no proxy, no redirect, nothing of the environment."""
    return httpx.Client(**{"transport": transport(), "timeout": TIMEOUT, "trust_env": False} | options)


def async_client(**options):
    """An httpx.AsyncClient that calls providers: no proxy, no redirect, nothing of the environment."""
    return httpx.AsyncClient(**{"transport": async_transport(), "timeout": TIMEOUT, "trust_env": False} | options)


@functools.cache
def _tls():
    """One for the process, as making it reads all authorities; SSL_CERT_FILE may name others."""
    return httpx.create_ssl_context()


class _Transport(httpx.HTTPTransport):
    def __init__(self, *, limits, verify, **options):
        super().__init__(limits=limits, verify=verify, trust_env=False, **options)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(**_pool(limits, verify), network_backend=_Network())


class _AsyncTransport(httpx.AsyncHTTPTransport):
    def __init__(self, *, limits, verify, **options):
        super().__init__(limits=limits, verify=verify, trust_env=False, **options)
        self._pool = httpcore.AsyncConnectionPool(**_pool(limits, verify), network_backend=_AsyncNetwork())


def _pool(limits, verify):
    return {
        "ssl_context": verify,
        "max_connections": limits.max_connections,
        "max_keepalive_connections": limits.max_keepalive_connections,
        "keepalive_expiry": limits.keepalive_expiry,
    }


class _Network(httpcore.NetworkBackend):
    """Opens connections to addresses that were checked; TLS still asks for the name."""

    def __init__(self):
        self._inner = httpcore.SyncBackend()

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        until = _until(timeout)
        addresses = _numeric(host) or resolved(host, port, _left(until))
        fault = httpcore.ConnectError(UNKNOWN)
        for number, address in _checked(host, port, addresses):
            try:
                return self._inner.connect_tcp(address, port, _left(until, number), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                fault = error
        raise fault

    def sleep(self, seconds):
        time.sleep(seconds)


class _AsyncNetwork(httpcore.AsyncNetworkBackend):
    """Opens connections to addresses that were checked; TLS still asks for the name."""

    def __init__(self):
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        until = _until(timeout)
        addresses = _numeric(host) or await _resolved(host, port, _left(until))
        fault = httpcore.ConnectError(UNKNOWN)
        for number, address in _checked(host, port, addresses):
            try:
                return await self._inner.connect_tcp(address, port, _left(until, number), local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                fault = error
        raise fault

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)


async def _resolved(host, port, timeout):
    lookup = asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    try:
        return addresses_in(await asyncio.wait_for(lookup, timeout))
    except TimeoutError:
        raise httpcore.ConnectTimeout("The name of the host was not resolved in time.") from None
    except (OSError, UnicodeError):
        return []


def _numeric(host):
    try:
        return [str(ipaddress.ip_address(host.strip("[]")))]
    except ValueError:
        return []


def _checked(host, port, addresses):
    """(how many are left, address) of each, after all of them were checked."""
    try:
        check(host, port, addresses)
    except Inside as refused:
        raise httpcore.ConnectError(str(refused)) from None
    return [(len(addresses) - place, address) for place, address in enumerate(addresses)]


def _until(timeout):
    return None if timeout is None else time.monotonic() + timeout


def _left(until, among=1):
    """Seconds that one of so many attempts may still take."""
    return None if until is None else max(until - time.monotonic(), 0.001) / among
