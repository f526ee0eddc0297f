"""Partnerships from before signing keep their status, their text and their acceptances."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership, Party, Status, TermsProposal
from partnerships.agreements.queries.terms import content_of_proposal, version_in_force
from partnerships.agreements.services import change_status
from tests.support.signing_in import signed_in
from tests.world import World

MIGRATION = import_module("partnerships.agreements.migrations.0012_terms_from_before_signing")
#: Statuses of partnerships whose terms are or were in force, and those of the others.
IN_FORCE = ("active", "under_review", "suspended", "renewed", "agreed")
NEVER_IN_FORCE = ("exploring", "drafting", "awaiting_sign_off", "ended")
TEXT = "Two meetings a quarter.\n\nPlans are shared in draft."


def migrate_old_partnership(world: World, **columns: Any) -> Partnership:
    """Return the Estuary Partnership after a migration from a row without signed terms.

    The migration gets the live models instead of historical ones, because all columns that it uses still exist.
    """
    defaults = {
        "terms_of_reference": TEXT,
        "review_on": dt.date(2027, 3, 1),
        "quorum": 2,
        "annual_budget": "85000.50",
        "contribution": "Land at Mill Lane.",
    }
    values = {**defaults, **columns}
    TermsProposal.objects.all().delete()
    Partnership.objects.filter(pk=world.partnership.pk).update(**values)
    MIGRATION.first_terms(apps, None)
    return Partnership.objects.get(pk=world.partnership.pk)


@pytest.mark.parametrize("status", IN_FORCE)
def test_text_in_force_becomes_version_1(world: World, status: str) -> None:
    migrated = migrate_old_partnership(world, status=status, starts_on=dt.date(2026, 1, 1))

    version = migrated.terms_versions.get()
    assert version.number == 1
    assert version.was_accepted_before_signing
    assert version.content["clauses"][0]["body"] == TEXT
    assert version.content["about"]["quorum"] == 2


@pytest.mark.parametrize("status", IN_FORCE)
def test_version_1_of_text_in_force_is_in_force_from_the_start_date(world: World, status: str) -> None:
    migrated = migrate_old_partnership(world, status=status, starts_on=dt.date(2026, 1, 1))

    version = migrated.terms_versions.get()
    assert migrated.status == status
    assert version_in_force(migrated, dt.date(2026, 1, 1)) == version
    assert migrated.terms_version_id == version.pk
    assert not migrated.terms_proposals.exists()


@pytest.mark.parametrize("status", IN_FORCE)
def test_acceptances_of_text_in_force_become_signatures_of_version_1(world: World, status: str) -> None:
    migrated = migrate_old_partnership(world, status=status, starts_on=dt.date(2026, 1, 1))

    version = migrated.terms_versions.get()
    signatures = {
        (signature.organisation_id, signature.person_id, signature.how) for signature in version.signatures.all()
    }
    assert signatures == {
        (world.larkhaven.pk, world.amina.pk, "accepted"),
        (world.westmarch.pk, world.ben.pk, "accepted"),
    }


def test_a_migrated_partnership_is_amended_with_signatures(world: World) -> None:
    migrated = migrate_old_partnership(world, status="active", starts_on=dt.date(2026, 1, 1))
    client = signed_in(world.ben)

    html = client.get(reverse("agreements:terms", args=[migrated.pk])).content.decode()
    response = client.post(
        reverse("agreements:propose", args=[migrated.pk]),
        {"organisation": world.westmarch.pk, "reason": "We meet less often."},
    )

    assert "before terms could be signed here" in html
    assert "Two meetings a quarter." in html
    assert response["Location"] == reverse("agreements:proposal", args=[migrated.pk, 1])
    assert client.get(response["Location"]).status_code == 200


@pytest.mark.parametrize("status", NEVER_IN_FORCE)
def test_text_that_was_never_in_force_becomes_the_first_draft(world: World, status: str) -> None:
    migrated = migrate_old_partnership(world, status=status)

    proposal = migrated.terms_proposals.get()
    content = content_of_proposal(proposal)
    assert proposal.number == 1
    assert proposal.is_drafting
    assert [clause["title"] for clause in content["clauses"]] == ["Terms", "Contribution"]
    assert content["about"]["review_on"] == "2027-03-01"


@pytest.mark.parametrize("status", NEVER_IN_FORCE)
def test_text_that_was_never_in_force_becomes_no_version(world: World, status: str) -> None:
    migrated = migrate_old_partnership(world, status=status)

    assert migrated.status == status
    assert not migrated.terms_versions.exists()


def test_a_partnership_that_ended_after_it_was_active_keeps_its_terms(world: World) -> None:
    Partnership.objects.filter(pk=world.partnership.pk).update(status="active")

    migrated = migrate_old_partnership(world, status="ended")

    assert migrated.terms_versions.get().was_accepted_before_signing
    assert migrated.status == Status.ENDED


def test_a_party_that_left_before_reads_the_text_of_its_day_not_version_1(world: World) -> None:
    Party.objects.filter(partnership=world.partnership, organisation=world.westmarch).update(
        status="left", left_at=timezone.now(), left_on=timezone.localdate()
    )
    migrated = migrate_old_partnership(world, status="active", starts_on=dt.date(2026, 1, 1))
    client = signed_in(world.ben)

    html = client.get(reverse("agreements:terms", args=[migrated.pk])).content.decode()

    assert TEXT.split("\n", 1)[0] not in html
    assert client.get(migrated.terms_versions.get().get_absolute_url()).status_code == 404


def test_a_very_long_text_is_kept_whole_in_several_clauses(world: World) -> None:
    long_text = "x" * 120_000

    migrated = migrate_old_partnership(
        world, status="active", terms_of_reference=long_text, starts_on=dt.date(2026, 1, 1)
    )

    clauses = migrated.terms_versions.get().content["clauses"]
    bodies = [clause["body"] for clause in clauses if clause["key"] != "contribution"]
    assert "".join(bodies) == long_text
    change_status(
        partnership=migrated, status="under_review", reason="Its day.", author=world.amina, now=timezone.now()
    )
