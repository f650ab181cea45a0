"""Pages of `irc explore` in headless Chromium, for its tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

LINES = "section:not([hidden]) .line.hit"
"""Lines in sight that come from what is selected."""


def chromium() -> str:
    """The browser of the system; skips where there is none, but fails in CI."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("chromium: not installed")
        pytest.skip("chromium: not installed")
    return found


@contextmanager
def running_browser() -> Generator[Browser]:
    """Chromium, without a window."""
    path = chromium()
    with sync_playwright() as playwright:
        # As root, which containers run tests as, it has no sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Shown:
    """A page in the browser, and everything that it should not have done."""

    page: Page
    faults: list[str] = field(default_factory=list[str])

    def count(self, selector: str) -> int:
        """How many elements there are."""
        return self.page.locator(selector).count()

    def trace(self) -> dict[str, int]:
        """Lines by level, and by target, that come from what is selected."""
        rows: list[list[Any]] = self.page.evaluate(
            "[...document.querySelectorAll('#trace li')]"
            ".map((row) => [row.dataset.level, Number(row.dataset.lines)])"
        )
        return {str(level): int(lines) for level, lines in rows}

    def select(self, name: str) -> None:
        """Click a node of the model in the list."""
        self.page.locator(".noderow", has=self.page.get_by_text(name, exact=True)).first.click()

    def tab(self, title: str) -> None:
        """Click a tab."""
        self.page.get_by_role("tab", name=title, exact=True).click()


@contextmanager
def shown(
    browser: Browser, path: Path, *, width: int = 1280, dark: bool = False, fragment: str = ""
) -> Generator[Shown]:
    """Open a page; afterwards it must have asked for nothing, and complained of nothing."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
    )
    page = context.new_page()
    page.set_default_timeout(20_000)
    result = Shown(page)
    page.on("console", lambda message: result.faults.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: result.faults.append(str(error)))
    page.on("dialog", lambda dialog: result.faults.append(f"dialog: {dialog.message}"))
    address = path.resolve().as_uri()
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((address, "data:"))
            else result.faults.append(f"asked for {request.url}")
        ),
    )
    page.goto(address + fragment)
    page.wait_for_selector("body.ready")
    try:
        yield result
        assert not result.faults
    finally:
        context.close()
