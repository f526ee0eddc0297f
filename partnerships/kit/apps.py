"""Django's configuration of the kit room."""

from django.apps import AppConfig


class KitConfig(AppConfig):
    name = "partnerships.kit"
    label = "kit"
    default_auto_field = "django.db.models.BigAutoField"
