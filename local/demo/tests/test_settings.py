"""Ports and the secret key."""

import socket
from pathlib import Path

from local.demo.settings import Addresses, secret_key


def test_taken_port_gives_way_to_the_next_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert Addresses.choose(port).web > port


def test_addresses_are_all_different() -> None:
    chosen = Addresses.choose(4101)
    names = ("web", "flower", "mos_espa", "black_spire_outpost", "otc")
    assert len({chosen.url(name) for name in names}) == len(names)


def test_an_address_that_moves_takes_a_port_that_no_other_has() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        addresses = Addresses(web=port, flower=port + 1, mos_espa=port + 2, black_spire_outpost=4, otc=5)
        addresses.move("web")
        assert addresses.web > port + 2
        assert addresses.url("web") == f"http://127.0.0.1:{addresses.web}"


def test_secret_key_is_kept_and_private(tmp_path: Path) -> None:
    path = tmp_path / "demo" / "secret-key"
    assert len(secret_key(path)) >= 50
    assert secret_key(path) == path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
