"""The network of compose: web believes its proxy, and nobody outside, about whose address a call comes from."""

from ipaddress import ip_network

import pytest

from coruscant.environment import Environment
from coruscant.web.addresses import caller
from tests.compose import read_file, read_services

#: Where Docker and Podman look for a network that has no addresses of its own: another project's would be there.
POOLS = [ip_network(pool) for pool in ("172.16.0.0/12", "192.168.0.0/16", "10.88.0.0/16", "10.89.0.0/16")]
CLIENT = "203.0.113.9"


def network(variables=None):
    """Of the containers; there is no other."""
    (only,) = read_file(variables)["networks"].values()
    (described,) = only["ipam"]["config"]
    return ip_network(described["subnet"])


@pytest.fixture
def as_in_compose(settings, monkeypatch, tmp_path):
    """The proxies that web trusts, as compose tells it."""
    monkeypatch.setenv("TRUSTED_PROXIES", read_services()["web"]["environment"]["TRUSTED_PROXIES"])
    settings.TRUSTED_PROXIES = Environment(tmp_path / "none").networks("TRUSTED_PROXIES")


def test_the_proxy_is_believed_wherever_on_the_network_it_is(as_in_compose):
    for address in (network()[2], network()[-2]):
        assert caller(str(address), CLIENT) == CLIENT
        assert caller(str(address), f"6.6.6.6, {CLIENT}") == CLIENT, "what the client wrote itself"


def test_nobody_outside_is(as_in_compose):
    for address in (network()[0] - 1, network()[-1] + 1, "172.17.0.1", "127.0.0.1", CLIENT):
        assert caller(str(address), "6.6.6.6") == str(address)


def test_all_containers_are_on_that_network():
    for name, service in read_services().items():
        assert {"networks", "network_mode"}.isdisjoint(service), name


def test_it_is_where_no_engine_puts_networks_by_itself():
    assert network().is_private
    assert not any(network().overlaps(pool) for pool in POOLS)


def test_it_can_be_moved_together_with_whom_web_trusts():
    elsewhere = {"CONTAINERS_SUBNET": "10.9.8.0/24", "TRUSTED_PROXIES": "10.9.8.0/24,10.0.0.1"}
    assert network(elsewhere) == ip_network("10.9.8.0/24")
    assert read_services(elsewhere)["web"]["environment"]["TRUSTED_PROXIES"] == "10.9.8.0/24,10.0.0.1"
