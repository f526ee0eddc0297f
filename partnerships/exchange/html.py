"""Render the cards and the filter panel of the board, with a cache in each process.

The key of each cached piece of HTML contains every value that the piece shows. So a piece is never out of date, and
never shows what only another reader may see. docs/decisions/0032-what-the-board-caches.md explains what this saves.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from partnerships.exchange.forms.filters import FilterForm, choices_with_counts
from partnerships.exchange.models import Theme
from partnerships.exchange.queries.board import Card, Counts
from partnerships.kit.database import rows_of
from partnerships.kit.record_fields import find_without_script

#: Codes and labels.
Labels: TypeAlias = tuple[tuple[str, str], ...]


def cards_html(cards: Iterable[Card]) -> list[SafeString]:
    """Return each card as a list item."""
    today = timezone.localdate()
    themes = tuple(Theme.all_choices())
    return [_card(card, today, themes) for card in cards]


@lru_cache(maxsize=4_096)
def _card(card: Card, today: dt.date, themes: Labels) -> SafeString:
    """Return the HTML of one card.

    A card shows for how many days there was no answer, and the label of a theme. So `today` and `themes` are part of
    the cache's key.
    """
    return render_to_string("exchange/_card.html", {"card": card})


def filter_panel(request: HttpRequest, form: FilterForm, counts: dict[str, str]) -> SafeString:
    """Return the filter panel, in which each choice shows its count."""
    names = [*form.fields, *(f"{name}-find" for name in form.fields)]
    parameters = tuple((name, tuple(request.GET.getlist(name))) for name in names if name in request.GET)
    panel = _panel(request.path, parameters, _areas_version(), tuple(Theme.all_choices()))
    # Counts are digits and signs, so the result is as safe as the panel.
    return mark_safe(_MARK.sub(lambda placeholder: counts[placeholder[1]], panel))  # noqa: S308  # see the line above


def counts_by_element(counts: Counts) -> dict[str, str]:
    """Return the count of each choice in the filter panel, by the id of its HTML element.

    For example, `{"count-theme-land": "1,000+"}` if counting stopped at 1,000.
    """
    counts_by_field = {"direction": counts.directions, "theme": counts.themes, "status": counts.statuses}
    more = "+" if counts.capped else ""
    return {
        f"count-{name}-{code}": f"{counts_by_field[name][code]:,}{more}"
        for name, choices in choices_with_counts().items()
        for code, _ in choices
    }


#: The placeholder for a count in the cached panel.
_MARK = re.compile("⟦([a-z0-9_-]+)⟧")


@lru_cache(maxsize=256)
def _panel(path: str, parameters: tuple[tuple[str, tuple[str, ...]], ...], areas_version: str, themes: Labels) -> str:
    """Return the filter panel with a placeholder for each count.

    The panel lists all areas and themes. So `areas_version` and `themes` are part of the cache's key.
    """
    query = QueryDict(mutable=True)
    for name, values in parameters:
        query.setlist(name, list(values))
    form = FilterForm(query)
    form.is_valid()
    find_without_script(form, query)
    form.show_counts({element: f"⟦{element}⟧" for element in counts_by_element(Counts())})
    return render_to_string(
        "partials/_filter_panel.html", {"form": form, "request": {"path": path}, "target": "results"}
    )


def _areas_version() -> str:
    """Return a hash that changes when the areas to choose from change."""
    sql = "SELECT md5(string_agg(id || name, ',' ORDER BY name, id)) FROM organisations_area WHERE valid_to IS NULL"
    ((version,),) = rows_of(sql, [])
    return version or ""
