"""Reading /metrics: whole pages for their time and size, and the daemon's own series for their values."""

import collections
import re
import socket
import time

LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")


def fetch(port, path="/metrics", gzip=False, keep=False, timeout=60):
    """Reads a page as it comes and returns its seconds, its bytes and, when it is kept, the body.

    A socket and one buffer, because urllib would cost the two cores more than the daemon that is measured.
    """
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as connection:
        encoding = "Accept-Encoding: gzip\r\n" if gzip else ""
        head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{encoding}Connection: close\r\n\r\n"
        connection.sendall(head.encode())
        buffer, parts, size = bytearray(1 << 18), [], 0
        while count := connection.recv_into(buffer):
            if keep or size < 4096:
                parts.append(bytes(buffer[:count]))
            size += count
    seconds = time.monotonic() - started
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise OSError(f"{path} answered {head[:60]!r}")
    if keep and b"chunked" in head.lower():
        body = unchunked(body)
    return seconds, size, body


def unchunked(body):
    parts, place = [], 0
    while (end := body.find(b"\r\n", place)) >= 0:
        length = int(body[place:end].split(b";")[0], 16)
        if length == 0:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + length])
        place = end + 4 + length
    raise ValueError("the page was cut short")


def read_metrics(port):
    """The daemon's own samples, without the series of single targets, as {name: {labels: value}}."""
    # A selection that no target matches leaves what is the daemon's own.
    _, _, body = fetch(port, "/metrics?region=no-such-region", keep=True, timeout=10)
    families = collections.defaultdict(dict)
    for line in body.decode().splitlines():
        found = LINE.match(line)
        if found and not line.startswith("probe_") and "target_id=" not in line:
            families[found[1]][found[2] or ""] = float(found[3])
    return families


def total(families, name):
    return sum(families.get(name, {}).values())


def buckets(families, name):
    """{upper bound in seconds: how many were no longer}"""
    counts = {}
    for labels, value in families.get(name + "_bucket", {}).items():
        bound = re.search(r'le="([^"]+)"', labels)
        if bound:
            counts[float(bound[1].replace("+Inf", "inf"))] = value
    return counts


def bucket_of_quantile(before, after, share):
    """The smallest bound below which this share of what was counted between two samples lies."""
    counted = {bound: after[bound] - before.get(bound, 0) for bound in sorted(after)}
    wanted = counted.get(float("inf"), 0) * share
    return next((bound for bound, count in counted.items() if count >= wanted), float("inf"))


class Grown:
    """What the daemon counted between two readings of its page."""

    def __init__(self, first, latest):
        self.first, self.latest = first, latest

    def __call__(self, name):
        return total(self.latest, name) - total(self.first, name)

    def is_counted(self, name):
        """A counter that isn't on the page would look like one that stayed 0."""
        return name in self.latest

    @property
    def probes(self):
        return self("rangefinder_probe_latency_seconds_count")

    @property
    def failed(self):
        return self("rangefinder_probe_failures_total")

    @property
    def missed(self):
        return self("rangefinder_probes_missed_total")
