"""Pages of lists and of saved views."""

from __future__ import annotations

from partnerships.lists.views.bulk import bulk
from partnerships.lists.views.files import file, file_download, file_remove, make_file
from partnerships.lists.views.listing import download, export, show
from partnerships.lists.views.saved import (
    change,
    drop_default,
    follow,
    remove,
    save,
    saved,
    set_default,
    share,
    unfollow,
)

__all__ = [
    "bulk",
    "change",
    "download",
    "drop_default",
    "export",
    "file",
    "file_download",
    "file_remove",
    "follow",
    "make_file",
    "remove",
    "save",
    "saved",
    "set_default",
    "share",
    "show",
    "unfollow",
]
