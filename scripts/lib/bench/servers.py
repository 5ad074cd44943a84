"""The targets: nginx for what is compared by CPU time, Benchmarks/target.c where the server's own clock counts, a resolver."""

import os
import re
import shutil
import socket
import subprocess

from daemon import ADDRESSES
from machine import free_ports
from processes import Failed, wait_until

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx-error.log;
worker_processes {workers};
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    log_format arrivals '$msec $uri';
    access_log {access_log};
    # The server closes first and so keeps TIME_WAIT, which costs the daemon no port.
    keepalive_timeout 0;
    server {{ {listen} location / {{ return 200 "ok"; }} }}
    server {{ listen 127.0.0.1:{status}; location / {{ stub_status; }} }}
}}
"""


class Nginx:
    """HTTP, or HTTPS with a certificate for every address by a test authority of its own."""

    def __init__(self, run, with_tls=False, access_log="off", workers=1):
        self.folder = run.folder
        self.port, self.status_port = free_ports(2)
        end = " ssl" if with_tls else ""
        listen = " ".join(f"listen {address}:{self.port} backlog=4096{end};" for address in ADDRESSES)
        self.bundle = None
        if with_tls:
            self.bundle = make_certificates(self.folder)
            listen += f" ssl_certificate {self.folder}/server.pem; ssl_certificate_key {self.folder}/server.key;"
        text = NGINX.format(folder=self.folder, listen=listen, access_log=access_log, status=self.status_port, workers=workers)
        (self.folder / "nginx.conf").write_text(text)
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = run.processes.start([program, "-p", self.folder, "-c", self.folder / "nginx.conf"], "nginx.log")
        wait_until("nginx listens", lambda: self.requests() >= 0, 10, self.process)

    def requests(self):
        """How many requests it has answered, these ones left out."""
        with socket.create_connection(("127.0.0.1", self.status_port), timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while data := connection.recv(4096):
                answer += data
        found = re.search(rb"requests\s+\d+ \d+ (\d+)", answer)
        if not found:
            raise OSError("nginx has no stub_status")
        self.asked = getattr(self, "asked", 0) + 1
        return int(found[1]) - self.asked


def make_certificates(folder):
    """Makes server.pem and server.key, and returns a file with the system's authorities and the one that signed them."""

    def openssl(*words):
        made = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True)
        if made.returncode != 0:
            raise Failed(f"openssl {words[0]}: {made.stderr.strip()[:200]}")

    names = ",".join(f"IP:{address}" for address in ADDRESSES)
    (folder / "names.cnf").write_text(f"subjectAltName={names}\nextendedKeyUsage=serverAuth\n")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "365", "-subj", "/CN=Bench CA")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=bench")
    openssl(
        "x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem",
        "-days", "365", "-extfile", "names.cnf",
    )
    with open("/etc/ssl/certs/ca-certificates.crt") as system:
        (folder / "bundle.pem").write_text(system.read() + (folder / "ca.pem").read_text())
    return folder / "bundle.pem"


class TargetServer:
    """Benchmarks/target.c: it writes down when each request came and how long it really took to answer."""

    def __init__(self, run, delay_ms=0):
        (self.port,) = free_ports(1)
        self.log = run.folder / "arrivals.bin"
        self.processes = run.processes
        self.process = run.processes.start([run.tool("target"), self.port, delay_ms, self.log], "target.log")
        ready = run.folder / "target.log"
        wait_until("the target server listens", lambda: "ready" in ready.read_text(), 10, self.process)

    def send(self, number):
        self.process.send_signal(number)

    def stop(self):
        """Ends it, so that its log is whole."""
        if self.processes.stop(self.process) != 0:
            raise Failed("the target server did not end as it should; see target.log")


class Names:
    """Benchmarks/names.c at 127.0.0.1:53, which only a private network has free."""

    def __init__(self, run):
        self.process = run.processes.start([run.tool("names")], "names.log")
        wait_until("a name resolves", lambda: socket.gethostbyname("h0.bench.test").startswith("127.0.0."), 10, self.process)


class TruthServer:
    """Benchmarks/truth.c: HTTPS by a server that writes down what it did when."""

    def __init__(self, run, delay_ms):
        (self.port,) = free_ports(1)
        self.bundle = make_certificates(run.folder)
        self.log, self.processes = run.folder / "exchanges.bin", run.processes
        words = [run.tool("truth"), self.port, delay_ms, self.log, run.folder / "server.pem", run.folder / "server.key"]
        self.process = run.processes.start(words, "truth.log")
        ready = run.folder / "truth.log"
        wait_until("the truth server listens", lambda: "ready" in ready.read_text(), 10, self.process)

    def stop(self):
        """Ends it, so that its log is whole."""
        if self.processes.stop(self.process) != 0:
            raise Failed("the truth server did not end as it should; see truth.log")


class NameServer:
    """Benchmarks/dns.c at 127.0.0.1:53, which only a private network has free: so far away, and with so many of its queries lost."""

    def __init__(self, run, delay_ms, lost_percent, time_to_live_s=60):
        self.processes, self.log = run.processes, run.folder / "dns.log"
        self.process = run.processes.start([run.tool("dns"), 53, delay_ms, lost_percent, time_to_live_s], "dns.log")
        wait_until("the name server listens", lambda: "ready" in self.log.read_text(), 10, self.process)

    def counts(self):
        """Ends it, and returns what it was asked: {word: number}, as in the head of dns.c."""
        if self.processes.stop(self.process) != 0:
            raise Failed("the name server did not end as it should; see dns.log")
        return {word: int(number) for word, number in (one.split("=") for one in self.log.read_text().splitlines()[-1].split())}


def floor(run, scheme, port, count, rate, seconds, ca_file=None):
    """CPU microseconds a transfer of Benchmarks/floor.c."""
    command = [run.tool("floor"), scheme, port, count, rate, seconds] + ([ca_file] if ca_file else [])
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=seconds + 60)
    found = dict(word.split("=") for word in done.stdout.split())
    if done.returncode != 0 or float(found.get("failures", 1)) > 0:
        raise Failed(f"the floor failed: {done.stdout.strip()} {done.stderr.strip()}")
    made = float(found["transfers"]) / float(found["seconds"])
    if made < 0.98 * rate:
        raise Failed(f"the floor made {made:.0f} transfers a second instead of {rate:g}")
    return float(found["cpu_us"])


def flat_out(run, scheme, port, seconds, ca_file=None, in_flight=64, count=10_000):
    """Transfers a second of Benchmarks/floor.c, one process a core at the same time, each with so many in flight and without a pace."""
    command = [run.tool("floor"), scheme, port, count, f"x{in_flight}", seconds] + ([ca_file] if ca_file else [])
    command = [str(word) for word in command]
    # Into pipes, not files: what they print is one line each.
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(os.cpu_count())]
    run.processes.all.extend(running)
    rates = []
    for process in running:
        printed, _ = process.communicate(timeout=seconds + 60)
        run.processes.all.remove(process)
        found = dict(word.split("=") for word in printed.split())
        if process.returncode != 0 or float(found.get("failures", 1)) > 0:
            raise Failed(f"the floor failed flat out: {printed.strip()}")
        rates.append(float(found["transfers"]) / float(found["seconds"]))
    return sum(rates)
