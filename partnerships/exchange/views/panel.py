"""The filter beside the cards of the board, written once for the same words: templates cost more than finding the rows.

What is kept is a function of everything that it shows, so it is never out of date and never anybody else's.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe

from partnerships.exchange.forms.filters import COUNT_MARK, FilterForm
from partnerships.exchange.models import Direction, Status, Theme
from partnerships.exchange.queries.board import Counts
from partnerships.kit.database import rows_of


def filter_panel(request: HttpRequest, form: FilterForm, counts: Counts) -> SafeString:
    """The filter with the counts of its choices; the rest of it is kept by what was asked for."""
    asked = tuple((name, tuple(request.GET.getlist(name))) for name in form.fields if name in request.GET)
    numbers = _numbers(counts)

    def number(found: re.Match[str]) -> str:
        return numbers[found[1], found[2]]

    # Only numbers are put in, so what was safe stays safe.
    return mark_safe(_MARK.sub(number, _panel(request.path, asked, _areas())))  # noqa: S308  # as the line above says


def counts_apart(counts: Counts) -> SafeString:
    """The counts alone, for a page whose filter stays: htmx puts each in its place."""
    return format_html_join(
        "",
        '<span id="count-{}-{}" hx-swap-oob="true">{}</span>',
        ((name, code, number) for (name, code), number in _numbers(counts).items()),
    )


def _numbers(counts: Counts) -> dict[tuple[str, str], str]:
    more = "+" if counts.capped else ""
    return {
        (name, code): f"{counted[code]:,}{more}"
        for name, codes, counted in (
            ("direction", Direction.values, counts.directions),
            ("theme", Theme.values, counts.themes),
            ("status", Status.values, counts.statuses),
        )
        for code in codes
        if code != Status.DRAFT
    }


_MARK = re.compile(COUNT_MARK.format(name="(direction|theme|status)", code="([a-z0-9_]+)"))


@lru_cache(maxsize=256)
def _panel(path: str, asked: tuple[tuple[str, tuple[str, ...]], ...], areas: str) -> str:
    # `areas` is in the key because the filter lists their names.
    query = QueryDict(mutable=True)
    for name, values in asked:
        query.setlist(name, list(values))
    form = FilterForm(query)
    form.is_valid()
    form.mark_counts()
    return render_to_string("exchange/_panel.html", {"form": form, "path": path, "target": "results"})


def _areas() -> str:
    """What changes when the areas to choose from do."""
    sql = "SELECT md5(string_agg(id || name, ',' ORDER BY name, id)) FROM organisations_area WHERE valid_to IS NULL"
    ((mark,),) = rows_of(sql, [])
    return mark or ""
