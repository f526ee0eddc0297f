"""The folders that pages and workers write to, checked when they start."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

#: The settings that name the folders, and what does not work without each.
CONSEQUENCES = {
    "MEDIA_ROOT": "nobody can upload files",
    "JOURNAL_ROOT": "a restore would bring back what people ended or removed after the backup",
    "SURVEY_KEYS_ROOT": "no survey can open or close",
}


def require_folders() -> None:
    """Create missing folders.

    Raises `ImproperlyConfigured` with a sentence for each folder that this process cannot use.
    """
    faults = []
    for name, consequence in CONSEQUENCES.items():
        if name == "MEDIA_ROOT" and settings.FILES_BUCKET:
            continue
        folder = Path(getattr(settings, name))
        if reason := _write_fault(folder):
            faults.append(
                f"{name} is set to {folder}, but this process cannot write there ({reason}). As a result, "
                f"{consequence}. Give it permission to write there, or set {name} to another folder."
            )
    if faults:
        raise ImproperlyConfigured("\n".join(faults))


def _write_fault(folder: Path) -> str:
    """Return why this process cannot write to a folder, which is created if missing, or "" if it can."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        return error.strerror or type(error).__name__
    return "" if os.access(folder, os.W_OK | os.X_OK) else "permission denied"
