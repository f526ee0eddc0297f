"""Django admin as an app of this project: with our own site."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "partnerships.people.administration.Administration"
