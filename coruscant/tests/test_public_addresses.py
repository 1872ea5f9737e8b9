"""An address is public, or one that only we reach, however it is written."""

import pytest

from coruscant.public_addresses import is_public


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"],
)
def test_what_anybody_reaches_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.5", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.0.1", "224.0.0.1",
        "240.0.0.1", "255.255.255.255",
        "::", "::1", "::10.0.0.5", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff0e::1",
        "2001:db8::1",
        "::ffff:10.0.0.5", "64:ff9b::a00:5", "64:ff9b:1::808:808", "2002:a00:5::", "2001:0:a00:5::",
    ],
)  # fmt: skip
def test_what_only_we_reach_is_not(address):
    assert not is_public(address)


@pytest.mark.parametrize("text", ["", "market.example", "127.1", "10.0.0.0/8"])
def test_what_is_no_address_is_no_answer(text):
    with pytest.raises(ValueError, match="does not appear to be"):
        is_public(text)
