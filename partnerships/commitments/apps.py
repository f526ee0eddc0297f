"""The commitments room as Django knows it."""

from django.apps import AppConfig


class CommitmentsConfig(AppConfig):
    name = "partnerships.commitments"
    label = "commitments"
    default_auto_field = "django.db.models.BigAutoField"
