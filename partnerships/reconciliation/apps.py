"""Django configuration of the reconciliation room."""

from django.apps import AppConfig


class ReconciliationConfig(AppConfig):
    name = "partnerships.reconciliation"
    label = "reconciliation"
    default_auto_field = "django.db.models.BigAutoField"
