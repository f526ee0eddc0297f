"""The Word document and the page to print say the same about terms, and show all signatures."""

from __future__ import annotations

import datetime as dt
import io
import re
from typing import Any

import docx
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, TermsVersion
from partnerships.agreements.services import (
    answer_invitation,
    change_status,
    invite_organisation,
    propose_amendment,
    save_terms_piece,
)
from tests.support.terms import agree_terms, draft, first_proposal, put_up, sign_all
from tests.world import World


@pytest.fixture
def reader(world: World, client: Client) -> Client:
    """Return a browser in which Vera of Larkhaven is signed in."""
    client.force_login(world.vera)
    return client


def word_paragraphs(client: Client, version: TermsVersion) -> list[str]:
    """Return the paragraphs and table rows of the Word document, in order."""
    response = client.get(reverse("agreements:terms-word", args=[version.partnership_id, version.number]))
    paragraphs: list[str] = []
    for part in docx.Document(io.BytesIO(response.content)).iter_inner_content():
        rows = getattr(part, "rows", None)
        paragraphs += [" | ".join(cell.text for cell in row.cells) for row in rows] if rows is not None else [part.text]
    return paragraphs


def page_to_print(client: Client, version: TermsVersion) -> str:
    """Return the page to print of a version, on one line."""
    address = reverse("agreements:terms-print", args=[version.partnership_id, version.number])
    return " ".join(client.get(address).content.decode().split())


def contribute(partnership: Partnership, author: Any, key: str, **row: str) -> None:
    """Add a contribution to the draft of the first terms."""
    save_terms_piece(
        proposal=first_proposal(partnership),
        piece=f"contributions/{key}",
        value=row,
        based_on=None,
        author=author,
        now=timezone.now(),
    )


def test_a_financial_year_does_not_break_in_a_narrow_cell(world: World, reader: Client) -> None:
    contribute(world.partnership, world.amina, "one", party="Larkhaven Homes", year="2026-27", money="1000")
    version = agree_terms(world.partnership, world.amina)

    page = page_to_print(reader, version)

    years = re.findall(r'class="([^"]*)"\s*> 2026-27 <', page)
    assert len(years) == 2  # the row of the schedule, and the column of the totals
    assert all("cg-nowrap" in year.split() for year in years)


def test_word_has_the_clauses_and_schedules_of_the_print(world: World, reader: Client) -> None:
    contribute(world.partnership, world.amina, "one", party="Larkhaven Homes", year="2027", money="1000")
    contribute(world.partnership, world.amina, "two", party="Larkhaven Homes", year="2028", money="1500")
    version = agree_terms(world.partnership, world.amina, reports_to="The board", legally_binding=True)

    words = word_paragraphs(reader, version)
    page = page_to_print(reader, version)

    headings = ["Terms", "1. Terms", "Schedule 1: particulars", "Schedule 2: contributions", "Signatures"]
    assert [text for text in words if text in headings] == headings
    assert all(heading in page for heading in headings[1:])


def test_word_has_the_particulars_and_contributions_as_tables(world: World, reader: Client) -> None:
    contribute(world.partnership, world.amina, "one", party="Larkhaven Homes", year="2027", money="1000")
    contribute(world.partnership, world.amina, "two", party="Larkhaven Homes", year="2028", money="1500")
    version = agree_terms(world.partnership, world.amina, reports_to="The board", legally_binding=True)

    words = word_paragraphs(reader, version)

    assert "Reports to | The board" in words
    assert "Legally binding | Yes" in words
    assert "In money | 2027 | 2028 | All years" in words
    assert "Larkhaven Homes | £1,000 | £1,500 | £2,500" in words
    assert "Sent for signature as | First terms" in words


def test_observers_stand_apart_from_those_who_sign(world: World, reader: Client) -> None:
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.riverside,
        role="observer",
        reason="They watch.",
        author=world.amina,
        now=timezone.now(),
    )
    answer_invitation(party=party, accept=True, reason="", author=world.nadia, now=timezone.now())
    version = agree_terms(world.partnership, world.amina)

    words = word_paragraphs(reader, version)
    page = page_to_print(reader, version)

    line_of_parties = next(line for line in words if line.startswith("Between"))
    assert "Larkhaven Homes" in line_of_parties
    assert world.riverside.name not in line_of_parties
    assert f"Observers | {world.riverside.name}" in words
    assert f"<dt>Observers</dt> <dd>{world.riverside.name}</dd>" in page


def test_a_version_of_two_amendments_shows_the_signatures_on_both(
    world: World, agreed_terms: TermsVersion, reader: Client
) -> None:
    now = timezone.now()

    def amend(author: Any, body: Any, **change: Any) -> TermsVersion:
        proposal = propose_amendment(
            partnership=world.partnership, organisation=body, reason="A better way.", author=author, now=now
        )
        return put_up(draft(proposal, author, **change), author)

    amended_clause = amend(world.amina, world.larkhaven, text="We meet twice.")
    amended_field = amend(world.ben, world.westmarch, reports_to="The board")
    sign_all(amended_clause)
    sign_all(amended_field)
    consolidated = world.partnership.terms_versions.get(origin="consolidated")

    words = word_paragraphs(reader, consolidated)
    page = page_to_print(reader, consolidated)

    signature_lines = [line for line in words if "Signed electronically" in line]
    assert [line.split(" | ")[2].split(".")[0] for line in signature_lines] == [
        f"Version {one.number}" for one in (amended_clause, amended_field) for _party in range(2)
    ]
    for one in (amended_clause, amended_field):
        assert f"Signatures on version {one.number}" in page


def test_what_is_not_signed_leaves_room_for_a_hand(world: World, reader: Client) -> None:
    now = timezone.now()
    change_status(partnership=world.partnership, status="drafting", reason="Agreed.", author=world.amina, now=now)
    review = (timezone.localdate(now) + dt.timedelta(days=365)).isoformat()
    version = put_up(
        draft(first_proposal(world.partnership), world.amina, text="We meet.", review_on=review), world.amina
    )

    words = word_paragraphs(reader, version)
    page = page_to_print(reader, version)

    assert any("Signature:\n\nName:\n\nDate:" in line for line in words)
    assert "Signature:" in page
    assert "Job title:" in page
    assert "Not in force" in page
