"""The web room as Django knows it."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "partnerships.web"
    label = "web"
    default_auto_field = "django.db.models.BigAutoField"
