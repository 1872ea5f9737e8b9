"""Free ports on the loopback interface."""

import random
import socket

LOOPBACK = "127.0.0.1"
# Below the range from which Linux takes source ports of outgoing connections (32768 on). A port from that
# range could be taken while its server is down, or a client could even connect to itself there.
LOWEST, HIGHEST = 15000, 32000


def is_free(port: int) -> bool:
    """Return whether a server could listen on `port` of the loopback interface now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def accepts_connections(port: int) -> bool:
    """Return whether something listens on `port` of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free_port() -> int:
    """Return a port nothing listens on, picked at random so that two stacks hardly ever meet."""
    for port in random.sample(range(LOWEST, HIGHEST), 200):
        if is_free(port):
            return port
    raise OSError(f"None of 200 ports tried between {LOWEST} and {HIGHEST} is free.")


def bound_socket() -> socket.socket:
    """Return a socket bound to a free port: nobody else can take that port before its owner listens there."""
    while True:
        bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)  # without SO_REUSEADDR, so that nobody shares it
        try:
            bound.bind((LOOPBACK, free_port()))
        except OSError:
            bound.close()
        else:
            return bound


def next_free_port(wanted: int) -> int:
    """Return `wanted`, or the first free port after it."""
    for port in range(wanted, wanted + 200):
        if is_free(port):
            return port
    raise OSError(f"No port between {wanted} and {wanted + 199} is free.")
