"""The folders that pages and workers write to, checked when they start."""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

#: Their settings, and what is lost without each. Files in a bucket need no folder.
WRITTEN = {
    "MEDIA_ROOT": "nobody can upload files",
    "JOURNAL_ROOT": "a restore would bring back what was ended since the backup",
    "SURVEY_KEYS_ROOT": "no survey can open or close",
}


def require_folders() -> None:
    """Make the folders that are missing.

    Raise `ImproperlyConfigured` with a sentence for each that is of no use.
    """
    written = {name: lost for name, lost in WRITTEN.items() if name != "MEDIA_ROOT" or not settings.FILES_BUCKET}
    faults = [fault for name, lost in written.items() if (fault := _fault(name, Path(getattr(settings, name)), lost))]
    if faults:
        raise ImproperlyConfigured("\n".join(faults))


def _fault(name: str, folder: Path, lost: str) -> str:
    """What is wrong with a folder and what to do.

    "" if this process can write to it.
    """
    why = "no right to write"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or type(error).__name__
    else:
        if os.access(folder, os.W_OK | os.X_OK):
            return ""
    return (
        f"{name} names {folder}, to which this process cannot write ({why}): {lost}. "
        f"Give it the right, or set {name} to another folder."
    )
