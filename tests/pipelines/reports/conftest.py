"""One headless browser for the tests of pages; Playwright runs once in a process only."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.pipelines.reports.page.browser import launched


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The Chromium of this machine."""
    with sync_playwright() as playwright:
        one = launched(playwright)
        yield one
        one.close()
