"""The settings under which django-post-office sends: ours, with its application and nothing of our own sending."""

from housing.settings import *  # noqa: F403 - settings build on settings
from housing.settings import INSTALLED_APPS as OURS

INSTALLED_APPS = [*OURS, "post_office"]
EMAIL_BACKEND = "post_office.EmailBackend"
POST_OFFICE = {
    "BACKENDS": {"default": "django.core.mail.backends.smtp.EmailBackend"},
    "BATCH_SIZE": 5000,
    "THREADS_PER_PROCESS": 5,
}
