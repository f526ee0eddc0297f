"""Settings for measuring django-post-office, which are ours with its app and its email backend."""

from housing.settings import *  # noqa: F403 - settings extend settings
from housing.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "post_office"]
EMAIL_BACKEND = "post_office.EmailBackend"
POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "BATCH_SIZE": 5000,
    "THREADS_PER_PROCESS": 5,
}
