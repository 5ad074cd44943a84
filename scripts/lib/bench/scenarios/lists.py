"""Syncs of a hundred thousand targets with an API that has ETags, while they are probed."""

import socket
import sqlite3
import time

from daemon import ADDRESSES, CLIENT, Daemon
from machine import say
from processes import memory_mib, reset_peak, wait_until
from servers import TargetServer
from table import median

COUNT, INTERVAL_S = 100_000, 30
SYNC_BOUND_S, UNCHANGED_BOUND_MS, MEMORY_BOUND_MIB = 3, 5, 350


class EmbeddedAPI:
    """`rangefinder targets-server` in a process of its own, so that its memory isn't the daemon's."""

    def __init__(self, run, daemon, target_port):
        self.run, self.daemon, self.port = run, daemon, target_port
        self.database = daemon.folder / "registry.db"
        self.start()
        run.processes.stop(self.process, 10)
        self.fill()
        self.start()

    def start(self):
        self.process = self.run.processes.start(
            [
                self.run.options.program, "targets-server", "--listen", f"127.0.0.1:{self.daemon.api_port}", "--database",
                self.database, "--token-file", self.daemon.folder / "token",
            ],
            "registry.log",
        )

        def answers():
            with socket.create_connection(("127.0.0.1", self.daemon.api_port), timeout=1):
                return True

        wait_until("the Targets API listens", answers, 10, self.process, every=0.02)

    def fill(self):
        """As if each had been created; ten minutes of requests otherwise."""
        rows = (
            (CLIENT, f"tgt_{n:024x}", f"Bench target number {n}", f"http://{ADDRESSES[n % len(ADDRESSES)]}:{self.port}", f"/t/{n}")
            for n in range(COUNT)
        )
        with sqlite3.connect(self.database) as database:
            database.executemany(
                "INSERT INTO target (client_id, key, name, base_url, test_path, region, rule_effect, created_at_ms, updated_at_ms)"
                " VALUES (?, ?, ?, ?, ?, 'us-east-1', 'allow', 1700000000000, 1700000000000)",
                rows,
            )
            database.execute("INSERT INTO revision (client_id, number) VALUES (?, 1)", (CLIENT,))
        database.close()

    def change(self, where):
        with sqlite3.connect(self.database, timeout=10) as database:
            database.execute(f"UPDATE target SET name = name || '+' WHERE {where}")
            database.execute("UPDATE revision SET number = number + 1")
        database.close()


def sync_seconds(daemon):
    """Of one `POST /-/sync` over the commands' socket, whose answer comes when the list is in force."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"{daemon.database}.sock")
        began = time.perf_counter()
        connection.sendall(b"POST /-/sync HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        answer = b""
        while part := connection.recv(65536):
            answer += part
        took = time.perf_counter() - began
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer.decode(errors="replace"))
    return took


def lists(run):
    server = TargetServer(run)
    daemon = Daemon(run, count=COUNT, interval=INTERVAL_S, port=server.port, sync=3600, has_own_list=False)
    api = EmbeddedAPI(run, daemon, server.port)
    daemon.start_and_settle()
    table = run.table
    reset_peak(daemon.process)
    times = []
    for number in range(3 if run.options.quick else 10):
        api.change("1" if number % 2 else f"id = {number + 1}")
        times.append(sync_seconds(daemon))
        say(f"a sync with {'all' if number % 2 else 'one'} changed: {times[-1]:.2f} s")
        daemon.rest(5)
    table.at_most("a sync of 100,000 with one changed, worst", max(times[::2]), SYNC_BOUND_S, " s")
    table.at_most("a sync of 100,000 with all changed, worst", max(times[1::2]), SYNC_BOUND_S, " s")
    table.at_most("the daemon's peak memory meanwhile, probing them", memory_mib(daemon.process, "VmHWM"), MEMORY_BOUND_MIB, " MiB", 0)
    unchanged = [1000 * sync_seconds(daemon) for _ in range(200)]
    table.at_most("a sync that finds nothing changed, by its ETag, median", median(unchanged), UNCHANGED_BOUND_MS, " ms")
    table.row("  the worst of 200", f"{max(unchanged):.2f} ms")
    daemon.stop()
    server.stop()
    run.processes.stop(api.process, 10)
