#!/usr/bin/env python3
"""The measuring half of scripts/bench: starts nginx as the targets, the daemon, samples /metrics, prints one table.

Python's standard library only. Everything is on loopback and in one temporary directory.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

CLIENT = "550e8400-e29b-41d4-a716-446655440000"
TOKEN = "bench-token"
# Several addresses, because the 28,000 ports of one pair of addresses are soon all in TIME_WAIT.
ADDRESSES = [f"127.0.0.{n}" for n in range(2, 18)]
LATENESS_BOUND_S = 0.250
SLOPE_BOUND_MIB_PER_MINUTE = 1.0
SAMPLE_EVERY_S = 2.0
STOP_BOUND_S = 5.0
LINE = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$")

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
worker_processes 1;
events {{ worker_connections 8192; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    log_format arrivals '$msec $uri';
    access_log {folder}/arrivals.log arrivals buffer=64k flush=1s;
    # The server closes first and so keeps TIME_WAIT, which costs the daemon no port.
    keepalive_timeout 0;
    server {{ {listen} location / {{ return 200 "ok"; }} }}
}}
"""

CONFIG = """
vantage: bench
listen: 127.0.0.1:{metrics}
targets_api:
  base_url: http://127.0.0.1:{api}
  clients:
    - id: {client}
      token_file: token
  sync_interval: 5s
targets_server:
  listen: 127.0.0.1:{api}
  database: targets.db
  token_file: token
probe:
  interval: {interval}s
  timeout: {timeout}s
egress:
  allow: [127.0.0.0/8]
history:
  path: history.db
log:
  level: warning
"""


def free_ports(count):
    """Ports that are free on every address, held together so that no two are the same."""
    held = [socket.socket() for _ in range(count)]
    for one in held:
        one.bind(("0.0.0.0", 0))
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def read_metrics(port):
    """Every sample of the daemon's page, without the series of single targets, as {name: {labels: value}}."""
    families = collections.defaultdict(dict)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            found = LINE.match(line)
            if found and not line.startswith("probe_") and "target_id=" not in line:
                families[found[1]][found[2] or ""] = float(found[3])
    return families


def total(families, name):
    return sum(families.get(name, {}).values())


def buckets(families, name):
    """{upper bound in seconds: how many were no longer}"""
    counts = {}
    for labels, value in families.get(name + "_bucket", {}).items():
        bound = re.search(r'le="([^"]+)"', labels)
        if bound:
            counts[float(bound[1].replace("+Inf", "inf"))] = value
    return counts


def bucket_of_quantile(before, after, quantile):
    """The smallest bound below which this share of what was counted between two samples lies."""
    counted = {bound: after[bound] - before.get(bound, 0) for bound in sorted(after)}
    wanted = counted.get(float("inf"), 0) * quantile
    return next((bound for bound, count in counted.items() if count >= wanted), float("inf"))


def slope_per_minute(samples):
    """Least squares over (seconds, bytes), in MiB a minute."""
    mean_x = sum(x for x, _ in samples) / len(samples)
    mean_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0
    return slope * 60 / 2**20


def longest_gap(log, start, end):
    """The longest time between two arrivals of one target, as the server saw them, in seconds."""
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


def wait_until(what, is_true, seconds, process):
    deadline = time.monotonic() + seconds
    while True:
        if process.poll() is not None:
            sys.exit(f"bench: the daemon ended by itself with {process.returncode} while waiting: {what}")
        try:
            if is_true():
                return
        except OSError:
            pass  # It doesn't listen yet.
        if time.monotonic() > deadline:
            sys.exit(f"bench: waited {seconds} s in vain: {what}")
        time.sleep(0.2)


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.server, self.metrics, self.api = free_ports(3)
        self.rows = []
        self.processes = []

    def say(self, text):
        print(f"bench: {text}", file=sys.stderr, flush=True)

    def row(self, what, value, bound="", holds=None):
        self.rows.append((what, value, bound, {None: "", True: "ok", False: "BROKEN"}[holds]))

    def start(self, command, log):
        with open(self.folder / log, "wb") as output:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder)
        self.processes.append(process)
        return process

    def start_all(self):
        listen = " ".join(f"listen {address}:{self.server} backlog=4096;" for address in ADDRESSES)
        (self.folder / "nginx.conf").write_text(NGINX.format(folder=self.folder, listen=listen))
        nginx = shutil.which("nginx") or "/usr/sbin/nginx"
        self.start([nginx, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")], "nginx.log")
        (self.folder / "token").write_text(TOKEN)
        timeout = min(10, self.options.interval)
        config = CONFIG.format(
            metrics=self.metrics, api=self.api, client=CLIENT, interval=self.options.interval, timeout=timeout
        )
        (self.folder / "rangefinder.yaml").write_text(config)
        return self.start([self.options.program, "run", "--config", str(self.folder / "rangefinder.yaml")], "daemon.log")

    def measure(self, daemon):
        count, interval = self.options.targets, self.options.interval
        wait_until("it listens", lambda: read_metrics(self.metrics), 20, daemon)
        self.say(f"creating {count} targets")
        create_targets(self.api, self.server, count)
        active = '"active"'
        wait_until(
            f"{count} targets are active",
            lambda: sum(v for k, v in read_metrics(self.metrics)["rangefinder_targets"].items() if active in k) == count,
            60,
            daemon,
        )
        self.say(f"letting {interval} s pass, so that every target has been probed once")
        time.sleep(interval + 1)

        first = read_metrics(self.metrics)
        started, started_wall = time.monotonic(), time.time()
        length = self.options.minutes * 60
        memory, latest, next_sample = [], first, started
        while time.monotonic() - started < length:
            next_sample += SAMPLE_EVERY_S
            time.sleep(max(0.0, next_sample - time.monotonic()))
            if daemon.poll() is not None:
                sys.exit(f"bench: the daemon ended by itself with {daemon.returncode}; see {self.folder}/daemon.log")
            latest = read_metrics(self.metrics)
            passed = time.monotonic() - started
            memory.append((passed, total(latest, "process_resident_memory_bytes")))
            if sys.stderr.isatty():
                print(f"\r\033[Kbench: {passed:.0f} of {length:.0f} s", end="", file=sys.stderr, flush=True)
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        self.judge(first, latest, time.monotonic() - started, memory)
        return started_wall, time.time()

    def judge(self, first, latest, passed, memory):
        def grown(name):
            return total(latest, name) - total(first, name)

        count, interval = self.options.targets, self.options.interval
        made = grown("rangefinder_probe_latency_seconds_count")
        # Each target was due this often, or once more; those in flight at either end are within the percent.
        times = int(passed / interval)
        least, most = count * times * 0.99, count * (times + 1) * 1.01
        self.row("targets, interval, time", f"{count}, {interval} s, {passed:.0f} s")
        self.row("probes made", f"{made:.0f}", f"{least:.0f} to {most:.0f}", least <= made <= most)
        missed = grown("rangefinder_probes_missed_total")
        # A counter that isn't on the page would look like one that stayed 0.
        is_counted = "rangefinder_probes_missed_total" in latest
        self.row("probes missed", f"{missed:.0f}" if is_counted else "not counted", "0", is_counted and missed == 0)
        skipped = grown("rangefinder_probes_skipped_total")
        self.row("probes skipped", f"{skipped:.0f}", "0", skipped == 0)
        failed = grown("rangefinder_probe_failures_total")
        self.row("probes failed", f"{failed:.0f}", "0", failed == 0)
        lost = grown("rangefinder_history_dropped_samples_total")
        is_counted = "rangefinder_history_dropped_samples_total" in latest
        self.row("results lost", f"{lost:.0f}" if is_counted else "not counted", "0", is_counted and lost == 0)

        name = "rangefinder_probe_lateness_seconds"
        before, after = buckets(first, name), buckets(latest, name)
        worst = bucket_of_quantile(before, after, 1)
        self.row(
            "lateness, all below", f"{worst * 1000:g} ms", f"{LATENESS_BOUND_S * 1000:g} ms", bool(after) and worst <= LATENESS_BOUND_S
        )
        for quantile in (0.5, 0.99):
            bound = bucket_of_quantile(before, after, quantile)
            self.row(f"lateness, {quantile:.0%} below", f"{bound * 1000:g} ms")
        half = memory[len(memory) // 2 :]
        slope = slope_per_minute(half)
        self.row(
            "memory, slope of the second half",
            f"{slope:+.2f} MiB/min",
            f"{SLOPE_BOUND_MIB_PER_MINUTE:g} MiB/min",
            slope <= SLOPE_BOUND_MIB_PER_MINUTE and half[-1][1] > 0,
        )
        self.row("memory, most", f"{max(size for _, size in memory) / 2**20:.1f} MiB")
        spent = grown("process_cpu_seconds_total")
        self.row("CPU of the daemon", f"{spent / passed:.1%} of one core, {spent / max(made, 1) * 1e6:.0f} µs a probe")

    def judge_arrivals(self, start, end):
        longest, seen = longest_gap(self.folder / "arrivals.log", start, end)
        bound = self.options.interval + LATENESS_BOUND_S
        self.row("targets seen by the server", f"{seen}", f"{self.options.targets}", seen == self.options.targets)
        self.row("longest gap, seen by the server", f"{longest:.3f} s", f"{bound:g} s", 0 < longest <= bound)

    def stop_daemon(self, daemon):
        start = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        try:
            status = daemon.wait(timeout=30)
        except subprocess.TimeoutExpired:
            status = None
        taken = time.monotonic() - start
        holds = status == 0 and taken <= STOP_BOUND_S
        self.row("stop on SIGTERM", f"exit {status} in {taken:.2f} s", f"exit 0 in {STOP_BOUND_S:g} s", holds)

    def stop_all(self):
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(timeout=10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def print_table(self):
        rows = [("measure", "value", "bound", "verdict")] + self.rows
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
        return all(row[3] != "BROKEN" for row in self.rows)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--targets", type=int, default=1000)
    parser.add_argument("--interval", type=int, default=5, help="seconds")
    parser.add_argument("--keep", action="store_true", help="keep the temporary directory")
    options = parser.parse_args()
    if options.minutes <= 0 or options.targets <= 0 or options.interval <= 0:
        parser.error("minutes, targets and interval must be above 0")

    folder = pathlib.Path(tempfile.mkdtemp(prefix="rangefinder-bench-"))
    # nginx's worker, which may be another user, writes below this directory.
    os.chmod(folder, 0o755)
    bench = Bench(options, folder)
    keep = options.keep
    try:
        daemon = bench.start_all()
        start, end = bench.measure(daemon)
        bench.stop_daemon(daemon)
        time.sleep(1.5)  # nginx flushes its log each second.
        bench.judge_arrivals(start, end)
        is_well = bench.print_table()
        keep = keep or not is_well
    except BaseException:
        keep = True
        raise
    finally:
        bench.stop_all()
        if keep:
            bench.say(f"configuration, logs and databases are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
