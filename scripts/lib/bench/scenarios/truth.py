"""Whether the daemon tells the truth at full load: the delay that a server knows, against what was measured of it."""

from arrivals import missed, pairs, read_arrivals, read_results, server_lateness_ms
from daemon import Daemon
from machine import boottime_ns, boottime_of_wall_ns
from processes import Failed
from scenarios import peer
from servers import TargetServer
from table import median, quantile

AGREEMENT_BOUND_MS = 1.0
DELAY_MS = 50


class Window:
    """What happened between two moments, as the server and as the daemon wrote it down."""

    def __init__(self, daemon, arrivals, start_ns, end_ns):
        self.arrivals, self.start_ns, self.end_ns = arrivals, start_ns, end_ns
        self.schedule = daemon.schedule()
        self.results = read_results(daemon.database, boottime_of_wall_ns(), start_ns, end_ns)
        if not self.results:
            raise Failed("no result of that time is in the history")

    def lateness_ms(self):
        return server_lateness_ms(self.arrivals, self.schedule, self.start_ns, self.end_ns)

    def missed(self):
        return missed(self.arrivals, self.schedule, self.start_ns, self.end_ns)

    def own_lateness_ms(self):
        return [result.lateness_us / 1000 for result in self.results]


def lateness_rows(table, window, bound_ms=None):
    """Lateness as the server saw it, and that the daemon's own numbers say the same."""
    theirs, ours = quantile(window.lateness_ms(), 0.99), quantile(window.own_lateness_ms(), 0.99)
    label = "lateness p99, by the server's log against the schedule"
    if bound_ms is None:
        table.row(label, f"{theirs:.2f} ms")
    else:
        table.at_most(label, theirs, bound_ms, " ms")
    table.row("lateness p99, by the daemon's history", f"{ours:.2f} ms")
    table.at_most("the two p99 are apart by", abs(theirs - ours), AGREEMENT_BOUND_MS, " ms")
    table.row("p99 of what they are apart by, probe by probe", f"{quantile(differences_ms(window), 0.99):.2f} ms")


def differences_ms(window):
    """The server's lateness less the daemon's, of each probe: the way from the start to the server's knowing of the connection."""
    found = []
    for arrival, result in pairs(window.arrivals, window.results):
        phase, interval = window.schedule[result.number]
        found.append((arrival.accepted_ns - phase) % interval / 1e6 - result.lateness_us / 1000)
    return found


def processing_errors_ms(window):
    """The daemon's processing phase less the server's delay of the same probe."""
    return [
        (result.processing_us * 1000 - arrival.delay_ns) / 1e6
        for arrival, result in pairs(window.arrivals, window.results)
        if result.processing_us is not None and not arrival.is_hanging
    ]


def delay(run):
    """1,000 probes a second at a server that answers after 50 ms."""
    server = TargetServer(run, DELAY_MS)
    daemon = Daemon(run, count=5000, interval=5, port=server.port)
    daemon.start_and_settle()
    start_ns = boottime_ns()
    daemon.rest(run.seconds(60))
    end_ns = boottime_ns()
    daemon.rest(2)  # What began at the end is answered, judged and committed.
    daemon.stop()
    server.stop()
    window = Window(daemon, read_arrivals(server.log), start_ns, end_ns)
    errors = processing_errors_ms(window)
    if len(errors) < 0.95 * len(window.results):
        raise Failed(f"only {len(errors)} of {len(window.results)} results could be found in the server's log")
    absolute = [abs(error) for error in errors]
    own = quantile(absolute, 0.99)
    run.table.row("results compared with the server's log", f"{len(errors)} of {len(window.results)}")
    run.table.row("error of the processing phase, p50", f"{median(absolute):.3f} ms")
    run.table.at_most("error of the processing phase, p99", own, 1.0, " ms", 3)
    number = len(window.missed())
    run.table.row("missed, by the server's log against the schedule", number, "0", number == 0)
    lateness_rows(run.table, window)
    peer.delay_rows(run, own, DELAY_MS)
