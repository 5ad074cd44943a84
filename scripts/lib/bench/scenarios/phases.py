"""Whether phases under TLS are the wire's and the server's time, and not the daemon's own: at 500 HTTPS probes a second and at 20."""

import collections
import struct

from arrivals import pairs, read_results
from daemon import Daemon
from machine import boottime_ns, boottime_of_wall_ns, say
from processes import Failed
from servers import TruthServer
from table import quantile

DELAY_MS, INTERVAL_S = 50, 5
CALM, BUSY, FULL = 20, 500, 600
DURATION_BOUND_MS, CONNECT_BOUND_MS, TLS_BOUND_MS, PROCESSING_BOUND_MS, LATENESS_BOUND_MS = 1.5, 0.3, 1, 1, 10

# Exchange of Benchmarks/truth.c, all of it in nanoseconds but the number.
RECORD = struct.Struct("=QQQQQII")
Exchange = collections.namedtuple("Exchange", "accepted_ns hello_came_ns flight_sent_ns request_came_ns answered_ns number reserved")


def read_exchanges(path):
    data = path.read_bytes()
    whole = len(data) - len(data) % RECORD.size
    return [Exchange._make(fields) for fields in RECORD.iter_unpack(data[:whole])]


class Measured:
    """What the daemon stored of its probes at a rate, in milliseconds, each beside what the server knows of the same probe."""

    def __init__(self, run, rate, seconds):
        self.rate, server = rate, TruthServer(run, DELAY_MS)
        daemon = Daemon(
            run, count=rate * INTERVAL_S, interval=INTERVAL_S, port=server.port, scheme="https", sync=3600,
            probe=[f"ca_file: {server.bundle}"],
        )
        daemon.start_and_settle()
        say(f"{rate} HTTPS probes a second for {seconds} s")
        start_ns = boottime_ns()
        daemon.rest(seconds)
        end_ns = boottime_ns()
        daemon.rest(2)  # What began at the end is answered, judged and committed.
        daemon.stop()
        server.stop()
        results = read_results(daemon.database, boottime_of_wall_ns(), start_ns, end_ns)
        self.lateness = [one.lateness_us / 1e3 for one in results]
        self.void = sum(one.void for one in results)
        good = [one for one in results if one.success == 1]
        if not good:
            raise Failed(f"no probe of {len(results)} at {rate} a second is good")
        # (exchange, result)
        self.pairs = list(pairs(read_exchanges(server.log), good))
        if len(self.pairs) < 0.95 * len(good):
            raise Failed(f"only {len(self.pairs)} of {len(good)} results could be found in the server's log")

    def p99(self, value):
        """Of what this function makes of an exchange and a result."""
        return quantile([value(*pair) for pair in self.pairs], 0.99)

    def median(self, value):
        return quantile([value(*pair) for pair in self.pairs], 0.5)


def duration(_, result):
    return result.duration_us / 1e3


def connect(_, result):
    # Nothing of it is to be taken off: the server's kernel answers a SYN without the server.
    return result.connect_us / 1e3


def greeting(exchange, _):
    """The server's own time from a ClientHello's coming until its flight was sent."""
    return (exchange.flight_sent_ns - exchange.hello_came_ns) / 1e6


def tls(exchange, result):
    return result.tls_us / 1e3 - greeting(exchange, result)


def serving(exchange, _):
    return (exchange.answered_ns - exchange.request_came_ns) / 1e6


def server_time(exchange, result):
    return greeting(exchange, result) + serving(exchange, result)


def unexplained(exchange, result):
    """What of a duration the server didn't take."""
    return duration(exchange, result) - server_time(exchange, result)


def processing_error(exchange, result):
    return abs(result.processing_us / 1e3 - serving(exchange, result))


def phases(run):
    found = {}
    for rate in (CALM, BUSY, FULL):
        # A minute of 20 a second is 1,200 probes, of which the p99 is the thirteenth; fewer of them say too little.
        found[rate] = Measured(run.part(f"{rate}"), rate, 60 if rate == CALM else run.seconds(60))
        run.processes.stop_all()
    for rate in (CALM, BUSY):
        rate_rows(run.table, found[rate])
    calm, busy, table = found[CALM], found[BUSY], run.table
    more = busy.p99(duration) - calm.p99(duration)
    table.at_most(f"duration p99 at {BUSY} a second less that at {CALM}", more, DURATION_BOUND_MS, " ms")
    for what, value in (("the server's own time of it", server_time), ("the rest of it", unexplained)):
        table.row(f"  {what}, p99 at {BUSY} a second less that at {CALM}", f"{busy.p99(value) - calm.p99(value):.2f} ms")
    for what, value, bound in (
        ("connect", connect, CONNECT_BOUND_MS),
        ("tls, the server's own time taken off,", tls, TLS_BOUND_MS),
    ):
        table.at_most(f"{what} p99 at {BUSY} a second less that at {CALM}", busy.p99(value) - calm.p99(value), bound, " ms")
    table.at_most(f"error of the processing phase at {BUSY} a second, p99", busy.p99(processing_error), PROCESSING_BOUND_MS, " ms", 3)
    full = found[FULL]
    table.at_most(f"lateness p99 at {FULL} a second, by the daemon's history", quantile(full.lateness, 0.99), LATENESS_BOUND_MS, " ms")
    table.row(f"void of {len(full.lateness)} results at {FULL} a second", full.void)


def rate_rows(table, measured):
    title = f"at {measured.rate} a second"
    table.row(f"{title}: results held against the server's log", f"{len(measured.pairs)} of {len(measured.lateness)}, {measured.void} void")
    for what, value in (
        ("duration", duration), ("the server's own time of it", server_time), ("the rest of it", unexplained),
        ("connect", connect), ("tls, the server's own time taken off", tls), ("the server's own time before its flight", greeting),
        ("error of the processing phase", processing_error),
    ):
        table.row(f"{title}: {what}, p50 and p99", f"{measured.median(value):.2f} and {measured.p99(value):.2f} ms")
    table.row(f"{title}: lateness p99, by the daemon's history", f"{quantile(measured.lateness, 0.99):.2f} ms")
