"""The Django project: settings, addresses, the Celery application, and the embedded parts."""

from housing.celery import app as celery_app

__all__ = ["celery_app"]
