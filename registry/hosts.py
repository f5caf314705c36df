"""Where a provider may stand: anywhere but on this machine, and where a network answers for itself.

A private network is a usual place for a runtime, so it is open. What lies inside is open where ALLOWED_UPSTREAMS names
it: a host, a host:port or a network.
"""

import concurrent.futures
import functools
import ipaddress
import re
import socket
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

PATIENCE = 3  # seconds for a name to be resolved
MOST = 500  # characters of an address
SETTING = "The setting ALLOWED_UPSTREAMS can allow it."
# where clouds tell their machines' secrets, outside of the link-local networks
METADATA = {
    ipaddress.ip_address(text)
    for text in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254")
}
CALLS = ("/chat/completions", "/embeddings", "/models")  # what is pasted behind a base address
_EMBEDDING = [  # IPv6 networks whose last 32 bits are an address of IPv4
    ipaddress.ip_network(text)
    for text in ("::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48")
]
_ISATAP = {0x00005EFE, 0x02005EFE}
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_PATH = re.compile(r"(/[A-Za-z0-9._~:@+,=-]+)*/*")
_QUERY = re.compile(r"(api-version=[A-Za-z0-9.-]{1,40})?")
_resolver = concurrent.futures.ThreadPoolExecutor(4, thread_name_prefix="resolver")


class Inside(ValueError):
    """The address leads to where no provider may stand."""


def check_address(url):
    """The base address as it is kept: scheme, host, port and path, without a slash behind. ValueError says what is
    wrong with it. A name that does not resolve yet is taken: each connection is checked again."""
    address, host, port = _parsed(url.strip())
    found = resolved(host, port)
    if not found and (host == "localhost" or host.endswith(".localhost")):
        found = ["127.0.0.1"]
    if found:
        check(host, port, found)
    return address


def resolved(host, port, timeout=PATIENCE):
    """The addresses that the name has, [] where it has none or nobody answers in time."""
    lookup = _resolver.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    try:
        return addresses_in(lookup.result(timeout))
    except (OSError, UnicodeError, concurrent.futures.TimeoutError):
        return []


def addresses_in(found):
    """The addresses of what getaddrinfo answered, each once, in its order."""
    return list(dict.fromkeys(entry[4][0] for entry in found))


def check(host, port, addresses):
    """Inside where any of the addresses that this name has is refused."""
    for address in addresses:
        ip = ipaddress.ip_address(address)
        if (why := refusal(ip)) and not is_allowed(host, port, ip):
            raise Inside(f"The address leads to {why}. {SETTING}")


def refusal(ip):
    """What of the machine or its network this address is, None where a provider may stand there."""
    for one in (ip, *_embedded(ip)):
        if one.is_loopback or one.is_unspecified or (one.version == 4 and one.packed[0] == 0):
            return "this machine itself"
        if one.is_link_local or one in METADATA:
            return "a link-local address, where networks keep services of their own"
        if one.is_multicast or str(one) == "255.255.255.255":
            return "a multicast or broadcast address"
        if _is_own(one):
            return "this machine itself"
    return None


def is_allowed(host, port, ip):
    """Whether ALLOWED_UPSTREAMS names this host, or the network of this address."""
    names, networks = _allowed(tuple(settings.ALLOWED_UPSTREAMS))
    host = host.strip("[]").removesuffix(".").lower()
    candidates = (ip, *_embedded(ip)) if ip.version == 6 and ip.ipv4_mapped else (ip,)
    return bool({(host, None), (host, port)} & names) or any(
        one in network and there in (None, port) for network, there in networks for one in candidates
    )


def _parsed(text):
    """(the address as it is kept, host, port) of what somebody wrote; ValueError."""
    if len(text) > MOST or not text.isascii() or not text.isprintable() or re.search(r"[\s\\%]", text):
        raise ValueError(f"Send at most {MOST} plain characters: no blanks, backslashes, percent signs or umlauts.")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(
            "Its host or port cannot be read; send something like https://models.example.org/v1."
        ) from None
    if parts.scheme not in ("http", "https") or not text.lower().startswith(f"{parts.scheme}://"):
        raise ValueError("Begin with https:// or http://.")
    if "@" in parts.netloc:
        raise ValueError("Leave out what stands before the @: a key has a field of its own.")
    if "#" in text or not _QUERY.fullmatch(parts.query):
        raise ValueError("Leave out what follows ? or #; of a query, Azure's api-version alone is kept.")
    if port == 0 or parts.netloc.endswith(":"):
        raise ValueError("Send a port from 1 to 65535, or leave it out with its colon.")
    if "[" in parts.netloc and ":" not in parts.hostname:
        raise ValueError("Its IPv6 address cannot be read.")
    host = _host(parts.hostname or "")
    default = 443 if parts.scheme == "https" else 80
    shown = f"[{host}]" if ":" in host else host
    shown += "" if port in (None, default) else f":{port}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{shown}{_path(parts.path)}{query}", host, port or default


def _host(host):
    """The host in the one way in which it is written; ValueError."""
    if ":" in host:
        try:
            return ipaddress.IPv6Address(host).compressed
        except ValueError:
            raise ValueError("Its IPv6 address cannot be read.") from None
    host = host.removesuffix(".")
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise ValueError("It names no host; send something like https://models.example.org/v1.")
    if re.fullmatch(r"\d+|0x[0-9a-f]*", host.rpartition(".")[2]):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise ValueError("Write an IP address as four decimal numbers, such as 192.168.1.20.") from None
    return host


def _path(path):
    if not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise ValueError("Its path cannot be read; send something like https://models.example.org/v1.")
    path = path.rstrip("/")
    for call in CALLS:
        path = path.removesuffix(call)
    return path.rstrip("/")


def _embedded(ip):
    """The addresses of IPv4 that an IPv6 address stands for in one of the ways of passing from one to the other."""
    if ip.version == 4:
        return
    value = int(ip)
    if any(ip in network for network in _EMBEDDING) and value > 1 or (value >> 32) & 0xFFFFFFFF in _ISATAP:
        yield ipaddress.IPv4Address(value & 0xFFFFFFFF)
    if ip.sixtofour:
        yield ip.sixtofour
    if ip.teredo:
        yield from ip.teredo


def _is_own(ip):
    """Whether the machine itself has the address: what it would send there, it would send from there."""
    family = socket.AF_INET if ip.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(ip), 9))  # of a datagram socket: nothing is sent
            return ipaddress.ip_address(probe.getsockname()[0]) == ip
    except OSError:
        return False


@functools.lru_cache(maxsize=4)
def _allowed(entries):
    """({(host, port or None)}, [(network, port or None)]) of the setting."""
    names, networks = set(), []
    for entry in entries:
        host, port = _split(entry)
        try:
            networks.append((ipaddress.ip_network(host), port))
        except ValueError:
            if not _NAME.fullmatch(host):
                raise ImproperlyConfigured(
                    f"ALLOWED_UPSTREAMS: {entry!r} is no host, host:port or network; send such as localhost:8000."
                ) from None
            names.add((host, port))
    return names, networks


def _split(entry):
    """(host, port or None) of an entry; an IPv6 address with a port stands in brackets."""
    found = re.fullmatch(r"(?:\[(.+)\]|([^:]+)):(\d{1,5})", entry)
    if found:
        return (found[1] or found[2]).lower(), int(found[3])
    return entry.strip("[]").removesuffix(".").lower(), None
