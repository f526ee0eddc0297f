"""Pages show who holds a post, and search finds the person to ring."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements import services
from partnerships.agreements.emails import contact_token
from partnerships.agreements.models import Holder, Post
from partnerships.organisations.services import serve_area
from partnerships.people.models import User
from partnerships.search.services import index_stale
from tests.agreements.test_posts import create_post_of, fill
from tests.support.outbox import deliver
from tests.support.rights import add_personas
from tests.support.signing_in import signed_in
from tests.world import World, make_world

#: Details of Westmarch's nominations officer that only partners may see.
CANARIES = ("Nora Nominates", "nora@canary.example", "01392 555 019")


def search(person: User, text: str) -> str:
    """Return the page of search results for this text, as the person sees it."""
    index_stale()
    return signed_in(person).get(reverse("search:search"), {"q": text}).content.decode()


@pytest.fixture
def nora(world: World) -> Holder:
    """Name Nora, who has no account, as nominations officer of Westmarch in the Estuary Partnership."""
    post = create_post_of(world, organisation=world.westmarch)
    name, email, phone = CANARIES
    return fill(
        post, contact=services.ContactDetails(name=name, email=email, phone=phone, working_days="Monday to Wednesday")
    )


@pytest.mark.parametrize(
    "question",
    ["Who do I ring about nominations in Westmarch?", "westmarch lettings", "nora", "nominations Estuary Partnership"],
)
def test_search_says_who_to_ring(world: World, nora: Holder, question: str) -> None:
    page = search(world.amina, question)

    assert 'href="tel:01392555019"' in page
    assert 'href="mailto:nora@canary.example"' in page
    assert "Nora Nominates" in page


def test_search_says_who_covers_for_a_lead(world: World) -> None:
    fill(create_post_of(world, "lead"), world.amina)
    fill(create_post_of(world, "deputy"), contact=services.ContactDetails(name="Fay Covers", phone="01329 555 020"))

    page = search(world.ben, "Who covers for Amina?")

    assert page.index(">Deputy</p>") < page.index("Fay Covers")
    assert 'href="tel:01329555020"' in page


def test_search_finds_contacts_by_the_name_of_an_area(world: World, nora: Holder) -> None:
    serve_area(organisation=world.westmarch, area=world.gosport, author=None, now=world.now)

    assert "Nora Nominates" in search(world.amina, "nominations Gosport")
    assert "Nora Nominates" not in search(world.amina, "finance Gosport")


def test_search_shows_contacts_to_partners_only(world: World, nora: Holder) -> None:
    add_personas(world)
    names_of_readers = {
        name
        for name in ("amina", "eddie", "vera", "ben", "nadia", "lena", "chidi", "hana", "dee")
        for question in ("nominations Westmarch", "Nora", "nora@canary.example", "01392 555 019")
        if any(canary in search(getattr(world, name), question) for canary in CANARIES if canary != question)
    }

    assert names_of_readers == {"amina", "eddie", "vera", "ben", "nadia"}


def test_search_shows_a_vacant_post_as_vacant(world: World) -> None:
    create_post_of(world, organisation=world.westmarch)

    assert "Vacant" in search(world.amina, "nominations Westmarch")


def test_people_of_a_partnership_are_shown_by_party(world: World, nora: Holder) -> None:
    fill(create_post_of(world, "lead"), world.amina)

    html = signed_in(world.vera).get(reverse("agreements:people", args=[world.partnership.pk])).content.decode()

    assert "Amina Larch" in html
    assert "mailto:amina@larkhaven.example" in html
    assert "Nobody has been named as lead" in html  # Westmarch's
    assert all(canary in html for canary in CANARIES)


def test_former_party_sees_no_contacts(world: World, nora: Holder) -> None:
    add_personas(world)  # Hana's organisation has left

    hana = signed_in(world.hana)

    html = hana.get(reverse("agreements:people", args=[world.partnership.pk])).content.decode()
    page_of_post = hana.get(nora.post.get_absolute_url())

    assert not any(canary in html for canary in CANARIES)
    assert page_of_post.status_code == 404


@pytest.fixture
def fays_post(world: World) -> Post:
    """Return the post of head of finance. Eddie has added it, with Fay, a contact without an account, as its holder."""
    address = reverse("agreements:partnership-post-create", args=[world.partnership.pk, world.larkhaven.pk])
    form = {"role": "finance", "title": "Head of finance", "name": "Fay", "phone": "01329 1", "reason": "New."}
    signed_in(world.eddie).post(address, form)
    return Post.objects.get(title="Head of finance")


def give_fays_post_to_vera(world: World, post: Post) -> None:
    """Fill Fay's post with Vera, on the page of the post as Eddie."""
    address = reverse("agreements:post-fill", args=[post.pk])
    signed_in(world.eddie).post(address, {"person": world.vera.pk, "reason": "Fay retired."})


def test_partners_see_a_contact_without_account(world: World, fays_post: Post) -> None:
    html = signed_in(world.ben).get(fays_post.get_absolute_url()).content.decode()

    assert "Fay" in html


def test_colleagues_see_the_present_and_the_former_holder_of_a_post(world: World, fays_post: Post) -> None:
    give_fays_post_to_vera(world, fays_post)

    html = signed_in(world.eddie).get(fays_post.get_absolute_url()).content.decode()

    assert "Vera Larch" in html
    assert "Fay" in html


def test_partners_see_only_the_present_holder_of_a_post(world: World, fays_post: Post) -> None:
    give_fays_post_to_vera(world, fays_post)

    page_of_partner = signed_in(world.ben).get(fays_post.get_absolute_url()).content.decode()

    assert "Vera Larch" in page_of_partner
    assert not re.search(r"\bFay\b(?! retired)", page_of_partner)  # a token may have these three letters


def contact_link_of(holder: Holder) -> str:
    """Return the link by which a contact sees the data that we hold about them."""
    return reverse("agreements:contact-data", args=[contact_token(holder)])


def test_page_of_a_contacts_data_masks_the_address(nora: Holder) -> None:
    html = Client().get(contact_link_of(nora)).content.decode()

    assert "n...@canary.example" in html
    assert "nora@canary.example" not in html


@pytest.fixture
def noras_old_link(nora: Holder) -> str:
    """Return a link to Nora's data that has expired."""
    with time_machine.travel(timezone.now() - dt.timedelta(days=31)):
        return contact_link_of(nora)


def emails_to_nora() -> list[str]:
    """Deliver the emails, and return the texts of those to Nora."""
    return [str(email.body) for email in deliver() if email.to == ["nora@canary.example"]]


def test_old_link_to_a_contacts_data_shows_nothing(noras_old_link: str) -> None:
    response = Client().get(noras_old_link)

    assert response.status_code == 410
    assert "Nora" not in response.content.decode()


def test_old_link_to_a_contacts_data_sends_at_most_three_new_ones(nora: Holder, noras_old_link: str) -> None:
    statuses = [Client().post(noras_old_link).status_code for _ in range(4)]

    nora.refresh_from_db()
    assert statuses == [200, 200, 200, 429]
    assert len(emails_to_nora()) == 4, "The first, and three new ones."
    assert nora.cleared_at is None


def test_new_link_that_an_old_one_sends_shows_the_contacts_data(noras_old_link: str) -> None:
    Client().post(noras_old_link)
    new_link = re.search(r"/partnerships/contacts/\S+/", emails_to_nora()[-1])
    assert new_link is not None

    html = Client().get(new_link[0]).content.decode()

    assert "Nora Nominates" in html


@pytest.mark.django_db(transaction=True)
def test_new_link_is_sent_from_a_page_without_a_transaction_around_it() -> None:
    holder = fill(
        create_post_of(make_world()), contact=services.ContactDetails(name="Nora", email="nora@canary.example")
    )
    with time_machine.travel(timezone.now() - dt.timedelta(days=31)):
        link = contact_link_of(holder)

    response = Client().post(link)

    assert response.status_code == 200


def test_post_without_a_reason_is_asked_for_one(world: World) -> None:
    post = create_post_of(world)
    response = signed_in(world.eddie).post(reverse("agreements:post-fill", args=[post.pk]), {"person": world.vera.pk})

    assert response.status_code == 422
    assert not post.holders.exists()


def test_holder_changes_their_own_details(world: World) -> None:
    holder = fill(create_post_of(world), world.vera)

    signed_in(world.vera).post(reverse("agreements:holder-contact", args=[holder.pk]), {"phone": "01329 555 011"})

    holder.refresh_from_db()
    assert holder.phone == "01329 555 011"


def test_holder_gives_up_the_post(world: World) -> None:
    holder = fill(create_post_of(world), world.vera)

    signed_in(world.vera).post(reverse("agreements:holder-vacate", args=[holder.pk]), {"reason": "Too much."})

    holder.refresh_from_db()
    # A holder who started today holds the post for that day.
    assert holder.ends_on == max(holder.starts_on, timezone.localdate())


@pytest.mark.parametrize(("name", "is_shown"), [("ben", True), ("chidi", False), ("dee", False)])
def test_organisations_page_shows_contacts_by_role_only_to_partners(world: World, name: str, is_shown: bool) -> None:
    fill(create_post_of(world, "finance", partnership=None), contact=services.ContactDetails(name="Fay Figures"))

    html = signed_in(getattr(world, name)).get(world.larkhaven.get_absolute_url()).content.decode()

    assert ("Fay Figures" in html) == is_shown


def test_a_post_whose_holder_is_refused_is_not_created(world: World) -> None:
    address = reverse("agreements:partnership-post-create", args=[world.partnership.pk, world.larkhaven.pk])
    amina = signed_in(world.amina)
    form = {"role": "finance", "title": "Head of finance", "person": world.eddie.pk}

    refused_response = amina.post(address, form)
    second_response = amina.post(address, form | {"reason": "Named."})

    assert refused_response.status_code == 422
    assert second_response.status_code == 302
    assert Post.objects.filter(title="Head of finance").count() == 1
