"""Who may call each service of calendars."""

from __future__ import annotations

from django.utils import timezone

from partnerships.calendars import services
from partnerships.calendars.models import CalendarAddress
from partnerships.kit.calendars import CalendarKind
from tests.support.rights import LEAD, Row
from tests.world import World


def _of_amina(world: World) -> CalendarAddress:
    made = services.make_address(
        person=world.amina, partnership=None, kinds=CalendarKind.values, author=world.amina, now=timezone.now()
    )
    return made.address


ROWS = (
    Row(
        "calendars.make_address",
        lambda world, author, _: services.make_address(
            person=world.amina, partnership=world.partnership, kinds=["meeting"], author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "calendars.choose_kinds",
        lambda world, author, address: services.choose_kinds(
            address=address, kinds=["meeting"], author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_of_amina,
    ),
    Row(
        "calendars.end_address",
        lambda world, author, address: services.end_address(address=address, author=author, now=timezone.now()),
        LEAD,
        prepare=_of_amina,
    ),
)
#: Services that no person calls, each with the reason.
WITHOUT_A_PERSON = {
    "calendars.end_addresses_of": "called when an account is closed",
    "calendars.end_addresses_of_view": "called when a view is removed or shared with nobody",
}
