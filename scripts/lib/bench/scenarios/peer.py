"""The peer: Debian's blackbox_exporter with Debian's Prometheus scraping it, and ours scraped by the same Prometheus."""

import json
import shutil
import signal
import time
import urllib.parse
import urllib.request

from arrivals import Arrival, read_arrivals
from daemon import ADDRESSES, Daemon
from machine import boottime_of_wall_ns, free_ports, say
from processes import Failed, cpu_seconds, rest, wait_until
from servers import Nginx, TargetServer, floor
from table import median, quantile

INTERVAL_S = 5
PROMETHEUS = shutil.which("prometheus")
BLACKBOX = shutil.which("prometheus-blackbox-exporter")

BLACKBOX_CONFIG = """
modules:
  http_2xx:
    prober: http
    timeout: {timeout}s
    http:
      preferred_ip_protocol: ip4
"""

OF_BLACKBOX = """
global: {{scrape_interval: {interval}s, scrape_timeout: {interval}s}}
scrape_configs:
  - job_name: blackbox
    metrics_path: /probe
    params: {{module: [http_2xx]}}
    file_sd_configs: [{{files: [targets.json]}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: "127.0.0.1:{port}"}}
"""

OF_OURS = """
global: {{scrape_interval: 15s}}
scrape_configs:
  - job_name: rangefinder
    honor_labels: true
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


def is_missing():
    """Why there is no peer here; None when there is."""
    for name, program in (("prometheus", PROMETHEUS), ("prometheus-blackbox-exporter", BLACKBOX)):
        if program is None:
            return f"{name} is not installed"
    return None


class Prometheus:
    def __init__(self, run, config):
        (self.port,) = free_ports(1)
        (run.folder / "prometheus.yml").write_text(config)
        self.process = run.processes.start(
            [PROMETHEUS, f"--config.file={run.folder}/prometheus.yml", f"--storage.tsdb.path={run.folder}/prometheus",
             f"--web.listen-address=127.0.0.1:{self.port}"], "prometheus.log",
        )
        wait_until("Prometheus is ready", lambda: self.get("/-/ready"), 30, self.process)

    def get(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return answer.read()

    def query(self, expression):
        found = json.loads(self.get("/api/v1/query?query=" + urllib.parse.quote(expression)))
        return found["data"]["result"]

    def number(self, expression):
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else 0.0


class Peer:
    """Both programs, at it since some time, with so many targets at 5 s."""

    def __init__(self, run, scheme, server_port, count, ca_file=None):
        (self.port,) = free_ports(1)
        tls = f"      tls_config: {{ca_file: {ca_file}}}\n" if ca_file else ""
        (run.folder / "blackbox.yml").write_text(BLACKBOX_CONFIG.format(timeout=INTERVAL_S) + tls)
        urls = [f"{scheme}://{ADDRESSES[number % len(ADDRESSES)]}:{server_port}/t/{number}" for number in range(count)]
        (run.folder / "targets.json").write_text(json.dumps([{"targets": urls}]))
        self.blackbox = run.processes.start(
            [BLACKBOX, f"--config.file={run.folder}/blackbox.yml", f"--web.listen-address=127.0.0.1:{self.port}"], "blackbox.log"
        )
        self.prometheus = Prometheus(run, OF_BLACKBOX.format(interval=INTERVAL_S, port=self.port))
        self.processes = [self.blackbox, self.prometheus.process]
        say(f"blackbox_exporter and Prometheus with {count} {scheme} targets at {INTERVAL_S} s")
        rest(3 * INTERVAL_S, *self.processes)

    def check(self, count):
        good = self.prometheus.number("sum(probe_success)")
        if good < 0.99 * count:
            raise Failed(f"the peer has {good:.0f} of {count} probes that succeed")


def cost_of(processes, nginx, seconds, rate):
    """CPU microseconds of these programs together for each request that nginx saw."""
    before, requests, began = [cpu_seconds(one) for one in processes], nginx.requests(), time.monotonic()
    rest(seconds, *processes)
    spent = [cpu_seconds(one) - then for one, then in zip(processes, before)]
    made, passed = nginx.requests() - requests, time.monotonic() - began
    if abs(made / passed - rate) > 0.05 * rate:
        raise Failed(f"nginx saw {made / passed:.0f} requests a second instead of {rate:g}")
    return [value / made * 1e6 for value in spent]


def compare(run, scheme, count, bound):
    """Theirs, ours, plain C, and again: the machine drifts, so they take turns, each side stopped (SIGSTOP) while another is measured."""
    nginx = Nginx(run, with_tls=scheme == "https")
    sides = {"theirs": begin_peer(run, nginx, scheme, count), "ours": begin_ours(run, nginx, scheme, count)}
    costs, floors, rate = {name: [] for name in sides}, [], count / INTERVAL_S
    for _ in range(1 if run.options.quick else 3):
        for name, (processes, check) in sides.items():
            with Going(processes):
                # What had to wait is made up for, and the scrapes are in their rhythm again.
                rest(2 * INTERVAL_S, *processes)
                # A whole number of Prometheus' scrapes of ours, which come each 15 s.
                costs[name].append(cost_of(processes, nginx, 30, rate))
                check()
        floors.append(floor(run, scheme, nginx.port, count, rate, 20, nginx.bundle))
    title, means = f"{scheme.upper()} at {rate:.0f} a second", {}
    for name, words in (("theirs", "blackbox_exporter"), ("ours", "rangefinder")):
        means[name] = [sum(one) / len(costs[name]) for one in zip(*costs[name])]
        each = ", ".join(f"{sum(one):.0f}" for one in costs[name])
        run.table.row(f"{title}: {words} + Prometheus", f"{means[name][0]:.0f} + {means[name][1]:.0f} µs a probe ({each})")
    # Whoever wakes for each probe alone pays for cold caches, plain C too: this is what any prober could reach.
    least, each = sum(floors) / len(floors), ", ".join(f"{one:.0f}" for one in floors)
    over_least = sum(means["theirs"]) / least
    run.table.row(f"{title}: plain C, nothing else", f"{least:.0f} µs a transfer ({each}): the peer's over it {over_least:.2f}")
    run.table.at_least(f"{title}: the peer's CPU per probe over ours", sum(means["theirs"]) / sum(means["ours"]), bound)


class Going:
    """These processes go on within, and stand still without."""

    def __init__(self, processes):
        self.processes = processes

    def __enter__(self):
        for process in self.processes:
            process.send_signal(signal.SIGCONT)

    def __exit__(self, *_):
        for process in self.processes:
            process.send_signal(signal.SIGSTOP)


def begin_peer(run, nginx, scheme, count):
    # The test authority alone, for it reads the file anew for each probe, of which the system's bundle would make 18 ms. Ours has both.
    authority = nginx.folder / "ca.pem" if nginx.bundle else None
    peer = Peer(run.part("theirs"), scheme, nginx.port, count, authority)
    with Going(peer.processes):
        rest(INTERVAL_S, *peer.processes)
    return peer.processes, lambda: peer.check(count)


def begin_ours(run, nginx, scheme, count):
    run = run.part("ours")
    probe = [f"ca_file: {nginx.bundle}"] if nginx.bundle else []
    daemon = Daemon(run, count=count, interval=INTERVAL_S, port=nginx.port, scheme=scheme, probe=probe)
    prometheus = Prometheus(run, OF_OURS.format(port=daemon.metrics))
    processes = [prometheus.process]
    daemon.start_and_settle(20)
    processes.append(daemon.process)
    with Going(processes):
        rest(INTERVAL_S, *processes)

    def check():
        good = prometheus.number("sum(probe_success)")
        if good < 0.99 * count:
            raise Failed(f"Prometheus has {good:.0f} of {count} of our probes that succeed")

    # The daemon first, as in the table.
    return processes[::-1], check


def peer(run):
    why = is_missing()
    if why:
        run.table.missing("the peer's CPU per probe over ours", why)
        return
    for scheme, count, bound in (("http", 1500, 6.5), ("https", 300, 2)):
        part = run.part(scheme)
        compare(part, scheme, count, bound)
        run.processes.stop_all()


def processing_errors_ms(run, delay_ms, count=1500):
    """|processing phase - the server's delay| of each probe of the peer, in ms, as Prometheus has stored it."""
    server = TargetServer(run, delay_ms)
    peer = Peer(run, "http", server.port, count)
    seconds = run.seconds(60)
    rest(seconds, *peer.processes)
    peer.check(count)
    series = peer.prometheus.query(f'probe_http_duration_seconds{{phase="processing"}}[{seconds}s]')
    for process in peer.processes:
        run.processes.stop(process)
    server.stop()
    offset = boottime_of_wall_ns()
    arrived = {}
    for arrival in read_arrivals(server.log):
        arrived.setdefault(arrival.number, []).append(arrival)
    errors, samples = [], 0
    for one in series:
        number = int(one["metric"]["instance"].rpartition("/")[2])
        for at, value in one["values"]:
            samples += 1
            arrival = nearest(arrived.get(number, []), float(at) * 1e9 + offset)
            if arrival:
                errors.append(abs(float(value) * 1e3 - arrival.delay_ns / 1e6))
    if len(errors) < 0.95 * samples or not errors:
        raise Failed(f"only {len(errors)} of the peer's {samples} results could be found in the server's log")
    return errors


def nearest(arrivals, moment_ns, tolerance_ns=1_000_000_000):
    """The arrival next to when Prometheus began its scrape: its clock, and the peer's own queue, lie between the two."""
    best: Arrival | None = min(arrivals, key=lambda one: abs(one.accepted_ns - moment_ns), default=None)
    return best if best and abs(best.accepted_ns - moment_ns) <= tolerance_ns else None


def delay_rows(run, own_p99_ms, delay_ms):
    """How truly the peer tells the same delay at its own 300 a second."""
    why = is_missing()
    if why:
        run.table.missing("error of the peer's processing phase", why)
        return
    errors = processing_errors_ms(run.part("peer"), delay_ms)
    theirs = quantile(errors, 0.99)
    run.table.row("the peer at 300 a second: error, p50 and p99", f"{median(errors):.3f} and {theirs:.3f} ms of {len(errors)}")
    run.table.at_most("our p99 over the peer's", own_p99_ms / theirs, 0.25)
