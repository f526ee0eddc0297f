"""Django app configuration of the exchange."""

from importlib import import_module

from django.apps import AppConfig


class ExchangeConfig(AppConfig):
    name = "partnerships.exchange"
    label = "exchange"
    verbose_name = "ask and offer"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what other rooms call."""
        import_module("partnerships.exchange.registrations").register()
