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
from django.utils.text import Truncator

#: A figure with the words that stand above its bar. None: no bar, such as a masked figure, only the words.
Bar: TypeAlias = tuple[int | Decimal | None, str]

_WIDTH, _HEIGHT, _BASE, _TOP = 720, 250, 210, 150
#: The widest bar: the words above two of them fit side by side.
_WIDEST = 44
#: With this many groups or fewer, a chart is half as wide, so that its words stay as large as those around it.
_FEW = 3
#: Width of a character and height of a line below the bars, and the width of a character of the legend.
_CHARACTER, _LINE, _LEGEND_CHARACTER = 7, 15, 8
#: Height of a row with its words, and its longest bar.
_ROW, _LONGEST = 54, 650
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

    The first is filled, the second outlined.

    `label` is what a screen reader says, `series` the legend. Long names of groups take several lines. `highest` is the
    figure of the tallest possible bar; by default the highest of the chart. A narrow chart is for a card beside others.
    """
    figures = [figure for _, bars in groups for figure, _ in bars if figure is not None]
    top = highest or max(figures, default=0) or 1
    is_narrow = is_narrow or len(groups) <= _FEW
    width = _WIDTH // 2 if is_narrow else _WIDTH
    step = width // max(len(groups), 1)
    names = [wrap(name, max(step // _CHARACTER, 6), break_on_hyphens=False) for name, _ in groups]
    further_lines = max((len(lines) for lines in names), default=1) - 1
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
            _names_below(names, step),
        ),
        _legend(series, width),
    )


def _names_below(names: Sequence[Sequence[str]], step: int) -> Iterator[tuple[int, int, str]]:
    """Where each line of each group's name stands, and its words."""
    for place, lines in enumerate(names):
        for number, line in enumerate(lines):
            yield _middle(place, step), _BASE + 20 + number * _LINE, line


def _legend(series: Sequence[str], width: int) -> SafeString:
    """The legend: a square and the words of each series, side by side, or below each other if too long."""
    is_stacked = len(series) > 1 and 24 + len(series[0]) * _LEGEND_CHARACTER > width // 2
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

    The highest figure has the longest bar.

    `label` is what a screen reader says. A narrow chart is for a card beside others.
    """
    width, longest = (_WIDTH // 2, _LONGEST - _WIDTH // 2) if is_narrow else (_WIDTH, _LONGEST)
    said = [(Truncator(words).chars(width // _CHARACTER), figure) for words, figure in rows]
    top = max((figure for _, figure in rows), default=0) or 1
    return format_html(
        '<svg viewBox="0 0 {} {}" class="{}" role="img" aria-label="{}">{}</svg>',
        width,
        len(rows) * _ROW,
        "cg-chart__few" if is_narrow else "",
        label,
        format_html_join(
            "",
            '<text x="0" y="{}" font-size="14">{}</text><rect x="1" y="{}" width="{}" height="16" {}/>'
            '<text x="{}" y="{}" font-size="13">{}</text>',
            _rows(said, longest, top),
        ),
    )


def _rows(counts: Sequence[tuple[str, int]], longest: int, top: int) -> Iterator[tuple[object, ...]]:
    """The words of each row, its bar below them, and the figure behind the bar."""
    for place, (words, figure) in enumerate(counts):
        down, length = place * _ROW, round(longest * figure / top)
        yield down + 16, words, down + 24, length, _PAINT[0], length + 10, down + 37, f"{figure:,}"


def _middle(place: int, step: int) -> int:
    return place * step + step // 2


def _bars(groups: Sequence[tuple[str, Sequence[Bar]]], step: int, top: Decimal) -> Iterator[tuple[object, ...]]:
    bar = min(_WIDEST, max(step // 2 - 8, 4))
    for place, (_, bars) in enumerate(groups):
        middle = _middle(place, step)
        lefts = (middle - bar // 2,) if len(bars) == 1 else (middle - bar - 2, middle + 2)
        for left, paint, (figure, words) in zip(lefts, _PAINT, bars, strict=False):
            height = round(_TOP * min(Decimal(figure or 0), top) / top)
            yield left, _BASE - height, bar, height, paint, left + bar // 2, _BASE - height - 5, words
