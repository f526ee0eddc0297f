"""Django configuration of the room of published housing figures."""

from django.apps import AppConfig


class HousingFiguresConfig(AppConfig):
    name = "partnerships.housing_figures"
    label = "housing_figures"
    verbose_name = "housing figures"
    default_auto_field = "django.db.models.BigAutoField"
