"""The storage of uploaded files: a folder, or a bucket of S3-compatible storage."""

from __future__ import annotations

from typing import Any


def storage_of_files(bucket: str, endpoint: str, region: str, access_key: str, secret_key: str) -> dict[str, Any]:
    """Return Django's settings for the storage of uploaded files: MEDIA_ROOT if there is no bucket."""
    if not bucket:
        return {"BACKEND": "django.core.files.storage.FileSystemStorage"}
    options = {
        "bucket_name": bucket,
        "endpoint_url": endpoint or None,
        "region_name": region,
        "access_key": access_key or None,
        "secret_key": secret_key or None,
    }
    return {"BACKEND": "housing.bucket.PrivateBucket", "OPTIONS": options}
