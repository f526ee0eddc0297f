"""Django's configuration of the work room."""

from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "partnerships.work"
    label = "work"
