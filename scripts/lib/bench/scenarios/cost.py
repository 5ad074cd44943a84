"""What a probe costs: the daemon's CPU time a probe over that of plain C, and over its own with ten times the targets or more threads.

And what a daemon costs that has next to nothing to do.
"""

import signal
import time

from daemon import Daemon
from machine import say
from pages import Grown, fetch
from processes import Failed, Repeating, context_switches, cpu_seconds, thread_name
from scenarios.peer import Going
from servers import Nginx, TargetServer, floor
from table import median

SCRAPE_EVERY_S = 15


def daemon_cost(daemon, nginx, seconds, scrape=True):
    """CPU microseconds a request that nginx saw, and what the daemon counted meanwhile."""
    if scrape:
        with Repeating(SCRAPE_EVERY_S, lambda: fetch(daemon.metrics)[1]) as scrapes:
            return measured_cost(daemon, nginx, seconds, scrapes)
    return measured_cost(daemon, nginx, seconds, None)


def measured_cost(daemon, nginx, seconds, scrapes):
    first, cpu, requests, began = daemon.page(), cpu_seconds(daemon.process), nginx.requests(), time.monotonic()
    daemon.rest(seconds)
    spent, made = cpu_seconds(daemon.process) - cpu, nginx.requests() - requests
    passed, grown = time.monotonic() - began, Grown(first, daemon.page())
    wanted = daemon.count / daemon.interval
    if scrapes and (scrapes.errors or not scrapes.results):
        raise Failed(f"the page could not be scraped: {scrapes.errors[:1]}")
    if grown.failed or abs(made / passed - wanted) > 0.02 * wanted:
        raise Failed(f"{grown.failed:.0f} probes failed, and nginx saw {made / passed:.0f} a second instead of {wanted:g}")
    return spent / made * 1e6, grown


def compare_with_floor(run, scheme, rate, bound):
    """Floor, daemon, floor, and again: both drift with the machine, so they take turns."""
    nginx = Nginx(run, with_tls=scheme == "https")
    interval = 5
    count = rate * interval
    probe = [f"ca_file: {nginx.bundle}"] if nginx.bundle else []
    daemon = Daemon(run, count=count, interval=interval, port=nginx.port, scheme=scheme, probe=probe)
    floors, ours, missed = [], [], 0
    times = 1 if run.options.quick else 2

    def measure_floor():
        say(f"the floor at {rate} {scheme} a second")
        floors.append(floor(run, scheme, nginx.port, count, rate, run.seconds(20), nginx.bundle))

    measure_floor()
    for _ in range(times):
        daemon.start_and_settle()
        # The bound speaks of a minute and more; the scrapes within it fall where they fall.
        cost, grown = daemon_cost(daemon, nginx, run.seconds(60))
        ours.append(cost)
        missed += grown.missed
        daemon.stop()
        measure_floor()
    mean_ours, mean_floor = sum(ours) / len(ours), sum(floors) / len(floors)
    words = ", ".join(f"{value:.0f}" for value in floors)
    run.table.row(f"floor, {scheme} at {rate} a second, plain C", f"{mean_floor:.1f} µs a transfer ({words})")
    words = ", ".join(f"{value:.0f}" for value in ours)
    run.table.row("daemon, the same, a scrape each 15 s", f"{mean_ours:.1f} µs a probe ({words})")
    run.table.row("daemon, probes missed meanwhile", f"{missed:.0f}", "0", missed == 0)
    run.table.at_most(f"CPU per {scheme.upper()} probe over the floor", mean_ours / mean_floor, bound)


def http(run):
    """At 300 a second each probe wakes whoever makes it, plain C too, and finds cold caches: the ratio is another than at 1,500."""
    for rate, bound in ((1500, 1.35), (300, 1.4)):
        compare_with_floor(run.part(f"{rate}"), "http", rate, bound)
        run.processes.stop_all()


def https(run):
    compare_with_floor(run, "https", 250, 1.08)


def threads(run):
    """A thread more may make the daemon quicker, and may not make a probe dearer.

    The machine has stretches in which everything costs a fifth more. So the two take short turns, each stopped (SIGSTOP) while the other is
    measured, and it is the turns' medians that are compared.
    """
    rate, interval, label = 500, 5, "CPU a result with threads: 2 over threads: 1"
    nginx, daemons, costs = Nginx(run, with_tls=True), {}, {1: [], 2: []}
    for number in costs:
        daemons[number] = Daemon(
            run.part(f"{number}"), count=rate * interval, interval=interval, port=nginx.port, scheme="https", sync=3600,
            probe=[f"ca_file: {nginx.bundle}"], limits=[f"threads: {number}"],
        )
        said = daemons[number].checked()
        if "'threads'" in said:
            run.table.missing(label, "this program has no limits.threads")
            return
        if said:
            raise Failed(f"check-config: {said[:200]}")
    for daemon in daemons.values():
        daemon.start_and_settle()
        daemon.process.send_signal(signal.SIGSTOP)
    for _ in range(2 if run.options.quick else 6):
        for number, daemon in daemons.items():
            with Going([daemon.process]):
                # What had to wait is made up for.
                daemon.rest(2 * interval)
                cost, grown = daemon_cost(daemon, nginx, 15, scrape=False)
            costs[number].append(cost)
            if grown.missed:
                raise Failed(f"{grown.missed:.0f} probes were missed with threads: {number}")
    for number, some in costs.items():
        words = ", ".join(f"{value:.0f}" for value in some)
        run.table.row(f"daemon, HTTPS at {rate} a second, threads: {number}", f"{median(some):.1f} µs a probe ({words})")
    run.table.at_most(label, median(costs[2]) / median(costs[1]), 1.05)


def idle(run):
    """The list is fetched each minute meanwhile; nobody asks for a page."""
    # By definition over a minute, also when it has to be quick: a third of it would have one fetch or none.
    seconds, server = 60, TargetServer(run)
    daemon = Daemon(run, count=10, interval=30, port=server.port)
    daemon.start_and_settle()
    switches, cpu, began = context_switches(daemon.process), cpu_seconds(daemon.process), time.monotonic()
    daemon.rest(seconds)
    passed, spent, after = time.monotonic() - began, cpu_seconds(daemon.process) - cpu, context_switches(daemon.process)
    made = {thread: count - switches.get(thread, 0) for thread, count in after.items()}
    most = sorted(made, key=made.get, reverse=True)[:4]
    words = ", ".join(f"{thread_name(daemon.process, thread)} {made[thread] / passed:.1f}" for thread in most)
    run.table.row(f"of {len(after)} threads those with most context switches a second", words)
    run.table.at_most("CPU of a daemon with 10 targets at 30 s, over a minute", spent / passed * 100, 0.1, " % of a core", 3)
    run.table.at_most("context switches a second, all threads", sum(made.values()) / passed, 10, "", 1)
    daemon.stop()


def tenfold(run):
    """Nobody scrapes here: a page of every target grows with the targets, as it should."""
    nginx = Nginx(run)
    costs = []
    for count, interval in ((7500, 5), (75000, 50)):
        daemon = Daemon(run.part(f"{count}"), count=count, interval=interval, port=nginx.port, sync=3600)
        daemon.start_and_settle()
        cost, grown = daemon_cost(daemon, nginx, run.seconds(60), scrape=False)
        costs.append(cost)
        daemon.stop()
        run.table.row(f"{count} targets at {interval} s", f"{cost:.1f} µs a probe, {grown.missed:.0f} missed")
    run.table.at_most("CPU with 10 times the targets over CPU", costs[1] / costs[0], 1.2)
