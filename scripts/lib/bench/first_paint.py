"""How soon a page is seen in Chromium: first_paint.py CHROMIUM URL TIMES prints the milliseconds and the requests of each time, as JSON."""

import json
import sys

from playwright.sync_api import sync_playwright

CHROMIUM, URL, TIMES = sys.argv[1:]
PAINT = "performance.getEntriesByName('first-contentful-paint').map(entry => entry.startTime)[0]"

# The tab's icon comes when it comes.
NEEDED = ("document", "stylesheet", "script", "font", "fetch", "xhr")

found = []
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    # The first page of a browser pays for the browser.
    for number in range(int(TIMES) + 1):
        page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
        requests = []
        page.on("request", lambda request: requests.append(request.resource_type))
        page.goto(URL, wait_until="load")
        # The page's policy forbids what wait_for_function does.
        while page.evaluate(PAINT) is None:
            page.wait_for_timeout(10)
        if number > 0:
            found.append((page.evaluate(PAINT), sum(kind in NEEDED for kind in requests)))
        page.context.close()
    browser.close()
print(json.dumps(found))
