"""The history's cost: room on the disk, the writer's work beside a plain loop that appends, and what reading takes."""

import json
import sqlite3
import subprocess

from processes import Failed
from table import quantile

RESULT_BYTES_BOUND, YEAR_MIB_BOUND, PROCESSOR_BOUND, WRITTEN_BOUND = 40, 12, 4, 600
READ_BOUNDS_MS = {"day_raw": 2, "month_percentiles": 5, "year_availability": 10}
READ_WORDS = {
    "day_raw": "one target's last 24 h of results, warm",
    "month_percentiles": "its p50, p95 and p99 over 30 days",
    "year_availability": "its availability by day over a year",
}
PAGE_BOUND_S, PERCENTILE_BOUND = 1, 1.0
TARGETS, YEAR_TARGETS, PAGE_TARGETS = 100_000, 10, 10_000
PATIENCE_S = 1500


def history(run):
    write(run)
    year(run)
    page(run)


def benchmark(run, *words):
    """The last line of what the program prints, as JSON."""
    process = run.processes.start([run.options.history, *words], f"{words[0]}.log")
    run.processes.wait(process, PATIENCE_S)
    return last_line(run, f"{words[0]}.log", process)


def last_line(run, log, process):
    text = (run.folder / log).read_text()
    if process.returncode != 0 or not text.strip():
        raise Failed(f"{log} ended with {process.returncode}: {text[-500:]}")
    return json.loads(text.strip().splitlines()[-1])


def write(run):
    database = run.folder / "write.db"
    # After an hour that isn't measured: all that happens in an hour happens once.
    seconds = max(1200, run.seconds(3600))
    ours = benchmark(run, "write", database, TARGETS, seconds)
    plain, moving = append(run, ours["results"]), append(run, ours["results"], "move")
    run.table.row("results of 100,000 targets at 30 s, moving and rolling up as they come", ours["results"])
    run.table.row("  a plain C loop that appends them", f"{plain['processor_us']:.2f} µs, {plain['written']:.0f} bytes written each")
    run.table.row("  the same, which then moves them by target: the floor", f"{moving['processor_us']:.2f} µs, {moving['written']:.0f} bytes")
    run.table.row("  our writer", f"{ours['processor_us']:.2f} µs")
    run.table.at_most("writer's CPU a result over the plain loop's", ours["processor_us"] / plain["processor_us"], PROCESSOR_BOUND)
    run.table.at_most("bytes written a result", ours["written"], WRITTEN_BOUND, "", 0)
    rows = pages(database)
    count = sqlite3.connect(database).execute("SELECT count(*) FROM settled").fetchone()[0]
    run.table.at_most("bytes a result after clustering, all phases", rows["settled"] / count, RESULT_BYTES_BOUND, "", 1)
    database.unlink()


def append(run, results, *words):
    """What it costs plain C, in a database that is removed."""
    database = run.folder / "append.db"
    process = run.processes.start([run.tool("append"), database, results, *words], "append.log")
    run.processes.wait(process, PATIENCE_S)
    database.unlink()
    return last_line(run, "append.log", process)


def pages(database):
    """Bytes of each table by dbstat, which Python's SQLite may not have."""
    words = ["sqlite3", "-readonly", str(database), "SELECT name, sum(pgsize) FROM dbstat GROUP BY name"]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return {name: int(size) for name, size in (line.split("|") for line in text.splitlines())}


def year(run):
    database = run.folder / "year.db"
    days = 365 if not run.options.quick else 120
    made = benchmark(run, "year", database, YEAR_TARGETS, days)
    run.table.row(f"results of {days} days of {YEAR_TARGETS} targets", f"{made['results']}, {made['processor_us']:.2f} µs each")
    size = database.stat().st_size / YEAR_TARGETS / 2**20
    run.table.at_most("a target's year, default ages: MiB of the file", size, YEAR_MIB_BOUND)
    for name, size in sorted(pages(database).items(), key=lambda item: -item[1])[:5]:
        run.table.row(f"  of that in {name}", f"{size / YEAR_TARGETS / 2**20:.2f} MiB")
    timings = benchmark(run, "read", database, "tgt_3")
    for name, bound in READ_BOUNDS_MS.items():
        run.table.at_most(f"{READ_WORDS[name]} ({timings[name + '_count']})", timings[name + "_ms"], bound, " ms")
    run.table.at_most(
        "p99 of merged days against that of their results, the worst of all targets", percentile_error(run, database), PERCENTILE_BOUND, " %"
    )


def percentile_error(run, database):
    errors = []
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        first, last = connection.execute("SELECT min(min_ms), max(max_ms) FROM chunk WHERE has_results = 1").fetchone()
        # Whole days whose results are all still there.
        first, last = -(-first // 86_400_000) * 86_400_000, last // 86_400_000 * 86_400_000
        for number in range(YEAR_TARGETS):
            query = "SELECT duration_us FROM probe_history WHERE target_id = ? AND success = 1 AND started_at_ms >= ? AND started_at_ms < ?"
            exact = quantile([row[0] for row in connection.execute(query, (f"tgt_{number}", first, last))], 0.99)
            merged = benchmark(run, "merge", database, f"tgt_{number}", first, last)["p99_us"]
            errors.append(abs(merged - exact) / exact * 100)
    return max(errors)


def page(run):
    """30 days of some targets, the rollups of which are then written out for a hundred times as many."""
    database, copies = run.folder / "page.db", 100
    benchmark(run, "year", database, PAGE_TARGETS // copies, 31)
    with sqlite3.connect(database) as connection:
        columns = "client_id, target_id || '_' || n, name, region"
        some = f"(WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < {copies - 1}) SELECT n FROM c)"
        connection.execute(
            f"INSERT INTO target (id, client_id, target_id, name, region) SELECT id + {PAGE_TARGETS // copies} * n, {columns} FROM target, {some}"
        )
        some_targets = PAGE_TARGETS // copies
        # The minutes of the hours that aren't over: those of the last three, with a chunk each five minutes.
        minutes = "minute WHERE id >= (SELECT max(id) - 36 FROM chunk) << 32"
        # The page reads hours of the last days alone.
        hours = "WHERE id >= (SELECT (max(id) >> 22) - 72 FROM hour) << 22"
        sources = {f"hour {hours}": 1, f"hour_phases {hours}": 1, "day": 1, "day_phases": 1, "standing": 1, minutes: 1024}
        for source, stride in sources.items():
            table = source.split()[0]
            id, *names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            connection.execute(
                f"INSERT INTO {table} SELECT {id} + {some_targets * stride} * n, {', '.join(names)} FROM (SELECT * FROM {source}), {some} ORDER BY 1"
            )
    connection.close()
    found = benchmark(run, "page", database)
    if found["targets"] != PAGE_TARGETS:
        raise Failed(f"the page has {found['targets']} targets instead of {PAGE_TARGETS}")
    run.table.at_most("availability and p95 over 30 days of 10,000 targets", found["page_ms"] / 1000, PAGE_BOUND_S, " s", 3)
