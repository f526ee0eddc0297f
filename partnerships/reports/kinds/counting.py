"""How many rows a list has that names only the first ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from partnerships.reports.snapshot import Row


def number_of(found: QuerySet[Any], shown: Sequence[Row], *, limit: int) -> int:
    """How many there are.

    Counted only if as many are shown as the list may have.
    """
    return found.count() if len(shown) == limit else len(shown)
