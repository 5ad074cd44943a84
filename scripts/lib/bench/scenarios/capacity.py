"""What a daemon delivers of what it can't do all of: results that count, at offers around its capacity and far past it, beside plain C."""

import collections
import os
import time

from arrivals import read_results
from daemon import Daemon
from machine import boottime_ns, boottime_of_wall_ns, say
from pages import Grown
from processes import cpu_seconds, cpu_seconds_with_children
from servers import Nginx, flat_out

INTERVAL_S = 5
# The capacity is what the daemon carries through when it is offered this much of what plain C does flat out.
GUESSED_TIMES = 1.2
PLAIN_BOUND, BEST_BOUND, SATURATED_BOUND, GAP_BOUND_INTERVALS = 0.85, 0.9, 0.9, 4

# `made`, `counted`, `failed` and `void` are results a second, and `missed` due times a second that were passed over. A result counts when
# it isn't void and says what is true of these targets: that they are well. `gap` is the longest time, in intervals, in which one target
# had no result that counts. `cpu` and `server_cpu` are seconds a second.
Offered = collections.namedtuple("Offered", "rate made counted failed void missed gap cpu server_cpu")


def https(run):
    plain, found = measure(run, "https", (3, 1.5, 1.1, 0.9))
    past = found[3]
    run.table.at_least("at 3 times: results that count over plain C's", past.counted / plain, PLAIN_BOUND)
    best_rows(run.table, found, (1.1, 1.5))
    gap_row(run.table, past)
    # A core that stood idle, and work on results that don't count, are what is missing of 1.
    used = (past.cpu + past.server_cpu) / os.cpu_count()
    share = used * past.counted / max(past.made, 1)
    label = f"at 3 times: results that count over {os.cpu_count()} s / (CPU of daemon + server a result)"
    run.table.at_least(label, share, SATURATED_BOUND)
    run.table.row("the cores' time that daemon and server used meanwhile", f"{used:.0%}")


def http(run):
    _, found = measure(run, "http", (3, 0.9))
    best_rows(run.table, found, (3,))
    gap_row(run.table, found[3])


def gap_row(table, past):
    table.at_most("at 3 times: longest time without a result of any one target", past.gap, GAP_BOUND_INTERVALS, " intervals", 1)


def best_rows(table, found, times):
    best = max(one.counted for one in found.values())
    for one in times:
        table.at_least(f"at {one:g} times: results that count over the daemon's own best", found[one].counted / max(best, 1), BEST_BOUND)


def measure(run, scheme, times):
    """Plain C's results a second, flat out, and {how many times its capacity the daemon was offered: Offered}."""
    # Each core has a worker of the server, as each has a process of plain C and may have a thread of the daemon: none should be the limit.
    nginx = Nginx(run, with_tls=scheme == "https", workers=os.cpu_count())
    plain, found = [], {}

    def measure_plain():
        say(f"plain C flat out, {os.cpu_count()} processes")
        plain.append(flat_out(run, scheme, nginx.port, run.seconds(20), nginx.bundle))

    measure_plain()
    first = offer(run.part("guess"), nginx, scheme, GUESSED_TIMES * plain[0], run.seconds(20))
    capacity = first.made
    say(f"the daemon carries {capacity:.0f} a second through")
    for one in times:
        found[one] = offer(run.part(f"{one:g}"), nginx, scheme, one * capacity, max(run.seconds(60), 8 * INTERVAL_S))
    measure_plain()
    mean = sum(plain) / len(plain)
    words = ", ".join(f"{one:.0f}" for one in plain)
    run.table.row(f"plain C, {scheme} flat out, {os.cpu_count()} processes", f"{mean:.0f} a second ({words})")
    run.table.row(f"the daemon's capacity, found at an offer of {first.rate:.0f}", f"{capacity:.0f} a second")
    for one, what in found.items():
        rest = f"{what.made:.0f} made, {what.void:.0f} void, {what.failed:.0f} failed, {what.missed:.0f} missed"
        run.table.row(f"at {one:g} times, {what.rate:.0f} a second: results that count", f"{what.counted:.0f} a second ({rest})")
        each = max(what.made, 1) / 1e6
        run.table.row("  CPU of the daemon, and of the server", f"{what.cpu / each:.0f} and {what.server_cpu / each:.0f} µs a result")
    return mean, found


def offer(run, nginx, scheme, rate, seconds):
    count = max(1, round(rate * INTERVAL_S))
    probe = [f"ca_file: {nginx.bundle}"] if nginx.bundle else []
    daemon = Daemon(run, count=count, interval=INTERVAL_S, port=nginx.port, scheme=scheme, probe=probe, sync=3600)
    # By then everybody has had its turn once, also where a turn takes three intervals.
    daemon.start_and_settle(3 * INTERVAL_S)
    first, start_ns, began = daemon.page(), boottime_ns(), time.monotonic()
    cpu, server_cpu = cpu_seconds(daemon.process), cpu_seconds_with_children(nginx.process)
    daemon.rest(seconds)
    cpu, server_cpu = cpu_seconds(daemon.process) - cpu, cpu_seconds_with_children(nginx.process) - server_cpu
    passed, end_ns, grown = time.monotonic() - began, boottime_ns(), Grown(first, daemon.page())
    # What began at the end is answered, judged and committed.
    daemon.rest(2)
    daemon.stop()
    results = read_results(daemon.database, boottime_of_wall_ns(), start_ns, end_ns)
    counted = [one for one in results if one.success == 1]
    failed, void = sum(one.success == 0 for one in results), sum(one.void for one in results)
    daemon.database.unlink()
    return Offered(
        count / INTERVAL_S, len(results) / passed, len(counted) / passed, failed / passed, void / passed, grown.missed / passed,
        longest_gap(counted, count, start_ns, end_ns), cpu / passed, server_cpu / passed,
    )


def longest_gap(results, count, start_ns, end_ns):
    """Of any target, between two results or to one of the ends of this time, in intervals."""
    last, longest = [start_ns] * count, 0
    for one in sorted(results, key=lambda result: result.started_ns):
        longest = max(longest, one.started_ns - last[one.number])
        last[one.number] = one.started_ns
    longest = max(longest, max(end_ns - moment for moment in last))
    return longest / (INTERVAL_S * 1e9)
