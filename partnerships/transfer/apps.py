"""Django configuration of the transfer room, which imports published lists."""

from importlib import import_module

from django.apps import AppConfig


class TransferConfig(AppConfig):
    name = "partnerships.transfer"
    label = "transfer"
    verbose_name = "Imports"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register this room's functions that other rooms call."""
        import_module("partnerships.transfer.registrations").register()
