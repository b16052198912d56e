"""Hand-coding in JupyterLab in a real browser, with the keyboard alone."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TABLE = """
import pandas as pd
from analysis import hand_code
table = pd.DataFrame({"text": [f"Invented sentence {i} on locked chats." for i in range(20)], "previous": "Before it."})
"""
CODES = 'hand_code(table, coder="ana", path="%s", variables=["stance", "frame"])'
FOCUS = "() => document.activeElement.className"
COUNT = "count => document.querySelector('.analysis-handcode .count')?.textContent.startsWith(count)"
DARK = """() => document.body.dataset.jpThemeLight === 'false'
    && getComputedStyle(document.querySelector('.analysis-handcode')).backgroundColor !== 'rgb(255, 255, 255)'"""
# Contrast of every element that shows text of its own, against the first ground below it that is not transparent.
CONTRASTS = """root => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const rgba = colour => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const over = (top, ground) => [0, 1, 2].map(i => (top[i] * top[3] + ground[i] * (255 - top[3])) / 255).concat(255);
    const ground = node => {
        const own = node ? rgba(getComputedStyle(node).backgroundColor) : [255, 255, 255, 255];
        return own[3] === 255 ? own : over(own, ground(node.parentElement));
    };
    const light = colour => colour.slice(0, 3).map(c => c / 255)
        .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    return [...document.querySelectorAll(root + ' *')]
        .filter(node => [...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()))
        .filter(node => node.getClientRects().length && !node.classList.contains('unseen'))
        .map(node => {
            const below = ground(node);
            const ink = over(rgba(getComputedStyle(node).color), below);
            const [low, high] = [light(below), light(ink)].sort((a, b) => a - b);
            return [(high + 0.05) / (low + 0.05), node.tagName + '.' + node.className];
        });
}"""


def tab_to_keys(notebook):
    """Go from the first cell to the keys with Tab, as a coder without a mouse does."""
    notebook.page.evaluate(
        """() => {
            const panel = jupyterapp.shell.currentWidget;
            panel.content.mode = 'command';
            panel.content.activeCellIndex = 0;
            panel.activate();
        }"""
    )
    notebook.page.wait_for_selector(".analysis-handcode .keys")
    for _ in range(10):
        if notebook.page.evaluate(FOCUS) == "keys":
            return
        notebook.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach the keys but {notebook.page.evaluate(FOCUS)!r}")


def code(notebook, keys, count):
    """Press keys one after another and wait until so many sentences are said to be coded."""
    for key in keys:
        notebook.page.keyboard.press(key)
    notebook.page.wait_for_function(COUNT, arg=f"ana: {count} of 20 coded")


def decisions(path):
    """Codes that stand in a file, by unit."""
    stands = {}
    for line in Path(path).read_text(encoding="ascii").splitlines()[1:]:
        record = json.loads(line)
        unit = record["unit"][0]
        if record["kind"] == "code":
            assert unit not in stands, "coded twice"
            stands[unit] = (record["codes"]["stance"], record["codes"]["frame"])
        elif record["kind"] == "undo":
            del stands[unit]
    return stands


def test_twenty_sentences_with_the_keyboard_while_the_kernel_is_killed(lab):
    path = lab.root / "notebooks" / "killed.jsonl"
    with lab.open(lab.write("killed", TABLE, "codes = " + CODES % path.name + "\ncodes")) as notebook:
        page = notebook.page
        notebook.run_all()
        tab_to_keys(notebook)
        assert page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle") == "solid"
        for done in range(1, 9):
            code(notebook, "fc" if done % 2 else "al", done)
        code(notebook, ["Backspace"], 7)
        code(notebook, "p", 8)  # the stance was kept
        page.keyboard.press("Enter")  # a note, in which keys are letters
        page.keyboard.type("fa dd 00 é")
        page.keyboard.press("Enter")
        page.wait_for_function(
            "() => document.querySelector('.analysis-handcode .written').textContent === 'Note: fa dd 00 é'"
        )
        assert page.evaluate(FOCUS) == "keys"
        page.keyboard.press("Enter")
        page.keyboard.type("not meant")
        page.keyboard.press("Escape")
        page.keyboard.press("m")  # a choice that is not yet a decision
        page.wait_for_function("() => document.querySelector('.variables .active').textContent === 'Frame?'")

        notebook.kill()
        page.keyboard.press("b")
        page.wait_for_function(
            "() => document.querySelector('.failed').textContent.startsWith('Not saved: the kernel')"
        )
        assert len(decisions(path)) == 8

        notebook.run_all()
        tab_to_keys(notebook)
        page.wait_for_function(COUNT, arg="ana: 8 of 20 coded")
        assert page.locator(".analysis-handcode .written").inner_text() == "Note: fa dd 00 é"
        for done in range(9, 20):
            code(notebook, "nb", done)
        page.keyboard.press("ArrowRight")
        page.wait_for_function(COUNT, arg="ana: 19 of 20 coded · 1 set aside")
        code(notebook, "on", 20)
        assert "All 20 sentences are coded." in page.locator(".analysis-handcode .text").inner_text()
        for key in "d d a b x z 0 0 y m".split():  # JupyterLab's own keys: delete, insert, cut, undo, restart
            page.keyboard.press(key)
        page.keyboard.press("Control+s")
        page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
        assert len(notebook.model()["cells"]) == 2
        table = json.loads(
            notebook.kernel("print(codes.table()[['stance', 'frame', 'note']].to_json(orient='values'))")
        )
        assert notebook.requests == []
    expected = [("favour", "child_protection"), ("against", "law_enforcement")] * 4
    expected[7] = ("against", "privacy_liberties")
    expected += [("neutral", "balance")] * 11 + [("not_addressed", "none")]
    assert list(decisions(path).items()) == list(enumerate(expected))
    assert [tuple(row[:2]) for row in table] == expected
    assert [i for i, row in enumerate(table) if row[2]] == [8]


def test_two_windows(lab):
    path = lab.root / "notebooks" / "both.jsonl"
    cells = [TABLE, "codes = " + CODES % path.name + "\ncodes"]
    with lab.open(lab.write("one", *cells)) as one, lab.open(lab.write("two", *cells)) as two:
        for window in (one, two):
            window.run_all()
            tab_to_keys(window)
        code(one, "fc", 1)
        two.page.keyboard.press("a")
        two.page.keyboard.press("l")
        two.page.wait_for_function(
            "() => document.querySelector('.say').textContent === "
            "'Not saved: coded in another window already (favour, child protection).'"
        )
        assert "Invented sentence 1 " in two.page.locator(".text mark").inner_text()
        code(two, "al", 2)
        for done, (window, keys) in enumerate([(one, "fc"), (two, "al")], 3):
            window.page.keyboard.press("Shift+Tab")  # away, and back: the window looks what the other did
            tab_to_keys(window)
            window.page.wait_for_function(COUNT, arg=f"ana: {done - 1} of 20 coded")
            code(window, keys, done)
        assert one.faults() == two.faults() == []
    turns = [("favour", "child_protection"), ("against", "law_enforcement")] * 2
    assert list(decisions(path).items()) == list(enumerate(turns))


def test_hostile_text_is_shown_as_text_with_contrast_in_both_themes(lab):
    hostile = r"""
text = pd.Series([
    "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'> <a href='javascript:alert(1)'>a</a> &lt; "
    "\u202egnp.exe half \ud83d nul \0 end", "word " * 200_000, "\u05e9\u05dc\u05d5\u05dd <b>right to left</b>",
], dtype=object)
table = pd.DataFrame({"text": text, "previous": "<b onclick='window.hit = 1'>before</b>"})
book = {"<i>tone</i>": {"<b>good</b>": "<script>window.hit = 1</script>", "bad": "\u202e"}}
codes = hand_code(table, coder="<u>ana</u>", path="hostile.jsonl", codebook=book)
codes
"""
    with lab.open(lab.write("hostile", TABLE, hostile)) as notebook:
        page = notebook.page
        notebook.run_all()
        tab_to_keys(notebook)
        shown = page.locator(".analysis-handcode .text").text_content()
        assert shown == (
            "<b onclick='window.hit = 1'>before</b> "
            "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'> "
            "<a href='javascript:alert(1)'>a</a> &lt; ‹U+202E›gnp.exe half ‹U+D83D› nul ‹U+0000› end"
        )
        page.keyboard.press("z")
        page.wait_for_function("() => document.querySelector('.failed').textContent.includes('stands for no value')")
        page.keyboard.press("Enter")
        page.keyboard.type("<img src=x onerror='window.hit = 1'>")
        page.keyboard.press("Enter")
        page.wait_for_function("() => document.querySelector('.written').textContent.includes('<img')")
        for theme in ("light", "dark"):
            contrasts = page.evaluate(CONTRASTS, ".analysis-handcode")
            assert len(contrasts) > 10
            assert min(contrasts)[0] >= 4.5, (theme, min(contrasts))
            if theme == "light":
                page.evaluate("() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
                page.wait_for_function(DARK)
        page.keyboard.press("g")
        page.wait_for_function("() => document.querySelector('.text mark').textContent.length === 100_000")
        assert page.locator(".text").text_content().endswith("word word  … [900,000 characters more]")
        page.keyboard.press("PageDown")
        page.wait_for_function("() => document.querySelector('.analysis-handcode .text').scrollTop > 50")
        page.keyboard.press("g")
        page.wait_for_function("() => document.querySelector('.text mark').textContent.includes('right to left')")
        assert page.evaluate(
            "() => window.hit === undefined && !document.querySelector('.text :is(script, img, a, b, i)')"
        )
        assert notebook.faults() == []
