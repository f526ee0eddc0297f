"""Hooks for sections on the pages of partnerships (for present parties only) and of posts."""

from __future__ import annotations

from partnerships.agreements.models import Partnership, Post
from partnerships.kit.sections import Sections
from partnerships.people.models import User

ON_PARTNERSHIPS: Sections[User, Partnership] = Sections()
#: Sections on the page of a post, for those who may name its holder.
ON_POSTS: Sections[User, Post] = Sections()
