"""The page of /docs in a real browser: nothing is asked of anybody else, nothing goes wrong, and a row can be asked from it."""

import os
import shutil

import pytest

pytestmark = pytest.mark.server


def absent(reason):
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def test_the_page_asks_only_this_server_and_answers_a_row(server):
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        absent("playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        absent("no chromium on this machine: apt-get install chromium")
    here = f"http://127.0.0.1:{server.port}"
    said, asked = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            timeout=120_000,
        )
        page = browser.new_page()
        page.set_default_timeout(120_000)
        page.on("pageerror", lambda e: said.append(str(e)))
        page.on("console", lambda m: said.append(m.text) if "401" not in m.text else None)
        page.on("request", lambda r: asked.append(r.url))
        page.goto(f"{here}/docs")
        page.wait_for_selector("#said:has-text('no living token')")
        page.fill("#token", server.secret["predict"])
        page.click("form button")
        box = page.locator("details:has(code:text-is('/models/jobs/predict'))")
        box.locator("summary").click()
        assert "at least" in box.locator("table").inner_text()
        box.locator("button").click()
        # by selector: a function in words is evaluated in the page as it polls, which the page's own policy forbids
        box.locator("pre:has-text('probability')").wait_for()
        browser.close()
    assert said == []
    assert asked and all(url.startswith(here + "/") for url in asked)
