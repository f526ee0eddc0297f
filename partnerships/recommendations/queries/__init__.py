"""Queries of recommendations."""

from partnerships.recommendations.queries.my_work import TASK_SOURCES

__all__ = ["TASK_SOURCES"]
