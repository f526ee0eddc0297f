"""What every test shares: quick password hashing, kept mail, and the outside world held off."""

from __future__ import annotations

import pytest
from django.conf import settings as django_settings


def pytest_configure() -> None:
    """Settings that only tests want, before Django reads them."""
    django_settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django_settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"
    django_settings.CELERY_BROKER_URL = "memory://"


@pytest.fixture(autouse=True)
def media_root(settings: object, tmp_path: object) -> None:
    """Each test keeps its files to itself."""
    settings.MEDIA_ROOT = tmp_path  # type: ignore[attr-defined]  # pytest-django's wrapper
