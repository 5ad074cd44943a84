"""Scrapes of ten thousand targets while a thousand probes a second go on."""

import time

from arrivals import read_arrivals
from daemon import Daemon
from machine import boottime_ns
from pages import fetch
from processes import Failed, memory_mib, reset_peak
from servers import TargetServer
from table import median, quantile

COUNT, INTERVAL_S, HALVES = 10_000, 10, 5
TIME_BOUND_S = {"plain": 0.5, "gzip": 2.0}
EXTRA_MEMORY_BOUND_MIB = 16


class Half:
    """A stretch of time without scrapes, or with one after the other."""

    def __init__(self, daemon, seconds, kinds):
        self.pages, self.seconds_of = [], {kind: [] for kind in kinds}
        self.bytes_of = {}
        # Peaks since the reset, against what there was then: growth that scrapes have no part in shows in the quiet halves.
        before = memory_mib(daemon.process, "VmRSS")
        reset_peak(daemon.process)
        self.start_ns, until = boottime_ns(), time.monotonic() + seconds
        while kinds and time.monotonic() < until:
            for kind in kinds:
                began = boottime_ns()
                taken, size, _ = fetch(daemon.metrics, gzip=kind == "gzip")
                self.pages.append((began, boottime_ns()))
                self.seconds_of[kind].append(taken)
                self.bytes_of[kind] = size
                daemon.rest(0.25)
        if not kinds:
            daemon.rest(seconds)
        self.end_ns = boottime_ns()
        self.growth_mib = memory_mib(daemon.process, "VmHWM") - before


def lateness_within(arrivals, schedule, spans):
    """Lateness, in ms, of the probes that were due within these spans of time."""
    found, place, spans = [], 0, sorted(spans)
    for accepted, number in arrivals:
        phase, interval = schedule[number]
        late = (accepted - phase) % interval
        due = accepted - late
        while place < len(spans) and spans[place][1] < due - 1_000_000_000:
            place += 1
        if any(start <= due <= end for start, end in spans[place : place + 3]):
            found.append(late / 1e6)
    return found


def scrape(run):
    server = TargetServer(run)
    daemon = Daemon(run, count=COUNT, interval=INTERVAL_S, port=server.port)
    daemon.start_and_settle()
    # The first page of each kind grows buffers that stay; the bound is on what a scrape adds, so the first ones are told apart.
    before = memory_mib(daemon.process, "VmRSS")
    reset_peak(daemon.process)
    first = {kind: fetch(daemon.metrics, gzip=kind == "gzip")[0] for kind in TIME_BOUND_S}
    first_growth = memory_mib(daemon.process, "VmHWM") - before
    quiet, busy = [], []
    for _ in range(HALVES):
        quiet.append(Half(daemon, run.seconds(20), ()))
        busy.append(Half(daemon, run.seconds(20), tuple(TIME_BOUND_S)))
    daemon.stop()
    server.stop()
    schedule = daemon.schedule()
    arrivals = sorted((arrival.accepted_ns, arrival.number) for arrival in read_arrivals(server.log))
    for kind, bound in TIME_BOUND_S.items():
        times = [first[kind]] + [seconds for half in busy for seconds in half.seconds_of[kind]]
        size = busy[-1].bytes_of[kind] / 2**20
        run.table.row(f"a page, {kind}: size, median of {len(times)}", f"{size:.1f} MiB, {median(times):.3f} s")
        run.table.at_most(f"a page, {kind}: the slowest", max(times), bound, " s", 3)
    run.table.row("memory that the two first pages add", f"{first_growth:.1f} MiB")
    baseline = median([half.growth_mib for half in quiet])
    run.table.row("memory that a quiet half adds, median", f"{baseline:.1f} MiB")
    extra = max([first_growth] + [half.growth_mib for half in busy]) - baseline
    run.table.at_most("memory that scrapes add to that, the most", extra, EXTRA_MEMORY_BOUND_MIB, " MiB", 1)
    lateness_rows(run.table, arrivals, schedule, quiet, busy)


def lateness_rows(table, arrivals, schedule, quiet, busy):
    calm = lateness_within(arrivals, schedule, [(half.start_ns, half.end_ns) for half in quiet])
    meanwhile = lateness_within(arrivals, schedule, [page for half in busy for page in half.pages])
    if not calm or not meanwhile:
        raise Failed("no probe was due in the halves")
    base, value = quantile(calm, 0.99), quantile(meanwhile, 0.99)
    table.row(f"lateness p99 of {len(calm)} probes in the quiet halves", f"{base:.2f} ms")
    label = f"lateness p99 of {len(meanwhile)} probes due while a page is sent"
    table.at_most(label, value, round(max(1.5 * base, base + 2), 2), " ms")
