"""Personal data can be opened only while a signed data-sharing agreement is in force."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Document, Partnership
from partnerships.agreements.queries.sharing import ids_with_open_data, is_data_sharing_open
from partnerships.agreements.services import (
    add_document,
    answer_invitation,
    change_status,
    give_notice,
    invite_organisation,
    save_terms_piece,
)
from partnerships.agreements.services import create_partnership as create
from partnerships.people.models import User
from tests.support.moments import today
from tests.support.parties import invite_and_accept
from tests.support.signing_in import signed_in
from tests.support.terms import draft, first_proposal, put_up, sign_all
from tests.world import World, make_partnership


def add_marked_document(world: World) -> Document:
    """Add a list of applicants that is marked as personal data."""
    return add_document(
        partnership=world.partnership,
        title="Applicants",
        file=ContentFile(b"Names.\n", name="names.txt"),
        organisation=world.larkhaven,
        personal_data=True,
        author=world.amina,
        now=timezone.now(),
    )


def start_sharing_agreement(world: World) -> Any:
    """Start a data-sharing agreement between the same parties, with a draft of its terms."""
    agreement = create(
        organisation=world.larkhaven, author=world.amina, title="Data", kind="data_sharing", now=timezone.now()
    )
    party = invite_organisation(
        partnership=agreement,
        organisation=world.westmarch,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=timezone.now(),
    )
    answer_invitation(party=party, accept=True, reason="", author=world.ben, now=timezone.now())
    change_status(partnership=agreement, status="drafting", reason="Agreed.", author=world.amina, now=timezone.now())
    return agreement


def download(person: User, document: Document) -> int:
    """Download the document as this person, and return the status code."""
    client = signed_in(person)
    return client.get(reverse("agreements:document-download", args=[document.partnership_id, document.pk])).status_code


def test_a_marked_document_stays_closed_without_a_signed_agreement(world: World) -> None:
    document = add_marked_document(world)
    put_up(complete_sharing_draft(start_sharing_agreement(world), world), world.amina)

    address = reverse("agreements:documents", args=[world.partnership.pk])
    html = signed_in(world.ben).get(address).content.decode()

    assert "The parties have no signed data-sharing agreement in force" in html
    assert download(world.ben, document) == 403
    assert not is_data_sharing_open(world.partnership, today())


def test_a_marked_document_opens_for_the_parties_once_they_all_signed_the_agreement(world: World) -> None:
    document = add_marked_document(world)
    version = put_up(complete_sharing_draft(start_sharing_agreement(world), world), world.amina)

    sign_all(version)

    assert is_data_sharing_open(world.partnership, today())
    assert download(world.ben, document) == 200
    assert download(world.chidi, document) == 404


def test_personal_data_closes_when_the_agreement_ends(world: World) -> None:
    sign_all(put_up(complete_sharing_draft(start_sharing_agreement(world), world), world.amina))

    with time_machine.travel(timezone.now() + dt.timedelta(days=400)):
        assert not is_data_sharing_open(world.partnership, today())


def complete_sharing_draft(agreement: Any, world: World) -> Any:
    """Fill in an end date and everything else that the kind of agreement requires, and return the proposal."""
    proposal = draft(
        first_proposal(agreement),
        world.amina,
        text="We share names to let homes.",
        review_on=(today() + dt.timedelta(days=200)).isoformat(),
        ends_on=(today() + dt.timedelta(days=365)).isoformat(),
        sharing_purpose="Letting homes to those who need them.",
        lawful_basis="public_task",
        controllers="independent",
        rights_contact="privacy@larkhaven.example",
        breach_hours=24,
        security="Encrypted.",
        at_the_end="Deleted.",
    )
    item = {"what": "Names", "from_party": "Westmarch", "to_party": "Larkhaven", "how_sent": "Secure file transfer"}
    item["kept_for"] = "Six years"
    save_terms_piece(
        proposal=proposal, piece="items/names", value=item, based_on=None, author=world.amina, now=timezone.now()
    )
    return proposal


@pytest.fixture
def signed_sharing_agreement(world: World) -> Partnership:
    """Return a data sharing agreement of the Estuary Partnership, which both of its parties have signed."""
    agreement: Partnership = start_sharing_agreement(world)
    sign_all(put_up(complete_sharing_draft(agreement, world), world.amina))
    return agreement


@pytest.mark.usefixtures("signed_sharing_agreement")
def test_an_agreement_of_all_parties_opens_personal_data(world: World) -> None:
    is_open = is_data_sharing_open(world.partnership, today())

    assert is_open


@pytest.mark.usefixtures("signed_sharing_agreement")
def test_a_new_party_without_the_agreement_closes_personal_data(world: World) -> None:
    invite_and_accept(world, world.harbour, accepted_by=world.hana)

    is_open = is_data_sharing_open(world.partnership, today())

    assert not is_open


def test_many_partnerships_are_looked_up_at_once_as_each_alone(world: World) -> None:
    agreement = start_sharing_agreement(world)
    sign_all(put_up(complete_sharing_draft(agreement, world), world.amina))
    other_partnerships = [
        make_partnership(
            f"More {number}",
            chair=world.larkhaven,
            chair_lead=world.amina,
            other=world.westmarch,
            other_lead=world.ben,
            now=world.now,
        )
        for number in range(3)
    ]
    partnerships = [world.partnership, world.other_partnership, agreement, *other_partnerships]
    rows = list(
        Partnership.objects.filter(pk__in=[partnership.pk for partnership in partnerships]).select_related("kind")
    )

    with CaptureQueriesContext(connection) as queries_for_two:
        open_ids_of_two = ids_with_open_data(rows[:2], today())
    with CaptureQueriesContext(connection) as queries_for_all:
        open_ids = ids_with_open_data(rows, today())

    assert open_ids == {row.pk for row in rows if is_data_sharing_open(row, today())}
    assert open_ids == {partnership.pk for partnership in partnerships} - {world.other_partnership.pk}
    assert open_ids_of_two <= open_ids
    assert len(queries_for_all) <= len(queries_for_two) + 2  # signatures are read only if a version is in force


@pytest.mark.parametrize(
    ("statuses", "is_open"),
    [
        pytest.param(["suspended"], False, id="suspended"),
        pytest.param(["suspended", "active"], True, id="active again"),
        pytest.param(["ended"], False, id="ended"),
    ],
)
def test_the_status_of_an_agreement_decides_whether_personal_data_is_open(
    world: World, signed_sharing_agreement: Partnership, statuses: list[str], is_open: bool
) -> None:
    agreement = signed_sharing_agreement

    for status in statuses:
        change_status(partnership=agreement, status=status, reason="Agreed.", author=world.amina, now=timezone.now())
        agreement.refresh_from_db()

    assert is_data_sharing_open(world.partnership, today()) == is_open
    assert is_data_sharing_open(agreement, today()) == is_open


@pytest.mark.parametrize(("days_later", "is_open"), [(0, True), (4, False)])
def test_a_notice_that_has_run_out_closes_personal_data_without_a_job(
    world: World, signed_sharing_agreement: Partnership, days_later: int, is_open: bool
) -> None:
    agreement = signed_sharing_agreement
    give_notice(
        party=agreement.parties.get(organisation=world.westmarch),
        reason="Budget.",
        last_day=today() + dt.timedelta(days=3),
        author=world.ben,
        now=timezone.now(),
    )
    agreement.refresh_from_db()

    with time_machine.travel(timezone.now() + dt.timedelta(days=days_later)):
        is_open_in_partnership = is_data_sharing_open(world.partnership, today())
        is_open_in_agreement = is_data_sharing_open(agreement, today())

    assert is_open_in_partnership == is_open
    assert is_open_in_agreement == is_open
