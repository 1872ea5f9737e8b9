"""Where money is real, an order goes to public addresses only, whatever a market's name leads to."""

import socket

import pytest

from liquidation.venues import addresses, http
from liquidation.venues.tests.test_http_deadline import server
from liquidation.verdicts import NeverSent, Unclear

PUBLIC, INSIDE = "8.8.8.8", "10.0.0.5"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@pytest.fixture
def careful(settings):
    """As where money is real."""
    settings.DEMO = settings.DEBUG = False
    settings.MARKET_URLS_REASON = ""


@pytest.fixture
def connected(monkeypatch):
    """The addresses that are connected to; each refuses."""
    seen = []

    def connect(_socket, address):
        seen.append(address[0])
        raise ConnectionRefusedError("refused")

    monkeypatch.setattr(http._DeadlineSocket, "connect", connect)
    return seen


@pytest.fixture
def resolver(monkeypatch):
    """Answers with each list of addresses in turn, and with the last one from then on."""
    real, answers = socket.getaddrinfo, []

    def resolve(_host, port, **kwargs):
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [one for address in found for one in real(address, port, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return answers


def send(url):
    return http.post(url, "{}", timeout_seconds=2)


@pytest.mark.parametrize(
    ("host", "leads_to"),
    [
        ("orders.10.0.0.5.nip.io", "10.0.0.5"),
        ("vault.corp", "172.16.3.4"),
        ("postgres.default.svc", "10.96.0.12"),
        ("foo.lan", "192.168.1.7"),
        ("metadata.example", "169.254.169.254"),
        ("loopback.example", "::1"),
        ("unique-local.example", "fd00:ec2::254"),
        ("mapped.example", "::ffff:10.0.0.5"),
        ("nat64.example", "64:ff9b::a00:5"),
        ("6to4.example", "2002:a00:5::"),
    ],
)
def test_a_name_that_leads_inside_is_never_sent_to(careful, resolver, connected, host, leads_to):
    resolver.append([leads_to])
    answer = send(f"https://{host}/orders")
    assert isinstance(answer, NeverSent)
    assert f"{host} leads inside" in answer.detail
    assert connected == []


@pytest.mark.parametrize(
    "host",
    [
        "10.0.0.5", "127.1", "2130706433", "0x7f000001", "0", "[::1]", "[::ffff:10.0.0.5]", "[64:ff9b::a00:5]",
        "[2002:a00:5::]",
    ],
)  # fmt: skip
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_an_address_inside_is_never_sent_to_however_it_is_written(careful, connected, scheme, host):
    answer = send(f"{scheme}://{host}/orders")
    assert isinstance(answer, NeverSent)
    assert "leads inside" in answer.detail
    assert connected == []


def test_only_the_public_addresses_of_a_name_are_tried(careful, resolver, connected):
    resolver.append([INSIDE, PUBLIC, "::1"])
    assert isinstance(send("https://market.example/orders"), NeverSent)
    assert connected == [PUBLIC]


def test_a_name_that_leads_inside_from_now_on_is_connected_to_by_what_was_looked_at(careful, resolver, connected):
    resolver.extend([[PUBLIC], [INSIDE]])
    assert isinstance(send("https://market.example/orders"), NeverSent)
    assert connected == [PUBLIC]
    assert "leads inside" in send("https://market.example/orders").detail
    assert connected == [PUBLIC]


def test_a_server_inside_hears_nothing(careful):
    with server(lambda connection: connection.sendall(ANSWER)) as (url, accepted):
        assert isinstance(send(url), NeverSent)
        assert accepted == []


@pytest.mark.parametrize(
    ("name", "value"), [("DEMO", True), ("DEBUG", True), ("MARKET_URLS_REASON", "a tunnel ends there")]
)
def test_whoever_means_it_may_send_orders_inside(careful, settings, name, value):
    setattr(settings, name, value)
    with server(lambda connection: connection.sendall(ANSWER)) as (url, _accepted):
        assert send(url) == http.Response(200, b"{}")


def test_a_redirect_to_the_inside_is_not_followed(careful, resolver, monkeypatch):
    monkeypatch.setattr(addresses, "is_public", lambda _address: True)
    resolver.append(["127.0.0.1"])
    with server(lambda connection: connection.sendall(ANSWER)) as (inside, accepted):
        moved = f"HTTP/1.1 307 Moved\r\nLocation: {inside}\r\nContent-Length: 0\r\n\r\n".encode()
        with server(lambda connection: connection.sendall(moved)) as (url, _accepted):
            assert send(url) == http.Response(307, b"")
        assert accepted == []


@pytest.mark.parametrize("host", ["a..example", f"{'a' * 64}.example", "\uff11\uff10.\uff10.\uff10.\uff15"])
def test_what_cannot_be_a_name_is_connected_to_nowhere(careful, connected, host):
    answer = send(f"https://{host}/orders")
    assert isinstance(answer, NeverSent | Unclear)
    assert connected == []
