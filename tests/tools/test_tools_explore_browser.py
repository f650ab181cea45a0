"""The page of `irc explore` in a browser: it draws, selects, and is worked with the keyboard."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from explore_pages import LINES, running_browser, shown
from playwright.sync_api import Browser, expect
from residual_networks import residual_network

from irc.dialects import dataflow
from irc.flow.explore.page import write_page
from irc.flow.explore.stages import RecordedLadder
from irc.flow.hardware_goal import HardwareGoal
from irc.interp.run import entry_function

TARGET_LEVELS = ("onnx", "bnn", "dataflow", "hw", "packed", "verilog", "c")


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    with running_browser() as found:
        yield found


@pytest.fixture(scope="module")
def mnist(
    example_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, RecordedLadder]:
    """The page of the example, and what it was made from."""
    ladder = RecordedLadder(
        example_dir / "mnist_64x3_1w1a.onnx",
        ("uint8/255",),
        HardwareGoal(device="up5k").passes(),
    )
    return write_page(ladder, str(tmp_path_factory.mktemp("page") / "mnist.html")), ladder


@pytest.fixture(scope="module")
def residual(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RecordedLadder]:
    """The page of a network with a shortcut."""
    folder = tmp_path_factory.mktemp("residual")
    (folder / "net.onnx").write_bytes(residual_network("basic_block", 3).SerializeToString())
    ladder = RecordedLadder(folder / "net.onnx")
    return write_page(ladder, str(folder / "net.html")), ladder


def unit_count(ladder: RecordedLadder) -> int:
    """Nodes of the dataflow graph: all operations of the function but its return."""
    return len(list(entry_function(ladder.dataflow).body.block.ops)) - 1


@pytest.mark.parametrize("network", ["mnist", "residual"])
def test_the_graph_has_the_nodes_of_the_dataflow(
    browser: Browser, network: str, request: pytest.FixtureRequest
) -> None:
    path, ladder = request.getfixturevalue(network)
    with shown(browser, path) as page:
        nodes = page.page.locator("svg.graph[data-level=dataflow] .node")
        expect(nodes).to_have_count(unit_count(ladder))
        edges = page.count("svg.graph[data-level=dataflow] .edge")
        forks = [op for op in ladder.dataflow.walk() if isinstance(op, dataflow.ForkOp)]
        assert bool(forks) == (network == "residual")
        # A chain has an edge less than nodes; each reader of a fork adds what a join takes in.
        joins = sum(len(op.outputs) - 1 for op in forks)
        assert edges == unit_count(ladder) - 1 + joins
        # All of it is drawn at a size that can be seen, none on top of another.
        boxes: list[list[float]] = page.page.evaluate(
            "[...document.querySelectorAll('svg.graph .node')].map((node) => {"
            "const box = node.getBoundingClientRect();"
            "return [box.x + box.width / 2, box.y, box.width, box.height]; })"
        )
        assert len(boxes) == unit_count(ladder)
        assert all(width > 20 and height > 8 for _, _, width, height in boxes)
        assert len({(round(x), round(y)) for x, y, _, _ in boxes}) == len(boxes)


@pytest.mark.parametrize("network", ["mnist", "residual"])
def test_a_node_selects_its_descendants_at_every_level(
    browser: Browser, network: str, request: pytest.FixtureRequest
) -> None:
    path, ladder = request.getfixturevalue(network)
    layers = ("MatMul", "Conv")
    origins = ladder.origins
    node, name = next(
        (number, node.name) for number, node in enumerate(origins.nodes) if node.operator in layers
    )
    expected: dict[str, int] = {}
    for stage in ladder.stages:
        sets = [origins.sets[number] for number in stage.text.origins]
        expected[stage.level] = sum(node in nodes for nodes in sets)
    with shown(browser, path) as page:
        page.select(name)
        found = page.trace()
        assert tuple(found) == TARGET_LEVELS
        assert all(found.values()), found
        assert {level: found[level] for level in expected} == expected
        marked = page.page.locator("svg.graph .node.hit[aria-pressed=true]")
        kinds = {
            label.split(", ")[1]
            for label in (
                marked.nth(i).get_attribute("aria-label") or "" for i in range(marked.count())
            )
        }
        assert "mvu" in kinds
        for title in ("Verilog", "C"):
            page.page.locator(f"#trace li[data-level={title.lower()}] button").click()
            expect(page.page.get_by_role("tab", name=title, exact=True)).to_have_attribute(
                "aria-selected", "true"
            )
            expect(page.page.locator(LINES).first).to_be_visible()
        page.page.locator("#trace li[data-level=bnn] button").click()
        text = page.page.locator(LINES).first.inner_text()
        assert "bnn." in text


def test_a_line_selects_its_node(browser: Browser, mnist: tuple[Path, RecordedLadder]) -> None:
    path, _ = mnist
    with shown(browser, path, fragment="#tab=passes") as page:
        page.page.locator(".pass", has_text="narrow-accumulators").click()
        page.page.get_by_role("radio", name="Whole IR").click()
        page.page.locator(".line", has_text="bnn.linear").nth(1).click()
        selected = page.page.locator(".noderow[aria-selected=true] .name").all_inner_texts()
        assert "/dense2/MatMul" in selected
        page.tab("Verilog")
        page.page.locator("nav .pass", has_text="dense1").click()
        page.page.locator("section:not([hidden]) .line.linked").first.click()
        selected = page.page.locator(".noderow[aria-selected=true] .name").all_inner_texts()
        assert "/dense1/MatMul" in selected


def test_changes_are_what_the_pass_changed(
    browser: Browser, mnist: tuple[Path, RecordedLadder]
) -> None:
    path, ladder = mnist
    number = next(i for i, stage in enumerate(ladder.stages) if stage.spec == "fold-thresholds")
    with shown(browser, path, fragment=f"#tab=passes&stage={number}&view=changes") as page:
        before = ladder.stages[number - 1].text.lines
        after = ladder.stages[number].text.lines
        taken = page.page.locator(".line.del .text").all_text_contents()
        given = page.page.locator(".line.add .text").all_text_contents()
        assert any("bnn.quantize" in line for line in taken)
        assert all(line in before and line not in after for line in taken)
        assert any("bnn.threshold" in line for line in given)
        assert all(line in after and line not in before for line in given)
        page.page.locator(".pass", has_text="merge-thresholds").click()
        expect(page.page.get_by_text("found nothing to change")).to_be_visible()


def test_thresholds_are_plotted_with_their_margins(
    browser: Browser, mnist: tuple[Path, RecordedLadder]
) -> None:
    path, ladder = mnist
    layers = ladder.thresholds.all_layers(ladder.function)
    with shown(browser, path, fragment="#tab=thresholds") as page:
        entries = page.page.locator("[data-layer]")
        expect(entries).to_have_count(len(layers))
        entries.nth(1).click()
        drawn = page.page.locator("path.threshold").first.get_attribute("d") or ""
        assert drawn.count("M") == int(layers[1].real.sum()) == 64
        rooms = page.page.locator("path.room").first.get_attribute("d") or ""
        assert rooms.count("M") == 64
        page.page.locator("svg.thresholds").press("ArrowDown")
        row = layers[1]
        assert row.headroom is not None
        expect(page.page.locator(".detail")).to_contain_text(
            f"decides at {int(row.at[0][0])}".replace("-", "−")
        )
        expect(page.page.get_by_text("exact for any evaluation order")).to_be_visible()


def test_all_of_it_is_worked_with_the_keyboard(
    browser: Browser, mnist: tuple[Path, RecordedLadder]
) -> None:
    path, _ = mnist
    with shown(browser, path) as page:
        keyboard = page.page.keyboard
        keyboard.press("/")
        keyboard.type("dense1/matmul")
        keyboard.press("Enter")
        picked = page.page.locator(".noderow[aria-selected=true] .name")
        expect(picked).to_have_text("/dense1/MatMul")
        keyboard.press("Escape")
        keyboard.press("Escape")
        expect(picked).to_have_count(0)
        page.page.locator("svg.graph .node").first.focus()
        for key in ("ArrowDown", "ArrowDown", "ArrowUp", "ArrowDown"):
            keyboard.press(key)
        expect(page.page.locator(".node:focus")).to_have_attribute("data-node", "2")
        keyboard.press("Enter")
        expect(page.page.locator(".node.hit").first).to_be_visible()
        for key, title in (("2", "Passes"), ("3", "Thresholds"), ("5", "C"), ("1", "Network")):
            keyboard.press(key)
            expect(page.page.get_by_role("tab", name=title, exact=True)).to_have_attribute(
                "aria-selected", "true"
            )
        page.page.get_by_role("tab", name="Network").focus()
        keyboard.press("ArrowRight")
        expect(page.page.locator(":focus")).to_have_text("Passes")
        before = page.page.locator("[aria-current=step]").get_attribute("data-stage")
        keyboard.press("]")
        after = page.page.locator("[aria-current=step]").get_attribute("data-stage")
        assert int(after or 0) == int(before or 0) + 1
        page.page.locator(".pass", has_text="lift-onnx-to-bnn").press("Enter")
        code = page.page.locator("section:not([hidden]) .code")
        code.focus()
        for key in ("Home", "ArrowDown", "ArrowDown"):
            keyboard.press(key)
        expect(code.locator(".line.cursor")).to_have_attribute("data-line", "2")


def test_it_fits_narrow_and_wide_screens_in_light_and_dark(
    browser: Browser, mnist: tuple[Path, RecordedLadder]
) -> None:
    path, _ = mnist
    with shown(browser, path) as page:
        for scheme in ("light", "dark"):
            page.page.emulate_media(color_scheme=scheme)
            ground: str = page.page.evaluate("getComputedStyle(document.body).backgroundColor")
            levels = [int(part) for part in ground.removeprefix("rgb(").rstrip(")").split(",")]
            assert (sum(levels) < 200) == (scheme == "dark")
        for width in (400, 1280):
            page.page.set_viewport_size({"width": width, "height": 800})
            for title in ("Passes", "Thresholds", "Verilog", "C", "Network"):
                page.tab(title)
                assert page.page.evaluate("document.documentElement.scrollWidth") <= width, title
        # No label of the graph is longer than its node.
        wider = page.page.evaluate(
            "[...document.querySelectorAll('svg.graph .node')].filter((node) => {"
            "const box = node.querySelector('.box').getBoundingClientRect();"
            "return [...node.querySelectorAll('text')].some("
            "(text) => text.getBoundingClientRect().right > box.right + 1);})"
            ".map((node) => node.getAttribute('aria-label'))"
        )
        assert not wider


def test_hostile_names_are_shown_as_they_are(browser: Browser, tmp_path: Path) -> None:
    model = residual_network("basic_block", 3)
    names = [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(2)>",
        '"><svg onload=alert(3)>',
        "${alert(4)}`",
        "{{7*7}}",
    ]
    for node, name in zip(model.graph.node, names, strict=False):
        node.name = name
    (tmp_path / "<b>net&.onnx").write_bytes(model.SerializeToString())
    path = write_page(RecordedLadder(tmp_path / "<b>net&.onnx"), str(tmp_path / "net.html"))
    with shown(browser, path) as page:
        for title in ("Passes", "Thresholds", "Verilog", "C", "Network"):
            page.tab(title)
        rows = page.page.locator(".noderow .name").all_inner_texts()
        assert rows[: len(names)] == names
        page.select(names[0])
        page.page.locator("svg.graph .node").first.hover()
        assert page.count("img") == 0
        assert page.count("svg[onload]") == 0
        assert page.count("script") == 2
        assert page.page.title().startswith("net")
        expect(page.page.locator("h1")).to_have_text("<b>net&.onnx")


@pytest.mark.slow
def test_a_large_network_is_quick_and_small(
    browser: Browser, shared_dir: Path, tmp_path: Path
) -> None:
    ladder = RecordedLadder(
        shared_dir / "models" / "cnv_1w1a_cifar10.onnx",
        options=HardwareGoal(device="ecp5-85k").passes(),
    )
    path = write_page(ladder, str(tmp_path / "cnv.html"))
    assert path.stat().st_size < 15_000_000
    with shown(browser, path) as page:
        nodes = page.page.locator("svg.graph[data-level=dataflow] .node")
        expect(nodes).to_have_count(unit_count(ladder))
        page.select("conv3")
        found = page.trace()
        assert tuple(found) == TARGET_LEVELS
        assert all(found.values()), found
        page.tab("Passes")
        page.page.locator(".pass", has_text="convert-dataflow-to-hw").click()
        page.page.get_by_role("radio", name="Whole IR").click()
        # Thousands of lines, of which only those in sight are elements.
        hw = next(stage for stage in ladder.stages if stage.level == "hw")
        assert len(hw.text.lines) > 3000
        assert page.count(".line") < 200
