"""The weeks that `digests week` simulates have the right emails."""

from __future__ import annotations

from typing import Any

import pytest

from partnerships.answers.management.week import PartnershipWeek
from partnerships.digests.management.weeks.plans import PlansWeek
from partnerships.digests.management.weeks.stage import WeekWentWrong, play_weeks
from partnerships.digests.models import Delivery


def test_the_simulated_weeks_pass(db: None, settings: Any) -> None:
    settings.NOTICES_AT_ONCE = False
    lines = list(play_weeks())
    output = "\n".join(lines)

    assert "NO EMAIL" not in output
    assert "no email." in output
    assert "Sam Stakeholder received 3 emails in the week, one of them asking to confirm." in lines
    assert "Cllr Una Rivers received 1 digest in the week." in lines
    assert "it is shown as a comment on The old depot" in output
    assert not Delivery.objects.exists()


def test_a_week_fails_when_an_expected_digest_is_missing(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    real_publish = PlansWeek._publish

    def publish_most(self: Any, day: int, hour: int, plan: Any, homes: int, author: Any, note: str) -> None:
        if (day, hour) != (0, 15):  # leaves out the version about the mill's new scheme
            real_publish(self, day, hour, plan, homes, author, note)

    monkeypatch.setattr(PlansWeek, "_publish", publish_most)

    with pytest.raises(WeekWentWrong, match="Old Mill: was 120, now 40"):
        list(play_weeks())


@pytest.mark.parametrize(
    ("step", "missing"),
    [("_leave", "Left this partnership"), ("_amend", "signed the terms"), ("_verify", "the ask is met")],
)
def test_the_councillors_week_fails_when_a_change_is_not_told(
    db: None, monkeypatch: pytest.MonkeyPatch, step: str, missing: str
) -> None:
    monkeypatch.setattr(PartnershipWeek, step, lambda *arguments, **options: None)

    with pytest.raises(WeekWentWrong, match=missing):
        PartnershipWeek().play()


def test_the_councillors_week_fails_when_its_second_new_due_date_is_not_told(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_due_date = PartnershipWeek._change_due_date

    def change_only_first_due_date(self: Any, cast: Any, day: int, hour: int, **options: Any) -> None:
        if day == 0:
            change_due_date(self, cast, day, hour, **options)

    monkeypatch.setattr(PartnershipWeek, "_change_due_date", change_only_first_due_date)

    with pytest.raises(WeekWentWrong, match="changed the due date"):
        PartnershipWeek().play()


def test_what_the_manager_read_on_the_site_is_told_if_nobody_notes_it(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PartnershipWeek, "_read_on_site", lambda *given: None)

    with pytest.raises(WeekWentWrong, match=r"Mara Rivers's email lacks \[\] or has \['has answered', 'Sixty homes"):
        PartnershipWeek().play()
