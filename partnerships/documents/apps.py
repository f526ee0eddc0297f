"""Django configuration of the documents room."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    name = "partnerships.documents"
    label = "documents"
    verbose_name = "Versioned documents"
    default_auto_field = "django.db.models.BigAutoField"
