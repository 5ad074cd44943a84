"""The pages of a hundred thousand targets: how soon they come, what they weigh, and what they cost the probes."""

import json
import os
import pathlib
import random
import sqlite3
import subprocess
import time

from arrivals import read_arrivals
from daemon import ADDRESSES, CLIENT, Daemon, key
from machine import boottime_ns, say
from pages import fetch
from processes import Failed, memory_mib, reset_peak, wait_until
from scenarios.history import benchmark
from scenarios.scrape import lateness_within
from servers import TargetServer
from table import median, quantile
from visitors import Connection, field, visit_at_once, visit_at_rate

# 1,500 probes a second.
COUNT, INTERVAL_S, DOWN, SYNC_S = 100_000, 67, 500, 60
DAYS, HOURLY_DAYS, HOURLY, MADE = 90, 30, 1000, 10
RATE, REQUESTS, SOURCES = 50, 2000, 8
PAGE_BOUND_MS, CONDITIONAL_BOUND_MS, MEMORY_BOUND_MIB = 25, 1, 48
PLAIN_BOUND_KIB, GZIP_BOUND_KIB = 100, 15
PAINT_BOUND_MS, PAINT_REQUESTS_BOUND, PAINTS = 200, 3, 10
# On these nobody listens.
CLOSED = "127.0.1.1"
# No addresses of loopback, so that each is a peer like any other.
LISTENING, VISITING = "198.51.100.1", [f"198.51.100.{number}" for number in range(11, 11 + SOURCES)]


def shown(run):
    listening, visiting = addresses(run)
    server = TargetServer(run)
    hosts = lambda number: CLOSED if number % (COUNT // DOWN) == 7 else ADDRESSES[number % len(ADDRESSES)]
    daemon = Daemon(run, count=COUNT, interval=INTERVAL_S, port=server.port, host=hosts, sync=SYNC_S)
    text = daemon.config.read_text().replace(f"listen: 127.0.0.1:{daemon.metrics}", f"listen: 0.0.0.0:{daemon.metrics}\npages: open")
    daemon.config.write_text(text)
    fill(run, daemon.database)
    daemon.start_and_settle()
    address = (listening, daemon.metrics)
    # Of a program without pages the rest can't be measured: this row is what theirs is held against.
    run.table.row("the daemon's memory before the first page", f"{memory_mib(daemon.process, 'VmRSS'):.0f} MiB")
    wait_until(f"{DOWN} targets are down", lambda: counted_down(daemon) >= DOWN, 200, daemon.process, every=1)
    wait_until("the pages know all days", lambda: has_days(daemon), 300, daemon.process, every=1)
    # Long enough for a sync, which takes as much memory as the list for a moment.
    reset_peak(daemon.process)
    quiet_start = boottime_ns()
    daemon.rest(SYNC_S + 5)
    quiet = (quiet_start, boottime_ns())
    most_before = memory_mib(daemon.process, "VmHWM")
    run.table.row("the daemon's memory at most without visitors, with what it knows for pages", f"{most_before:.0f} MiB")
    busy, most = visits(run, daemon, address, visiting)
    grown = most - most_before
    sizes(run, daemon)
    conditional(run, address, visiting)
    refusals(run, daemon, address, visiting)
    paint(run, daemon)
    memory(run, daemon, grown)
    daemon.stop()
    server.stop()
    lateness(run, daemon, server, quiet, busy)


def addresses(run):
    """Where the daemon is visited, and from where."""
    if run.no_network is not None:
        run.table.missing("the bound of one peer", run.no_network)
        return "127.0.0.1", [f"127.1.0.{number}" for number in range(1, SOURCES + 1)]
    for one in [LISTENING, *VISITING]:
        subprocess.run(["ip", "address", "add", f"{one}/32", "dev", "lo"], check=True)
    return LISTENING, VISITING


def fill(run, database):
    """Days of all targets and hours of some: those of a few, which the daemon's own writer made, written out for the others."""
    now = int(time.time() * 1000)
    made = benchmark(run, "year", database, MADE, DAYS, now)
    say(f"{made['results']} results of {MADE} targets are written; copying their days and hours")
    with sqlite3.connect(database) as connection:
        rows = [(number + 1, CLIENT, key(number), f"Bench target number {number}", "us-east-1") for number in range(COUNT)]
        connection.execute("DELETE FROM remembered_client")
        connection.executemany(
            "INSERT INTO target (id, client_id, target_id, name, region) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET client_id = excluded.client_id, target_id = excluded.target_id", rows,
        )
        copy(connection, "day", COUNT)
        newest = connection.execute("SELECT max(id) >> 22 FROM hour").fetchone()[0]
        for table in ("hour", "hour_phases", "day_phases"):
            oldest = newest - HOURLY_DAYS * 24 if table.startswith("hour") else 0
            copy(connection, table, HOURLY, oldest)
    connection.close()


def copy(connection, table, count, oldest=0):
    columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
    some = f"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {count // MADE - 1}) SELECT n FROM c)"
    connection.execute(
        f"INSERT INTO {table} SELECT id + {MADE} * n, {', '.join(columns[1:])}"
        f" FROM (SELECT * FROM {table} WHERE id >= {oldest} << 22), {some} ORDER BY 1"
    )


def read(daemon, path):
    _, _, body = fetch(daemon.metrics, path, keep=True)
    return json.loads(body)["items"]


def has_days(daemon):
    """Whether the last target has days of before: they are added to all targets, day by day."""
    days = read(daemon, f"/targets/{CLIENT}/{key(COUNT - 1)}.json?window=90d")[0]["days"]
    return sum(day != "unknown" for day in days) >= DAYS - 3


def counted_down(daemon):
    return read(daemon, "/index.json")[0]["statuses"]["down"]


def paths(daemon):
    """Of each kind of page as many as are asked for, the same in each run."""
    chance = random.Random(22)
    lists = [
        "/targets", "/targets?status=down", "/targets?status=up&sort=name", "/targets?region=us-east-1&sort=p95",
        f"/targets?host={ADDRESSES[3]}", "/targets?q=number+9", f"/targets?client={CLIENT}&sort=availability", "/targets?limit=200",
    ]
    incidents = [one["incident_id"] for one in read(daemon, "/incidents.json?state=open&limit=200")]
    return {
        "/": lambda: "/",
        "/targets": lambda: chance.choice(lists),
        "/targets/…?window=30d": lambda: f"/targets/{CLIENT}/{key(chance.randrange(HOURLY))}?window=30d",
        "/incidents/…": lambda: f"/incidents/{chance.choice(incidents)}",
    }


def visits(run, daemon, address, sources):
    """Returns from when to when there were visitors, and the most memory in MiB that the daemon had meanwhile."""
    # What the visitors and the listener take themselves.
    alone = visit_at_rate(address, sources, ["/-/healthy"] * 200, RATE)
    run.table.row("/-/healthy by the same visitors, p99", f"{quantile([one.seconds * 1e3 for one in alone], 0.99):.2f} ms")
    count = REQUESTS // 3 if run.options.quick else REQUESTS
    start = boottime_ns()
    most = 0
    for kind, path in paths(daemon).items():
        reset_peak(daemon.process)
        found = visit_at_rate(address, sources, [path() for _ in range(count)], RATE)
        failed = [one for one in found if one.status != 200]
        if failed:
            raise Failed(f"{failed[0].path} answered {failed[0].status}, and {len(failed) - 1} others failed")
        times = [one.seconds * 1e3 for one in found]
        run.table.row(f"{kind}: median of {count} at {RATE} a second", f"{median(times):.2f} ms")
        run.table.at_most(f"{kind}: p99", quantile(times, 0.99), PAGE_BOUND_MS, " ms")
        slowest = max(found, key=lambda one: one.seconds)
        run.table.row("  the slowest", f"{slowest.seconds * 1e3:.1f} ms, {slowest.path}")
        peak = memory_mib(daemon.process, "VmHWM")
        run.table.row("  the daemon's memory at most", f"{peak:.0f} MiB")
        most = max(most, peak)
    return (start, boottime_ns()), most


def sizes(run, daemon):
    for words, gzip, bound in (("plain", False, PLAIN_BOUND_KIB), ("gzip", True, GZIP_BOUND_KIB)):
        _, size, _ = fetch(daemon.metrics, "/targets", gzip=gzip)
        run.table.at_most(f"/targets with 50 rows and bars, {words}, head included", size / 1024, bound, " KiB", 1)


def conditional(run, address, sources):
    """The same page twice, at once: nothing changes in between, unless the second falls into another second."""
    connection, host = Connection(sources[0], address), f"{address[0]}:{address[1]}"
    times = []
    for _ in range(300):
        first, _ = connection.fetch("/targets", host)
        again, _ = connection.fetch("/targets", host, f"If-None-Match: {field(first.head, 'etag').replace('w/', 'W/')}\r\n")
        if again.status == 304:
            times.append(again.seconds * 1e3)
        time.sleep(0.02)
    if len(times) < 200:
        raise Failed(f"only {len(times)} of 300 conditional requests were answered with 304")
    run.table.at_most(f"a conditional request that changed nothing: median of {len(times)}", median(times), CONDITIONAL_BOUND_MS, " ms")
    run.table.row("  its p99, beside 1,500 probes a second on the same cores", f"{quantile(times, 0.99):.2f} ms")


def refusals(run, daemon, address, sources):
    scrape = lambda: fetch(daemon.metrics, "/metrics?region=no-such-region")[0]
    found, scraped = visit_at_once(address, sources, "/targets?limit=200", 8, scrape)
    refused = [one for one in found if one.status == 503]
    unasked = [one for one in refused if "retry-after:" not in one.head]
    others = [one for one in found if one.status not in (200, 503)]
    words = f"{len(refused)} of {len(found)} at once: 503"
    run.table.row(words, "with Retry-After", "all", bool(refused) and not unasked and not others)
    run.table.row("a scrape of the daemon's own series while they are answered", f"{scraped * 1e3:.1f} ms")


def paint(run, daemon):
    browser, python = (os.environ.get(f"RANGEFINDER_{word}") for word in ("BROWSER", "PYTHON"))
    if not browser or not python:
        run.table.missing("first paint of /targets in Chromium", "there is no Chromium with Playwright")
        return
    script = pathlib.Path(__file__).resolve().parent.parent / "first_paint.py"
    words = [python, "-B", script, browser, f"http://127.0.0.1:{daemon.metrics}/targets", PAINTS]
    looked = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=120)
    if looked.returncode != 0:
        raise Failed(f"Chromium: {looked.stderr[-300:]}")
    found = json.loads(looked.stdout)
    label = f"first paint of /targets in Chromium, median of {len(found)}"
    run.table.at_most(label, median([milliseconds for milliseconds, _ in found]), PAINT_BOUND_MS, " ms", 0)
    run.table.at_most("requests that it takes, the tab's icon left out", max(requests for _, requests in found), PAINT_REQUESTS_BOUND, "", 0)


def memory(run, daemon, grown):
    total = memory_mib(daemon.process, "VmRSS")
    run.table.row("the daemon's memory after the visits", f"{total:.0f} MiB")
    # The bound is for all that pages add. What the daemon knows for them is in it before the first visit, and so it isn't in this figure.
    run.table.at_most("memory that visits add to the most without them", grown, MEMORY_BOUND_MIB, " MiB", 1)


def lateness(run, daemon, server, quiet, busy):
    schedule = daemon.schedule()
    arrivals = sorted((arrival.accepted_ns, arrival.number) for arrival in read_arrivals(server.log))
    calm, meanwhile = lateness_within(arrivals, schedule, [quiet]), lateness_within(arrivals, schedule, [busy])
    base, value = quantile(calm, 0.99), quantile(meanwhile, 0.99)
    run.table.row(f"lateness p99 of {len(calm)} probes without visitors", f"{base:.2f} ms")
    label = f"lateness p99 of {len(meanwhile)} probes while {RATE} pages a second are made"
    run.table.at_most(label, value, round(max(1.5 * base, base + 2), 2), " ms")
