"""Administrators edit the kinds of partnership; pages follow."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership, PartnershipKind
from tests.world import World

ADDED = {
    "label": "Land pact",
    "code": "land_pact",
    "purpose": "Owners pool their land.",
    "position": "110",
    "active": "on",
}


def admin_page(name: str, *on: int) -> str:
    return reverse(f"admin:agreements_partnershipkind_{name}", args=on)


def test_an_administrator_adds_a_kind_that_partnerships_use_at_once(world: World, client: Client) -> None:
    client.force_login(world.dee)
    assert client.post(admin_page("add"), ADDED).status_code == 302

    client.force_login(world.amina)
    form = client.get(reverse("agreements:create")).content.decode()
    made = agreements.create_partnership(
        organisation=world.larkhaven, author=world.amina, title="Quays", kind="land_pact", now=timezone.now()
    )
    page = client.get(made.get_absolute_url()).content.decode()

    assert '<option value="land_pact">Land pact</option>' in form
    assert "Land pact" in page


def test_a_reworded_kind_keeps_its_code_and_shows_its_new_label(world: World, client: Client) -> None:
    kind = PartnershipKind.objects.get(code="memorandum")
    client.force_login(world.dee)
    client.post(
        admin_page("change", kind.pk), {"label": "Memorandum", "code": "changed", "position": "5", "active": "on"}
    )

    client.force_login(world.amina)
    page = client.get(world.partnership.get_absolute_url()).content.decode()

    kind.refresh_from_db()
    assert (kind.code, kind.label) == ("memorandum", "Memorandum")
    assert "Memorandum of understanding" not in page
    assert [row.pgh_label for row in kind.events.order_by("pgh_id")] == ["insert", "update"]


def test_a_retired_kind_is_kept_by_old_partnerships_and_offered_to_no_new_one(world: World, client: Client) -> None:
    kind = PartnershipKind.objects.get(code="memorandum")
    kind.active = False
    kind.save()
    client.force_login(world.amina)

    start = client.get(reverse("agreements:create")).content.decode()
    terms = client.get(reverse("agreements:edit", kwargs={"pk": world.partnership.pk})).content.decode()
    found = client.get(reverse("agreements:list"), {"kind": "memorandum"}).content.decode()

    assert 'value="memorandum"' not in start
    assert '<option value="memorandum" selected>' in terms
    assert world.partnership.title in found
    with pytest.raises(agreements.UnableToCreatePartnership, match="no longer offered"):
        agreements.create_partnership(
            organisation=world.larkhaven, author=world.amina, title="Quays", kind="memorandum", now=timezone.now()
        )


def test_nobody_deletes_a_kind(world: World, client: Client) -> None:
    kind = PartnershipKind.objects.get(code="charter")
    client.force_login(world.dee)

    assert client.post(admin_page("delete", kind.pk), {"post": "yes"}).status_code == 403
    assert Partnership.objects.filter(kind="memorandum").exists()
