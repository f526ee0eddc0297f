"""The transfer room as Django knows it."""

from django.apps import AppConfig


class TransferConfig(AppConfig):
    name = "partnerships.transfer"
    label = "transfer"
    default_auto_field = "django.db.models.BigAutoField"
