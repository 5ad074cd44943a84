"""Probes' lateness while results are moved to their next age, rolled up and deleted."""

import sqlite3
import time

from arrivals import read_arrivals
from daemon import Daemon
from machine import boottime_ns
from processes import Failed
from scenarios.scrape import lateness_within
from servers import TargetServer
from table import quantile

COUNT, INTERVAL_S, SECONDS = 20_000, 10, 1500
# So that something has to be deleted all the time.
MAX_SIZE = "48MiB"
MOVED = 4194303


def is_busy(connection):
    """Whether a chunk is being moved, an hour or a day is being added up, or what has been moved is being deleted."""
    if connection.execute(f"SELECT 1 FROM chunk WHERE end_commit IS NOT NULL AND moved < {MOVED} LIMIT 1").fetchone():
        return True
    if connection.execute(f"SELECT 1 FROM progress WHERE value & {MOVED} NOT IN (0, {MOVED})").fetchone():
        return True
    waiting = f"(SELECT first_commit << 32 FROM chunk WHERE moved < {MOVED} ORDER BY id LIMIT 1)"
    return connection.execute(f"SELECT 1 FROM recent WHERE id < {waiting} LIMIT 1").fetchone() is not None


def oldest(connection):
    """Where the tables begin: what has gone from their fronts was deleted meanwhile."""
    return [connection.execute(f"SELECT min(id) FROM {table}").fetchone()[0] for table in ("settled", "minute", "chunk")]


def moving(run):
    server = TargetServer(run)
    daemon = Daemon(run, count=COUNT, interval=INTERVAL_S, port=server.port, history=f"\n  max_size: {MAX_SIZE}")
    daemon.start_and_settle()
    spans = {True: [], False: []}
    fronts, hours = None, set()
    until = time.monotonic() + run.seconds(SECONDS)
    start, state = boottime_ns(), None
    while time.monotonic() < until:
        # Opened anew, so that no transaction of ours keeps the WAL.
        with sqlite3.connect(f"file:{daemon.database}?mode=ro", uri=True) as connection:
            before, fronts = fronts, oldest(connection)
            now_busy = is_busy(connection) or fronts != before
            hours.add(connection.execute("SELECT value >> 22 FROM progress WHERE name = 'minutes_in_hours'").fetchone()[0])
        connection.close()
        if now_busy != state:
            if state is not None:
                spans[state].append((start, boottime_ns()))
            start, state = boottime_ns(), now_busy
        daemon.rest(1)
    spans[state].append((start, boottime_ns()))
    daemon.stop()
    server.stop()
    schedule = daemon.schedule()
    arrivals = sorted((arrival.accepted_ns, arrival.number) for arrival in read_arrivals(server.log))
    calm, meanwhile = (lateness_within(arrivals, schedule, spans[busy]) for busy in (False, True))
    if not calm or not meanwhile:
        raise Failed(f"nothing to compare: {len(spans[False])} quiet stretches, {len(spans[True])} others")
    base, value = quantile(calm, 0.99), quantile(meanwhile, 0.99)
    run.table.row("hours that ended and were added up meanwhile", len(hours) - 1)
    run.table.row(f"lateness p99 of {len(calm)} probes in {len(spans[False])} quiet stretches", f"{base:.2f} ms")
    label = f"lateness p99 of {len(meanwhile)} probes while results are moved, rolled up and deleted"
    run.table.at_most(label, value, round(max(1.5 * base, base + 2), 2), " ms")
