"""The agreements room as Django knows it."""

from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    name = "partnerships.agreements"
    label = "agreements"
    default_auto_field = "django.db.models.BigAutoField"
