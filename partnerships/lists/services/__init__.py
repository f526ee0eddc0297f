"""What people do with saved views."""

from __future__ import annotations

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
    "BETWEEN_EMAILS",
    "MAX_FOLLOWED",
    "MAX_ROWS",
    "MAX_VIEWS",
    "UnableToFollow",
    "UnableToSaveView",
    "change_view",
    "check_followed_views",
    "choose_default",
    "follow_view",
    "remove_view",
    "save_view",
    "share_view",
    "unfollow_view",
]
