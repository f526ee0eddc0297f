"""Administrators correct names, areas served and areas, with reasons that are stored in the history."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.agreements.models import Holder, Post
from partnerships.agreements.services import ContactDetails, create_post, end_post, fill_post
from partnerships.organisations.models import AreaServed, OrganisationName
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


@pytest.fixture
def misspelt_name(world: World) -> OrganisationName:
    """Return "Larkhavn", an alternative name of Larkhaven."""
    name = add_name(organisation=world.larkhaven, name="Larkhavn", kind="alternative", author=None, now=timezone.now())
    assert name is not None
    return name


@pytest.fixture
def fareham_served(world: World) -> AreaServed:
    """Return the row that says that Larkhaven has served Fareham since April 2020."""
    return serve_area(
        organisation=world.larkhaven, area=world.fareham, starts_on=dt.date(2020, 4, 1), author=None, now=timezone.now()
    )


def larkhaven_page(world: World) -> str:
    """Return the HTML of Larkhaven's page as its lead sees it."""
    client = signed_in(world.amina)
    return client.get(world.larkhaven.get_absolute_url()).content.decode()


def correct_misspelt_name(dee: Client, name: OrganisationName, reason: str) -> HttpResponse:
    """Correct the name to "Lark Haven" in Django admin, and return the response."""
    return dee.post(
        reverse("admin:organisations_organisationname_change", args=[name.pk]),
        {"name": "Lark Haven", "kind": "alternative", "valid_from": "", "valid_to": "", "reason": reason},
    )


def test_an_administrator_corrects_a_name_with_a_reason(
    world: World, dee: Client, misspelt_name: OrganisationName
) -> None:
    response = correct_misspelt_name(dee, misspelt_name, "Misspelt in the list.")

    misspelt_name.refresh_from_db()
    assert response.status_code == 302
    assert misspelt_name.name == "Lark Haven"
    assert misspelt_name.folded == "lark haven"
    assert "Misspelt in the list." in larkhaven_page(world)


def test_a_name_is_not_corrected_without_a_reason(dee: Client, misspelt_name: OrganisationName) -> None:
    response = correct_misspelt_name(dee, misspelt_name, "")

    misspelt_name.refresh_from_db()
    assert response.status_code == 200
    assert misspelt_name.name == "Larkhavn"


def test_the_official_name_is_not_corrected_as_a_name(world: World) -> None:
    official_name = world.larkhaven.names.get(kind="official")

    with pytest.raises(UnableToCorrect, match="on the organisation"):
        correct_name(row=official_name, kind="former", reason="Wrong.", author=world.dee, now=timezone.now())


def test_the_admin_page_of_the_official_name_has_no_button_to_save(world: World, dee: Client) -> None:
    official_name = world.larkhaven.names.get(kind="official")

    page = dee.get(reverse("admin:organisations_organisationname_change", args=[official_name.pk]))

    assert page.status_code == 200
    assert "_save" not in page.content.decode()


def test_the_short_name_is_not_corrected_as_a_name(world: World) -> None:
    update_organisation(organisation=world.larkhaven, short_name="Lark", author=None, now=timezone.now())
    short_name = world.larkhaven.names.get(name="Lark")

    with pytest.raises(UnableToCorrect, match="on the organisation"):
        correct_name(row=short_name, name="Larks", reason="Misspelt.", author=world.dee, now=timezone.now())

    short_name.refresh_from_db()
    assert short_name.name == "Lark"
    assert world.larkhaven.short_name == "Lark"


def test_a_name_is_not_made_the_short_name_by_a_correction(world: World, misspelt_name: OrganisationName) -> None:
    with pytest.raises(UnableToCorrect, match="on the organisation"):
        correct_name(row=misspelt_name, kind="short", reason="Shorter.", author=world.dee, now=timezone.now())


def test_a_name_is_not_corrected_to_one_that_the_organisation_has(
    world: World, misspelt_name: OrganisationName
) -> None:
    with pytest.raises(UnableToCorrect, match="already"):
        correct_name(row=misspelt_name, name="Larkhaven Homes", reason="Wrong.", author=world.dee, now=timezone.now())


def test_an_administrator_corrects_an_area_served_with_a_reason(
    world: World, dee: Client, fareham_served: AreaServed
) -> None:
    dee.post(
        reverse("admin:organisations_areaserved_change", args=[fareham_served.pk]),
        {
            "area": world.fareham.pk,
            "starts_on": "2021-04-01",
            "ends_on": "",
            "source": "",
            "reason": "Its annual report says so.",
        },
    )

    fareham_served.refresh_from_db()
    assert fareham_served.starts_on == dt.date(2021, 4, 1)
    assert "Its annual report says so." in larkhaven_page(world)


def correct_title_of_post(dee: Client, post: Post, **fields: str) -> HttpResponse:
    """Correct the title to "Head of finance" in Django admin, and return the response."""
    no_holders = {"holders-TOTAL_FORMS": "0", "holders-INITIAL_FORMS": "0"}
    address = reverse("admin:agreements_post_change", args=[post.pk])
    return dee.post(address, no_holders | {"title": "Head of finance"} | fields)


@pytest.fixture
def misspelt_post(world: World) -> Post:
    """Return a post of Larkhaven in the Estuary Partnership, whose title is "Hed of finance"."""
    return create_post(
        organisation=world.larkhaven,
        partnership=world.partnership,
        role="finance",
        title="Hed of finance",
        author=world.amina,
        now=timezone.now(),
    )


def test_an_administrator_corrects_the_title_of_a_post_with_a_reason(
    world: World, dee: Client, misspelt_post: Post
) -> None:
    correct_title_of_post(dee, misspelt_post, reason="Misspelt.")

    misspelt_post.refresh_from_db()
    event = Event.objects.get(kind="post.corrected")
    assert misspelt_post.title == "Head of finance"
    assert misspelt_post.role == "finance"
    assert event.data["reason"] == "Misspelt."
    assert event.actor_id == world.dee.pk


def test_the_title_of_a_post_is_not_corrected_without_a_reason(dee: Client, misspelt_post: Post) -> None:
    response = correct_title_of_post(dee, misspelt_post)

    misspelt_post.refresh_from_db()
    assert response.status_code == 200
    assert misspelt_post.title == "Hed of finance"


@pytest.fixture
def eddies_post(world: World) -> Holder:
    """Return the holder row of Eddie, who leads Larkhaven's finance from today and gave his phone number."""
    post = create_post(organisation=world.larkhaven, role="finance", author=world.amina, now=timezone.now())
    return fill_post(
        post=post,
        person=world.eddie,
        contact=ContactDetails(phone="01234 567890"),
        reason="New.",
        author=world.amina,
        now=timezone.now(),
    )


def correct_holder(dee: Client, holder: Holder, **changes: Any) -> HttpResponse:
    """Send the holder's form in Django admin with these changes, and return the response."""
    address = reverse("admin:agreements_holder_change", args=[holder.pk])
    return dee.post(address, form_fields(dee.get(address), **changes))


def test_an_administrator_corrects_the_days_of_a_posts_holder_with_a_reason(
    world: World, dee: Client, eddies_post: Holder
) -> None:
    response = correct_holder(dee, eddies_post, starts_on="2026-01-05", why="His email says so.")

    eddies_post.refresh_from_db()
    assert response.status_code == 302
    assert eddies_post.starts_on == dt.date(2026, 1, 5)
    assert eddies_post.person == world.eddie
    assert Event.objects.get(kind="post.holder_corrected").data["reason"] == "His email says so."


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"starts_on": "2026-01-05"}, id="no reason"),
        pytest.param(
            {"starts_on": "2026-01-05", "ends_on": "2025-01-05", "why": "Misread."}, id="an end before the start"
        ),
    ],
)
def test_impossible_corrections_of_a_posts_holder_are_refused(
    dee: Client, eddies_post: Holder, changes: dict[str, str]
) -> None:
    response = correct_holder(dee, eddies_post, **changes)

    assert response.status_code == 200
    assert not Event.objects.filter(kind="post.holder_corrected").exists()


def test_an_administrator_corrects_who_holds_a_post(world: World, dee: Client, eddies_post: Holder) -> None:
    response = correct_holder(dee, eddies_post, person=world.vera.pk, why="It was Vera.")

    eddies_post.refresh_from_db()
    assert response.status_code == 302
    assert eddies_post.person == world.vera
    assert eddies_post.phone == ""
    assert Email.objects.filter(kind="agreements.post_filled", person_id=world.vera.pk).exists()


def test_a_post_is_not_corrected_to_be_held_by_a_stranger(world: World, dee: Client, eddies_post: Holder) -> None:
    response = correct_holder(dee, eddies_post, person=world.chidi.pk, why="It was Chidi.")

    eddies_post.refresh_from_db()
    assert response.status_code == 200
    assert eddies_post.person == world.eddie


def test_the_admin_page_of_a_posts_holder_does_not_offer_strangers(
    world: World, dee: Client, eddies_post: Holder
) -> None:
    page = dee.get(reverse("admin:agreements_holder_change", args=[eddies_post.pk])).content.decode()

    assert "Eddie Larch" in page
    assert "Chidi Tide" not in page


@pytest.fixture
def holder_of_ended_post(world: World, eddies_post: Holder) -> Holder:
    """Return Eddie's row after his post ended today."""
    end_post(post=eddies_post.post, reason="Merged with another.", author=world.amina, now=timezone.now())
    return eddies_post


def test_a_corrected_holding_cannot_last_longer_than_its_post(dee: Client, holder_of_ended_post: Holder) -> None:
    response = correct_holder(dee, holder_of_ended_post, ends_on="", why="His email says so.")

    assert "nobody can hold it after that day" in response.content.decode()


def test_the_first_day_of_a_holder_of_an_ended_post_is_corrected(dee: Client, holder_of_ended_post: Holder) -> None:
    response = correct_holder(dee, holder_of_ended_post, starts_on="2026-01-05", why="His email says so.")

    holder_of_ended_post.refresh_from_db()
    assert response.status_code == 302
    assert holder_of_ended_post.starts_on == dt.date(2026, 1, 5)
    assert holder_of_ended_post.ends_on == timezone.localdate()


def test_impossible_days_of_an_area_served_are_refused(world: World, fareham_served: AreaServed) -> None:
    with pytest.raises(UnableToCorrect, match="on or after the start"):
        correct_area_served(
            served=fareham_served,
            ends_on=dt.date(2019, 1, 1),
            reason="Wrong.",
            author=world.dee,
            now=timezone.now(),
        )


@pytest.mark.usefixtures("fareham_served")
def test_a_corrected_area_is_in_the_history_of_those_that_serve_it(world: World, dee: Client) -> None:
    dee.post(
        reverse("admin:organisations_area_change", args=[world.fareham.pk]),
        {
            "name": "Fareham (corrected)",
            "kind": world.fareham.kind,
            "parent": world.fareham.parent_id or "",
            "region": world.fareham.region_id or "",
            "valid_from": "",
            "valid_to": "",
            "reason": "The ONS renamed it.",
        },
    )

    world.fareham.refresh_from_db()
    assert world.fareham.name == "Fareham (corrected)"
    assert "The ONS renamed it." in larkhaven_page(world)


def test_a_correction_without_change_records_nothing(world: World) -> None:
    changed_fields = correct_area(
        area=world.fareham, name="Fareham", reason="None.", author=world.dee, now=timezone.now()
    )

    assert changed_fields == ()


def form_fields(page: Any, **changes: Any) -> dict[str, Any]:
    """Return the fields that the form of an admin page sends, with changes."""
    form = page.context["adminform"].form
    initial_fields = {name: form.initial[name] for name in form.fields if form.initial.get(name) is not None}
    empty_inlines: dict[str, str] = {}
    for inline in page.context["inline_admin_formsets"]:
        prefix = inline.formset.prefix
        empty_inlines |= {f"{prefix}-TOTAL_FORMS": "0", f"{prefix}-INITIAL_FORMS": "0"}
    return initial_fields | empty_inlines | changes


def check_refused_correction(dee: Client, address: str, refusal: str, **changes: str) -> None:
    """Check that an admin form with these changes is shown again with the refusal, and reports no success."""
    response = dee.post(address, form_fields(dee.get(address), reason="So it says.", **changes))

    next_page = dee.get(address).content.decode()
    assert response.status_code == 200
    assert refusal in response.content.decode()
    assert "So it says." in response.content.decode()
    assert "successfully" not in response.content.decode()
    assert "successfully" not in next_page


def test_the_page_of_a_refused_name_does_not_report_success(dee: Client, misspelt_name: OrganisationName) -> None:
    address = reverse("admin:organisations_organisationname_change", args=[misspelt_name.pk])

    check_refused_correction(dee, address, "already", name="Larkhaven Homes")


def test_the_page_of_a_refused_parent_does_not_report_success(world: World, dee: Client) -> None:
    update_organisation(organisation=world.riverside, parent=world.larkhaven, author=None, now=timezone.now())
    address = reverse("admin:organisations_organisation_change", args=[world.larkhaven.pk])

    check_refused_correction(dee, address, "Choose another parent", parent=str(world.riverside.pk))


def test_the_page_of_a_refused_title_of_a_post_does_not_report_success(world: World, dee: Client) -> None:
    post_fields = {"organisation": world.larkhaven, "role": "finance", "author": world.amina, "now": timezone.now()}
    create_post(title="Treasurer", **post_fields)
    post = create_post(title="Head of finance", **post_fields)
    address = reverse("admin:agreements_post_change", args=[post.pk])

    check_refused_correction(dee, address, "already a post", title="Treasurer")
