"""The help that each page links to. Each page belongs to one topic."""

from __future__ import annotations

from typing import NamedTuple

from partnerships.web.page_help import accounts, network, partnerships, plans, promises
from partnerships.web.page_help.topic import Topic


class Group(NamedTuple):
    """Topics that are listed together."""

    title: str
    topics: tuple[Topic, ...]


GROUPS = (
    Group("You and your emails", accounts.TOPICS),
    Group("Partnerships", partnerships.TOPICS),
    Group("Asks, offers and commitments", promises.TOPICS),
    Group("Plans", plans.TOPICS),
    Group("Organisations, reports and lists", network.TOPICS),
)
TOPICS = tuple(topic for group in GROUPS for topic in group.topics)
BY_KEY = {topic.key: topic for topic in TOPICS}
BY_VIEW = {view: topic for topic in TOPICS for view in topic.views.split()}
#: The first topic of each room, for pages that no topic names, such as those that only process a form.
BY_ROOM = {view.partition(":")[0]: topic for view, topic in reversed(BY_VIEW.items())}
BY_ROOM["admin"] = BY_KEY["administration"]


def topic_of(view: str) -> Topic | None:
    """Return the help topic of the page with this URL name, for example "plans:detail".

    If no topic names the page, the first topic of its room is returned. Returns None for rooms without help.
    """
    return BY_VIEW.get(view) or BY_ROOM.get(view.partition(":")[0])
