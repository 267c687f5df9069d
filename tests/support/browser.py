"""The headless browser that the tests of the site and of JupyterLab drive."""

import os
import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def find_chromium() -> str | None:
    """Find the browser that FLBOOK_CHROMIUM names, or the machine's Chromium or Chrome."""
    found = (os.environ.get("FLBOOK_CHROMIUM"), *map(shutil.which, NAMES))
    return next((path for path in found if path), None)


@contextmanager
def launched():
    """Start the machine's browser, or else the one that Playwright brought."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        yield browser
        browser.close()
