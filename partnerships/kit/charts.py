"""Bar charts as SVG, drawn on the server.

The table beside a chart has its figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from textwrap import wrap
from typing import TypeAlias

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

#: A figure with the words that stand above its bar. None: no bar, such as a masked figure, only the words.
Bar: TypeAlias = tuple[int | Decimal | None, str]

_WIDTH, _HEIGHT, _BASE, _TOP = 720, 250, 210, 150
#: The widest bar: the words above two of them fit side by side.
_WIDEST = 44
#: With this many groups or fewer, a chart is half as wide, so that its words stay as large as those around it.
_FEW = 3
#: Width of a character and height of a line below the bars, the room between names side by side, and the width of a
#: character of the legend and of the words of a row.
_CHARACTER, _LINE, _ROOM, _LARGE_CHARACTER = 7, 15, 8, 8
#: Height of a row with one line of words, of each further line, and the longest bar.
_ROW, _ROW_LINE, _LONGEST = 54, 17, 650
#: Fill and outline tell the two apart; the colours of ask and offer would mislead.
_PAINT = (
    SafeString('fill="#0B5A75" stroke="#0B5A75" stroke-width="2"'),
    SafeString('fill="#FFFFFF" stroke="#0B5A75" stroke-width="2"'),
)


def bar_chart(
    label: str,
    series: Sequence[str],
    groups: Sequence[tuple[str, Sequence[Bar]]],
    *,
    highest: int | Decimal | None = None,
    is_narrow: bool = False,
) -> SafeString:
    """One or two bars for each group, as many as `series`.

    The first is filled, the second outlined. `label` is what a screen reader says, `series` the legend. Long names of
    groups take several lines. `highest` is the figure of the tallest possible bar; by default the highest of the chart.
    A narrow chart is for a card beside others.
    """
    figures = [figure for _, bars in groups for figure, _ in bars if figure is not None]
    top = highest or max(figures, default=0) or 1
    is_narrow = is_narrow or len(groups) <= _FEW
    width = _WIDTH // 2 if is_narrow else _WIDTH
    step = width // max(len(groups), 1)
    names = [wrap(name, max(step // _CHARACTER, 6), break_on_hyphens=False) for name, _ in groups]
    # Names that nothing can be wrapped in, such as years, stand higher and lower in turn where they would touch.
    drop = any(len(line) * _CHARACTER > step - _ROOM for lines in names for line in lines)
    further_lines = max((len(lines) for lines in names), default=1) - 1 + drop
    return format_html(
        '<svg viewBox="0 0 {} {}" class="{}" role="img" aria-label="{}"><line x1="0" x2="{}" y1="{}" y2="{}" '
        'stroke="#6B8288"/>{}{}{}</svg>',
        width,
        _HEIGHT + further_lines * _LINE,
        "cg-chart__few" if is_narrow else "",
        label,
        width,
        _BASE,
        _BASE,
        format_html_join(
            "",
            '<rect x="{}" y="{}" width="{}" height="{}" {}/><text x="{}" y="{}" text-anchor="middle" font-size="13">'
            "{}</text>",
            _bars(groups, step, Decimal(top)),
        ),
        format_html_join(
            "",
            '<text x="{}" y="{}" text-anchor="middle" font-size="12" fill="#4A6168">{}</text>',
            _names_below(names, step, drop=drop),
        ),
        _legend(series, width),
    )


def _names_below(names: Sequence[Sequence[str]], step: int, *, drop: bool) -> Iterator[tuple[int, int, str]]:
    """The position and words of each line of the groups' names; with `drop`, every second name is a line lower."""
    for column, lines in enumerate(names):
        for line_number, line in enumerate(lines, column % 2 if drop else 0):
            yield _middle(column, step), _BASE + 20 + line_number * _LINE, line


def _legend(series: Sequence[str], width: int) -> SafeString:
    """The legend: a square and the words of each series, side by side, or below each other if too long."""
    is_stacked = len(series) > 1 and 24 + len(series[0]) * _LARGE_CHARACTER > width // 2
    corners = ((1, 0), (1, 21) if is_stacked else (width // 2, 0))
    return format_html_join(
        "",
        '<rect x="{}" y="{}" width="16" height="16" {}/><text x="{}" y="{}" font-size="14">{}</text>',
        (
            (left, top + 3, paint, left + 24, top + 16, name)
            for (left, top), paint, name in zip(corners, _PAINT, series, strict=False)
        ),
    )


def row_chart(label: str, rows: Sequence[tuple[str, int]], *, is_narrow: bool = False) -> SafeString:
    """One bar for each row, below its words, which may be a sentence.

    The highest figure has the longest bar. `label` is what a screen reader says. A narrow chart is for a card beside
    others.
    """
    width, longest = (_WIDTH // 2, _LONGEST - _WIDTH // 2) if is_narrow else (_WIDTH, _LONGEST)
    wrapped_rows = [
        (wrap(words, width // _LARGE_CHARACTER, max_lines=2, placeholder=" …") or [""], figure)
        for words, figure in rows
    ]
    top = max((figure for _, figure in rows), default=0) or 1
    lines, bars, height = _rows(wrapped_rows, longest, top)
    return format_html(
        '<svg viewBox="0 0 {} {}" class="{}" role="img" aria-label="{}">{}{}</svg>',
        width,
        height,
        "cg-chart__few" if is_narrow else "",
        label,
        format_html_join("", '<text x="0" y="{}" font-size="14">{}</text>', lines),
        format_html_join(
            "",
            '<rect x="1" y="{}" width="{}" height="16" {}/><text x="{}" y="{}" font-size="13">{}</text>',
            bars,
        ),
    )


def _rows(
    wrapped_rows: Sequence[tuple[Sequence[str], int]], longest: int, top: int
) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]], int]:
    """The lines of all rows, a bar with its figure below those of each row, and the height of the chart."""
    lines: list[tuple[object, ...]] = []
    bars: list[tuple[object, ...]] = []
    row_top = 0
    for row_lines, figure in wrapped_rows:
        lines += [(row_top + 16 + number * _ROW_LINE, line) for number, line in enumerate(row_lines)]
        last_line_top = row_top + (len(row_lines) - 1) * _ROW_LINE
        length = round(longest * figure / top)
        bars.append((last_line_top + 24, length, _PAINT[0], length + 10, last_line_top + 37, f"{figure:,}"))
        row_top = last_line_top + _ROW
    return lines, bars, row_top


def _middle(column: int, step: int) -> int:
    return column * step + step // 2


def _bars(groups: Sequence[tuple[str, Sequence[Bar]]], step: int, top: Decimal) -> Iterator[tuple[object, ...]]:
    width = min(_WIDEST, max(step // 2 - 8, 4))
    for column, (_, bars) in enumerate(groups):
        middle = _middle(column, step)
        lefts = (middle - width // 2,) if len(bars) == 1 else (middle - width - 2, middle + 2)
        for left, paint, (figure, words) in zip(lefts, _PAINT, bars, strict=False):
            height = round(_TOP * min(Decimal(figure or 0), top) / top)
            yield left, _BASE - height, width, height, paint, left + width // 2, _BASE - height - 5, words
