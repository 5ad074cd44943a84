"""Ten minutes of everything that happens in a month: reloads, other lists, scrapes, an API that fails, while 2,000 probes a second go on."""

import json
import os
import pathlib
import signal
import time

from arrivals import read_results
from daemon import Daemon, write_list
from machine import boottime_ns, boottime_of_wall_ns, say
from pages import fetch, total
from processes import Repeating, descriptors, memory_mib, threads
from servers import TargetServer
from table import quantile

COUNT, INTERVAL_S, SECONDS = 2_000, 1, 600
# So often each of them happens; the API is away for so long each time.
RELOAD_S, LIST_S, SCRAPE_S, OUTAGE_S, AWAY_S = 10, 15, 5, 40, 8
SLOPE_BOUND_MIB, LATENESS_BOUND_MS = 1, 50
# What the average of the last quarter may have more than that of the one before: probes in flight come and go.
DESCRIPTORS_BOUND, THREADS_BOUND = 8, 2


def soak(run):
    server = TargetServer(run)
    daemon = Daemon(run, count=COUNT, interval=INTERVAL_S, port=server.port, sync=5)
    daemon.start_and_settle(10)
    process = daemon.process
    watching = Repeating(1, lambda: (time.monotonic(), memory_mib(process, "VmRSS"), descriptors(process), threads(process)))
    start_ns, done = boottime_ns(), Doings(daemon, server.port)
    until = time.monotonic() + run.seconds(SECONDS)
    while time.monotonic() < until:
        done.step()
        daemon.rest(0.2)
    end_ns = boottime_ns()
    watching.stop()
    failures = total(daemon.page(), "rangefinder_sync_failures_total")
    daemon.stop()
    server.stop()
    report(run, daemon, done, failures, [one for _, one in watching.results], start_ns, end_ns)


class Doings:
    """Everything in its turn, each by a clock of its own."""

    def __init__(self, daemon, port):
        self.daemon, self.port = daemon, port
        self.list, self.config = daemon.folder / "list.json", daemon.config.read_text()
        self.counts = {"reloads": 0, "lists": 0, "scrapes": 0, "outages": 0}
        now = time.monotonic()
        self.next = {self.reload: now, self.change_list: now, self.scrape: now, self.outage: now}
        self.every = {self.reload: RELOAD_S, self.change_list: LIST_S, self.scrape: SCRAPE_S, self.outage: OUTAGE_S}
        self.back_at = None

    def step(self):
        now = time.monotonic()
        if self.back_at is not None and now >= self.back_at:
            self.daemon.start_api()
            self.back_at = None
        for action, due in self.next.items():
            if now >= due:
                self.next[action] = due + self.every[action]
                action()

    def reload(self):
        # Another policy each time, so that every target is another.
        self.counts["reloads"] += 1
        rise = 2 + self.counts["reloads"] % 2
        self.daemon.config.write_text(self.config.replace("\nprobe:", f"\nprobe:\n  rise: {rise}"))
        os.kill(self.daemon.process.pid, signal.SIGHUP)

    def change_list(self):
        # A tenth comes and goes, and all of them change their names.
        self.counts["lists"] += 1
        count = COUNT - COUNT // 10 * (self.counts["lists"] % 2)
        fresh = self.list.with_suffix(".new")
        write_list(fresh, count, self.port)
        document = json.loads(fresh.read_text())
        for record in document["targets"]:
            record["targetName"] += f" of list {self.counts['lists']}"
        fresh.write_text(json.dumps(document, separators=(",", ":")))
        fresh.rename(self.list)

    def scrape(self):
        self.counts["scrapes"] += 1
        fetch(self.daemon.metrics, gzip=self.counts["scrapes"] % 2 == 0)

    def outage(self):
        if self.back_at is None:
            self.counts["outages"] += 1
            self.daemon.run.processes.stop(self.daemon.api, 10)
            self.back_at = time.monotonic() + AWAY_S


def slope_a_minute(points):
    """Least squares through (seconds, value)."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return 60 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else float("nan")


def report(run, daemon, done, failures, samples, start_ns, end_ns):
    table, half = run.table, samples[len(samples) // 2 :]
    third, last = half[: len(half) // 2], half[len(half) // 2 :]
    results = read_results(daemon.database, boottime_of_wall_ns(), start_ns, end_ns)
    counts = ", ".join(f"{number} {name}" for name, number in done.counts.items())
    table.row(f"what happened meanwhile: {counts}", f"{failures:.0f} syncs failed")
    table.row("probes", len(results))
    late = quantile([one.lateness_us / 1000 for one in results], 0.99)
    table.at_most("lateness p99, by the daemon's history", late, LATENESS_BOUND_MS, " ms")
    table.row("memory at the end", f"{samples[-1][1]:.0f} MiB, at most {max(one[1] for one in samples):.0f}")
    slope = slope_a_minute([(at, memory) for at, memory, _, _ in half])
    table.at_most("memory's slope over the second half, a minute", slope, SLOPE_BOUND_MIB, " MiB")
    for name, place, bound in (("descriptors", 2, DESCRIPTORS_BOUND), ("threads", 3, THREADS_BOUND)):
        before, after = (sum(one[place] for one in part) / len(part) for part in (third, last))
        table.at_most(f"{name}: the last quarter's average, {after:.0f}, over the one's before", after - before, bound, "")
    wal = pathlib.Path(f"{daemon.database}-wal")
    table.row("left in the WAL", f"{wal.stat().st_size / 1048576:.1f} MiB" if wal.exists() else "none")
