"""Queries of surveys."""

from partnerships.surveys.queries.my_work import WAITING

__all__ = ["WAITING"]
