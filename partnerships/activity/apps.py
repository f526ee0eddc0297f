"""The activity room as Django knows it."""

from django.apps import AppConfig


class ActivityConfig(AppConfig):
    name = "partnerships.activity"
    label = "activity"
    verbose_name = "What happened"
    default_auto_field = "django.db.models.BigAutoField"
