"""What is past its time goes: not a day sooner, and in a dry run not at all."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from partnerships.people.models import Invitation, SecurityEvent
from partnerships.people.retention import apply_retention
from partnerships.people.services import close_account, create_invitation
from tests.world import World

DAY = dt.timedelta(days=1)


@pytest.mark.parametrize(("days", "left"), [(6, 1), (7, 0), (8, 0)])
def test_an_invitation_goes_seven_days_after_it_ends(world: World, days: int, left: int) -> None:
    now = timezone.now()
    made, _ = create_invitation(person=world.sol, invited_by=None, now=now)

    apply_retention(now=made.expires_at + days * DAY)

    assert Invitation.objects.count() == left


@pytest.mark.parametrize(("days", "left"), [(364, 1), (365, 0), (366, 0)])
def test_the_security_log_is_kept_for_a_year(world: World, days: int, left: int) -> None:
    now = timezone.now()
    SecurityEvent.objects.create(person=world.eddie, kind="signed_in", at=now)

    apply_retention(now=now + days * DAY)

    assert SecurityEvent.objects.count() == left


@pytest.mark.parametrize(("days", "erased"), [(729, False), (730, True)])
def test_a_leaver_is_forgotten_after_two_years(world: World, days: int, erased: bool) -> None:
    now = timezone.now()
    close_account(person=world.eddie, author=world.dee, reason="Left.", now=now)

    apply_retention(now=now + days * DAY)

    world.eddie.refresh_from_db()
    assert (world.eddie.erased_at is not None) is erased


def test_a_dry_run_counts_and_removes_nothing(world: World) -> None:
    made, _ = create_invitation(person=world.sol, invited_by=None, now=timezone.now())

    counts = apply_retention(now=made.expires_at + 30 * DAY, dry_run=True)

    assert counts["invitations"] == 1
    assert Invitation.objects.exists()
