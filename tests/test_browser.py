"""In a real browser: every notebook runs clean, and what is clicked and typed comes back to the kernel.

`ANALYSIS_SCREENSHOTS=folder pytest tests/test_browser.py` keeps the screenshots, among them the README's.
"""

import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from test_explore import hostile

from analysis.reproduce import ROOT

pytestmark = pytest.mark.slow

READ = """
from analysis import dashboard, explore, read_articles, read_statements
articles = read_articles("../data/sample/articles.csv")
codes = read_statements("../data/sample/codes.csv", articles=articles)
codes = codes[codes["coder"] == "writer"]
"""
# Each text on the screen with its own ink on its own ground, as the browser has computed them.
CONTRAST = """root => {
    const parse = text => {
        const parts = text.match(/[\\d.]+/g).map(Number);
        return text.startsWith('color(srgb') ? [...parts.slice(0, 3).map(v => 255 * v), parts[3] ?? 1]
            : [...parts.slice(0, 3), parts[3] ?? 1];
    };
    const over = (top, under) => top.slice(0, 3).map((v, i) => v * top[3] + under[i] * (1 - top[3]));
    const luminance = colour => colour.map(v => v / 255)
        .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const found = [];
    for (const node of root.querySelectorAll('*')) {
        const says = [...node.childNodes].filter(child => child.nodeType === 3)
            .map(child => child.data).join('').trim();
        if (!(says || node.placeholder) || node.disabled || !node.getClientRects().length) continue;
        const layers = [];
        for (let at = node; at; at = at.parentElement) layers.unshift(parse(getComputedStyle(at).backgroundColor));
        const ground = layers.reduce((under, top) => over(top, under), [255, 255, 255]);
        const ink = over(parse(getComputedStyle(node).color), ground);
        const [low, high] = [luminance(ground), luminance(ink)].sort((a, b) => a - b);
        found.push([(high + 0.05) / (low + 0.05), says || node.placeholder]);
    }
    return found;
}"""
FOCUSED = """() => {
    const node = document.activeElement;
    return node.getAttribute('aria-label') || node.labels?.[0]?.textContent || node.textContent;
}"""
FEW = "() => /^\\d\\d? of/.test(document.querySelector('.analysis-board .status').textContent)"  # less than a hundred
NAMELESS = """root => [...root.querySelectorAll('input, select, button, a, [tabindex="0"]')].filter(node =>
    !(node.getAttribute('aria-label') || node.labels?.[0]?.textContent.trim() || node.textContent.trim())
).map(node => node.outerHTML)"""

TENS = "explore(tens, articles=articles)"
# Clicks a box and waits for the count on the screen.
CLICK = """label => new Promise(done => {
    const screen = document.querySelector('.analysis-board'), status = screen.querySelector('.status');
    const named = [...screen.querySelectorAll('label')].find(one => one.textContent.startsWith(label));
    const before = status.textContent, began = performance.now();
    const watch = () => status.textContent !== before
        ? requestAnimationFrame(() => done(performance.now() - began)) : requestAnimationFrame(watch);
    named.querySelector('input').click();
    watch();
})"""
# Runs a line in the last cell's place and waits for its rows on the screen.
PAINT = """async code => {
    const panel = jupyterapp.shell.currentWidget, notebook = panel.content;
    const cell = notebook.widgets[notebook.widgets.length - 1];
    cell.model.sharedModel.setSource(code);
    notebook.activeCellIndex = notebook.widgets.length - 1;
    const old = document.querySelector('.analysis-board');
    const began = performance.now();
    jupyterapp.commands.execute('notebook:run-cell');
    return await new Promise(done => {
        const watch = () => {
            const found = document.querySelector('.analysis-board .rows > li');
            return found && !old.isConnected ? requestAnimationFrame(() => done(performance.now() - began))
                : requestAnimationFrame(watch);
        };
        watch();
    });
}"""


def screenshot(page, name, tmp_path):
    folder = Path(os.environ.get("ANALYSIS_SCREENSHOTS", tmp_path))
    page.screenshot(path=folder / f"{name}.png")


def board(notebook, n=0):
    """The screen of the cell, once its rows or figures are there."""
    found = notebook.page.locator(".analysis-board").nth(n)
    found.wait_for()
    return found


def settled(notebook, status):
    """Wait until the count on the screen is `status`."""
    notebook.page.get_by_role("status").filter(has_text=status).first.wait_for()


@pytest.fixture(scope="module")
def opened(lab):
    """A notebook in which the invented sample is open."""
    with lab.open(lab.write("sample", READ, "view = explore(codes, articles=articles)\nview")) as notebook:
        notebook.run_all()
        yield notebook


@pytest.fixture
def sample(opened):
    """The same with nothing asked or selected; nothing may go wrong in it."""
    board(opened).get_by_role("button", name="Clear filters").click()
    board(opened).get_by_role("button", name="Clear selection").click()
    settled(opened, "2,540 of 2,540 statements in 103 articles · 0 selected")
    yield opened
    assert opened.faults() == []


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")), ids=lambda path: path.stem)
def test_every_notebook_runs_from_a_clean_workspace(lab, path):
    shutil.copyfile(path, lab.root / "notebooks" / path.name)
    with lab.open(f"notebooks/{path.name}") as notebook:
        notebook.run_all()
        assert notebook.faults() == []
    assert lab.left() == []


def test_search_filter_read_select_and_come_back_to_the_kernel(sample):
    page, screen = sample.page, board(sample)
    settled(sample, "2,540 of 2,540 statements")
    screen.get_by_label("Search", exact=True).fill("master key; back door*")
    page.wait_for_function(FEW)
    marks = screen.locator(".rows mark").all_inner_texts()
    assert marks
    assert {word.lower() for word in marks} <= {"master key", "master keys", "back door", "back doors"}

    sample.kernel("found = view.filtered; against = found[found['stance'] == 'against']")
    screen.get_by_role("group", name="Stance").get_by_label("against").check()
    settled(sample, f"{sample.value('len(against)')} of 2,540")
    shown = sample.value("view.filtered[['article_id', 'n', 'stance']].astype(str).values.tolist()")
    assert {stance for _, _, stance in shown} == {"against"}
    names = screen.locator(".rows button").all_inner_texts()
    assert names == [f"{article} · {n}" for article, n, _ in shown]

    screen.get_by_role("checkbox", name=f"Select {names[1]}", exact=True).check()
    screen.get_by_role("button", name=f"Read {names[0]}", exact=True).click()
    pane = screen.get_by_label("Reading pane")
    pane.locator("[data-current]").first.wait_for()
    title = sample.value(f"articles.loc[{shown[0][0]!r}, 'title']")
    assert title in pane.locator("h3").inner_text()
    settled(sample, "1 selected")
    assert sample.value("view.selection[['article_id', 'n']].astype(str).values.tolist()") == [shown[1][:2]]
    assert sample.value("view.selection.equals(codes.loc[view.selection.index])")

    screen.get_by_role("button", name="Select all that match").click()
    settled(sample, f"{len(shown)} selected")
    screen.get_by_role("button", name="Clear filters").click()
    settled(sample, "2,540 of 2,540")
    assert sample.value("view.selection.equals(against)")
    assert screen.get_by_label("Search", exact=True).input_value() == ""


def test_a_runaway_expression_and_pages(sample):
    screen = board(sample)
    screen.get_by_label("Search for", exact=True).select_option("regex")
    screen.get_by_label("Search", exact=True).fill("(")
    screen.get_by_role("alert").filter(has_text="not a regular expression").wait_for()
    screen.get_by_label("Search", exact=True).fill(r"^.{400,}")
    screen.get_by_role("alert").filter(has_text="not a regular").wait_for(state="hidden")
    screen.get_by_role("button", name="Clear filters").click()
    settled(sample, "2,540 of 2,540")
    assert screen.get_by_role("button", name="Previous").is_disabled()
    screen.get_by_role("button", name="Next").click()
    screen.get_by_text("page 2 of 127").wait_for()
    assert screen.locator(".rows > li").first.get_attribute("data-row") == "20"


def walk(page, until):
    """Press Tab until what has the focus is called so; return what had it. It must be seen all the way."""
    passed = []
    while not passed or not passed[-1].strip().startswith(until):
        assert len(passed) < 50, passed
        page.keyboard.press("Tab")
        passed.append(page.evaluate(FOCUSED))
        outline = page.evaluate("() => getComputedStyle(document.activeElement).outline")
        assert "solid 3px" in outline, (passed[-1], outline)
    return passed


def test_the_keyboard_is_enough(sample):
    page, screen = sample.page, board(sample)
    screen.get_by_label("Search", exact=True).focus()
    page.keyboard.type("keys")
    page.wait_for_function(FEW)
    sample.kernel("found = view.filtered; neutral = found[found['stance'] == 'neutral']")
    walked = walk(page, until="favour")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    settled(sample, f"{sample.value('len(neutral)')} of 2,540")
    walked += walk(page, until="Select s")
    assert len(walked) < 30, "few stops before the rows"
    page.keyboard.press("Space")
    settled(sample, "1 selected")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    screen.get_by_label("Reading pane").locator("h3").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("x")
    settled(sample, "2 selected")
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert len(sample.model()["cells"]) == 2, (
        "JupyterLab's own keys, such as d d to delete a cell, are out of reach here"
    )
    assert sample.value("len(view.selection)") == 2
    page.keyboard.press("Shift+Tab")
    assert screen.evaluate(NAMELESS) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_both_themes_can_be_read(lab, theme, tmp_path):
    sides = "where={'stance': ['against', 'favour']}"
    cells = [READ, f"explore(codes, articles=articles, search='key*', {sides})", "dashboard()"]
    with lab.open(lab.write(f"theme-{theme}", *cells), theme=theme, width=1400, height=1020) as notebook:
        notebook.page.evaluate("() => jupyterapp.commands.execute('application:toggle-left-area').then(() => null)")
        notebook.run_all()
        screen = board(notebook)
        screen.locator(".rows button").nth(1).click()
        screen.locator(".pane h3").wait_for()
        screen.locator("[data-current]").first.wait_for()
        for n in (0, 1):
            contrast = board(notebook, n).evaluate(CONTRAST)
            assert len(contrast) > 20
            assert [pair for pair in contrast if pair[0] < 4.5] == []
        if theme == "light":
            board(notebook).screenshot(path=Path(os.environ.get("ANALYSIS_SCREENSHOTS", tmp_path)) / "explore.png")
        screenshot(notebook.page, f"explore-{theme}", tmp_path)
        board(notebook, 1).scroll_into_view_if_needed()
        notebook.page.wait_for_timeout(300)
        screenshot(notebook.page, f"dashboard-{theme}", tmp_path)
        assert notebook.faults() == []


def test_filters_change_every_panel_of_the_dashboard(lab):
    with lab.open(lab.write("dash", READ, "shown = dashboard()\nshown")) as notebook:
        notebook.run_all()
        screen = board(notebook)
        before = [image.get_attribute("src") for image in screen.locator("img").all()]
        screen.get_by_role("group", name="Country").get_by_label("UK").check()
        settled(notebook, "881 of 3,027 statements")
        after = [image.get_attribute("src") for image in screen.locator("img").all()]
        assert len(before) == len(after) == 3
        assert not set(before) & set(after)
        assert notebook.value("shown.filtered['country'].unique().tolist()") == ["UK"]
        assert notebook.faults() == []


def test_hostile_text_runs_nowhere(lab):
    pd.to_pickle(hostile(), lab.root / "hostile.pickle")
    long = "'<b onclick=window.hacked=1>' + 'x ' * 500_000"
    cells = [
        "import pandas as pd\nfrom IPython.display import display\n"
        "from analysis import close_reading, dashboard, explore\n"
        "articles, codes = pd.read_pickle('../hostile.pickle')\n"
        f"big = pd.DataFrame({{'title': ['Long'], 'text': [{long}]}}, index=['big'])",
        "explore(codes, articles=articles)",
        "explore(articles)",
        "dashboard(codes, articles=articles)",
        "for name in articles.index: display(close_reading(articles.loc[name], codes))",
        "explore(big, search='x')",
        "close_reading(big.iloc[0])",
    ]
    with lab.open(lab.write("hostile", *cells), height=4000) as notebook:
        notebook.run_all()
        page = notebook.page
        page.wait_for_timeout(500)
        for n in (0, 1):
            screen = board(notebook, n)
            buttons = screen.locator(".rows button")
            for i in range(buttons.count()):
                buttons.nth(i).click()
            for link in screen.locator("a").all():
                assert link.get_attribute("href").startswith("https://example.org/")
                assert link.get_attribute("rel") == "noopener noreferrer"
        screen = board(notebook)
        screen.get_by_label("Search", exact=True).fill("<script>; window")
        page.wait_for_timeout(600)
        for node in page.locator(".analysis-board [title]").all()[:50]:
            node.dispatch_event("mouseover")
        assert page.evaluate("() => window.hacked") is None
        assert page.locator(".jp-OutputArea-output script").count() == 0
        assert "<script>window.hacked = 1</script>" in screen.inner_text()
        assert "‹U+202E›" in board(notebook, 1).inner_text()
        assert (
            page.locator(".analysis-board [onerror], .analysis-board [onclick], .analysis-board [onload]").count() == 0
        )
        assert len(board(notebook, 3).inner_text()) < 30_000
        assert notebook.faults() == []


def test_ten_thousand_statements_are_quick_and_a_hundred_thousand_do_not_freeze(lab, record_property):
    """Times are the browser's own, from the click or the start of the cell to what it changes on the screen.

    Of several, the shortest: what else the machine does in between is not this package's.
    """
    many = "def many(n): return pd.concat([codes] * (n // len(codes) + 1), ignore_index=True)[:n]"
    cells = [f"{READ}\nimport pandas as pd\n{many}", "tens, hundreds = many(10_000), many(100_000)", TENS]
    with lab.open(lab.write("many", *cells)) as notebook:
        notebook.run_all()
        board(notebook)
        times = {
            "a filter of 10,000": (200, [notebook.page.evaluate(CLICK, " against") for _ in range(6)]),
            "first paint of 10,000": (1000, [notebook.page.evaluate(PAINT, TENS) for _ in range(3)]),
            "first paint of 100,000": (4000, [notebook.page.evaluate(PAINT, TENS.replace("tens", "hundreds"))]),
            "a filter of 100,000": (400, [notebook.page.evaluate(CLICK, " against") for _ in range(6)]),
        }
        for what, (most, milliseconds) in times.items():
            record_property(f"{what}, ms", round(min(milliseconds)))
            assert min(milliseconds) < most, (what, milliseconds)
        assert board(notebook).locator(".rows > li").count() == 20
        assert notebook.faults() == []


def test_the_readme_shows_a_screenshot_from_here():
    assert (ROOT / "docs" / "explore.png").read_bytes().startswith(b"\x89PNG")
