"""The daemon under test: its list of targets, its configuration, its start and stop."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time

from machine import boottime_ns, free_ports, say
from pages import read_metrics
from processes import Failed, wait_until

HERE = pathlib.Path(__file__).resolve().parent
CLIENT = "550e8400-e29b-41d4-a716-446655440000"
TOKEN = "bench-token"
# Several addresses, because the 28,000 ports of one pair of addresses are soon all in TIME_WAIT.
ADDRESSES = [f"127.0.0.{n}" for n in range(2, 18)]
# One name per so many targets, where half of the targets go by name.
TARGETS_PER_NAME = 10

CONFIG = """
vantage: bench
listen: 127.0.0.1:{metrics}
targets_api:
  base_url: http://127.0.0.1:{api}
  clients:
    - id: {client}
      token_file: token
  sync_interval: {sync}s
  timeout: 30s
probe:
  interval: {interval}s
  timeout: {timeout}s{probe}
egress:
  allow: [127.0.0.0/8]
history:
  path: history.db{history}
log:
  level: warning
{limits}"""

# Only root reads what /proc has of a process that can't be dumped.
MEASURABLE = "" if os.geteuid() == 0 else "core_dumps: true\n"
EMBEDDED_API = """targets_server:
  listen: 127.0.0.1:{api}
  database: targets.db
  token_file: token
"""


def key(number):
    """The sKey of target N: what the schedule is printed by."""
    return f"tgt_{number:06d}"


def number_of(key):
    return int(key[4:])


def by_address(number):
    return ADDRESSES[number % len(ADDRESSES)]


def half_by_name(count):
    """Targets of the upper half go by name, ten in a row by the same one."""

    def host(number):
        return by_address(number) if number < count // 2 else f"h{(number - count // 2) // TARGETS_PER_NAME}.bench.test"

    return host


def by_name_of_its_own(number):
    return f"h{number}.bench.test"


def write_list(path, count, port, scheme="http", host=by_address):
    """The answer of the Targets API, each record with all the members that the document shows and about their size.

    `host` is a function: the target's number to its host.
    """
    with open(path, "w") as file:
        file.write('{"targets":[')
        for number in range(count):
            record = {
                "pKey": f"client#{CLIENT}#target",
                "sKey": key(number),
                "targetName": f"Bench target number {number}",
                "targetRegion": "us-east-1",
                "targetBaseURL": f"{scheme}://{host(number)}:{port}",
                "targetTestPath": f"/t/{number}",
                "targetDefaultRuleEffect": "allow",
                "userId": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
                "clientId": CLIENT,
                "parentId": "9b2e4c1a-3f5d-4e8b-a6c7-1d2e3f4a5b6c",
                "targetCreatedAt": "2024-01-15T10:30:00.000Z",
                "targetUpdatedAt": "2024-01-15T10:30:00.000Z",
            }
            file.write(("," if number else "") + json.dumps(record, separators=(",", ":")))
        file.write('],"message":"Success"}')


class Daemon:
    """One folder with a configuration and a database, and at most one process on it at a time."""

    def __init__(
        self, run, *, count, interval, port, scheme="http", host=by_address, timeout=None, probe=(), sync=60, embeds_api=False,
        has_own_list=True, history="", limits=()
    ):
        """With `embeds_api` the list is the daemon's own and empty; else a process of its own serves one of `count` targets, or,
        without `has_own_list`, whatever the scenario starts at `api_port`."""
        self.run, self.folder, self.count, self.interval = run, run.folder, count, interval
        self.metrics, self.api_port = free_ports(2)
        self.process = self.api = None
        self.config = self.folder / "rangefinder.yaml"
        self.database = self.folder / "history.db"
        self.api_log = self.folder / "fetches.log"
        (self.folder / "token").write_text(TOKEN)
        self.config.write_text(
            (CONFIG + MEASURABLE + EMBEDDED_API * embeds_api).format(
                metrics=self.metrics, api=self.api_port, client=CLIENT, interval=interval, sync=sync,
                timeout=timeout or min(10, interval), probe="".join(f"\n  {line}" for line in probe), history=history,
                limits="limits:\n" * bool(limits) + "".join(f"  {line}\n" for line in limits),
            )
        )
        if has_own_list and not embeds_api:
            write_list(self.folder / "list.json", count, port, scheme, host)
            self.start_api()

    def start_api(self):
        self.api = self.run.processes.start(
            [sys.executable, "-B", HERE / "api.py", self.api_port, self.folder / "list.json", self.api_log], "api.log"
        )

        def answers():
            with socket.create_connection(("127.0.0.1", self.api_port), timeout=1):
                return True

        # A daemon that finds nobody there comes again only after its sync interval.
        wait_until("the Targets API listens", answers, 10, self.api, every=0.02)

    def start(self):
        """Returns when it was started, by the schedule's clock."""
        started_ns = boottime_ns()
        self.process = self.run.processes.start(
            [self.run.options.program, "run", "--config", self.config], f"daemon-{started_ns}.log"
        )
        return started_ns

    def start_and_settle(self, seconds=None):
        """Until every target is known and, unless told for how long to wait, has been probed once."""
        self.start()
        wait_until(f"{self.count} targets are active", lambda: self.active() == self.count, 90, self.process)
        settle = self.interval + 2 if seconds is None else seconds
        say(f"{self.count} targets at {self.interval} s; letting {settle:g} s pass")
        self.rest(settle)

    def rest(self, seconds):
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self.process.poll() is not None:
                raise Failed(f"the daemon ended by itself with {self.process.returncode}; its log is in {self.folder}")
            time.sleep(min(left, 0.5))

    def active(self):
        states = self.page()["rangefinder_targets"]
        return sum(value for labels, value in states.items() if '"active"' in labels)

    def page(self):
        return read_metrics(self.metrics)

    def stop(self):
        """Returns its exit status and the seconds that it took."""
        began = time.monotonic()
        status = self.run.processes.stop(self.process, 60)
        self.process = None
        return status, time.monotonic() - began

    def checked(self):
        """What `check-config` says of the configuration, warnings left out, or "" when it is good."""
        words = [str(self.run.options.program), "check-config", "--config", str(self.config)]
        asked = subprocess.run(words, capture_output=True, text=True, timeout=120)
        lines = [line for line in (asked.stdout + asked.stderr).splitlines() if ": warning: " not in line]
        return "\n".join(lines) if asked.returncode != 0 else ""

    def fetches(self):
        """[(begin, end)] of each time that the list was fetched, by the schedule's clock."""
        if not self.api_log.exists():
            return []
        return [tuple(map(int, line.split())) for line in self.api_log.read_text().splitlines()]

    def schedule(self):
        """{target number: (phase, interval)} in nanoseconds, as `check-config --schedule` prints it; else computed here."""
        asked = subprocess.run(
            [str(self.run.options.program), "check-config", "--config", str(self.config), "--schedule"],
            capture_output=True, text=True, timeout=120,
        )
        if asked.returncode == 0:
            schedule = {}
            for line in asked.stdout.splitlines():
                fields = line.split("\t")
                if len(fields) == 4 and fields[0] == CLIENT:
                    schedule[number_of(fields[1])] = (int(fields[2]), int(fields[3]))
            if len(schedule) == self.count:
                return schedule
        if "--schedule" not in asked.stderr:
            raise Failed(f"check-config --schedule: {asked.stderr.strip()[:200] or 'not every target is printed'}")
        self.run.note("schedule", "computed by the bench: this program has no check-config --schedule")
        length = self.interval * 1_000_000_000
        return {number: (stable_hash(CLIENT, key(number)) * length >> 64, length) for number in range(self.count)}


def stable_hash(client, key):
    """Sources/Health/Target.swift: FNV-1a of 64 bits, then the finalizer of SplitMix64."""
    mask, value = (1 << 64) - 1, 0xCBF29CE484222325
    for byte in client.encode() + b"\xff" + key.encode():
        value = (value ^ byte) * 0x100000001B3 & mask
    value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 & mask
    value = (value ^ value >> 27) * 0x94D049BB133111EB & mask
    return value ^ value >> 31
