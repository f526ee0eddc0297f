"""Queries of recommendations."""

from partnerships.recommendations.queries.my_work import WAITING

__all__ = ["WAITING"]
