"""People ask to act for an organisation, and administrators answer with one click."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event
from partnerships.organisations.models import AccessRequest, Membership, Organisation, scheme_of
from partnerships.organisations.services import (
    UnableToAnswerRequest,
    UnableToAskForAccess,
    accept_request,
    ask_for_access,
    decline_request,
)
from partnerships.organisations.services.requests import REQUESTS_A_DAY
from partnerships.people.models import User
from partnerships.people.retention import RULES
from tests.support.outbox import deliver
from tests.support.signing_in import signed_in
from tests.world import World

pytestmark = pytest.mark.django_db
REQUEST_FIELDS = {
    "organisation_name": "Newbridge Homes",
    "kind": "registered_provider",
    "number": "L9999",
    "name": "Nell New",
    "email": "nell@newbridge.example",
    "job_title": "Partnership manager",
    "message": "We want to work with Westmarch.",
}


@pytest.fixture
def dee(world: World) -> Client:
    """Return the browser of Dee, an administrator."""
    return signed_in(world.dee)


@pytest.fixture
def amina(world: World) -> Client:
    """Return the browser of Amina, Larkhaven's lead."""
    return signed_in(world.amina)


def record_request(**changes: str) -> AccessRequest:
    """Return a request of Nell, a visitor, to act for Newbridge Homes, with changes."""
    return ask_for_access(author=None, now=timezone.now(), **(REQUEST_FIELDS | changes))


def test_form_for_access_has_the_name_that_a_visitor_searched_for() -> None:
    page = Client().get(reverse("organisations:ask"), {"name": "Newbridge Homes"}).content.decode()

    assert "Newbridge Homes" in page


def test_a_request_for_access_creates_no_account(world: World) -> None:
    response = Client().post(reverse("organisations:ask"), REQUEST_FIELDS)

    assert response.status_code == 302
    assert AccessRequest.objects.filter(email="nell@newbridge.example").exists()
    assert not User.objects.filter(email="nell@newbridge.example").exists()


def test_administrators_are_emailed_about_a_request_for_access(world: World) -> None:
    deliver().clear()

    Client().post(reverse("organisations:ask"), REQUEST_FIELDS)

    [email] = deliver()
    assert email.to == ["dee@commonground.example"]
    assert "Newbridge Homes" in email.subject


def test_a_second_request_from_one_address_replaces_the_first_without_an_email(world: World) -> None:
    record_request()
    deliver().clear()

    second_request = record_request(message="Please hurry.")

    request = AccessRequest.objects.get()
    assert request == second_request
    assert request.message == "Please hurry."
    assert deliver() == []


def test_one_click_adds_the_organisation_and_invites_its_first_lead(world: World, dee: Client) -> None:
    request = record_request()

    dee.post(reverse("organisations:accept-request", args=[request.pk]), {"organisation": ""})

    membership = Membership.objects.get(person__email="nell@newbridge.example")
    assert membership.organisation.name == "Newbridge Homes"
    assert membership.role == "lead"
    assert membership.is_pending
    assert AccessRequest.objects.get().answered_by == world.dee


def test_a_person_whose_request_is_accepted_gets_an_invitation(world: World, dee: Client) -> None:
    request = record_request()
    deliver().clear()

    dee.post(reverse("organisations:accept-request", args=[request.pk]), {"organisation": ""})

    [invitation] = [email for email in deliver() if email.to == ["nell@newbridge.example"]]
    assert re.search(r"/organisations/invitations/[^/]+/", str(invitation.body))


def test_an_administrator_chooses_between_a_known_and_a_new_organisation(dee: Client) -> None:
    record_request(organisation_name="Larkhaven")

    page = dee.get(reverse("organisations:requests")).content.decode()

    assert "Invite to Larkhaven Homes as editor" in page
    assert "Add Larkhaven and invite as lead" in page


def test_one_click_invites_to_a_known_organisation_as_editor(world: World, dee: Client) -> None:
    request = record_request(organisation_name="Larkhaven")

    dee.post(reverse("organisations:accept-request", args=[request.pk]), {"organisation": str(world.larkhaven.pk)})

    membership = Membership.objects.get(person__email="nell@newbridge.example")
    assert membership.organisation == world.larkhaven
    assert membership.role == "editor"
    assert not Organisation.objects.filter(name="Larkhaven").exists()


def test_a_recognised_number_becomes_an_identifier(world: World) -> None:
    request = record_request(number="L9999")

    accept_request(request=request, organisation=None, author=world.dee, now=timezone.now())

    assert Organisation.objects.get(name="Newbridge Homes").identifiers.get().value == "L9999"


def test_a_number_that_is_not_recognised_is_part_of_the_reason(world: World) -> None:
    request = record_request(organisation_name="Oddbridge Homes", number="ask Nell")

    accept_request(request=request, organisation=None, author=world.dee, now=timezone.now())

    assert not Organisation.objects.get(name="Oddbridge Homes").identifiers.exists()
    assert Event.objects.filter(data__reason_for_leads__icontains="Number given: ask Nell.").exists()


@pytest.mark.parametrize(
    ("number", "kind", "scheme"),
    [
        ("L4567", "registered_provider", "rsh"),
        ("4567", "registered_provider", "rsh"),
        ("4567", "charity", ""),
        ("09876543", "developer", "company"),
        ("1123456", "charity", "charity"),
        ("7654R", "registered_provider", "mutuals"),
        ("E07000087", "council", "gss"),
        ("E07000087", "developer", ""),
        ("none", "developer", ""),
    ],
)
def test_a_typed_number_is_recognised_by_its_form(number: str, kind: str, scheme: str) -> None:
    recognised_scheme = scheme_of(number, kind=kind)

    assert recognised_scheme == scheme


@pytest.fixture
def second_request(world: World) -> AccessRequest:
    """Return a request to act for Newbridge Homes, which an earlier request has already added to the directory."""
    first_request = record_request()
    second_request = record_request(email="ned@newbridge.example", name="Ned New")
    accept_request(request=first_request, organisation=None, author=world.dee, now=timezone.now())
    return second_request


def test_two_waiting_requests_do_not_add_an_organisation_twice(world: World, second_request: AccessRequest) -> None:
    with pytest.raises(UnableToAnswerRequest, match="already in the directory"):
        accept_request(request=second_request, organisation=None, author=world.dee, now=timezone.now())


@pytest.mark.usefixtures("second_request")
def test_the_second_person_who_asks_is_offered_a_role_below_the_lead(dee: Client) -> None:
    page = dee.get(reverse("organisations:requests")).content.decode()

    assert "Invite to Newbridge Homes as editor" in page


def test_two_waiting_requests_do_not_make_two_leads(world: World, second_request: AccessRequest) -> None:
    newbridge = Organisation.objects.get(name="Newbridge Homes")

    accept_request(request=second_request, organisation=newbridge, author=world.dee, now=timezone.now())

    roles = Membership.objects.filter(organisation=newbridge).values_list("person__email", "role")
    assert dict(roles) == {"nell@newbridge.example": "lead", "ned@newbridge.example": "editor"}


def test_a_declined_requester_is_emailed_the_reason(world: World, dee: Client) -> None:
    request = record_request()
    deliver().clear()

    decline_request(request=request, reason="Write from your work address.", author=world.dee, now=timezone.now())

    (email,) = deliver()
    assert email.to == ["nell@newbridge.example"]
    assert "Write from your work address." in str(email.body)


def test_email_about_a_declined_request_quotes_nothing_of_it(world: World) -> None:
    """Nobody has checked the address, so it may belong to another person."""
    request = record_request(organisation_name="Win a prize", name="Click here", email="stranger@elsewhere.example")
    deliver().clear()

    decline_request(request=request, reason="No organisation.", author=world.dee, now=timezone.now())

    (email,) = deliver()
    email_text = f"{email.message()} {email.subject} {email.body}"
    assert "No organisation." in email_text
    assert "Win a prize" not in email_text
    assert "Click here" not in email_text
    assert not User.objects.filter(email="stranger@elsewhere.example").exists()


def test_a_request_is_answered_once(world: World) -> None:
    request = record_request()
    accept_request(request=request, organisation=None, author=world.dee, now=timezone.now())

    with pytest.raises(UnableToAnswerRequest, match="already answered"):
        decline_request(request=request, reason="Twice.", author=world.dee, now=timezone.now())


def test_a_declined_request_keeps_its_reason(world: World, dee: Client) -> None:
    request = record_request()

    dee.post(reverse("organisations:decline-request", args=[request.pk]), {"reason": "Not a housing body."})

    assert "Not a housing body." in dee.get(reverse("organisations:requests")).content.decode()
    assert not Membership.objects.filter(person__email="nell@newbridge.example").exists()


@pytest.mark.parametrize(
    "invalid_id",
    [
        pytest.param("x", id="word"),
        pytest.param("9" * 30, id="number of 30 digits"),
        pytest.param("-1", id="negative number"),
        pytest.param("\u0663", id="Arabic digit three"),
    ],
)
def test_an_invalid_organisation_id_is_not_found(dee: Client, invalid_id: str) -> None:
    address = reverse("organisations:accept-request", args=[record_request().pk])

    response = dee.post(address, {"organisation": invalid_id})

    assert response.status_code == 404


@pytest.fixture
def day_used_up(db: None) -> None:
    """Record as many requests of visitors as are allowed in a day."""
    for number in range(REQUESTS_A_DAY):
        record_request(email=f"nell{number}@newbridge.example")


@pytest.mark.usefixtures("day_used_up")
def test_requests_from_everybody_together_are_limited() -> None:
    with pytest.raises(UnableToAskForAccess, match="Try again tomorrow"):
        record_request(email="one.more@newbridge.example")


@pytest.mark.usefixtures("day_used_up")
def test_signed_in_people_can_ask_when_others_have_used_up_the_day(world: World, amina: Client) -> None:
    amina.post(reverse("organisations:ask"), REQUEST_FIELDS)

    assert AccessRequest.objects.filter(asked_by=world.amina).count() == 1


def test_a_visitor_cannot_change_the_request_of_a_signed_in_person(world: World, amina: Client) -> None:
    amina.post(reverse("organisations:ask"), REQUEST_FIELDS)

    returned_request = record_request(email=world.amina.email, name="Not Amina", message="Make me lead of everything.")

    request = AccessRequest.objects.get()
    assert returned_request == request
    assert request.name == world.amina.name
    assert request.message == REQUEST_FIELDS["message"]
    assert request.asked_by == world.amina


@pytest.mark.parametrize(("days", "expected_count"), [(89, 0), (91, 1)])
def test_requests_are_removed_after_ninety_days(world: World, days: int, expected_count: int) -> None:
    record_request()

    removed_count = RULES["access requests"].apply(timezone.now() + dt.timedelta(days=days), False)

    assert removed_count == expected_count


def test_a_signed_in_person_asks_under_their_own_address(world: World, amina: Client) -> None:
    amina.post(reverse("organisations:ask"), REQUEST_FIELDS | {"email": "somebody.else@newbridge.example"})

    request = AccessRequest.objects.get()
    assert request.email == world.amina.email
    assert request.asked_by == world.amina
