"""Who may call each service of lists."""

from __future__ import annotations

from django.utils import timezone

from partnerships.lists import services
from tests.support.rights import EVERYBODY, LEAD, Row

ROWS = (
    Row(
        "lists.save_view",
        lambda w, person, _: services.save_view(
            person=person, kind="partnerships", name="Mine", state={}, now=timezone.now()
        ),
        EVERYBODY - {"stakeholder"},
    ),
    Row(
        "lists.change_view",
        lambda w, person, _: services.change_view(view=w.things["view"], person=person, name="New"),
        LEAD,
    ),
    Row(
        "lists.share_view",
        lambda w, person, _: services.share_view(view=w.things["view"], person=person, shared_with=w.partnership),
        LEAD,
    ),
    Row(
        "lists.choose_default",
        lambda w, person, _: services.choose_default(kind="commitments", view=w.things["view"], person=person),
        {"viewer", "editor", "lead"},
    ),
    Row(
        "lists.follow_view",
        lambda w, person, _: services.follow_view(view=w.things["view"], person=person, now=timezone.now()),
        {"viewer", "editor", "lead"},
    ),
    Row("lists.remove_view", lambda w, person, _: services.remove_view(view=w.things["view"], person=person), LEAD),
)
WITHOUT_A_PERSON = {
    "lists.check_followed_views": "called by the clock",
    "lists.unfollow_view": "ends the person's own following, which nobody needs a right for",
}
