"""What people do with lists and saved views."""

from __future__ import annotations

from partnerships.lists.services.bulk import MAX_CHANGED, Outcome, UnableToChangeRows, change_rows
from partnerships.lists.services.files import (
    AT_ONCE,
    MAX_FILES,
    UnableToMakeFile,
    make_files,
    may_download,
    remove_file,
    request_file,
)
from partnerships.lists.services.following import (
    BETWEEN_EMAILS,
    MAX_FOLLOWED,
    MAX_ROWS,
    UnableToFollow,
    check_followed_views,
    follow_view,
    unfollow_view,
)
from partnerships.lists.services.views import (
    MAX_VIEWS,
    UnableToSaveView,
    change_view,
    choose_default,
    remove_view,
    save_view,
    share_view,
)

__all__ = [
    "AT_ONCE",
    "BETWEEN_EMAILS",
    "MAX_CHANGED",
    "MAX_FILES",
    "MAX_FOLLOWED",
    "MAX_ROWS",
    "MAX_VIEWS",
    "Outcome",
    "UnableToChangeRows",
    "UnableToFollow",
    "UnableToMakeFile",
    "UnableToSaveView",
    "change_rows",
    "change_view",
    "check_followed_views",
    "choose_default",
    "follow_view",
    "make_files",
    "may_download",
    "remove_file",
    "remove_view",
    "request_file",
    "save_view",
    "share_view",
    "unfollow_view",
]
