"""Starting, watching and stopping the programs that take part, and what /proc says of one of them."""

import os
import resource
import signal
import subprocess
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A scenario can't go on; the text says why."""


class Processes:
    """Everything that one scenario started; all of it is ended with it, by its id."""

    def __init__(self, folder, shared=None):
        self.folder = folder
        # Shared by the parts of a scenario, each of which has a folder of its own.
        self.all = [] if shared is None else shared

    def start(self, command, log, **options):
        with open(self.folder / log, "wb") as output:
            process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.folder, **options
            )
        self.all.append(process)
        return process

    def stop(self, process, seconds=20):
        """Returns the exit status, or None when it had to be killed."""
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            # One that stands still would not hear of it.
            process.send_signal(signal.SIGCONT)
        try:
            status = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            status = None
        if process in self.all:
            self.all.remove(process)
        return status

    def wait(self, process, seconds):
        """Until it ends by itself."""
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"{process.args[0]} did not end within {seconds} s") from None
        self.all.remove(process)

    def stop_all(self):
        for process in reversed(self.all[:]):
            self.stop(process)


def wait_until(what, is_true, seconds, *processes, every=0.1):
    """Asks again and again; fails when one of the processes has ended or the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        for process in processes:
            if process.poll() is not None:
                raise Failed(f"{process.args[0]} ended by itself with {process.returncode} while waiting: {what}")
        try:
            if is_true():
                return
        except OSError:
            pass  # It doesn't listen yet.
        if time.monotonic() > deadline:
            raise Failed(f"waited {seconds:g} s in vain: {what}")
        time.sleep(every)


def rest(seconds, *processes):
    """Lets time pass while the processes live."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        for process in processes:
            if process.poll() is not None:
                raise Failed(f"{process.args[0]} ended by itself with {process.returncode}")
        time.sleep(min(left, 0.5))


def cpu_seconds(process):
    """User and system time of the process alone, without its children."""
    return cpu_seconds_of(process.pid)


def cpu_seconds_of(pid):
    with open(f"/proc/{pid}/stat", "rb") as file:
        fields = file.read().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def cpu_seconds_with_children(process):
    """The same of the process and of its children that live, which is where a server of several workers works."""
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        children = file.read().split()
    return cpu_seconds(process) + sum(cpu_seconds_of(pid) for pid in children)


def context_switches(process):
    """{thread: how often it gave up its core or lost it}"""
    counts = {}
    for thread in os.listdir(f"/proc/{process.pid}/task"):
        try:
            with open(f"/proc/{process.pid}/task/{thread}/status") as file:
                counts[thread] = sum(int(line.split()[1]) for line in file if "ctxt_switches:" in line)
        except FileNotFoundError:
            pass  # The thread has ended.
    return counts


def thread_name(process, thread):
    with open(f"/proc/{process.pid}/task/{thread}/comm") as file:
        return file.read().strip()


def memory_mib(process, field):
    """VmRSS, or VmHWM: the most since the start or since reset_peak."""
    with open(f"/proc/{process.pid}/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) / 1024
    return float("nan")


def descriptors(process):
    return len(os.listdir(f"/proc/{process.pid}/fd"))


def threads(process):
    return len(os.listdir(f"/proc/{process.pid}/task"))


def reset_peak(process):
    with open(f"/proc/{process.pid}/clear_refs", "w") as file:
        file.write("5")


class OthersWork:
    """What the machine did for others: all of its busy time less that of the bench and of what it started and has ended.

    Who reads the table can see by it whether the cores were the bench's own.
    """

    def __init__(self):
        self.busy, self.own, self.began = self.busy_seconds(), self.own_seconds(), time.monotonic()

    @staticmethod
    def busy_seconds():
        with open("/proc/stat") as file:
            user, nice, system, _, _, irq, softirq = map(int, file.readline().split()[1:8])
        return (user + nice + system + irq + softirq) / TICKS

    @staticmethod
    def own_seconds():
        return sum(resource.getrusage(who).ru_utime + resource.getrusage(who).ru_stime for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))

    def cores(self):
        passed = time.monotonic() - self.began
        return max(0.0, self.busy_seconds() - self.busy - self.own_seconds() + self.own) / passed


class Repeating(threading.Thread):
    """Calls something every so many seconds beside the measuring, and keeps what it returned with the time."""

    def __init__(self, seconds, action):
        super().__init__(daemon=True)
        self.seconds, self.action = seconds, action
        self.results, self.errors = [], []
        self.stopped = threading.Event()
        self.start()

    def run(self):
        following = time.monotonic()
        while not self.stopped.is_set():
            try:
                self.results.append((time.monotonic(), self.action()))
            except (OSError, ValueError) as error:
                self.errors.append(error)
            following = max(following + self.seconds, time.monotonic())
            self.stopped.wait(following - time.monotonic())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopped.set()
        self.join(timeout=60)
