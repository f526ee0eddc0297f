"""Help with the page at hand: each page that people see belongs to one topic."""

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
#: For pages without a topic of their own, such as those that only answer a form: the first of their room.
BY_ROOM = {view.partition(":")[0]: topic for view, topic in reversed(BY_VIEW.items())}
BY_ROOM["admin"] = BY_KEY["administration"]


def topic_of(view: str) -> Topic | None:
    """Return the topic of a page by its URL's name, or the first of its room.

    None if neither is known.
    """
    return BY_VIEW.get(view) or BY_ROOM.get(view.partition(":")[0])
