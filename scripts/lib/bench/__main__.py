"""The measuring half of scripts/bench: starts the targets and the daemon, measures, and prints one table.

Python's standard library only. Everything is on loopback, as root in a network namespace of its own, and in one temporary directory.
"""

import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

from machine import MeasuringLock, private_network, say
from processes import Failed, OthersWork
from run import Run
from scenarios import capacity, cost, history, hostile, lists, moving, names, peer, phases, scale, scrape, shown, soak, steady, truth
from table import Table

SCENARIOS = {
    "steady": (steady.steady, "Issue 2's bounds: 1,000 targets at 5 s, created through the embedded Targets API"),
    "idle": (cost.idle, "A daemon with 10 targets at 30 s: CPU and context switches over a minute"),
    "http": (cost.http, "CPU per HTTP probe: fresh connections at 1,500 and at 300 a second, the whole daemon"),
    "https": (cost.https, "CPU per HTTPS probe: fresh connections at 250 a second, the system's CA bundle and the test CA"),
    "threads": (cost.threads, "CPU per HTTPS probe at 500 a second with two threads, over that with one"),
    "capacity": (capacity.https, "HTTPS: what the daemon delivers at three times its capacity and near it, beside plain C flat out"),
    "capacity-http": (capacity.http, "HTTP: the same at three times its capacity"),
    "peer": (peer.peer, "The peer's CPU per probe over ours, each scraped by the same Prometheus, which is counted on both sides"),
    "scale": (scale.hundred_thousand, "100,000 targets at 30 s, half of them by name, the server on the same cores, sync on"),
    "names": (names.names, "100,000 targets at 30 s, each by a name of its own, the name server 1 ms and 30 ms away, 1 % of queries lost"),
    "delay": (truth.delay, "1,000 probes a second at a server with a delay of 50 ms"),
    "phases": (phases.phases, "HTTPS at 500 a second: phases against a server's own clock, and against those at 20 a second"),
    "scrape": (scrape.scrape, "Scrapes of 10,000 targets, full, while 1,000 probes a second go on"),
    "pages": (shown.shown, "Pages of 100,000 targets, 50 a second, while 1,500 probes a second go on"),
    "start": (scale.start, "Start with 100,000 remembered targets"),
    "tenfold": (cost.tenfold, "Ten times the targets at the same 1,500 probes a second"),
    "history": (history.history, "The history: room, the writer's work, and what reading takes"),
    "lists": (lists.lists, "Syncs of 100,000 targets with an API that has ETags, while they are probed"),
    "moving": (moving.moving, "Lateness while results are moved, rolled up and deleted, at 2,000 probes a second"),
    "soak": (soak.soak, "Ten minutes of reloads, other lists, scrapes and API failures at 2,000 probes a second"),
    "hostile": (hostile.hostile, "Hostile targets, each alone: the right reason, and no later than the timeout allows"),
}


def read_options():
    words = "\n".join(f"  {name:<13} {title}" for name, (_, title) in SCENARIOS.items())
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measures the daemon under load and prints one table. Exit 1 when a bound is broken.",
        epilog=f"scenarios, in their order:\n{words}", formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="WORD[,WORD]", help="run these scenarios only")
    parser.add_argument("--quick", action="store_true", help="measure for a third of the time: for trying it out, not for judging")
    parser.add_argument("--program", type=pathlib.Path, metavar="FILE", help="measure this daemon instead of building one")
    parser.add_argument("--keep", action="store_true", help="keep the temporary directory")
    parser.add_argument("--lock", metavar="FILE", help="hold this file locked (flock) while a scenario runs")
    parser.add_argument("--tools", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--history", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--hostile", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.names = list(SCENARIOS) if options.only is None else options.only.split(",")
    unknown = [name for name in options.names if name not in SCENARIOS]
    if unknown:
        parser.error(f"no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    if options.check:
        # Before anything is built, a mistyped option is told, and what has to be built.
        print(*options.names, sep="\n")
        sys.exit(0)
    own = {"hostile": options.hostile, "history": options.history, "pages": options.history}
    if options.program is None or options.tools is None or any(own[name] is None for name in own if name in options.names):
        parser.error("--program, --tools, --hostile and --history are needed without scripts/bench")
    options.program, options.tools = options.program.resolve(), options.tools.resolve()
    return options


def perform(run, name):
    action, title = SCENARIOS[name]
    run.table.title(f"{name}: {title}" + (" (QUICK: a third of the time)" if run.options.quick else ""))
    say(f"{name}: {title}")
    one = run.scenario(name)
    with MeasuringLock(run.options.lock):
        others, began = OthersWork(), time.monotonic()
        try:
            action(one)
        except (Failed, OSError, ValueError) as error:
            traceback.print_exc()
            run.table.broken(name, error)
        finally:
            one.processes.stop_all()
        run.table.row("cores that others kept busy meanwhile", f"{others.cores():.2f} of {os.cpu_count()}")
        say(f"{name}: {time.monotonic() - began:.0f} s")


def main():
    options = read_options()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="rangefinder-bench-"))
    folder.chmod(0o755)
    run = Run(options, folder, Table())
    keep = True
    try:
        run.no_network = private_network(folder)
        for name in options.names:
            perform(run, name)
        print(run.table.text())
        for key, text in run.notes.items():
            print(f"\nnote on the {key}: {text}")
        if options.quick:
            print("\nQUICK: measured for a third of the time, which is for trying it out and not for judging.")
        keep = options.keep or not run.table.is_well
    finally:
        if keep:
            say(f"configuration, logs and databases are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    sys.exit(0 if run.table.is_well else 1)


def end_in_order(*_):
    raise KeyboardInterrupt


if __name__ == "__main__":
    # Otherwise what was started would outlive the bench.
    signal.signal(signal.SIGTERM, end_in_order)
    signal.signal(signal.SIGINT, end_in_order)
    main()
