"""Pages of lists and of saved views."""

from __future__ import annotations

from partnerships.lists.views.bulk import change_several
from partnerships.lists.views.files import file_download, file_page, file_remove, make_file
from partnerships.lists.views.listing import download, export, show
from partnerships.lists.views.saved import (
    drop_default_view,
    edit_view,
    follow_saved_view,
    remove_own_view,
    save_as_view,
    saved_views,
    set_default_view,
    share_own_view,
    unfollow_saved_view,
)

__all__ = [
    "change_several",
    "download",
    "drop_default_view",
    "edit_view",
    "export",
    "file_download",
    "file_page",
    "file_remove",
    "follow_saved_view",
    "make_file",
    "remove_own_view",
    "save_as_view",
    "saved_views",
    "set_default_view",
    "share_own_view",
    "show",
    "unfollow_saved_view",
]
