"""Bar charts as SVG, drawn on the server.

Each page also shows the figures of a chart in a table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from textwrap import wrap
from typing import TypeAlias

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

#: A figure, and the words above its bar. A figure of None, such as a masked one, has words but no bar.
Bar: TypeAlias = tuple[int | Decimal | None, str]

_WIDTH, _HEIGHT, _BASE, _TOP = 720, 250, 210, 150
#: The width of the widest bar. The words above two such bars fit side by side.
_WIDEST = 44
#: A chart with at most this many groups is half as wide, so that its words are as large as the text around it.
_FEW = 3
#: The width of a character, the height of a line, and the gap between two names below the bars.
_CHARACTER, _LINE, _ROOM = 7, 15, 8
#: The width of a character in the legend and in the words of a row.
_LARGE_CHARACTER = 8
#: The height of a row with one line of words, and the height of each further line.
_ROW, _ROW_LINE = 54, 17
#: The length of the longest bar of a row.
_LONGEST = 650
#: The first series is filled, the second only outlined. The colours of asks and offers would mislead here.
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
    """Return a chart with one or two bars for each group, as many as `series` has names.

    The first bar is filled, and the second is outlined. `label` is what a screen reader reads out, and `series` is the
    legend. Long names of groups take several lines. `highest` is the figure of the tallest possible bar. Its default is
    the highest figure of the chart. A narrow chart fits a card.
    """
    figures = [figure for _, bars in groups for figure, _ in bars if figure is not None]
    top = highest or max(figures, default=0) or 1
    is_narrow = is_narrow or len(groups) <= _FEW
    width = _WIDTH // 2 if is_narrow else _WIDTH
    column_width = width // max(len(groups), 1)

    names = [wrap(name, max(column_width // _CHARACTER, 6), break_on_hyphens=False) for name, _ in groups]
    # Names that cannot be wrapped, such as years, would touch, so every second one is a line lower.
    is_staggered = any(len(line) * _CHARACTER > column_width - _ROOM for lines in names for line in lines)
    further_lines = max((len(lines) for lines in names), default=1) - 1 + is_staggered

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
            _bars(groups, column_width, Decimal(top)),
        ),
        format_html_join(
            "",
            '<text x="{}" y="{}" text-anchor="middle" font-size="12" fill="#4A6168">{}</text>',
            _names_below(names, column_width, is_staggered=is_staggered),
        ),
        _legend(series, width),
    )


def _names_below(
    names: Sequence[Sequence[str]], column_width: int, *, is_staggered: bool
) -> Iterator[tuple[int, int, str]]:
    """Yield the position and the words of each line of the groups' names.

    If `is_staggered`, every second name is a line lower.
    """
    for column, lines in enumerate(names):
        for line_number, line in enumerate(lines, column % 2 if is_staggered else 0):
            yield _middle(column, column_width), _BASE + 20 + line_number * _LINE, line


def _legend(series: Sequence[str], width: int) -> SafeString:
    """Return the legend, with a square and the name of each series. Long names are below each other."""
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
    """Return a chart with one bar for each row, below the row's words, which may be a sentence.

    The highest figure has the longest bar. `label` is what a screen reader reads out. A narrow chart fits a card.
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
    """Return the lines of text of all rows, the bars with their figures, and the height of the chart."""
    lines: list[tuple[object, ...]] = []
    bars: list[tuple[object, ...]] = []
    row_top = 0
    for row_lines, figure in wrapped_rows:
        lines += [(row_top + 16 + index * _ROW_LINE, line) for index, line in enumerate(row_lines)]
        last_line_top = row_top + (len(row_lines) - 1) * _ROW_LINE
        length = round(longest * figure / top)
        bars.append((last_line_top + 24, length, _PAINT[0], length + 10, last_line_top + 37, f"{figure:,}"))
        row_top = last_line_top + _ROW
    return lines, bars, row_top


def _middle(column: int, column_width: int) -> int:
    """Return the horizontal position of the middle of a column."""
    return column * column_width + column_width // 2


def _bars(groups: Sequence[tuple[str, Sequence[Bar]]], column_width: int, top: Decimal) -> Iterator[tuple[object, ...]]:
    """Yield the position, size and paint of each bar, then the position of its words, and the words."""
    width = min(_WIDEST, max(column_width // 2 - 8, 4))
    for column, (_, bars) in enumerate(groups):
        middle = _middle(column, column_width)
        lefts = (middle - width // 2,) if len(bars) == 1 else (middle - width - 2, middle + 2)
        for left, paint, (figure, words) in zip(lefts, _PAINT, bars, strict=False):
            height = round(_TOP * min(Decimal(figure or 0), top) / top)
            yield left, _BASE - height, width, height, paint, left + width // 2, _BASE - height - 5, words
