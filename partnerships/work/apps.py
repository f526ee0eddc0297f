"""The work room as Django knows it."""

from django.apps import AppConfig


class WorkConfig(AppConfig):
    name = "partnerships.work"
    label = "work"
