"""Looks at the pages of the demo in Chromium and keeps what it sees: screenshots.py CHROMIUM BASE FOLDER"""

import json
import pathlib
import sys
import time
import urllib.request

from playwright.sync_api import sync_playwright

CHROMIUM, BASE, FOLDER = sys.argv[1:]
PATIENCE_S = 120
# The demo's targets have all been probed, and those that fail are down.
DOWN = 4


def read(path):
    with urllib.request.urlopen(BASE + path, timeout=10) as answer:
        return json.load(answer)["items"]


def wait_for_targets():
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
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


def main():
    failing, incident = wait_for_targets()
    pages = {
        "overview": ("/", 1280, "light"),
        "targets": ("/targets", 1280, "dark"),
        "target": (f"/targets/{failing['client_id']}/{failing['target_id']}", 1280, "light"),
        "incident": (f"/incidents/{incident['incident_id']}", 1280, "light"),
        "phone": ("/", 360, "dark"),
    }
    folder = pathlib.Path(FOLDER)
    folder.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for name, (path, width, scheme) in pages.items():
            page = browser.new_context(
                viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
            ).new_page()
            page.goto(BASE + path, wait_until="load")
            page.screenshot(path=folder / f"{name}.png")
            print(folder / f"{name}.png")
        browser.close()


main()
