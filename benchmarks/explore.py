"""The page of `irc explore`: the time to write it, its size, the time until a browser shows it.

    python benchmarks/explore.py [--models FOLDER] [--screenshot FILE]

Each page is written by a new process, as a user would; the time is the best of three. The browser
is the system's Chromium without a window, from its start on a local file to the page being drawn.
`--screenshot` writes a picture of the example's page, the one in docs/explore.md.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

EXAMPLE = Path(__file__).parents[1] / "examples" / "mnist" / "mnist_64x3_1w1a.onnx"
NODE = "/dense1/MatMul"
"""What is selected in the screenshot."""

RUNS = 3
SIZE = {"width": 1280, "height": 800}

ARGUMENTS = {
    "cnv_1w1a_cifar10": ("--device", "ecp5-85k"),
    "lfc_1w1a_mnist": ("--device", "ecp5-85k"),
}
"""Other models are for UP5K and take bytes divided by 255."""

DEFAULT = ("--device", "up5k", "--fps", "20000", "--input", "uint8/255")


def write_page(model: Path, page: Path) -> float:
    """Write the page RUNS times; returns the seconds of the fastest."""
    command = [str(Path(sys.executable).with_name("irc")), "explore", str(model), "-o", str(page)]
    command += ARGUMENTS.get(model.stem, DEFAULT)
    seconds: list[float] = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def draw_page(browser: Browser, page: Path, screenshot: Path | None = None) -> float:
    """Open the page; returns the seconds until it is drawn."""
    tab = browser.new_page(viewport={"width": SIZE["width"], "height": SIZE["height"]})
    start = time.perf_counter()
    tab.goto(page.resolve().as_uri() + ("" if screenshot is None else f"#node={NODE}"))
    tab.wait_for_selector("body.ready")
    seconds = time.perf_counter() - start
    if screenshot is not None:
        tab.wait_for_timeout(300)
        tab.screenshot(path=screenshot)
    tab.close()
    return seconds


def main() -> None:
    """Write, open and measure the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, help="a folder with more models")
    parser.add_argument("--screenshot", type=Path, help="where a picture of the example goes")
    parser.add_argument("--chromium", default="chromium", help="the browser")
    options = parser.parse_args()
    models = [EXAMPLE, *sorted(options.models.glob("*.onnx") if options.models else [])]
    table = Table("model")
    for heading in ("written in", "size", "drawn in"):
        table.add_column(heading, justify="right")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which(str(options.chromium)), args=arguments
        )
        for model in models:
            page = Path(folder) / f"{model.stem}.html"
            written = write_page(model, page)
            drawn = draw_page(browser, page)
            size = page.stat().st_size / 1e6
            table.add_row(model.stem, f"{written:.1f} s", f"{size:.2f} MB", f"{drawn:.2f} s")
            if model == EXAMPLE and options.screenshot is not None:
                draw_page(browser, page, options.screenshot)
        browser.close()
    Console().print(table)


if __name__ == "__main__":
    main()
