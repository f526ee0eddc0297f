"""Queries of recommendations. The room of reports reads `reporting`."""

from partnerships.recommendations.queries.work import WAITING

__all__ = ["WAITING"]
