"""Time from a key press on a slider to the painted frame, on the built site.

``python benchmarks/interaction.py`` opens every chapter of ``_build/html``, presses arrow keys on
the sliders of every explorer and prints the median and the 95th percentile in milliseconds, at full
speed and with the processor throttled four times. One frame of a 60 Hz screen is 16.7 ms.
"""

import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from browser import launched
from site_visit import DESKTOP, notebook_pages, serve_site

PRESSES = 40

MEASURE = """() => {
  window.flbookTimes = [];
  addEventListener("keydown", (event) => {
    const pressed = event.timeStamp;
    const channel = new MessageChannel();
    channel.port1.onmessage = () => flbookTimes.push(performance.now() - pressed);
    requestAnimationFrame(() => channel.port2.postMessage(null));
  }, true);
}"""


def measure(page, box) -> list[float]:
    """Press the arrow keys on every slider of one explorer and return the times."""
    page.evaluate("flbookTimes.length = 0")
    sliders = box.locator("[role=slider]:visible").all()
    for press in range(PRESSES):
        slider = sliders[press % len(sliders)]
        slider.focus()
        slider.press("ArrowRight" if press // len(sliders) % 2 else "ArrowLeft")
        page.wait_for_function("n => flbookTimes.length === n", arg=press + 1)
    return page.evaluate("flbookTimes")


def report(name: str, throttle: int, times: list[float]) -> None:
    """Print one row of the table."""
    late = statistics.quantiles(times, n=20)[-1]
    print(f"{name:<44}{throttle:>3}×{statistics.median(times):>10.1f}{late:>10.1f}")


def main() -> None:
    """Measure every explorer of every chapter."""
    print(f"{'explorer':<44}{'cpu':>4}{'median':>10}{'95 %':>10}")
    with serve_site() as address, launched() as browser:
        for chapter in notebook_pages():
            page = browser.new_page(viewport=DESKTOP)
            page.goto(f"{address}{chapter}.html")
            page.wait_for_selector("[data-flbook-explorer][data-ready='true']")
            page.wait_for_timeout(1000)
            page.evaluate(MEASURE)
            devtools = page.context.new_cdp_session(page)
            for box in page.locator(".flbook-explorer:has([data-flbook-explorer])").all():
                name = box.locator("[data-flbook-explorer]").get_attribute("data-flbook-explorer")
                for throttle in (1, 4):
                    devtools.send("Emulation.setCPUThrottlingRate", {"rate": throttle})
                    report(f"{chapter.split('/')[1]} {name}", throttle, measure(page, box))
            page.close()


if __name__ == "__main__":
    main()
