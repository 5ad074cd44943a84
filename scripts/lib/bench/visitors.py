"""Visitors of the pages: requests at fixed moments from several addresses, however long the answers before them take."""

import selectors
import socket
import time
import zlib

HEAD_END = b"\r\n\r\n"


class Visit:
    """One request: what it asked for, what came, and its seconds from the moment at which it was due."""

    __slots__ = ("path", "due", "seconds", "status", "head", "size")

    def __init__(self, path, due):
        self.path, self.due = path, due
        self.seconds = self.status = self.head = None
        self.size = 0


class Connection:
    """A connection that is kept, with at most one request on it."""

    def __init__(self, source, address):
        self.socket = socket.create_connection(address, timeout=10, source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        self.visit = None

    def ask(self, visit, host, more=""):
        self.visit, self.data = visit, b""
        self.socket.sendall(f"GET {visit.path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\n{more}\r\n".encode())

    def read(self):
        """Whether the answer is whole."""
        part = self.socket.recv(1 << 18)
        if not part:
            raise OSError(f"{self.visit.path}: closed within an answer")
        self.data += part
        head, end, body = self.data.partition(HEAD_END)
        if not end:
            return False
        visit = self.visit
        if visit.head is None:
            visit.status, visit.head = int(head.split(b" ", 2)[1]), head.decode("latin-1").lower()
        length = 0 if visit.status == 304 else int(field(visit.head, "content-length"))
        if len(body) < length:
            return False
        visit.seconds, visit.size, self.visit = time.monotonic() - visit.due, length, None
        return True

    def fetch(self, path, host, more=""):
        """One request by itself, and its body."""
        visit = Visit(path, time.monotonic())
        self.ask(visit, host, more)
        while not self.read():
            pass
        body = self.data.partition(HEAD_END)[2]
        return visit, zlib.decompress(body, 31) if "content-encoding: gzip" in visit.head else body


def field(head, name):
    for line in head.split("\r\n")[1:]:
        found, _, value = line.partition(":")
        if found == name:
            return value.strip()
    raise OSError(f"an answer without {name}")


def visit_at_rate(address, sources, paths, rate):
    """An open loop: [Visit] of these paths, so many a second, from one source after the other."""
    host = f"{address[0]}:{address[1]}"
    idle, visits = {source: [] for source in sources}, []
    source_of = {}
    began = time.monotonic() + 0.05
    with selectors.DefaultSelector() as selector:
        place = busy = 0
        while place < len(paths) or busy:
            due = began + place / rate
            now = time.monotonic()
            if place < len(paths) and now >= due:
                source = sources[place % len(sources)]
                if idle[source]:
                    connection = idle[source].pop()
                else:
                    connection = Connection(source, address)
                    source_of[connection] = source
                    selector.register(connection.socket, selectors.EVENT_READ, connection)
                visit = Visit(paths[place], due)
                visits.append(visit)
                connection.ask(visit, host)
                place, busy = place + 1, busy + 1
                continue
            wait = due - now if place < len(paths) else 10
            ready = selector.select(max(0, wait))
            if not ready and place == len(paths):
                raise OSError("an answer did not come within 10 s")
            for key, _ in ready:
                if key.data.read():
                    idle[source_of[key.data]].append(key.data)
                    busy -= 1
        for connection in source_of:
            connection.socket.close()
    return visits


def visit_at_once(address, sources, path, each, meanwhile):
    """[Visit]: so many requests from each source, all sent before any answer is read; and what `meanwhile` returned before that."""
    host = f"{address[0]}:{address[1]}"
    connections = [Connection(source, address) for source in sources for _ in range(each)]
    for connection in connections:
        connection.ask(Visit(path, time.monotonic()), host)
    visits = [connection.visit for connection in connections]
    found = meanwhile()
    for connection in connections:
        while not connection.read():
            pass
        connection.socket.close()
    return visits, found
