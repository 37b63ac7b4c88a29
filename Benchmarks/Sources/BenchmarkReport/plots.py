"""Draws the figures of a report: plots.py FIGURES.json DIRECTORY writes DIRECTORY/ID.svg for each.

Everything is reckoned before; nothing is decided here but where ink goes. The standard library and matplotlib only.
Colours are written as CSS custom properties (--c1 … --c8, --ink, --faint, --page), so that the page sets them for light and dark.
Ends with status 3 if there is no matplotlib.
"""

import json
import math
import re
import sys

try:
    import matplotlib
except ImportError:
    print("no matplotlib: apt-get install python3-matplotlib", file=sys.stderr)
    sys.exit(3)

matplotlib.use("svg")
from matplotlib import pyplot, ticker  # noqa: E402

# Stand-ins that nothing else is drawn in, and what the page calls them.
INK, FAINT, PAGE = "#010203", "#010204", "#010205"
NAMES = {INK: "--ink", FAINT: "--faint", PAGE: "--page"}
NAMES.update({"#0a0b%02x" % number: "--c%d" % number for number in range(1, 9)})
OTHER = {"colour": 1, "marker": "o", "dash": []}

WIDTH = 6.2  # inches of 72 units; the page scales it
SMALL = 9.0

matplotlib.rcParams.update({
    "svg.fonttype": "none", "svg.hashsalt": "bench", "font.size": 9.5, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": FAINT, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.grid": True, "grid.color": FAINT, "grid.linewidth": 0.4, "axes.axisbelow": True, "figure.facecolor": "none",
    "axes.facecolor": "none", "savefig.facecolor": "none", "lines.linewidth": 1.6, "lines.markersize": 5.5,
    "xtick.major.size": 3, "ytick.major.size": 3, "axes.unicode_minus": True, "xtick.minor.size": 0, "ytick.minor.size": 0,
    "path.simplify": True,
})


def colour(style):
    return "#0a0b%02x" % style["colour"]


def style_of(series):
    return series.get("style") or OTHER


def short(value, unit):
    """A number for an axis."""
    def number(value):
        return ("%.3g" % value) if abs(value) < 1000 else "{:,.0f}".format(value)
    if value == 0:
        return "0"
    if unit == "microseconds":
        for size, name in ((1e6, "s"), (1e3, "ms"), (1, "µs")):
            if abs(value) >= size * 0.9999:
                return number(value / size) + " " + name
        return number(value) + " µs"
    if unit == "bytes":
        for size, name in ((2 ** 30, "GiB"), (2 ** 20, "MiB"), (2 ** 10, "KiB")):
            if abs(value) >= size * 0.9999:
                return number(value / size) + " " + name
        return number(value) + " B"
    if unit == "seconds":
        return short(value * 1e6, "microseconds")
    if unit == "share":
        return number(value * 100) + " %"
    if unit == "count" and abs(value) >= 10_000:
        return number(value / 1e6) + "M" if abs(value) >= 1e6 else number(value / 1e3) + "k"
    return number(value)


def set_axis(axis, description, values):
    """Scale, ticks and label of an axis; `axis` is an axes' xaxis or yaxis."""
    axes, is_x = axis.axes, axis.axis_name == "x"
    unit, scale, ticks = description["unit"], description["scale"], description["ticks"]
    set_scale = axes.set_xscale if is_x else axes.set_yscale
    positive = [value for value in values if value > 0]
    if scale == "log" and positive:
        set_scale("log", base=2 if unit == "bytes" else 10, nonpositive="clip")
        low, high = min(positive), max(positive)
        if is_x and not ticks and high / low < 200:
            axis.set_major_locator(ticker.LogLocator(base=10, subs=(1, 2, 5), numticks=12))
        if unit == "bytes":
            axis.set_major_locator(ticker.LogLocator(base=4, numticks=9))
        if not is_x:
            axes.set_ylim(low / 1.3, high * 1.3)
            if unit != "bytes" and high / low < 50:
                axis.set_major_locator(ticker.LogLocator(base=10, subs=(1, 2, 5), numticks=12))
    elif scale == "symlog" and positive:
        set_scale("symlog", linthresh=min(positive), linscale=0.5)
    if ticks and len(ticks) <= 9:
        axis.set_major_locator(ticker.FixedLocator(ticks))
    elif scale == "linear" and unit == "bytes" and values:
        size = 1024.0 ** max(0, math.floor(math.log(max(max(values), 1), 1024)))
        places = ticker.MaxNLocator(5, steps=[1, 2, 4, 5, 8, 10]).tick_values(0, max(values) / size)
        axis.set_major_locator(ticker.FixedLocator([place * size for place in places]))
    elif scale == "linear":
        axis.set_major_locator(ticker.MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_minor_locator(ticker.NullLocator())
    axis.set_major_formatter(ticker.FuncFormatter(lambda value, _: short(value, unit)))
    (axes.set_xlabel if is_x else axes.set_ylabel)(description["label"])


def label_ends(figure, axes, ends):
    """Names the lines at their right, moved apart where they would cover each other, each tied to its line."""
    figure.canvas.draw()
    box = axes.get_window_extent()
    step = SMALL * 1.26 * figure.dpi / 72
    ends = sorted(ends, key=lambda end: axes.transData.transform(end[1:3])[1])
    wanted = [min(max(axes.transData.transform(end[1:3])[1], box.y0), box.y1) for end in ends]
    places = list(wanted)
    for _ in range(200):
        for index in range(1, len(places)):
            overlap = places[index - 1] + step - places[index]
            if overlap > 0:
                places[index - 1] -= overlap / 2
                places[index] += overlap / 2
    # What was pushed out at the bottom comes back, and the others make room.
    if places and places[0] < box.y0 - step:
        places[0] = box.y0 - step
        for index in range(1, len(places)):
            places[index] = max(places[index], places[index - 1] + step)
    to_axes = axes.transAxes.inverted()
    for (series, x, y), place in zip(ends, places):
        height = to_axes.transform((0, place))[1]
        start = to_axes.transform(axes.transData.transform((x, y)))
        tone = colour(style_of(series))
        axes.plot([start[0], 1.0, 1.035], [start[1], start[1] if start[0] > 0.97 else height, height], transform=axes.transAxes,
                  clip_on=False, color=tone, linewidth=0.7, linestyle=(0, (1, 1.5)), zorder=1)
        axes.plot([1.06], [height], transform=axes.transAxes, clip_on=False, color=tone, marker=style_of(series)["marker"],
                  markersize=5, markeredgecolor=tone, linestyle="none")
        axes.text(1.09, height, series["name"], transform=axes.transAxes, va="center", ha="left", fontsize=SMALL)


def put_markers(axes, xs, ys, style, hollow=False, size=5.5):
    """Hollow is what is not to be compared with the others."""
    tone = colour(style)
    size *= 1.4 if style["marker"] == "*" else 1
    axes.plot(xs, ys, color=tone, marker=style["marker"], markerfacecolor=PAGE if hollow else tone, markeredgecolor=tone,
              linestyle="none", markersize=size, zorder=4)


def reach(series):
    """What an axis has to show. The interval of two or three runs may be endless: it is cut off rather than to flatten the rest."""
    points = [point for one in series for point in one["points"]]
    low, high = min(point["y"] for point in points), max(point["y"] for point in points)
    low, high = low - abs(low) / 2, high + abs(high)
    return [min(max(point[key], low), high) for point in points for key in ("low", "y", "high")]


def draw_lines(description, transform=lambda x: x, markers=True):
    series = description["series"]
    is_log = description["y"]["scale"] == "log"
    values = reach(series)
    # What is nothing stands at the foot of a logarithmic axis.
    foot = min((value for value in values if value > 0), default=1) / 1.25 if is_log else -math.inf
    figure, axes = pyplot.subplots(figsize=(WIDTH, max(3.6, 0.155 * len(series) + 0.8)))
    figure.subplots_adjust(left=0.15, right=0.745, top=0.97, bottom=0.135)
    ends = []
    for one in series:
        style, tone = style_of(one), colour(style_of(one))
        points = one["points"]
        xs = [transform(point["x"]) for point in points]
        ys, lows, highs = ([max(point[key], foot) for point in points] for key in ("y", "low", "high"))
        dashes = (0, tuple(style["dash"])) if style["dash"] else "solid"
        axes.plot(xs, ys, color=tone, linestyle=dashes, zorder=3)
        if len(xs) > 1:
            axes.fill_between(xs, lows, highs, color=tone, alpha=0.16, linewidth=0, zorder=2)
        if markers:
            errors = [[y - low for y, low in zip(ys, lows)], [high - y for y, high in zip(ys, highs)]]
            axes.errorbar(xs, ys, yerr=errors, fmt="none", ecolor=tone, elinewidth=0.9, capsize=2, zorder=3)
        every = 1 if markers else max(1, len(xs) // 8)
        shown = [place for place in range(len(xs)) if place % every == every // 2 or place == len(xs) - 1]
        for hollow in (False, True):
            places = [place for place in shown if points[place]["hollow"] == hollow]
            if places:
                put_markers(axes, [xs[place] for place in places], [ys[place] for place in places], style, hollow, 5.5 if markers else 4)
        ends.append((one, xs[-1], ys[-1]))
    values = [value for value in values if value > 0 or not is_log]
    set_axis(axes.xaxis, description["x"], [point["x"] for one in series for point in one["points"]])
    set_axis(axes.yaxis, description["y"], values)
    if description["y"]["scale"] == "linear":
        axes.set_ylim(min(0, min(values)), max(values) * 1.06 or 1)
    return figure, axes, ends


def lines(description):
    figure, axes, ends = draw_lines(description)
    label_ends(figure, axes, ends)
    return figure


def timeline(description):
    figure, axes, ends = draw_lines(description, markers=False)
    label_ends(figure, axes, ends)
    return figure


def percentiles(description):
    """HdrHistogram's axis: each nine as far from the one before."""
    figure, axes, ends = draw_lines(description, transform=lambda x: -math.log10(max(1 - x / 100, 1e-9)), markers=False)
    greatest = max(point["x"] for one in description["series"] for point in one["points"])
    ticks = [value for value in (50, 75, 90, 99, 99.9, 99.99, 99.999, 99.9999) if value <= greatest + 1e-9]
    axes.xaxis.set_major_locator(ticker.FixedLocator([-math.log10(1 - value / 100) for value in ticks]))
    axes.xaxis.set_major_formatter(ticker.FixedFormatter(["%g" % value for value in ticks]))
    axes.set_xlabel("percentile")
    label_ends(figure, axes, ends)
    return figure


def rows(description):
    """Axes with a row for each series, the first on top."""
    series = description["series"]
    figure, axes = pyplot.subplots(figsize=(WIDTH, 0.27 * len(series) + 0.85))
    height = figure.get_figheight()
    figure.subplots_adjust(left=0.235, right=0.86, top=1 - 0.25 / height, bottom=0.52 / height)
    axes.set_yticks(range(len(series)), [one["name"] for one in series])
    axes.set_ylim(len(series) - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    return figure, axes


def name_values(axes, description):
    for row, one in enumerate(description["series"]):
        axes.text(1.02, row, one["points"][0]["text"], transform=axes.get_yaxis_transform(), va="center", ha="left", fontsize=SMALL)


def set_x(axes, axis, values):
    set_axis(axes.xaxis, dict(axis, ticks=[]), values)
    if axis["scale"] == "linear":
        axes.set_xlim(min(0, min(values)), max(values) * 1.05 or 1)
    elif any(value > 0 for value in values):
        axes.set_xlim(min(value for value in values if value > 0) / 1.3, max(values) * 1.3)


def dots(description):
    figure, axes = rows(description)
    for row, one in enumerate(description["series"]):
        point, style = one["points"][0], style_of(one)
        tone = colour(style)
        axes.errorbar([point["y"]], [row], xerr=[[point["y"] - point["low"]], [point["high"] - point["y"]]], fmt="none", ecolor=tone,
                      elinewidth=1.2, capsize=3)
        put_markers(axes, [point["y"]], [row], style, point["hollow"], 7)
    set_x(axes, description["y"], reach(description["series"]))
    name_values(axes, description)
    return figure


def stack(description):
    figure, axes = rows(description)
    has_parts = False
    for row, one in enumerate(description["series"]):
        point, tone = one["points"][0], colour(style_of(one))
        left = 0
        for number, part in enumerate(point["parts"] or [point["y"]]):
            has_parts = has_parts or number > 0
            axes.barh(row, part, left=left, height=0.62, color=tone, alpha=0.38 if number else 1, linewidth=0)
            axes.barh(row, part, left=left, height=0.62, fill=False, edgecolor=tone, linewidth=0.9)
            left += part
        axes.errorbar([point["y"]], [row], xerr=[[point["y"] - point["low"]], [point["high"] - point["y"]]], fmt="none", ecolor=INK,
                      elinewidth=1, capsize=3)
    set_x(axes, description["y"], reach(description["series"]))
    name_values(axes, description)
    if has_parts:
        axes.set_xlabel(description["y"]["label"] + " (full: user, pale: system)")
    return figure


def strip(description):
    figure, axes = rows(description)
    figure.subplots_adjust(left=0.36, right=0.97)
    values = [point["x"] for one in description["series"] for point in one["points"]]
    for row, one in enumerate(description["series"]):
        tone = colour(style_of(one))
        for point in one["points"]:
            axes.plot([point["x"]], [row], color=tone, marker="o", markersize=6, alpha=0.75, linestyle="none", markeredgecolor=tone,
                      markerfacecolor=PAGE if point["hollow"] else tone)
    reach = max(max(abs(value) for value in values) * 1.1, 1)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlim(-reach, reach)
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: "%+g %%" % value if value else "0"))
    axes.set_xlabel("second measurement beside the first")
    return figure


KINDS = {"lines": lines, "timeline": timeline, "percentiles": percentiles, "dots": dots, "stack": stack, "strip": strip}


def for_page(svg, name):
    """The SVG as it may stand within a page: no prologue, identifiers of its own, the page's colours and font."""
    svg = svg[svg.index("<svg "):]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.S)
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.S)
    svg = re.sub(r'\s(xmlns(:xlink)?|version)="[^"]*"', "", svg)
    svg = svg.replace("xlink:href", "href")
    svg = re.sub(r"<defs>\s*<style.*?</defs>\s*", "", svg, flags=re.S)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
    svg = re.sub(r'\sid="([^"]*)"', lambda match: match.group(0) if match.group(1) in used else "", svg)
    svg = re.sub(r'(\sid="|href="#|url\(#)', lambda match: match.group(1) + name + "-", svg)
    svg = re.sub(r'(<svg )([^>]*)>', lambda match: '<svg viewBox="%s">' % re.search(r'viewBox="([^"]*)"', match.group(2)).group(1), svg, 1)
    svg = re.sub(r"font: (?:[a-z]+ )?([0-9.]+)px [^;\"]*", r"font-size: \1px", svg)
    svg = re.sub(r"#[0-9a-f]{6}", lambda match: "var(%s)" % NAMES.get(match.group(0), "--ink"), svg)
    # A tenth of a unit is less than one sees. Numbers in the text stay as they are.
    svg = re.sub(r'\s(?:d|x|y|transform|width|height)="[^"]*"', lambda match: re.sub(r"(\.\d)\d+", r"\1", match.group(0)), svg)
    svg = re.sub(r' transform="rotate\(-?0 [^)]*\)"', "", svg).replace("fill: var(--ink); font-size", "font-size")
    svg = re.sub(r"; stroke-linecap: (square|butt)|; stroke-linejoin: (miter|round)", "", svg)
    svg = re.sub(r"<g>\s*(<(?:path|use|text)\b[^>]*(?:/>|>[^<]*</text>))\s*</g>", r"\1", svg)
    svg = re.sub(r"\s+(?=[LQCMz]\b)|\s+(?=\"|/?>)", "", svg)
    return re.sub(r"\n\s*", "\n", svg)


def main(model, directory):
    with open(model, encoding="utf-8") as file:
        figures = json.load(file)
    for number, description in enumerate(figures, 1):
        figure = KINDS[description["kind"]](description)
        path = "%s/%s.svg" % (directory, description["id"])
        figure.savefig(path, format="svg", metadata={"Date": None})
        pyplot.close(figure)
        with open(path, encoding="utf-8") as file:
            svg = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(for_page(svg, "f%d" % number))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: plots.py FIGURES.json DIRECTORY")
    main(sys.argv[1], sys.argv[2])
