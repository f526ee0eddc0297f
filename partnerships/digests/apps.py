"""The digests room as Django knows it."""

from django.apps import AppConfig


class DigestsConfig(AppConfig):
    name = "partnerships.digests"
    label = "digests"
    default_auto_field = "django.db.models.BigAutoField"
