"""The developer agreements room as Django knows it."""

from importlib import import_module

from django.apps import AppConfig


class DeveloperAgreementsConfig(AppConfig):
    name = "partnerships.developer_agreements"
    label = "developer_agreements"
    verbose_name = "developer agreements"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms call."""
        import_module("partnerships.developer_agreements.registrations").register()
