"""Queries of surveys."""

from partnerships.surveys.queries.my_work import TASK_SOURCES

__all__ = ["TASK_SOURCES"]
