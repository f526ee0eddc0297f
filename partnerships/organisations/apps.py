"""The organisations room as Django knows it."""

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    name = "partnerships.organisations"
    label = "organisations"
    default_auto_field = "django.db.models.BigAutoField"
