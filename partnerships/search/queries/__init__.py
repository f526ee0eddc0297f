"""Search the index for what one person may read."""

from __future__ import annotations

from partnerships.search.queries.facets import Choice, Facet
from partnerships.search.queries.results import Hit, Results, search
from partnerships.search.queries.suggestions import Suggestion, suggest

__all__ = ["Choice", "Facet", "Hit", "Results", "Suggestion", "search", "suggest"]
