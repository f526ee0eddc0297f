"""Bar charts as SVG, drawn on the server; the table beside a chart has its figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TypeAlias

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

#: A figure with the words that stand above its bar. None: no bar, such as a masked figure, only the words.
Bar: TypeAlias = tuple[int | Decimal | None, str]

_WIDTH, _HEIGHT, _BASE, _TOP = 720, 250, 210, 150
#: The widest bar: the words above two of them fit side by side.
_WIDEST = 44
#: Fill and outline tell the two apart; the colours of ask and offer would mislead.
_PAINT = (
    SafeString('fill="#0B5A75" stroke="#0B5A75" stroke-width="2"'),
    SafeString('fill="#FFFFFF" stroke="#0B5A75" stroke-width="2"'),
)


def bar_chart(
    label: str,
    series: tuple[str, str],
    groups: Sequence[tuple[str, tuple[Bar, Bar]]],
    *,
    highest: int | Decimal | None = None,
) -> SafeString:
    """Two bars for each group: the first filled, the second outlined.

    `label` is what a screen reader says, `series` the legend. `highest` is the figure of the tallest possible bar; by
    default the highest of the chart.
    """
    figures = [figure for _, bars in groups for figure, _ in bars if figure is not None]
    top = highest or max(figures, default=0) or 1
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}"><line x1="0" x2="{}" y1="{}" y2="{}" '
        'stroke="#6B8288"/>{}{}{}</svg>',
        _WIDTH,
        _HEIGHT,
        label,
        _WIDTH,
        _BASE,
        _BASE,
        format_html_join(
            "",
            '<rect x="{}" y="{}" width="{}" height="{}" {}/><text x="{}" y="{}" text-anchor="middle" font-size="13">'
            "{}</text>",
            _bars(groups, Decimal(top)),
        ),
        format_html_join(
            "",
            '<text x="{}" y="{}" text-anchor="middle" font-size="12" fill="#4A6168">{}</text>',
            ((_middle(place, groups), _BASE + 20, name) for place, (name, _) in enumerate(groups)),
        ),
        format_html_join(
            "",
            '<rect x="{}" y="3" width="16" height="16" {}/><text x="{}" y="16" font-size="14">{}</text>',
            (
                (left, paint, left + 24, name)
                for left, paint, name in zip((1, _WIDTH // 2), _PAINT, series, strict=True)
            ),
        ),
    )


def _step(groups: Sequence[object]) -> int:
    return _WIDTH // max(len(groups), 1)


def _middle(place: int, groups: Sequence[object]) -> int:
    return place * _step(groups) + _step(groups) // 2


def _bars(groups: Sequence[tuple[str, tuple[Bar, Bar]]], top: Decimal) -> Iterator[tuple[object, ...]]:
    bar = min(_WIDEST, max(_step(groups) // 2 - 8, 4))
    for place, (_, bars) in enumerate(groups):
        lefts = (_middle(place, groups) - bar - 2, _middle(place, groups) + 2)
        for left, paint, (figure, words) in zip(lefts, _PAINT, bars, strict=True):
            height = round(_TOP * min(Decimal(figure or 0), top) / top)
            yield left, _BASE - height, bar, height, paint, left + bar // 2, _BASE - height - 5, words
