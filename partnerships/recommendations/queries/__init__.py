"""Queries of recommendations."""

from partnerships.recommendations.queries.work import WAITING

__all__ = ["WAITING"]
