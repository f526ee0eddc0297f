"""Django admin with our own admin site."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "partnerships.people.administration.Administration"
