"""The front door itself: nginx with the configuration of compose. Skipped where there is no nginx."""

import http.client
import json
import os
import random
import re
import shutil
import socket
import tempfile
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
import yaml
from django.contrib.auth.hashers import make_password

from local.stack import ChildProcess
from local.stack.listening import on_a_free_port, wait_until_listening
from local.stack.ports import free_port
from tests.compose import ROOT, read_services
from tests.front_door import HALF, MANY, Pooled, answered, connections, seconds_of_a_probe, web_server

PROGRAM = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
TEMPLATE = ROOT / "deploy" / "nginx" / "nginx.conf.template"
#: What the public door never opens.
INSIDE = [
    "/admin/",
    "/admin/login/",
    "/admin",
    "/metrics",
    "/health/ready",
    "/health/business",
    "/static/admin/css/base.css",
    "/may-see-flower",
]
#: Other ways to say so, and what looks like a path of the API to one reader and not to another.
DETOURS = [
    "//admin/", "/%61dmin/", "/Admin/", "/./admin/", "/docs/../admin/", "/health/live/../ready", "/health/live/ready",
    "/admin/../loans", "/flower/", "/flower",
    "/loansx", "/loan-applications/x", "http://localhost/admin/", "/metrics/", "/static/../admin/",
]  # fmt: skip
API_LIMIT = 64 * 1024

pytestmark = [
    pytest.mark.system,
    pytest.mark.django_db,
    pytest.mark.timeout(240),
    pytest.mark.skipif(PROGRAM is None, reason="needs nginx: apt-get install nginx"),
]


class Proxy:
    """A running nginx: its two ports, and what it has logged."""

    def __init__(self, public, inside, process):
        self.public, self.inside, self.process = public, inside, process

    @property
    def lines(self):
        return [json.loads(line) for line in self.process.log_path.read_text().splitlines()]


@contextmanager
def proxy(web, flower=None, change=lambda text: text):
    """nginx in front of a port, and of Flower's, with the configuration of compose, changed as asked."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # it gives up root

        def start(public):
            inside = free_port()
            names = {"PUBLIC_PORT": f"127.0.0.1:{public}", "INSIDE_PORT": f"127.0.0.1:{inside}"}
            names |= {"WEB": f"127.0.0.1:{web}", "FLOWER": f"127.0.0.1:{flower or free_port()}"}
            names["NGINX_LOCAL_RESOLVERS"] = "127.0.0.1"
            text = re.sub(r"\$\{([A-Z_]+)\}", lambda name: names[name[1]], TEMPLATE.read_text())
            (Path(folder) / "nginx.conf").write_text(change(text))
            command = [PROGRAM, "-p", f"{folder}/", "-c", "nginx.conf", "-g", "daemon off;"]
            process = ChildProcess("nginx", command, log_path=Path(folder) / "log", grace_seconds=5)
            process.start()
            wait_until_listening(process, public)
            return Proxy(public, inside, process)

        running = on_a_free_port(start)
        try:
            yield running
        finally:
            running.process.stop()


class Echo(BaseHTTPRequestHandler):
    """Answers with the headers that it got."""

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = json.dumps(dict(self.headers.items())).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815

    def log_message(self, *_arguments):
        pass


@contextmanager
def echo_server():
    """The port of something that says what it was told."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def echo():
    """nginx in front of such a server."""
    with echo_server() as port, proxy(port) as running:
        yield running


@pytest.fixture(scope="module")
def web(stack, django_db_setup):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRUSTED_PROXIES", "127.0.0.1")
        with web_server(stack, "behind-the-proxy") as (port, _process):
            yield port


@pytest.fixture(scope="module")
def door(web):
    """nginx in front of the service, and of such a server in Flower's place."""
    with echo_server() as flower, proxy(web, flower) as running:
        yield running


def get(port, path, method="GET", body=None, address="127.0.0.1", **headers):
    """Status, headers and body of an answer on a new connection, which comes from an address."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(address, 0))
    client.request(method, path, body, headers)
    answer = client.getresponse()
    found = answer.status, answer.headers, answer.read()
    client.close()
    return found


@pytest.mark.parametrize("path", INSIDE + DETOURS)
def test_the_public_door_does_not_lead_inside(door, path):
    status, headers, body = get(door.public, path)
    assert (status, headers["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(body)["status"] == 404


def test_the_door_inside_leads_everywhere(door):
    statuses = {path: get(door.inside, path)[0] for path in INSIDE}
    assert statuses.pop("/health/business") in {200, 404, 503}
    assert statuses == {
        "/admin/": 302, "/admin/login/": 200, "/admin": 302, "/metrics": 200, "/health/ready": 200,
        "/static/admin/css/base.css": 200, "/may-see-flower": 404,
    }  # fmt: skip


@pytest.fixture(scope="module")
def people(web, stack):
    """Two people of the running service with a password each: an administrator, and one who is in no group."""
    address, _, _name = stack.superuser_database_url.rpartition("/")
    with psycopg.connect(f"{address}/behind_the_proxy") as connection:
        for name, is_superuser in (("ahsoka", True), ("rex", False)):
            connection.execute(
                "INSERT INTO auth_user (username, password, is_superuser, is_staff, is_active, first_name, last_name,"
                " email, date_joined) VALUES (%s, %s, %s, true, true, '', '', '', now())",
                [name, make_password(name), is_superuser],
            )


def session_of(door, name):
    """The cookie of somebody who has logged in by the door inside."""
    page = get(door.inside, "/admin/login/")[1]["Set-Cookie"]
    token = re.search("csrftoken=([^;]+)", page)[1]
    form = urlencode({"username": name, "password": name, "csrfmiddlewaretoken": token})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token}"}
    status, answer, _body = get(door.inside, "/admin/login/?next=/flower/", "POST", form, **headers)
    assert (status, answer["Location"]) == (302, "/flower/")
    return re.search("sessionid=[^;]+", str(answer))[0]


def test_flower_is_for_who_has_logged_in_to_the_desk_and_hears_of_nobodys_cookie(door, people):
    for path in ("/flower/", "/flower/tasks?x=1"):
        status, headers, _body = get(door.inside, path)
        assert (status, headers["Location"]) == (302, "/admin/login/?next=/flower/")
        assert get(door.inside, path, Cookie="sessionid=guess")[0] == 302
    session = session_of(door, "ahsoka")
    for method, body in (("GET", None), ("POST", b"draw=1")):
        status, _headers, answer = get(door.inside, "/flower/tasks", method, body, Cookie=session)
        assert status == 200
        assert {"Cookie", "cookie"}.isdisjoint(json.loads(answer))


def test_who_may_see_nothing_of_the_desk_may_not_see_flower(door, people):
    status, headers, body = get(door.inside, "/flower/", Cookie=session_of(door, "rex"))
    assert (status, headers["Content-Type"], json.loads(body)["status"]) == (403, "application/problem+json", 403)


def test_flower_that_is_down_or_a_foreign_name_for_the_door_is_no_way_in(web, door, people):
    session = session_of(door, "ahsoka")
    with proxy(web) as running:
        assert get(running.inside, "/flower/", Cookie=session)[0] == 503
    assert get(door.inside, "/flower/", Cookie=session, Host="evil.example")[0] == 503


def test_the_public_door_leads_to_everything_that_is_documented_and_what_its_pages_load(door):
    documented = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())["paths"]
    assert "/loan-applications" in documented
    for path in documented:
        status, headers, body = get(door.public, path.replace("{loanId}", "none%2F%2E%2E%2Fsuch"))
        assert status in {200, 404, 405}
        assert b"There is nothing at this path." not in body, path
        assert headers["X-Request-ID"], "the service has answered"
    for page in ("/docs", "/redoc"):
        status, _headers, body = get(door.public, page)
        assert status == 200
        loaded = re.findall(r'(?:src|href)="(/[^"]+)"', body.decode())
        assert loaded
        assert {get(door.public, path)[0] for path in loaded} == {200}


def test_a_loan_whose_name_looks_like_a_way_inside_is_only_a_loan(door):
    for path in ("/loans/../admin/", "/loans/%2e%2e/admin/login/", "/loans//x"):
        status, _headers, body = get(door.public, path)
        assert (status, json.loads(body)["title"]) == (404, "Unknown loan"), path


def test_half_sent_requests_are_held_by_the_door_and_the_service_hears_of_none(door, web):
    usual = seconds_of_a_probe(door.inside)
    with connections(door.public) as connect:
        for half in HALF.values():
            for _client in range(MANY):
                connect().sendall(half)
        time.sleep(0.5)
        assert seconds_of_a_probe(door.inside) < usual + 3
        assert seconds_of_a_probe(web) < usual + 3
        established = Path("/proc/net/tcp").read_text()
        held_by_the_service = re.findall(rf"0100007F:{web:04X} [0-9A-F:]+ 01 ", established)
        assert len(held_by_the_service) < MANY


def test_a_body_that_is_too_large_is_refused_at_the_door_in_the_words_of_the_api(door):
    status, headers, body = get(door.public, "/loan-applications", "POST", b" " * (API_LIMIT + 1))
    assert (status, headers["Content-Type"], headers["Connection"]) == (413, "application/problem+json", "close")
    assert json.loads(body) == {
        "type": "about:blank",
        "title": "Request Entity Too Large",
        "status": 413,
        "detail": "The body is too large.",
    }
    assert get(door.public, "/loan-applications", "POST", b" " * API_LIMIT)[0] == 415  # read by the service
    status, _headers, _body = get(door.inside, "/admin/login/", "POST", b"x=" + b"y" * (2 * API_LIMIT))
    assert status == 403  # a form of the admin may be longer; this one has no token


def test_what_is_no_request_is_answered_in_the_words_of_the_api(door):
    for sent, status in ((b"GET /loans HTTP/1.1\r\n\r\n", 400), (b"GET /loans HTTP/1.1\r\nX: " + b"y" * 9000, 431)):
        with connections(door.public) as connect:
            client = connect()
            client.sendall(sent)
            line, text = answered(client)
        assert line.split()[1] == str(status)
        assert json.loads(text.partition(b"\r\n\r\n")[2])["status"] == status


def test_the_service_hears_of_a_client_what_the_door_saw_and_nothing_that_the_client_says(echo):
    lies = dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host", "X_Real_IP"), "6.6.6.6")
    lies |= {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Prefix": "/x",
        "Host": "bank.example",
    }
    _status, headers, body = get(echo.public, "/loans", **lies, **{"X-Request-ID": "mine" + "z" * 500})
    assert json.loads(body) == {
        "Host": "bank.example",
        "X-Forwarded-Host": "bank.example",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "http",
        "X-Real-IP": "127.0.0.1",
        "X-Request-ID": "mine" + "z" * 124,
        "Connection": "close",
        "Accept-Encoding": "identity",
    }
    assert headers["Server"] == "nginx", "without its version"
    _status, _headers, body = get(echo.public, "/loans")
    assert re.fullmatch("[0-9a-f]{32}", json.loads(body)["X-Request-ID"])


def test_the_service_knows_a_client_by_the_address_that_the_door_saw(door, web, stack):
    lie = {"X-Forwarded-For": "6.6.6.6"}
    assert get(door.public, "/loans/unknown", address="127.0.0.7", **lie)[0] == 404
    assert get(web, "/loans/unknown", address="127.0.0.8", **lie)[0] == 404
    lines = (stack.log_folder / "behind-the-proxy.log").read_text().splitlines()
    known = {line["ip"] for line in map(json.loads, lines) if line["event"] == "request_refused"}
    assert known >= {"127.0.0.7", "127.0.0.8"}
    assert "6.6.6.6" not in known


def test_an_address_that_asks_too_often_is_told_when_to_come_again(echo):
    client, answers = http.client.HTTPConnection("127.0.0.1", echo.public, timeout=30), []
    for _call in range(500):
        client.request("GET", "/loans")
        answer = client.getresponse()
        answers.append((answer.status, answer.headers["Retry-After"], answer.read()))
    refused = [answer for answer in answers if answer[0] == 429]
    assert [status for status, _after, _body in answers[:200]] == [200] * 200
    assert refused
    assert {(after, json.loads(body)["title"]) for _status, after, body in refused} == {("1", "Too Many Requests")}


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/password_change/"])
def test_passwords_cannot_be_tried_quickly_from_one_address_whatever_the_names(echo, path):
    tries = [get(echo.inside, path, "POST", f"username={number}")[0] for number in range(30)]
    assert tries[:10] == [200] * 10
    assert tries.count(429) > 15
    assert get(echo.inside, path)[0] == 200


def test_a_service_that_is_down_is_said_to_be_unavailable():
    with proxy(free_port()) as running:
        status, headers, body = get(running.public, "/loans")
        assert (status, headers["Retry-After"], json.loads(body)["status"]) == (503, "5", 503)
        assert get(running.inside, "/door")[0] == 204


def test_the_log_has_a_line_for_each_request_in_json_that_names_no_borrower_and_no_loan(echo):
    get(echo.public, "/loans?borrowerId=greef", **{"X-Request-ID": "mine"})
    get(echo.public, '/loans/greef"x')
    get(echo.inside, "/admin/loans/loan/?q=greef")
    get(echo.inside, "/admin/loans/loan/greef/change/")
    get(echo.public, "/" + "greef" * 100)
    get(echo.inside, "/admin/%ff%fe/%c3%a9/x/")
    echo.process.stop()
    assert [(line["route"], line["code"]) for line in echo.lines] == [
        ("/loans", 200),
        ("/loans/{loanId}", 200),
        ("/admin/loans/loan/", 200),
        ("/admin/loans/loan/", 200),
        ("long", 404),
        ("unprintable", 200),
    ]
    assert "greef" not in str(echo.lines)
    assert echo.lines[0]["http_request_id"] == "mine"


#: An hour is 18 seconds.
SPEED = 200


def faster(text):
    """The configuration with idle connections that end sooner, and no limit on how many requests come."""
    idle = re.search(r"keepalive_timeout (\d+)s", text)[0]
    seconds = int(idle.split()[1][:-1])
    return text.replace(idle, f"keepalive_timeout {seconds * 1000 // SPEED}ms")


def test_a_pooled_client_meets_no_reset_in_an_hour_of_idle_times_errors_and_bodies_that_are_too_large(web):
    """Its pool throws away connections that were idle for a minute, as pools do; no longer idle time is promised."""
    chance, begun, number = random.Random(7), time.monotonic(), 0
    idle = begun
    with proxy(web, change=faster) as running:
        client = Pooled(running.public)
        while time.monotonic() < begun + 3600 / SPEED:
            number += 1
            calls = {
                202: lambda number=number: client.apply(number),
                400: lambda: client.ask("POST", "/loan-applications", b"{"),
                404: lambda: client.ask("POST", "/unknown", b"x" * 2000),
                405: lambda: client.ask("POST", "/loans", b"x" * 2000),
                413: lambda: client.ask("POST", "/loan-applications", b" " * (API_LIMIT + 1)),
            }
            status = chance.choice([*calls])
            told = client.told_to_close
            try:
                assert calls[status]()[0] == status
            except (ConnectionError, http.client.HTTPException):
                if time.monotonic() - idle < 60 / SPEED:
                    raise
                client.http.close()  # this machine was so busy that the minute passed before the call began
                continue
            finally:
                idle = time.monotonic()
            assert client.told_to_close - told == (status == 413)
            time.sleep(chance.uniform(0, 60) / SPEED)
            if time.monotonic() - idle > 60 / SPEED:
                client.http.close()
    assert number > 20


def test_web_and_flower_are_reached_through_the_proxy_only():
    services = read_services()
    assert "ports" not in services["web"] | services["flower"]
    door = services["proxy"]
    environment = door["environment"]
    assert (environment["WEB"], environment["FLOWER"]) == ("web:4000", "flower:5555")
    assert door["ports"] == [
        f"127.0.0.1:4000:{environment['PUBLIC_PORT']}",
        f"127.0.0.1:4001:{environment['INSIDE_PORT']}",
    ]
    assert (door["read_only"], door["cap_drop"], door["user"]) == (True, ["ALL"], "101:101")
    assert set(re.findall(r"\$\{(\w+)\}", TEMPLATE.read_text())) == set(environment) - {
        "NGINX_ENTRYPOINT_LOCAL_RESOLVERS", "NGINX_ENVSUBST_OUTPUT_DIR",
    } | {"NGINX_LOCAL_RESOLVERS"}  # fmt: skip


def test_the_door_keeps_connections_longer_than_clients_do_and_says_for_how_long(echo):
    client = http.client.HTTPConnection("127.0.0.1", echo.public, timeout=30)
    client.request("GET", "/loans")
    assert client.getresponse().headers["Keep-Alive"] == "timeout=60"
    assert "keepalive_timeout 75s 60s;" in TEMPLATE.read_text()
    client.sock.settimeout(0.5)
    with pytest.raises(socket.timeout):
        client.sock.recv(1)
