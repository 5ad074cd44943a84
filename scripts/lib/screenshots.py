"""Runs the demo in a terminal of its own, and keeps what it and its pages look like: screenshots.py PROGRAM CHROMIUM FOLDER"""

import fcntl
import html
import json
import os
import pathlib
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.request

from playwright.sync_api import sync_playwright

PROGRAM, CHROMIUM, FOLDER = sys.argv[1:]
# Not the port of a daemon that this machine may have.
BASE = "http://127.0.0.1:10915"
PATIENCE_S = 120
# The demo's targets have all been probed, and those that fail are down.
DOWN = 4
COLUMNS, LINES = 120, 24
# The colours of the pages' dark theme stand for the terminal's own.
COLOURS = {"1": "font-weight:bold", "2": "color:#8b949e", "31": "color:#ff7b72", "32": "color:#56d364", "33": "color:#e3b341", "34": "color:#79c0ff", "36": "color:#76e3ea"}


class Demo:
    """The demo in a pseudo-terminal, whose output is read all the time: a program waits for who doesn't read."""

    def __init__(self, state):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        environment = {**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(
            [PROGRAM, "demo", "--port", BASE.rsplit(":", 1)[1], "--state", state], stdin=theirs, stdout=theirs, stderr=theirs, env=environment
        )
        os.close(theirs)
        self.terminal = ours
        self.output = b""
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while more := os.read(self.terminal, 65536):
                self.output += more
        except OSError:
            pass  # The demo has ended.

    def frame(self):
        """The last whole frame: it begins at the top left, and ends by clearing what is below."""
        text = self.output.decode(errors="replace")
        return text[: text.rindex("\x1b[J")].rsplit("\x1b[H", 1)[1].replace("\r", "")

    def end(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


def page_of(frame, command):
    """What a terminal shows, as HTML."""
    body, is_open = "", False
    for part in re.split(r"(\x1b\[[0-9;?]*[A-Za-z])", frame):
        if not part.startswith("\x1b"):
            body += html.escape(part)
        elif part.endswith("m"):
            body += "</span>" if is_open else ""
            is_open = part[2:-1] not in ("", "0")
            if is_open:
                body += '<span style="' + ";".join(COLOURS.get(code, "") for code in part[2:-1].split(";")) + '">'
    return (
        '<body style="margin:0;background:#0d1117"><pre id="terminal" style="display:inline-block;margin:0;padding:16px 20px;color:#e6edf3;'
        'background:#0d1117;font:14px/1.35 \'DejaVu Sans Mono\',monospace">'
        + f'<span style="color:#8b949e">$ {html.escape(command)}</span>\n{body.rstrip()}</pre></body>'
    )


def read(path):
    with urllib.request.urlopen(BASE + path, timeout=10) as answer:
        return json.load(answer)["items"]


def wait_for_targets(demo):
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        if demo.process.poll() is not None:
            sys.exit("the demo ended: " + demo.output.decode(errors="replace"))
        try:
            down = read("/targets.json?status=down")
            failing = [target for target in down if "failing" in target["target"]]
            incidents = [one for one in read("/incidents.json") if failing and one["target"] == failing[0]["target"]]
            if len(down) >= DOWN and incidents:
                return failing[0], incidents[0]
        except OSError:
            pass
        time.sleep(0.5)
    sys.exit(f"the demo had not {DOWN} targets down within {PATIENCE_S} s")


def take(demo, folder):
    failing, incident = wait_for_targets(demo)
    pages = {
        "overview": ("/", 1280, "light"),
        "targets": ("/targets", 1280, "dark"),
        "target": (f"/targets/{failing['client_id']}/{failing['target_id']}", 1280, "light"),
        "incident": (f"/incidents/{incident['incident_id']}", 1280, "light"),
        "phone": ("/", 360, "dark"),
    }
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])

        def opened(width, scheme):
            viewport = {"width": width, "height": 800}
            return browser.new_context(viewport=viewport, color_scheme=scheme, reduced_motion="reduce").new_page()

        for name, (path, width, scheme) in pages.items():
            page = opened(width, scheme)
            page.goto(BASE + path, wait_until="load")
            page.screenshot(path=folder / f"{name}.png")
            print(folder / f"{name}.png")
        page = opened(1280, "dark")
        page.set_content(page_of(demo.frame(), "rangefinder demo"))
        page.locator("#terminal").screenshot(path=folder / "terminal.png")
        print(folder / "terminal.png")
        browser.close()


def main():
    folder = pathlib.Path(FOLDER)
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="rangefinder-screenshots-") as state:
        demo = Demo(state)
        try:
            take(demo, folder)
        finally:
            demo.end()


main()
