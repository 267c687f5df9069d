"""The built site, served under a sub-path, in a browser that may talk to nobody else."""

import json
import re
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from browser import launched

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
SUB_PATH = "/some/where/"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
OPENS_EXPLORER = re.compile(r"^explorers\.(\w+)\(", re.MULTILINE)


def toc_pages() -> list[str]:
    """Name every page of the table of contents, in its order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    entries = [entry for part in toc.get("parts", []) for entry in part["chapters"]]
    entries += toc.get("chapters", [])
    pages = [page for entry in entries for page in (entry, *entry.get("sections", ()))]
    return [toc["root"], *(page["file"] for page in pages)]


def notebook_pages() -> list[str]:
    """Name the pages that are notebooks: the chapters."""
    return [page for page in toc_pages() if (ROOT / f"{page}.ipynb").is_file()]


def explorers_in(page: str) -> list[str]:
    """Name the explorers that a chapter's cells open, as the figure's root element names them."""
    cells = json.loads((ROOT / f"{page}.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = [name for source in sources for name in OPENS_EXPLORER.findall(source)]
    return [name.replace("_", "-") for name in names]


class _SubPathHandler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def translate_path(self, path):
        if not path.startswith(SUB_PATH):
            return str(SITE / "no such page")
        return super().translate_path(path.removeprefix(SUB_PATH.rstrip("/")))

    def log_message(self, format, *args):
        pass


@contextmanager
def serve_site():
    """Serve the site under a sub-path and give its address."""
    assert (SITE / "index.html").is_file(), "no site in _build/html: run `make book` first"
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_SubPathHandler, directory=str(SITE)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}{SUB_PATH}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def address():
    with serve_site() as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    with launched() as browser:
        yield browser


class Visit:
    """A page that has been opened, with everything that went wrong on it."""

    def __init__(self, page, address):
        self.page = page
        self.address = address
        self.foreign, self.failed, self.errors, self.requests = [], [], [], []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("requestfailed", lambda request: self.failed.append(request.url))
        page.on("response", self._on_response)
        page.route("**/*", self._route)

    def _on_console(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def _on_response(self, response):
        if response.status >= 400:
            self.failed.append(f"{response.status} {response.url}")

    def _route(self, route):
        url = route.request.url
        if urlsplit(url).netloc not in (urlsplit(self.address).netloc, ""):
            self.foreign.append(url)
            route.abort()
            return
        self.requests.append(url)
        route.continue_()

    def open(self, name):
        """Open the page `name` of the table of contents and wait until all explorers are drawn."""
        self.page.goto(f"{self.address}{name}.html", wait_until="load")
        self.page.wait_for_function(
            """() => {
              const views = document.querySelectorAll(
                "script[type='application/vnd.jupyter.widget-view+json']");
              const ready = document.querySelectorAll(
                "[data-flbook-explorer][data-ready='true']");
              return ready.length >= views.length;
            }"""
        )
        return self

    @property
    def explorers(self):
        return self.page.locator("[data-flbook-explorer]")


@pytest.fixture
def visit(browser, address):
    """Open pages: ``visit(name, viewport=..., dark=...)``."""
    contexts = []

    def open_page(name, *, viewport=DESKTOP, dark=False, **options):
        scheme = "dark" if dark else "light"
        context = browser.new_context(viewport=viewport, color_scheme=scheme, **options)
        contexts.append(context)
        context.add_init_script(f"localStorage.setItem('mode', '{scheme}')")
        context.add_init_script(f"localStorage.setItem('theme', '{scheme}')")
        return Visit(context.new_page(), address).open(name)

    yield open_page
    for context in contexts:
        context.close()
