"""Uploaded files in a bucket of S3-compatible storage, for instances on several machines.

Only the application reads the bucket. A file is downloaded from a view that checks access, as with files in a folder
(docs/decisions/0136-files-in-a-bucket-leave-through-the-application.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.base import File
from django.utils.encoding import filepath_to_uri
from storages.backends.s3 import S3File, S3Storage

#: The folder of the bucket with the files.
FILES = "files"
#: The limit in bytes under which a file is kept in memory and not written to disk. Uploads are always smaller
#: (partnerships/kit/uploads.py).
MAX_BYTES = 12 * 1024 * 1024


@contextmanager
def failures_as_on_a_disk() -> Iterator[None]:
    """Raise `OSError` if the bucket fails, so that callers can treat the bucket like a folder.

    A missing file raises `FileNotFoundError`. A backup, which lists all files first, then continues without the file.
    """
    try:
        yield
    except ClientError as error:
        is_missing = error.response.get("Error", {}).get("Code") in ("404", "NoSuchKey")
        error_type = FileNotFoundError if is_missing else OSError
        raise error_type(f"The file storage failed: {type(error).__name__}.") from error
    except (BotoCoreError, Boto3Error) as error:
        raise OSError(f"The file storage failed: {type(error).__name__}.") from error


class PrivateBucket(S3Storage):  # type: ignore[misc]  # the package has no types
    """A storage for files in a bucket that only this application may read. Failures raise `OSError`."""

    def get_default_settings(self) -> dict[str, Any]:
        """Return the package's defaults with ours, which no setting of the instance changes."""
        config = Config(
            connect_timeout=3,
            read_timeout=10,
            retries={"max_attempts": 2, "mode": "standard"},
            s3={"addressing_style": "path"},
            signature_version="s3v4",
            # Storage that is not Amazon's may not support Amazon's newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        return {
            **super().get_default_settings(),
            "location": FILES,
            "file_overwrite": False,
            "max_memory_size": MAX_BYTES,
            "client_config": config,
            "transfer_config": TransferConfig(use_threads=False),
        }

    def _open(self, name: str, mode: str = "rb") -> S3File:
        """Return the file after reading all of it, because a failure must not happen in the middle of a response."""
        with failures_as_on_a_disk():
            open_file = super()._open(name, mode)
            if mode == "rb":
                open_file.open()
            return open_file

    def _save(self, name: str, content: File[bytes]) -> str:
        with failures_as_on_a_disk():
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        """Delete a file. A missing file is no error."""
        with failures_as_on_a_disk():
            super().delete(name)

    def exists(self, name: str) -> bool:
        """Return whether the bucket has the file."""
        with failures_as_on_a_disk():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        with failures_as_on_a_disk():
            return int(super().size(name))

    def get_modified_time(self, name: str) -> dt.datetime:
        """Return when the file was stored."""
        with failures_as_on_a_disk():
            stored_at: dt.datetime = super().get_modified_time(name)
            return stored_at

    def url(self, name: str, *args: Any, **kwargs: Any) -> str:
        """Return a URL that nothing serves, as for files in a folder.

        A signed URL would bypass the check of rights.
        """
        return urljoin(settings.MEDIA_URL, filepath_to_uri(name))

    def names(self) -> list[str]:
        """Return the names of all files, in order."""
        with failures_as_on_a_disk():
            keys = [s3_object.key for s3_object in self.bucket.objects.filter(Prefix=f"{FILES}/")]
        return sorted(key.removeprefix(f"{FILES}/") for key in keys if not key.endswith("/"))

    def set_aside(self, folder: str) -> None:
        """Move all files into another folder of the bucket, which the application does not read."""
        with failures_as_on_a_disk():
            for name in self.names():
                source = {"Bucket": self.bucket_name, "Key": f"{FILES}/{name}"}
                self.bucket.copy(source, f"{folder}/{name}")
                self.bucket.Object(source["Key"]).delete()
