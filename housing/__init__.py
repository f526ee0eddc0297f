"""The Django project: settings, URLs, middleware, and the processes that production runs."""

from housing.celery import app as celery_app

#: The version that CHANGELOG.md and docs/releases describe.
VERSION = "0.1.0"

__all__ = ["VERSION", "celery_app"]
