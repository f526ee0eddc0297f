"""The Django project: settings, URLs, middleware, and the processes that production runs."""

from housing.celery import app as celery_app

__all__ = ["celery_app"]
