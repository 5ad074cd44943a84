"""What the server saw, against the schedule and against what the daemon wrote down of the same probes."""

import bisect
import collections
import sqlite3
import struct

from daemon import number_of

# Arrival of Benchmarks/target.c: accepted, came, delay (nanoseconds), number, is hanging.
RECORD = struct.Struct("=QQQII")
NO_NUMBER = 0xFFFFFFFF
Arrival = collections.namedtuple("Arrival", "accepted_ns came_ns delay_ns number is_hanging")
# Phases are None where the probe had none.
Result = collections.namedtuple("Result", "number started_ns lateness_us dns_us connect_us tls_us processing_us duration_us success void")
# The history's times are whole milliseconds, rounded down.
ROUNDING_NS = 1_000_000


def read_arrivals(path):
    """[Arrival] in the order of the log, which is nearly that of time."""
    data = path.read_bytes()
    whole = len(data) - len(data) % RECORD.size
    return [arrival for fields in RECORD.iter_unpack(data[:whole]) if (arrival := Arrival._make(fields)).number != NO_NUMBER]


def read_results(database, boottime_of_wall_ns, start_ns=0, end_ns=1 << 62):
    """What the daemon wrote down, with its wall-clock times (whole milliseconds) on the clock of the schedule."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        rows = connection.execute(
            "SELECT target_id, started_at_ms, lateness_us, dns_us, connect_us, tls_us, processing_us, duration_us, success, void"
            " FROM probe_history WHERE started_at_ms BETWEEN ? AND ?",
            ((start_ns - boottime_of_wall_ns) // 1_000_000, (end_ns - boottime_of_wall_ns) // 1_000_000),
        )
        return [
            Result(number_of(target), started * 1_000_000 + boottime_of_wall_ns, *others) for target, started, *others in rows
        ]
    finally:
        connection.close()


def by_number(records, moment):
    """{number: [records in order of time]}"""
    found = collections.defaultdict(list)
    for record in records:
        found[record.number].append(record)
    for some in found.values():
        some.sort(key=moment)
    return found


def server_lateness_ms(arrivals, schedule, start_ns, end_ns):
    """How long after its due time each connection came that belongs to a due time in this window."""
    found = []
    for arrival in arrivals:
        phase, interval = schedule[arrival.number]
        late = (arrival.accepted_ns - phase) % interval
        if start_ns <= arrival.accepted_ns - late < end_ns:
            found.append(late / 1e6)
    return found


def due_times(phase, interval, start_ns, end_ns):
    """The due times in this window."""
    first = start_ns + (phase - start_ns) % interval
    return range(first, end_ns, interval)


def missed(arrivals, schedule, start_ns, end_ns):
    """(due time, target number) of those in this window up to whose successor no connection came, in order."""
    times = collections.defaultdict(list)
    for arrival in arrivals:
        times[arrival.number].append(arrival.accepted_ns)
    found = []
    for number, (phase, interval) in schedule.items():
        seen = sorted(times[number])
        for due in due_times(phase, interval, start_ns, end_ns):
            index = bisect.bisect_left(seen, due)
            if index == len(seen) or seen[index] >= due + interval:
                found.append((due, number))
    return sorted(found)


def unprobed(results, schedule, start_ns, end_ns):
    """As `missed`, by what the daemon wrote down: for probes of which a server needn't see anything, such as those without an address."""
    starts = [Arrival(one.started_ns + ROUNDING_NS, 0, 0, one.number, 0) for one in results]
    return missed(starts, schedule, start_ns, end_ns)


def pairs(arrivals, results, tolerance_ns=250_000_000):
    """(arrival, result) of the same probe: of the same target, and nearest in time."""
    arrived = by_number(arrivals, lambda one: one.accepted_ns)
    for number, some in by_number(results, lambda one: one.started_ns).items():
        candidates = arrived.get(number, [])
        times = [one.accepted_ns for one in candidates]
        for result in some:
            index = bisect.bisect_left(times, result.started_ns)
            near = [candidates[place] for place in (index - 1, index) if 0 <= place < len(candidates)]
            if not near:
                continue
            best = min(near, key=lambda one: abs(one.accepted_ns - result.started_ns))
            if abs(best.accepted_ns - result.started_ns) <= tolerance_ns:
                yield best, result
