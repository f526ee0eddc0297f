"""Administrators correct names, areas served and areas, with reasons that are stored in the history."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.services import ContactDetails, create_post, end_post, fill_post
from partnerships.organisations.models import Area, AreaServed, OrganisationName
from partnerships.organisations.services import (
    UnableToCorrect,
    add_name,
    correct_area,
    correct_area_served,
    correct_name,
    serve_area,
    update_organisation,
)
from partnerships.outbox.models import Email
from tests.support.signing_in import signed_in
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def dee(world: World) -> Client:
    """Return the browser of Dee, an administrator."""
    return signed_in(world.dee)


def lark(world: World) -> OrganisationName:
    """Add a misspelt name to Larkhaven, and return the name."""
    name = add_name(organisation=world.larkhaven, name="Larkhavn", kind="alternative", author=None, now=timezone.now())
    assert name is not None
    return name


def area_served(world: World) -> AreaServed:
    return serve_area(
        organisation=world.larkhaven, area=world.fareham, starts_on=dt.date(2020, 4, 1), author=None, now=timezone.now()
    )


def larkhaven_page(world: World) -> str:
    """Return the HTML of Larkhaven's page as its lead sees it."""
    client = signed_in(world.amina)
    return client.get(world.larkhaven.get_absolute_url()).content.decode()


def test_an_administrator_corrects_a_name_with_a_reason(world: World, dee: Client) -> None:
    name = lark(world)
    address = reverse("admin:organisations_organisationname_change", args=[name.pk])
    fields = {"name": "Lark Haven", "kind": "alternative", "valid_from": "", "valid_to": ""}

    refused_response = dee.post(address, fields)
    accepted_response = dee.post(address, fields | {"reason": "Misspelt in the list."})

    name.refresh_from_db()
    assert refused_response.status_code == 200
    assert accepted_response.status_code == 302
    assert name.name == "Lark Haven"
    assert name.folded == "lark haven"
    assert "Misspelt in the list." in larkhaven_page(world)


def test_the_official_name_is_not_corrected_as_a_name(world: World, dee: Client) -> None:
    official = world.larkhaven.names.get(kind="official")

    with pytest.raises(UnableToCorrect, match="on the organisation"):
        correct_name(row=official, kind="former", reason="Wrong.", author=world.dee, now=timezone.now())

    address = reverse("admin:organisations_organisationname_change", args=[official.pk])
    assert "_save" not in dee.get(address).content.decode()


def test_the_short_name_is_not_corrected_as_a_name(world: World) -> None:
    update_organisation(organisation=world.larkhaven, short_name="Lark", author=None, now=timezone.now())
    short_name = world.larkhaven.names.get(name="Lark")

    with pytest.raises(UnableToCorrect, match="on the organisation"):
        correct_name(row=short_name, name="Larks", reason="Misspelt.", author=world.dee, now=timezone.now())

    short_name.refresh_from_db()
    assert short_name.name == "Lark"
    assert world.larkhaven.short_name == "Lark"


def test_a_name_is_not_made_the_short_name_by_a_correction(world: World) -> None:
    with pytest.raises(UnableToCorrect, match="on the organisation"):
        correct_name(row=lark(world), kind="short", reason="Shorter.", author=world.dee, now=timezone.now())


def test_a_name_is_not_corrected_to_one_that_the_organisation_has(world: World) -> None:
    with pytest.raises(UnableToCorrect, match="already"):
        correct_name(row=lark(world), reason="Wrong.", author=world.dee, now=timezone.now(), name=world.larkhaven.name)


def test_an_administrator_corrects_an_area_served_with_a_reason(world: World, dee: Client) -> None:
    row = area_served(world)
    address = reverse("admin:organisations_areaserved_change", args=[row.pk])

    dee.post(
        address,
        {
            "area": row.area_id,
            "starts_on": "2021-04-01",
            "ends_on": "",
            "source": "",
            "reason": "Its annual report says so.",
        },
    )

    row.refresh_from_db()
    assert row.starts_on == dt.date(2021, 4, 1)
    assert "Its annual report says so." in larkhaven_page(world)


def test_an_administrator_corrects_the_title_of_a_post_with_a_reason(world: World, dee: Client) -> None:
    post = create_post(
        organisation=world.larkhaven,
        partnership=world.partnership,
        role="finance",
        title="Hed of finance",
        author=world.amina,
        now=timezone.now(),
    )
    address = reverse("admin:agreements_post_change", args=[post.pk])
    inlines = {f"holders-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}

    refused_response = dee.post(address, inlines | {"title": "Head of finance"})
    dee.post(address, inlines | {"title": "Head of finance", "reason": "Misspelt."})

    post.refresh_from_db()
    event = Event.objects.get(kind="post.corrected")
    assert refused_response.status_code == 200
    assert post.title == "Head of finance"
    assert post.role == "finance"
    assert event.data["reason"] == "Misspelt."
    assert event.actor_id == world.dee.pk


def test_an_administrator_corrects_the_days_of_a_posts_holder_with_a_reason(world: World, dee: Client) -> None:
    post = create_post(organisation=world.larkhaven, role="finance", author=world.amina, now=timezone.now())
    holder = fill_post(post=post, person=world.eddie, reason="New.", author=world.amina, now=timezone.now())
    address = reverse("admin:agreements_holder_change", args=[holder.pk])
    fields = form_fields(dee.get(address), starts_on="2026-01-05")

    refused_responses = [
        dee.post(address, refused_fields)
        for refused_fields in (fields, fields | {"ends_on": "2025-01-05", "why": "Misread."})
    ]
    accepted_response = dee.post(address, fields | {"why": "His email says so."})

    holder.refresh_from_db()
    assert [page.status_code for page in refused_responses] == [200, 200]
    assert accepted_response.status_code == 302
    assert holder.starts_on == dt.date(2026, 1, 5)
    assert holder.person == world.eddie
    assert Event.objects.get(kind="post.holder_corrected").data["reason"] == "His email says so."


def test_an_administrator_corrects_who_holds_a_post(world: World, dee: Client) -> None:
    post = create_post(organisation=world.larkhaven, role="finance", author=world.amina, now=timezone.now())
    contact = ContactDetails(phone="01234 567890")
    holder = fill_post(
        post=post, person=world.eddie, contact=contact, reason="New.", author=world.amina, now=timezone.now()
    )
    address = reverse("admin:agreements_holder_change", args=[holder.pk])
    page = dee.get(address)
    fields = form_fields(page, person=world.vera.pk, why="It was Vera.")

    response_for_stranger = dee.post(address, fields | {"person": world.chidi.pk})
    accepted_response = dee.post(address, fields)

    holder.refresh_from_db()
    assert world.chidi.email not in page.content.decode()
    assert response_for_stranger.status_code == 200
    assert accepted_response.status_code == 302
    assert holder.person == world.vera
    assert holder.phone == ""
    assert Email.objects.filter(kind="agreements.post_filled", person_id=world.vera.pk).exists()


def test_a_corrected_holding_cannot_last_longer_than_its_post(world: World, dee: Client) -> None:
    post = create_post(organisation=world.larkhaven, role="finance", author=world.amina, now=timezone.now())
    holder = fill_post(post=post, person=world.eddie, reason="New.", author=world.amina, now=timezone.now())
    end_post(post=post, reason="Merged with another.", author=world.amina, now=timezone.now())
    address = reverse("admin:agreements_holder_change", args=[holder.pk])
    fields = form_fields(dee.get(address), starts_on="2026-01-05", why="His email says so.")

    refused_response = dee.post(address, fields | {"ends_on": ""})
    accepted_response = dee.post(address, fields)

    holder.refresh_from_db()
    assert "nobody can hold it after that day" in refused_response.content.decode()
    assert accepted_response.status_code == 302
    assert holder.starts_on == dt.date(2026, 1, 5)
    assert holder.ends_on == timezone.localdate()


def test_impossible_days_of_an_area_served_are_refused(world: World) -> None:
    with pytest.raises(UnableToCorrect, match="on or after the start"):
        correct_area_served(
            served=area_served(world),
            ends_on=dt.date(2019, 1, 1),
            reason="Wrong.",
            author=world.dee,
            now=timezone.now(),
        )


def test_a_corrected_area_is_in_the_history_of_those_that_serve_it(world: World, dee: Client) -> None:
    area_served(world)
    address = reverse("admin:organisations_area_change", args=[world.fareham.pk])
    area = Area.objects.get(pk=world.fareham.pk)

    dee.post(
        address,
        {
            "name": "Fareham (corrected)",
            "kind": area.kind,
            "parent": area.parent_id or "",
            "region": area.region_id or "",
            "valid_from": "",
            "valid_to": "",
            "reason": "The ONS renamed it.",
        },
    )

    assert Area.objects.get(pk=area.pk).name == "Fareham (corrected)"
    assert "The ONS renamed it." in larkhaven_page(world)


def test_a_correction_without_change_records_nothing(world: World) -> None:
    assert (
        correct_area(area=world.fareham, reason="None.", author=world.dee, now=timezone.now(), name=world.fareham.name)
        == ()
    )


def form_fields(page: Any, **changes: Any) -> dict[str, Any]:
    """Return the fields that the form of an admin page sends, with changes."""
    form = page.context["adminform"].form
    initial_fields = {name: form.initial[name] for name in form.fields if form.initial.get(name) is not None}
    inlines = {
        f"{inline.formset.prefix}-{name}": "0"
        for inline in page.context["inline_admin_formsets"]
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    return initial_fields | inlines | changes


@pytest.mark.parametrize("what", ["name", "organisation", "post"])
def test_the_page_of_a_refused_correction_does_not_report_success(world: World, dee: Client, what: str) -> None:
    post_fields = {"organisation": world.larkhaven, "role": "finance", "author": world.amina, "now": timezone.now()}
    create_post(title="Treasurer", **post_fields)
    post = create_post(title="Head of finance", **post_fields)
    update_organisation(organisation=world.riverside, parent=world.larkhaven, author=None, now=timezone.now())
    address, changes, refusal = {
        "name": (
            reverse("admin:organisations_organisationname_change", args=[lark(world).pk]),
            {"name": world.larkhaven.name},
            "already",
        ),
        "organisation": (
            reverse("admin:organisations_organisation_change", args=[world.larkhaven.pk]),
            {"parent": str(world.riverside.pk)},
            "Choose another parent",
        ),
        "post": (reverse("admin:agreements_post_change", args=[post.pk]), {"title": "Treasurer"}, "already a post"),
    }[what]

    page = dee.post(address, form_fields(dee.get(address), reason="So it says.", **changes))

    assert page.status_code == 200
    assert refusal in page.content.decode()
    assert "successfully" not in page.content.decode() + dee.get(address).content.decode()
    assert "So it says." in page.content.decode()
