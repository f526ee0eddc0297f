"""Who may call each service of lists."""

from __future__ import annotations

from django.http import QueryDict
from django.utils import timezone

from partnerships.kit.lists import ListDefinition, find_list
from partnerships.lists import services
from partnerships.lists.bulk import follow_action
from partnerships.lists.reading import read
from tests.support.rights import EVERYBODY, LEAD, Row


def _list(slug: str) -> ListDefinition:
    """Return the list with this name."""
    definition = find_list(slug)
    assert definition is not None
    return definition


ROWS = (
    Row(
        "lists.save_view",
        lambda world, person, _: services.save_view(
            person=person, kind="partnerships", name="Mine", state={}, now=timezone.now()
        ),
        EVERYBODY - {"stakeholder"},
    ),
    Row(
        "lists.change_view",
        lambda world, person, _: services.change_view(view=world.things["view"], person=person, name="New"),
        LEAD,
    ),
    Row(
        "lists.share_view",
        lambda world, person, _: services.share_view(
            view=world.things["view"], person=person, shared_with=world.partnership, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "lists.choose_default",
        lambda world, person, _: services.choose_default(kind="commitments", view=world.things["view"], person=person),
        {"viewer", "editor", "lead"},
    ),
    Row(
        "lists.follow_view",
        lambda world, person, _: services.follow_view(view=world.things["view"], person=person, now=timezone.now()),
        {"viewer", "editor", "lead"},
    ),
    Row(
        "lists.request_file",
        lambda world, person, _: services.request_file(
            listing=read(_list("commitments"), person, QueryDict("")),
            file_format="csv",
            person=person,
            now=timezone.now(),
        ),
        EVERYBODY - {"stakeholder"},
    ),
    Row(
        "lists.remove_file",
        lambda world, person, file: services.remove_file(file=file, person=person),
        LEAD,
        prepare=lambda world: services.request_file(
            listing=read(_list("commitments"), world.amina, QueryDict("")),
            file_format="csv",
            person=world.amina,
            now=timezone.now(),
        ),
    ),
    Row(
        "lists.change_rows",
        lambda world, person, _: services.change_rows(
            definition=_list("organisations"),
            action=follow_action(_list("organisations")),
            row_ids=[world.tidewater.pk],
            person=person,
            chosen={},
            now=timezone.now(),
        ),
        EVERYBODY - {"stakeholder"},
    ),
    Row(
        "lists.remove_view",
        lambda world, person, _: services.remove_view(view=world.things["view"], person=person, now=timezone.now()),
        LEAD,
    ),
)
WITHOUT_A_PERSON = {
    "lists.check_followed_views": "called by the clock",
    "lists.make_files": "called by the clock",
    "lists.may_download": "a question that a page asks",
    "lists.stop_sharing": "a step of `share_view`, and of what is done after a restore",
    "lists.unfollow_view": "ends the person's own following, which nobody needs a right for",
}
