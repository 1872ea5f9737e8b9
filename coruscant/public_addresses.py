"""Which IP addresses are public: reached by anybody, and so no service of our own."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

#: All public addresses of IPv6 lie in the first. In the second, NAT64 has those of IPv4 in the last 32 bits.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether an address is public; one of IPv6 that leads to one of IPv4 counts as that.

    Raises ValueError for a text that is no address.
    """
    ip = ip_address(address)
    if isinstance(ip, IPv6Address):
        leads_to = ip.ipv4_mapped or ip.sixtofour or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if leads_to is None:
            return ip in _GLOBAL_UNICAST and ip.is_global
        ip = leads_to
    return ip.is_global and not ip.is_multicast
