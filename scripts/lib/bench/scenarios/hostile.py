"""Hostile targets, each alone: whether a probe of it has the right reason, and ends when it has to."""

import json

from processes import Failed

PAST_TIMEOUT_BOUND_MS = 100
PATIENCE_S = 300


def hostile(run):
    process = run.processes.start([run.options.hostile], "hostile.log")
    run.processes.wait(process, PATIENCE_S)
    log = (run.folder / "hostile.log").read_text()
    if process.returncode != 0:
        raise Failed(f"the hostile targets ended with {process.returncode}: {log[-500:]}")
    cases = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    if not cases:
        raise Failed("the hostile targets had no cases")
    wrong = [case for case in cases if case["outcome"] != case["wanted"] or case["complaints"]]
    past = {case["name"]: case["tookMilliseconds"] - case["timeoutMilliseconds"] for case in cases}
    latest = max(past, key=past.get)
    by_itself = [case for case in cases if not case["hangs"]]
    slowest = max(by_itself, key=lambda case: case["tookMilliseconds"])
    run.table.row("cases", len(cases))
    run.table.at_most("of another reason than theirs", len(wrong), 0, digits=0)
    for case in wrong:
        run.table.row(f"  {case['name']}", f"{case['outcome']} instead of {case['wanted']} {' '.join(case['complaints'])}")
    run.table.at_most("the latest past its timeout", past[latest], PAST_TIMEOUT_BOUND_MS, " ms", 1)
    run.table.row("  which", latest)
    run.table.row("the slowest that ends by itself", f"{slowest['tookMilliseconds']:.1f} ms")
    run.table.row("  which", slowest["name"])
