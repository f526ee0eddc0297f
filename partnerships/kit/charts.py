"""Bar charts as SVG, drawn on the server; the table beside a chart has its figures."""

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
#: With so many groups or fewer, a chart is half as wide, so that its words stay as large as those around it.
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
    """One or two bars for each group, as many as `series`: the first filled, the second outlined.

    `label` is what a screen reader says, `series` the legend. Long names of groups take several lines. `highest` is the
    figure of the tallest possible bar; by default the highest of the chart. A narrow chart is for a card beside others.
    """
    figures = [figure for _, bars in groups for figure, _ in bars if figure is not None]
    top = highest or max(figures, default=0) or 1
    is_narrow = is_narrow or len(groups) <= _FEW
    width = _WIDTH // 2 if is_narrow else _WIDTH
    step = width // max(len(groups), 1)
    names = [wrap(name, max(step // _CHARACTER, 6), break_on_hyphens=False) for name, _ in groups]
    below = max((len(lines) for lines in names), default=1) - 1
    is_stacked = len(series) > 1 and 24 + len(series[0]) * _LEGEND_CHARACTER > width // 2
    return format_html(
        '<svg viewBox="0 0 {} {}" class="{}" role="img" aria-label="{}"><line x1="0" x2="{}" y1="{}" y2="{}" '
        'stroke="#6B8288"/>{}{}{}</svg>',
        width,
        _HEIGHT + below * _LINE,
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
            (
                (_middle(place, step), _BASE + 20 + number * _LINE, line)
                for place, lines in enumerate(names)
                for number, line in enumerate(lines)
            ),
        ),
        format_html_join(
            "",
            '<rect x="{}" y="{}" width="16" height="16" {}/><text x="{}" y="{}" font-size="14">{}</text>',
            (
                (left, down + 3, paint, left + 24, down + 16, name)
                for (left, down), paint, name in zip(
                    ((1, 0), (1, 21) if is_stacked else (width // 2, 0)), _PAINT, series, strict=False
                )
            ),
        ),
    )


def row_chart(label: str, rows: Sequence[tuple[str, int]], *, is_narrow: bool = False) -> SafeString:
    """One bar for each row, below its words, which may be a sentence; longest bar for the highest figure.

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
            (
                (
                    *(place * _ROW + 16, words, place * _ROW + 24, round(longest * figure / top), _PAINT[0]),
                    *(round(longest * figure / top) + 10, place * _ROW + 37, f"{figure:,}"),
                )
                for place, (words, figure) in enumerate(said)
            ),
        ),
    )


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
