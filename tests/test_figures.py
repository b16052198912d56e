"""Figures: what the artists hold, and bytes that stay the same."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from analysis import figures

STANCES = ["favour", "mixed", "neutral", "against"]


@pytest.fixture(autouse=True)
def _close():
    yield
    plt.close("all")


@pytest.fixture
def estimates():
    return pd.DataFrame(
        {"who": ["police", "author"], "share": [0.6, 0.0], "low": [0.4, 0.0], "high": [0.8, 0.2], "n": [30, 1200]}
    )


def test_shares_are_drawn_at_their_values_with_n(estimates):
    ax = figures.plot_shares(estimates, y="who")
    (points,) = [line for line in ax.lines if line.get_marker() == "o"]
    assert points.get_xdata().tolist() == [0.6, 0.0]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["police (n=30)", "author (n=1,200)"]
    (bars,) = ax.containers[0][2]
    assert [segment[:, 0].tolist() for segment in bars.get_segments()] == [[0.4, 0.8], [0.0, 0.2]]
    assert ax.get_ylim() == (1.5, -0.5), "the first row stands on top"


def test_one_denominator_is_not_repeated_on_every_row(estimates):
    ax = figures.plot_shares(estimates.assign(n=30), y="who")
    assert [t.get_text() for t in ax.get_yticklabels()] == ["police", "author"]


def test_groups_differ_by_marker_not_by_colour_alone(estimates):
    data = pd.concat([estimates.assign(when="early"), estimates.assign(when="late")])
    ax = figures.plot_shares(data, y="who", hue="when")
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["early", "late"]
    markers = [c[0].get_marker() for c in ax.containers]
    assert len(set(markers)) == 2


def test_diverging_bars_meet_in_the_middle_of_neutral():
    data = pd.DataFrame({"who": "police", "stance": STANCES, "share": [0.1, 0.2, 0.4, 0.3], "n": 10})
    ax = figures.plot_diverging(data, y="who")
    spans = {c.get_label(): (c[0].get_x(), c[0].get_x() + c[0].get_width()) for c in ax.containers}
    assert spans["neutral"] == pytest.approx((-0.2, 0.2))
    assert spans["against"] == pytest.approx((-0.5, -0.2))
    assert spans["favour"] == pytest.approx((0.4, 0.5))
    assert [c[0].get_hatch() for c in ax.containers][0], "against carries a hatch"
    with pytest.raises(ValueError, match="stance='not_addressed' is not known; use 'favour'"):
        figures.plot_diverging(data.assign(stance="not_addressed"), y="who")


def test_the_timeline_keeps_the_order_of_periods_and_does_not_join_them(estimates):
    data = estimates.assign(period=["2016", "2019"])
    ax = figures.plot_timeline(data, events={"2019": "a plan"})
    assert [t.get_text() for t in ax.get_xticklabels()] == ["2016\nn=30", "2019\nn=1,200"]
    assert all(line.get_linestyle() == "None" for c in ax.containers for line in [c[0]])
    assert ax.texts[0].xy[0] == 1
    with pytest.raises(ValueError, match="events='1999' is not known"):
        figures.plot_timeline(data, events={"1999": "x"})


def test_a_matrix_crosses_out_what_is_missing():
    data = pd.DataFrame({"x": ["f", "g", "f"], "y": ["a", "a", "b"], "share": [0.2, 0.8, 0.5], "n": [5, 5, 6]})
    ax = figures.plot_matrix(data, x="x", y="y")
    assert [t.get_text() for t in ax.texts] == ["20", "80", "50"]
    assert len(ax.lines) == 1
    assert [t.get_text() for t in ax.get_yticklabels()] == ["a (n=5)", "b (n=6)"]


def test_counts_show_gaps():
    years = pd.Categorical(["2016", "2016", "2018"], categories=["2016", "2017", "2018"], ordered=True)
    ax = figures.plot_counts(pd.DataFrame({"year": years}), x="year")
    assert [int(p.get_height()) for p in ax.patches] == [2, 0, 1]


def test_a_missing_column_is_named(estimates):
    with pytest.raises(ValueError, match="data has no column 'low'"):
        figures.plot_shares(estimates.drop(columns="low"), y="who")


def test_saved_bytes_do_not_change(tmp_path, estimates):
    def save(folder):
        ax = figures.plot_shares(estimates, y="who")
        figures.save_figure(ax.figure, folder / "f", alt="Police most.", data=estimates, caption="Real, n = 2.")
        return {p.name: p.read_bytes() for p in folder.iterdir()}

    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = save(tmp_path / "a"), save(tmp_path / "b")
    assert set(first) == {"f.csv", "f.pdf", "f.png", "f.svg"}
    assert first == second
    assert b"Police most." in first["f.svg"]
    assert figures.describe(tmp_path / "a" / "f.png")["caption"] == "Real, n = 2."


def test_a_saved_figure_shows_itself_with_escaped_text(tmp_path, estimates):
    ax = figures.plot_shares(estimates, y="who")
    path = figures.save_figure(ax.figure, tmp_path / "f", alt='a "b" <i>', data=estimates, caption="<script>")
    shown = path._repr_html_()
    assert 'alt="a &quot;b&quot; &lt;i&gt;"' in shown
    assert "&lt;script&gt;" in shown
    assert "<script>" not in shown


def test_alt_text_is_required(tmp_path, estimates):
    ax = figures.plot_shares(estimates, y="who")
    with pytest.raises(ValueError, match="alt is empty"):
        figures.save_figure(ax.figure, tmp_path / "f", alt=" ", data=estimates)
    with pytest.raises(TypeError, match="use ax.figure"):
        figures.save_figure(ax, tmp_path / "f", alt="x", data=estimates)
    assert list(tmp_path.iterdir()) == []


def test_stance_colours_stay_apart_in_grey():
    def lightness(colour):
        r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (r, g, b)]
        y = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        return 116 * y ** (1 / 3) - 16

    values = sorted(lightness(figures.STANCE[s]) for s in ("favour", "against", "neutral"))
    assert min(b - a for a, b in zip(values, values[1:], strict=False)) >= 20
