"""Looks at the pages of a daemon that runs in Debian's Chromium, and prints as JSON what is wrong with them.

    browse.py CHROMIUM BASE PATH...     the pages at these paths

Playwright drives the browser by its DevTools protocol; axe-core looks for what keeps people out; tidy reads the HTML.
"""
import json
import pathlib
import subprocess
import sys
import urllib.request

import axe_playwright_python
from playwright.sync_api import sync_playwright

CHROMIUM, BASE, *PATHS = sys.argv[1:]
AXE = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
# tidy 5.6 doesn't know aria-current, links within SVG, and what browsers have learned since.
KNOWN_TO_TIDY = ("proprietary attribute", "missing </a>", "is not recognized")
findings = []


def find(where, what):
    findings.append(f"{where}: {what}")


def listen(page, where):
    """What a page says in the console, and whom it asks."""
    page.on("console", lambda message: message.type in ("error", "warning") and find(where, f"console: {message.text}"))
    page.on("pageerror", lambda error: find(where, f"error: {error}"))
    page.on("dialog", lambda dialog: (find(where, f"dialog: {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda request: request.url.startswith((BASE, "data:")) or find(where, f"asks {request.url}"))


def measure(page, where):
    """Whether one would have to scroll sideways, with everything open."""
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    over = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    if over > 0: find(where, f"{over} px too wide")


def look(browser, path, width, height, scheme):
    where = f"{path} at {width} px, {scheme}"
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    listen(page, where)
    page.goto(BASE + path, wait_until="load")
    if not page.locator("h1").first.is_visible(): find(where, "no headline")
    measure(page, where)
    if width < 2560:
        # The policy of the page lets no script in, and axe is one.
        context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
        page.evaluate(AXE)
        for violation in page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]:
            if violation["impact"] in ("serious", "critical"):
                find(where, f"axe: {violation['id']}: {violation['nodes'][0]['html'][:200]}")
    context.close()


def space(browser, path):
    """WCAG 2.2, 1.4.12: whoever sets more space between letters, or has another font, scrolls no page sideways."""
    for width in (360, 800, 1280):
        context = browser.new_context(viewport={"width": width, "height": 740}, bypass_csp=True)
        page = context.new_page()
        page.goto(BASE + path, wait_until="load")
        page.add_style_tag(content="* {letter-spacing: .12em !important; word-spacing: .16em !important; line-height: 1.5 !important}")
        measure(page, f"{path} at {width} px, with more space")
        context.close()


def read_without_script(browser, path):
    where = f"{path} without script"
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page = context.new_page()
    page.on("console", lambda message: message.type == "error" and find(where, f"console: {message.text}"))
    page.goto(BASE + path, wait_until="load")
    if not page.locator("h1").first.is_visible(): find(where, "no headline")
    context.close()


def walk(browser, path):
    """By keyboard alone: each stop shows where one is, and the walk comes to its end."""
    where = f"{path} by keyboard"
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(BASE + path)
    stops = []
    for _ in range(400):
        page.keyboard.press("Tab")
        tag, ring = page.evaluate(
            "(part => [part.outerHTML.slice(0, 80), getComputedStyle(part).outlineStyle])(document.activeElement)")
        if tag.startswith("<body"): break
        if ring == "none": find(where, f"no ring at {tag}")
        stops.append(tag)
    else:
        find(where, "the walk has no end")
    wanted = page.evaluate("document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary').length")
    if not path.startswith("/wall") and len(stops) < wanted * 0.9: find(where, f"{len(stops)} stops of {wanted}")
    page.close()


def refresh(browser, path):
    """The script: keys, refreshing in place, and a page that can't be refreshed says so within two failures."""
    where = f"{path}, its script"
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.clock.install()
    mode = {"fails": False, "asked": [], "under_way": 0}

    def handle(route):
        if route.request.resource_type != "fetch": return route.continue_()
        mode["asked"].append(route.request.headers.get("if-none-match"))
        return route.abort() if mode["fails"] else route.continue_()

    def count(by):
        def note(request):
            if request.resource_type == "fetch": mode["under_way"] += by
        return note

    page.route("**/*", handle)
    page.on("request", count(1))
    page.on("requestfinished", count(-1))
    page.on("requestfailed", count(-1))
    page.goto(BASE + path)
    page.keyboard.press("j")
    if page.evaluate("document.activeElement.className") != "go": find(where, "j doesn't go to a row")
    page.keyboard.press("?")
    if not page.evaluate("document.querySelector('dialog')?.open"): find(where, "? doesn't open the keys")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    if page.evaluate("document.activeElement.type") != "search": find(where, "/ doesn't go to the search")
    page.keyboard.type("j?")
    if "j?" not in page.evaluate("document.activeElement.value"): find(where, "keys are taken from a field")

    def turn():
        with page.expect_request(lambda request: request.resource_type == "fetch"): page.clock.run_for(15500)
        # The page's clock is that of the script's own timeout, too: if it went on now, a request that is under way would be given up.
        while mode["under_way"] > 0: page.wait_for_timeout(20)
        page.wait_for_function("() => true")

    turn()
    # The script has the tag once it has read an answer, which may take longer than a turn.
    for _ in range(20):
        turn()
        if mode["asked"][-1]: break
    if mode["asked"][0] is not None or not mode["asked"][-1]: find(where, f"no refresh after the first has a tag: {mode['asked']}")
    mode["fails"] = True
    turn()
    turn()
    try:
        page.wait_for_selector("#stale", timeout=5000)
    except Exception:
        find(where, "a page that can't be refreshed doesn't say so")
    page.close()


def tidy(path):
    html = urllib.request.urlopen(BASE + path).read()
    said = subprocess.run(["tidy", "-qe", "--warn-proprietary-attributes", "no"], input=html, capture_output=True).stderr.decode()
    for line in said.splitlines():
        if not any(known in line for known in KNOWN_TO_TIDY): find(path, f"tidy: {line}")


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    for path in PATHS:
        look(browser, path, 360, 740, "light")
        look(browser, path, 1280, 800, "dark")
        look(browser, path, 2560, 1440, "light")
        space(browser, path)
        read_without_script(browser, path)
        walk(browser, path)
        tidy(path)
    refresh(browser, "/targets")
    # What a stranger wrote stands there as he wrote it, and not as HTML.
    page = browser.new_page()
    text = ""
    for path in PATHS:
        page.goto(BASE + path)
        text += page.evaluate("document.body.textContent")
        if page.evaluate("document.querySelector('main script, main img, main b.hostile')") is not None: find(path, "foreign HTML")
    for words in ("<script>alert(1)</script>", "\\u{202e}"):
        if words not in text: find("all pages", f"{words} is nowhere to be read")
    if "\u202e" in text: find("all pages", "a character that turns the text around")
    browser.close()
print(json.dumps(findings, indent=1))
