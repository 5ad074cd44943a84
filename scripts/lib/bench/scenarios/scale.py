"""A hundred thousand targets: on time, in little memory, through a sync, through a storm, and soon after a start."""

import signal
import time

from arrivals import missed, pairs, read_arrivals, read_results, server_lateness_ms
from daemon import Daemon, by_address, half_by_name
from machine import boottime_ns, boottime_of_wall_ns, say
from pages import total
from processes import Repeating, memory_mib, reset_peak
from scenarios.truth import AGREEMENT_BOUND_MS
from servers import Names, TargetServer
from table import quantile

COUNT, INTERVAL_S = 100_000, 30
TIMEOUT_S = 10
# A fetch of the list, and what the daemon does with it, is over this long after its last byte.
AFTER_FETCH_NS = 15_000_000_000


class Scene:
    """The server, the resolver and the daemon, with memory and missed probes looked at all the time."""

    def __init__(self, run, count=COUNT, with_names=True):
        self.run, self.table = run, run.table
        self.with_names = with_names and run.no_network is None
        if with_names and not self.with_names:
            run.table.missing("half of the targets by name", run.no_network)
        if self.with_names:
            Names(run)
        self.server = TargetServer(run)
        self.daemon = Daemon(
            run, count=count, interval=INTERVAL_S, timeout=TIMEOUT_S, port=self.server.port,
            host=half_by_name(count) if self.with_names else by_address,
        )

    def start(self):
        self.daemon.start_and_settle()
        process = self.daemon.process
        self.memory = Repeating(0.2, lambda: (boottime_ns(), memory_mib(process, "VmRSS")))
        self.misses = Repeating(5, lambda: (boottime_ns(), total(self.daemon.page(), "rangefinder_probes_missed_total")))

    def stop(self):
        for watching in (self.memory, self.misses):
            watching.stop()
        self.daemon.stop()
        self.server.stop()
        say("reading what the server and the daemon wrote down")
        self.schedule = self.daemon.schedule()
        self.arrivals = read_arrivals(self.server.log)

    def pass_time(self, seconds):
        """Returns when that was, and the most memory meanwhile."""
        reset_peak(self.daemon.process)
        start_ns = boottime_ns()
        self.daemon.rest(seconds)
        return start_ns, boottime_ns(), memory_mib(self.daemon.process, "VmHWM")

    def results(self, start_ns, end_ns):
        return read_results(self.daemon.database, boottime_of_wall_ns(), start_ns, end_ns)

    def quiet_memory_mib(self, start_ns, end_ns):
        """The most memory at moments when no list was fetched or taken over."""
        fetches = self.daemon.fetches()

        def is_quiet(moment):
            return not any(begin - 500_000_000 <= moment <= end + AFTER_FETCH_NS for begin, end in fetches)

        return max((size for _, (at, size) in self.memory.results if start_ns <= at <= end_ns and is_quiet(at)), default=float("nan"))

    def missed_counted(self, start_ns, end_ns):
        counts = [value for _, (at, value) in self.misses.results if start_ns <= at <= end_ns]
        return counts[-1] - counts[0] if counts else float("nan")


def hundred_thousand(run):
    scene = Scene(run)
    began = time.monotonic()
    scene.start()
    run.table.row("peak memory of the start, with the first sync", f"{memory_mib(scene.daemon.process, 'VmHWM'):.0f} MiB")
    say(f"settled after {time.monotonic() - began:.0f} s; measuring")
    calm = scene.pass_time(run.seconds(180))
    storm_from = boottime_ns()
    scene.server.send(signal.SIGUSR1)
    say("every target hangs from now on")
    storm = scene.pass_time(run.seconds(120))
    scene.server.send(signal.SIGUSR2)
    storm_to = boottime_ns()
    say("the targets answer again")
    # A due time of the last second of the minute allowed has to show whether it is missed.
    after = scene.pass_time(60 + 2 * INTERVAL_S + 5)
    scene.stop()
    calm_rows(scene, *calm)
    storm_rows(scene, storm_from, storm_to, max(storm[2], after[2]), after[1])


def calm_rows(scene, start_ns, end_ns, peak_mib):
    # Only a due time whose successor is over is known to be missed or not.
    judged_to = end_ns - INTERVAL_S * 1_000_000_000
    number = len(missed(scene.arrivals, scene.schedule, start_ns, judged_to))
    counted = scene.missed_counted(start_ns, end_ns)
    results = scene.results(start_ns, end_ns)
    ours = quantile([result.lateness_us / 1000 for result in results], 0.99)
    # Those of the last second may have been answered, or not, by a server that was told to hang.
    failed = sum(result.success == 0 for result in results if result.started_ns < end_ns - 1_000_000_000)
    theirs = quantile(server_lateness_ms(scene.arrivals, scene.schedule, start_ns, end_ns), 0.99)
    syncs = sum(start_ns <= begin <= end_ns for begin, _ in scene.daemon.fetches())
    table = scene.table
    table.row("missed, by the server's log against the schedule", number, "0", number == 0)
    table.row("missed, by the daemon's counter", f"{counted:.0f}", "0", counted == 0)
    table.row(f"failed of {len(results)}", failed, "0", failed == 0)
    table.at_most("lateness p99, by the server's log against the schedule", theirs, 10, " ms")
    table.row("lateness p99, by the daemon's history", f"{ours:.2f} ms")
    table.at_most("the two p99 are apart by", abs(theirs - ours), AGREEMENT_BOUND_MS, " ms")
    table.at_most("peak memory after start, between syncs", scene.quiet_memory_mib(start_ns, end_ns), 210, " MiB", 0)
    table.at_most(f"peak memory through {syncs} syncs", peak_mib, 350, " MiB", 0)
    if syncs == 0:
        table.broken("a sync within the time", "the list was not fetched")


def storm_rows(scene, start_ns, end_ns, peak_mib, last_ns):
    results = scene.results(start_ns, end_ns)
    table = scene.table
    table.title("every target hangs until its timeout, two minutes, and then answers again")
    table.row("probes admitted while all hang", f"{len(results)}, {len(results) / ((end_ns - start_ns) / 1e9):.0f} a second")
    table.at_most("lateness p99 of them, by the daemon's history", quantile([one.lateness_us / 1000 for one in results], 0.99), 250, " ms")
    table.row("  of those due by the schedule, by the server's log", f"{quantile(regular_lateness_ms(scene, results), 0.99):.2f} ms")
    table.at_most("peak memory until a minute and more after", peak_mib, 600, " MiB", 0)
    judged_to = last_ns - INTERVAL_S * 1_000_000_000
    late = not_started(scene, end_ns, judged_to)
    recovered_s = (late[-1] - end_ns) / 1e9 if late else 0
    table.at_most("last due time missed after the end, by the server's log", recovered_s, 60, " s", 1)
    rises = last_rise(scene.misses.results, end_ns)
    table.row("last rise of the daemon's counter of missed ones", f"{(rises - end_ns) / 1e9:.1f} s" if rises else "none")


def regular_lateness_ms(scene, results):
    """Of the probes that the daemon says were due by the schedule, not of re-checks: from the due time to the connection."""
    found = []
    for arrival, result in pairs(scene.arrivals, results):
        phase, interval = scene.schedule[result.number]
        since_due = (result.started_ns - result.lateness_us * 1000 - phase + 3_000_000) % interval
        if since_due < 6_000_000:
            due = result.started_ns - result.lateness_us * 1000 - since_due + 3_000_000
            found.append((arrival.accepted_ns - due) / 1e6)
    return found


def not_started(scene, start_ns, end_ns):
    """Due times without a connection up to the next one, though none of that target's hung when they came."""
    hung = {}
    for arrival in scene.arrivals:
        if arrival.is_hanging:
            hung.setdefault(arrival.number, []).append(arrival.accepted_ns)
    limit = TIMEOUT_S * 1_000_000_000
    late = missed(scene.arrivals, scene.schedule, start_ns, end_ns)
    return [due for due, number in late if not any(due - limit <= at < due for at in hung.get(number, ()))]


def last_rise(samples, start_ns):
    """When the counter was last seen higher than the time before; None when it never rose after this moment."""
    last, before = None, None
    for _, (at, value) in samples:
        if before is not None and value > before and at > start_ns:
            last = at
        before = value
    return last


def start(run):
    """From exec to the first probe that the server sees, with a hundred thousand targets in the database."""
    scene = Scene(run, with_names=False)
    scene.daemon.start_and_settle(5)
    scene.daemon.stop()
    starts = []
    for _ in range(2 if run.options.quick else 5):
        starts.append(scene.daemon.start())
        scene.daemon.rest(8)
        scene.daemon.stop()
    scene.server.stop()
    times = sorted(arrival.accepted_ns for arrival in read_arrivals(scene.server.log))
    waits = [(next(at for at in times if at >= begun) - begun) / 1e9 for begun in starts]
    words = ", ".join(f"{wait:.2f}" for wait in waits)
    run.table.at_most(f"start to the first probe, worst of {words} s", max(waits), 2, " s")
