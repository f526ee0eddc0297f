"""The Django app of documents."""

from django.apps import AppConfig


class DocumentsConfig(AppConfig):
    """The app of versioned documents, such as plans and the terms of partnerships."""

    name = "partnerships.documents"
    label = "documents"
    verbose_name = "Versioned documents"
    default_auto_field = "django.db.models.BigAutoField"
