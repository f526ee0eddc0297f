"""The storage of uploaded files, which is a folder or a bucket of S3-compatible storage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def storage_of_files(env: Mapping[str, Any]) -> dict[str, Any]:
    """Return Django's settings for the storage of uploaded files.

    `env` has the values of all settings. Without FILES_BUCKET, files are stored in MEDIA_ROOT.
    """
    if not env["FILES_BUCKET"]:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    options = {
        "bucket_name": env["FILES_BUCKET"],
        "endpoint_url": env["FILES_ENDPOINT"] or None,
        "region_name": env["FILES_REGION"],
        "access_key": env["FILES_ACCESS_KEY"] or None,
        "secret_key": env["FILES_SECRET_KEY"] or None,
    }
    return {"BACKEND": "housing.bucket.PrivateBucket", "OPTIONS": options}
