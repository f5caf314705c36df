"""Where a provider may stand, and that connections go nowhere else, in whatever way an address is written."""

import asyncio
import datetime
import ipaddress
import socket
import ssl
import threading

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from registry.addresses import async_client, async_transport, check_address, client, transport
from registry.hosts import check, refusal

LOOPBACK = (
    "127.0.0.1",
    "127.8.9.10",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST.",
    "any.localhost",
    "0.0.0.0",
    "0.1.2.3",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2001:0:7f00:1::]",
    "[fd00::5efe:7f00:1]",
)
LINK_LOCAL = (
    "169.254.169.254",
    "169.254.0.1",
    "[fe80::1]",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "100.100.100.200",
    "168.63.129.16",
    "192.0.0.192",
    "[fd00:ec2::254]",
)
OTHERS = ("224.0.0.1", "239.1.2.3", "[ff02::1]", "255.255.255.255")
ODD = (
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "017700000001",
    "127.1",
    "127.0.1",
    "0",
    "0x0",
    "127.0.0.256",
    "[::1%25lo]",
    "[fe80::1%25eth0]",
    "127.0.0.%31",
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "localhost..",
    "127.0.0.1..",
    ".localhost",
    "[v1.x]",
    "[::1",
    "exa mple.org",
    "exa\tmple.org",
    "example.org\\",
    "-a.example.org",
    "a..example.org",
    "",
)


@pytest.mark.parametrize("host", (*LOOPBACK, *LINK_LOCAL, *OTHERS))
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_what_lies_inside_is_refused_however_it_is_written(host, scheme):
    with pytest.raises(ValueError, match="ALLOWED_UPSTREAMS"):
        check_address(f"{scheme}://{host}:8000/v1")


@pytest.mark.parametrize("host", ODD)
def test_a_host_that_can_be_read_in_two_ways_is_refused(host):
    with pytest.raises(ValueError, match=r"Write|Its|It names|plain characters"):
        check_address(f"http://{host}/v1")


@pytest.mark.parametrize(
    "address",
    [
        "http://user:password@example.org/v1",
        "http://example.org@127.0.0.1/v1",
        "http://127.0.0.1\\@example.org/",
        "http://example.org#@127.0.0.1/",
        "http://example.org?x=@127.0.0.1",
        "ftp://example.org",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_INFO",
        "unix:///tmp/socket",
        "//example.org/v1",
        "example.org/v1",
        "http:example.org",
        "http:/example.org",
        "http://example.org:0",
        "http://example.org:99999",
        "http://example.org:80a",
        "http://example.org:",
        "http://example.org/../v1",
        "http://example.org/v1?key=1",
        "http://example.org/v1\r\nX-Header: 1",
        "http://example.org/\x00",
        f"http://example.org/{'v' * 500}",
        "",
    ],
)
def test_what_is_no_plain_base_address_is_refused(address):
    with pytest.raises(ValueError, match=r"\w"):
        check_address(address)


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("http://10.1.2.3:8000/v1/", "http://10.1.2.3:8000/v1"),
        ("http://192.168.1.20", "http://192.168.1.20"),
        ("HTTPS://172.16.0.9:443/V1", "https://172.16.0.9/V1"),
        ("http://[FD12::0001]:8000", "http://[fd12::1]:8000"),
        ("  http://10.1.2.3/v1/chat/completions ", "http://10.1.2.3/v1"),
        ("https://10.1.2.3?api-version=2024-10-21", "https://10.1.2.3?api-version=2024-10-21"),
        ("http://10.1.2.3./v1", "http://10.1.2.3/v1"),
    ],
)
def test_private_networks_are_open_and_an_address_is_kept_in_one_form(address, kept):
    assert check_address(address) == kept


@pytest.fixture
def names(monkeypatch):
    """names["host"] = the addresses it resolves to, each lookup taking the next of them; `.asked` are the lookups."""

    class Names(dict):
        asked = []

    names, real = Names(), socket.getaddrinfo

    def getaddrinfo(host, port, *given, **more):
        host = host.decode() if isinstance(host, bytes) else host
        if host not in names:
            return real(host, port, *given, **more)
        names.asked.append(host)
        answers = names[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found
        ]

    names.asked = []
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["10.0.0.1", "169.254.169.254"], ["::ffff:127.0.0.1"], ["::1"]])
def test_a_name_that_leads_inside_is_refused_with_all_its_addresses(names, addresses):
    names["models.example.org"] = [addresses]
    with pytest.raises(ValueError, match="leads to"):
        check_address("https://models.example.org/v1")


def test_this_machines_own_addresses_are_this_machine():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 9))
        except OSError:
            pytest.skip("this machine has no network")
        own = probe.getsockname()[0]
    assert refusal(ipaddress.ip_address(own)) == "this machine itself"
    assert refusal(ipaddress.ip_address("10.254.253.252")) is None


def get(url, **options):
    with client(**options) as calls:
        return calls.get(url)


async def async_get(url, **options):
    async with async_client(**options) as calls:
        return await calls.get(url)


BOTH = pytest.mark.parametrize("ask", [get, lambda *a, **k: asyncio.run(async_get(*a, **k))], ids=["sync", "async"])
TRICKS = ("127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]", "localhost", "LOCALHOST.")


@BOTH
@pytest.mark.parametrize("host", TRICKS)
def test_no_connection_is_made_to_this_machine_however_it_is_called(upstream, ask, host):
    before = len(upstream.seen)
    with pytest.raises((httpx.ConnectError, httpx.InvalidURL), match=r"leads to|not known|Invalid IPv4"):
        ask(f"http://{host}:{upstream.port}/v1/models")
    assert len(upstream.seen) == before


@BOTH
@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.1:{port}", "127.0.0.0/8", "models.test", "models.test:{port}"])
def test_a_host_that_the_setting_names_is_called(upstream, settings, names, ask, entry):
    settings.ALLOWED_UPSTREAMS = [entry.format(port=upstream.port)]
    names["models.test"] = [["127.0.0.1"]]
    assert ask(f"http://models.test:{upstream.port}/v1/models").status_code == 200


@BOTH
@pytest.mark.parametrize("entry", ["127.0.0.1:1", "other.test", "models.test:1", "127.0.0.2", "10.0.0.0/8"])
def test_what_the_setting_does_not_name_stays_shut(upstream, settings, names, ask, entry):
    settings.ALLOWED_UPSTREAMS = [entry]
    names["models.test"] = [["127.0.0.1"]]
    with pytest.raises(httpx.ConnectError, match="leads to"):
        ask(f"http://models.test:{upstream.port}/v1/models")


@BOTH
def test_a_name_that_turns_inside_after_it_was_taken_is_not_followed(upstream, names, ask):
    names["models.test"] = [["10.9.8.7"], ["127.0.0.1"]]
    assert check_address(f"http://models.test:{upstream.port}/v1")
    before = len(upstream.seen)
    with pytest.raises(httpx.ConnectError, match="leads to"):
        ask(f"http://models.test:{upstream.port}/v1/models")
    assert len(upstream.seen) == before


@BOTH
def test_what_is_connected_to_is_the_very_address_that_was_checked(upstream, settings, names, ask):
    """A second lookup, which a rebinding server answers otherwise, is never made."""
    settings.ALLOWED_UPSTREAMS = ["127.0.0.1"]
    names["models.test"] = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.3"]]
    assert ask(f"http://models.test:{upstream.port}/v1/models").status_code == 200
    assert names.asked == ["models.test"]


@BOTH
def test_no_redirect_is_followed_and_no_proxy_of_the_environment_is_taken(open_upstream, monkeypatch, ask):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert ask(open_upstream.url("redirect") + "/models").status_code == 302
    assert [path for _, path, *_ in open_upstream.seen] == ["/redirect/models"]


@BOTH
def test_one_address_after_the_other_is_tried(upstream, settings, names, ask):
    settings.ALLOWED_UPSTREAMS = ["127.0.0.0/8"]
    names["models.test"] = [["127.0.0.77", "127.0.0.1"]]
    assert ask(f"http://models.test:{upstream.port}/v1/models").status_code == 200


def certificate(name):
    """(certificate, key) in PEM for one host, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return made.public_bytes(serialization.Encoding.PEM), secret


@pytest.fixture
def https(tmp_path):
    """(port, a context that trusts it, the names that clients asked for) of a server that is models.test."""
    cert, key = certificate("models.test")
    (tmp_path / "both.pem").write_bytes(cert + key)
    context, asked = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
    context.load_cert_chain(tmp_path / "both.pem")
    context.sni_callback = lambda sock, name, own: asked.append(name)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                plain, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1], ssl.create_default_context(cadata=cert.decode()), asked
    listener.close()


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_tls_still_asks_for_the_name_and_believes_no_other(https, settings, names, is_async):
    port, trusting, asked = https
    settings.ALLOWED_UPSTREAMS = ["127.0.0.1"]
    names["models.test"] = names["other.test"] = [["127.0.0.1"]]

    def ask(host):
        url = f"https://{host}:{port}/v1/models"
        if is_async:
            return asyncio.run(async_get(url, transport=async_transport(verify=trusting)))
        return get(url, transport=transport(verify=trusting))

    assert ask("models.test").text == "ok"
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE"):
        ask("other.test")
    assert asked == ["models.test", "other.test"]


@pytest.mark.parametrize("entry", ["http://localhost", "local host", "10.0.0.0/99", "a:b:c.d"])
def test_a_setting_that_cannot_be_read_is_found_before_anything_starts(settings, entry):
    settings.ALLOWED_UPSTREAMS = [entry]
    with pytest.raises(SystemCheckError, match="ALLOWED_UPSTREAMS"):
        call_command("check")


def test_a_setting_names_ipv6_with_and_without_a_port(settings):
    settings.ALLOWED_UPSTREAMS = ["[::1]:8000", "fe80::/10"]
    check("::1", 8000, ["::1"])
    check("x", 1, ["fe80::5"])
    with pytest.raises(ValueError, match="leads to"):
        check("::1", 8001, ["::1"])
