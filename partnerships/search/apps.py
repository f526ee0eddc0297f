"""The search room as Django knows it."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "partnerships.search"
    label = "search"
    default_auto_field = "django.db.models.BigAutoField"
