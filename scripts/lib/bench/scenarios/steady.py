"""Issue 2's bounds: a thousand targets at 5 s for two minutes, created one by one through the embedded Targets API."""

import json
import time
import urllib.request

from daemon import ADDRESSES, CLIENT, TOKEN, Daemon
from machine import say
from pages import Grown, bucket_of_quantile, buckets, total
from processes import Failed, wait_until
from servers import Nginx

COUNT, INTERVAL_S = 1000, 5
LATENESS_BOUND_S = 0.250
SLOPE_BOUND_MIB_PER_MINUTE = 1.0
SAMPLE_EVERY_S = 2.0
STOP_BOUND_S = 5.0


def slope_per_minute(samples):
    """Least squares over (seconds, bytes), in MiB a minute."""
    mean_x = sum(x for x, _ in samples) / len(samples)
    mean_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0
    return slope * 60 / 2**20


def longest_gap(log, start, end):
    """The longest time between two arrivals of one target, as the server saw them, in seconds; and how many targets."""
    last, longest = {}, 0.0
    for line in log.read_text().splitlines():
        stamp, _, path = line.partition(" ")
        moment = float(stamp)
        if not start <= moment <= end:
            continue
        if path in last:
            longest = max(longest, moment - last[path])
        last[path] = moment
    return longest, len(last)


def create_targets(api, server, count):
    for number in range(count):
        body = {
            "targetName": f"bench {number}",
            "targetRegion": "loopback",
            "targetBaseURL": f"http://{ADDRESSES[number % len(ADDRESSES)]}:{server}",
            "targetTestPath": f"/t/{number}",
        }
        request = urllib.request.Request(
            f"http://127.0.0.1:{api}/api/clients/{CLIENT}/targets",
            data=json.dumps(body).encode(),
            headers={"Authorization": TOKEN, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()


def watch(daemon, seconds):
    """The first and the last reading of the page, and [(seconds, bytes of memory)] between them."""
    first, memory, latest = daemon.page(), [], None
    started = following = time.monotonic()
    while time.monotonic() - started < seconds:
        following += SAMPLE_EVERY_S
        time.sleep(max(0.0, following - time.monotonic()))
        if daemon.process.poll() is not None:
            raise Failed(f"the daemon ended by itself with {daemon.process.returncode}")
        latest = daemon.page()
        memory.append((time.monotonic() - started, total(latest, "process_resident_memory_bytes")))
    return Grown(first, latest), time.monotonic() - started, memory


def judge(table, grown, passed, memory):
    made = grown.probes
    # Each target was due this often, or once more; those in flight at either end are within the percent.
    times = int(passed / INTERVAL_S)
    least, most = COUNT * times * 0.99, COUNT * (times + 1) * 1.01
    table.row(f"probes made in {passed:.0f} s", f"{made:.0f}", f"{least:.0f} to {most:.0f}", least <= made <= most)
    for what, name in (
        ("probes missed", "rangefinder_probes_missed_total"),
        ("results lost", "rangefinder_history_dropped_samples_total"),
    ):
        is_counted = grown.is_counted(name)
        table.row(what, f"{grown(name):.0f}" if is_counted else "not counted", "0", is_counted and grown(name) == 0)
    skipped = grown("rangefinder_probes_skipped_total")
    table.row("probes skipped", f"{skipped:.0f}", "0", skipped == 0)
    table.row("probes failed", f"{grown.failed:.0f}", "0", grown.failed == 0)
    name = "rangefinder_probe_lateness_seconds"
    before, after = buckets(grown.first, name), buckets(grown.latest, name)
    worst = bucket_of_quantile(before, after, 1)
    table.at_most("lateness, all below", worst * 1000 if after else float("inf"), LATENESS_BOUND_S * 1000, " ms", 0)
    table.row("lateness, 99% below", f"{bucket_of_quantile(before, after, 0.99) * 1000:g} ms")
    half = memory[len(memory) // 2 :]
    table.at_most("memory, slope of the second half", slope_per_minute(half), SLOPE_BOUND_MIB_PER_MINUTE, " MiB/min")
    table.row("memory, most", f"{max(size for _, size in memory) / 2**20:.1f} MiB")
    spent = grown("process_cpu_seconds_total")
    table.row("CPU of the daemon", f"{spent / passed:.1%} of one core, {spent / max(made, 1) * 1e6:.0f} µs a probe")


def steady(run):
    folder, table = run.folder, run.table
    nginx = Nginx(run, access_log=f"{folder}/arrivals.log arrivals buffer=64k flush=1s")
    daemon = Daemon(
        run, count=COUNT, interval=INTERVAL_S, port=nginx.port, timeout=INTERVAL_S, sync=INTERVAL_S, embeds_api=True
    )
    daemon.start()
    wait_until("the daemon listens", daemon.page, 20, daemon.process)
    say(f"creating {COUNT} targets")
    create_targets(daemon.api_port, nginx.port, COUNT)
    wait_until(f"{COUNT} targets are active", lambda: daemon.active() == COUNT, 60, daemon.process)
    time.sleep(INTERVAL_S + 1)
    start = time.time()
    grown, passed, memory = watch(daemon, run.seconds(120))
    end = time.time()
    judge(table, grown, passed, memory)
    status, taken = daemon.stop()
    is_in_time = status == 0 and taken <= STOP_BOUND_S
    table.row("stop on SIGTERM", f"exit {status} in {taken:.2f} s", f"exit 0 in {STOP_BOUND_S:g} s", is_in_time)
    time.sleep(1.5)  # nginx flushes its log each second.
    longest, seen = longest_gap(folder / "arrivals.log", start, end)
    table.row("targets seen by the server", f"{seen}", f"{COUNT}", seen == COUNT)
    table.at_most("longest gap, seen by the server", longest, INTERVAL_S + LATENESS_BOUND_S, " s", 3)
