"""A hundred thousand names through a name server at a distance: whether lookups keep probes from their due times, and at what price."""

from arrivals import read_results, unprobed
from daemon import Daemon, by_name_of_its_own
from machine import boottime_ns, boottime_of_wall_ns, say
from pages import Grown
from processes import Repeating, cpu_seconds, memory_mib, reset_peak, threads
from servers import NameServer, TargetServer
from table import quantile

COUNT, INTERVAL_S, TIMEOUT_S = 100_000, 30, 10
DELAYS_MS, LOST_PERCENT = (1, 30), 1
LATENESS_BOUND_MS, THREADS_BOUND = 20, 64
# What began within the time is answered, judged and committed, also where a query was lost twice.
AFTER_S = TIMEOUT_S + 2


def names(run):
    if run.no_network is not None:
        run.table.missing("names", run.no_network)
        return
    for delay_ms in DELAYS_MS:
        at_distance(run.part(f"{delay_ms}ms"), delay_ms)
        run.processes.stop_all()


def at_distance(run, delay_ms):
    run.table.title(f"the name server {delay_ms} ms away, {LOST_PERCENT} % of its queries lost")
    resolver, server = NameServer(run, delay_ms, LOST_PERCENT), TargetServer(run)
    daemon = Daemon(
        run, count=COUNT, interval=INTERVAL_S, timeout=TIMEOUT_S, port=server.port, host=by_name_of_its_own, sync=3600
    )
    daemon.start_and_settle()
    reset_peak(daemon.process)
    sizes = Repeating(0.5, lambda: threads(daemon.process))
    first, cpu, server_cpu, start_ns = daemon.page(), cpu_seconds(daemon.process), cpu_seconds(resolver.process), boottime_ns()
    # Only a due time whose successor is over is known to be missed or not.
    daemon.rest(run.seconds(90) + INTERVAL_S)
    end_ns, grown = boottime_ns(), Grown(first, daemon.page())
    spent, server_spent = cpu_seconds(daemon.process) - cpu, cpu_seconds(resolver.process) - server_cpu
    peak_mib = memory_mib(daemon.process, "VmHWM")
    sizes.stop()
    daemon.rest(AFTER_S)
    daemon.stop()
    server.stop()
    asked = resolver.counts()
    say("reading what the daemon wrote down")
    results = read_results(daemon.database, boottime_of_wall_ns(), start_ns, end_ns)
    number = len(unprobed(results, daemon.schedule(), start_ns, end_ns - INTERVAL_S * 1_000_000_000))
    table = run.table
    table.row("missed, by the daemon's history against the schedule", number, "0", number == 0)
    table.row("missed, by the daemon's counter", f"{grown.missed:.0f}", "0", grown.missed == 0)
    late = quantile([result.lateness_us / 1000 for result in results], 0.99)
    table.at_most("lateness p99, by the daemon's history", late, LATENESS_BOUND_MS, " ms")
    table.at_most("threads of the daemon, the most", max(count for _, count in sizes.results), THREADS_BOUND, "", 0)
    lookups = [result.dns_us / 1000 for result in results if result.dns_us is not None]
    table.row("the resolve phase, p50 and p99", f"{quantile(lookups, 0.5):.1f} and {quantile(lookups, 0.99):.1f} ms")
    failed, void = sum(result.success == 0 for result in results), sum(result.void for result in results)
    table.row(f"of {len(results)} results", f"{failed} failed, {void} void")
    each = grown.probes / 1e6
    table.row("CPU of the daemon, and of the name server", f"{spent / each:.0f} and {server_spent / each:.0f} µs a probe")
    table.row("peak memory after start", f"{peak_mib:.0f} MiB")
    words = ("queries", "a", "aaaa", "tcp", "lost", "unknown", "refused", "overflow")
    table.row("what the name server counted", ", ".join(f"{asked[word]} {word}" for word in words))
