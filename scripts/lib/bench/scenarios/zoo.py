"""Hostile targets, each alone: whether a probe of it has the right reason, and ends when it has to."""

import json

from processes import Failed

PAST_TIMEOUT_BOUND_MS = 100
PATIENCE_S = 300


def zoo(run):
    process = run.processes.start([run.options.zoo], "zoo.log")
    run.processes.wait(process, PATIENCE_S)
    log = (run.folder / "zoo.log").read_text()
    if process.returncode != 0:
        raise Failed(f"the zoo ended with {process.returncode}: {log[-500:]}")
    beasts = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    if not beasts:
        raise Failed("the zoo had no beasts")
    wrong = [beast for beast in beasts if beast["outcome"] != beast["wanted"] or beast["complaints"]]
    past = {beast["name"]: beast["tookMilliseconds"] - beast["timeoutMilliseconds"] for beast in beasts}
    latest = max(past, key=past.get)
    by_itself = [beast for beast in beasts if not beast["hangs"]]
    slowest = max(by_itself, key=lambda beast: beast["tookMilliseconds"])
    run.table.row("beasts", len(beasts))
    run.table.at_most("of another reason than theirs", len(wrong), 0, digits=0)
    for beast in wrong:
        run.table.row(f"  {beast['name']}", f"{beast['outcome']} instead of {beast['wanted']} {' '.join(beast['complaints'])}")
    run.table.at_most("the latest past its timeout", past[latest], PAST_TIMEOUT_BOUND_MS, " ms", 1)
    run.table.row("  which", latest)
    run.table.row("the slowest that ends by itself", f"{slowest['tookMilliseconds']:.1f} ms")
    run.table.row("  which", slowest["name"])
