"""What the bench asks of the machine: clocks, free ports, the lock under which it measures, a network of its own."""

import ctypes
import fcntl
import os
import pathlib
import socket
import struct
import sys
import time

INSIDE = "RANGEFINDER_BENCH_INSIDE"
CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def boottime_ns():
    """The clock of the daemon's schedule and of the servers' logs."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def boottime_of_wall_ns():
    """What to add to a wall-clock time to have it by the schedule's clock."""
    return boottime_ns() - time.time_ns()


def free_ports(count):
    """Ports that are free on every address, held together so that no two are the same."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("0.0.0.0", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def private_network(folder):
    """Moves this process into a network and a mount namespace of its own, in which names are asked of 127.0.0.1:53.

    That keeps the ports of a million fresh connections from everybody else, and lets the bench be the resolver without touching
    the machine's. Returns why it can't.
    """
    if os.geteuid() != 0:
        return "a network namespace needs root"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS | CLONE_NEWNET) != 0:
        return f"no network namespace: {os.strerror(ctypes.get_errno())}"

    def mount(source, place, flags):
        if libc.mount(source, place, None, flags, None) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), place.decode())

    try:
        mount(b"none", b"/", MS_REC | MS_PRIVATE)
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:2\n")
        (folder / "nsswitch.conf").write_text("passwd: files\ngroup: files\nhosts: dns\n")
        for name in ("resolv.conf", "nsswitch.conf"):
            real = pathlib.Path("/etc", name).resolve()
            mount(str(folder / name).encode(), str(real).encode(), MS_BIND)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            request = struct.pack("16sh14x", b"lo", 0)
            flags = struct.unpack_from("h", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request), 16)[0]
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
    except OSError as error:
        return f"the namespace could not be furnished: {error}"
    return None


class MeasuringLock:
    """Held while something is measured, when --lock names a file that builds on this machine are held up by, too."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        if self.path:
            self.file = open(self.path, "a")
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        if self.path:
            self.file.close()
