"""A real browser for tests of the page: what it loads, what it complains of, and what is to be seen in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Playwright

NAMES = ("chromium", "google-chrome", "chromium-browser", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE, PAPER = 1200, 400, 718
"""Pixels of a window, a telephone, and a sheet of A4 between margins of 10 mm."""
Scheme = Literal["light", "dark"]


@dataclass
class Sight:
    """An open page, with what the browser said of it meanwhile."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    """errors of scripts, and whatever was written to the console"""
    requests: list[str] = field(default_factory=list)
    """addresses that were asked for, the page's own and those that lie within it aside"""

    def ask(self, script: str, argument: Any = None) -> Any:
        """Returns what a script finds in the page."""
        return self.page.evaluate(script, argument)


def launched(playwright: Playwright) -> Browser:
    """Returns the Chromium that this machine has, headless; skips the test where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"this machine has no browser to show the page in; install one of: {', '.join(NAMES)}")
    return playwright.chromium.launch(executable_path=found, args=list(ARGUMENTS))


@contextmanager
def seen(browser: Browser, file: Path, width: int = DESKTOP, scheme: Scheme = "light") -> Iterator[Sight]:
    """Opens a page in a window of its own without a cache."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    sight = Sight(context.new_page())
    address = file.as_uri()
    sight.page.on("pageerror", lambda error: sight.complaints.append(str(error)))
    sight.page.on("console", lambda message: sight.complaints.append(f"{message.type}: {message.text}"))
    sight.page.on(
        "request",
        lambda request: None if request.url.startswith(("data:", address)) else sight.requests.append(request.url),
    )
    try:
        sight.page.goto(address, wait_until="load")
        # What is folded is a part of the page, too.
        sight.ask("for (const one of document.querySelectorAll('details')) one.open = true")
        yield sight
    finally:
        context.close()
