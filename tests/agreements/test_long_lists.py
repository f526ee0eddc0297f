"""Documents, versions and former holders come in pages."""

from __future__ import annotations

import datetime as dt

from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.services import ContactDetails, add_document, create_post, fill_post, take_back_terms
from tests.agreements.signing import draft_first_terms
from tests.support.signing_in import signed_in
from tests.support.terms import put_up
from tests.world import World

#: One more row than fits on a page.
MANY = 26


def read_two_pages(client: Client, address: str) -> tuple[str, str]:
    """Return the first two pages of a list, and check that the second page is the last and has one row."""
    first = client.get(address)
    second = client.get(address + first.context["page"].next)
    assert first.status_code == 200
    assert second.status_code == 200
    assert second.context["page"].next == ""
    assert len(second.context["page"].rows) == 1
    return first.content.decode(), second.content.decode()


def test_documents_come_in_pages_the_newest_first(world: World) -> None:
    for number in range(MANY):
        add_document(
            partnership=world.partnership,
            title=f"Minutes {number}.",
            file=ContentFile(f"Meeting {number}.\n".encode(), name="minutes.txt"),
            organisation=world.larkhaven,
            author=world.amina,
            now=timezone.now(),
        )

    address = reverse("agreements:documents", args=[world.partnership.pk])
    first, second = read_two_pages(signed_in(world.amina), address)

    assert "Minutes 25." in first
    assert "Minutes 0." not in first
    assert "Minutes 0." in second


def test_versions_of_the_terms_come_in_pages_the_newest_first(world: World) -> None:
    proposal = draft_first_terms(world)
    for _ in range(MANY):
        newest_version = put_up(proposal, world.amina)
        take_back_terms(proposal=proposal, reason="Not yet.", author=world.amina, now=timezone.now())

    first, second = read_two_pages(signed_in(world.amina), reverse("agreements:terms", args=[world.partnership.pk]))

    assert f'href="{newest_version.get_absolute_url()}"' in first
    assert "Version 1</a>" not in first
    assert "Version 1</a>" in second
    assert "Compare versions" in second


def test_former_holders_of_a_post_come_in_pages_the_last_first(world: World) -> None:
    post = create_post(
        organisation=world.larkhaven, partnership=None, role="finance", author=world.amina, now=timezone.now()
    )
    first_day = timezone.localdate() - dt.timedelta(days=60)
    for number in range(MANY + 1):
        fill_post(
            post=post,
            contact=ContactDetails(name=f"Contact {number}."),
            starts_on=first_day + dt.timedelta(days=number),
            reason="As planned.",
            author=world.amina,
            now=timezone.now(),
        )

    first, second = read_two_pages(signed_in(world.amina), post.get_absolute_url())

    assert "Contact 25." in first
    assert "Contact 0." not in first
    assert "Contact 0." in second
