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
    ("left_out", "missing"),
    [
        ("_change_due_date", "changed the due date"),
        ("_leave", "Left this partnership"),
        ("_amend", "signed the terms"),
        ("_verify", "the ask is met"),
    ],
)
def test_the_councillors_week_fails_when_a_change_is_not_told(
    db: None, monkeypatch: pytest.MonkeyPatch, left_out: str, missing: str
) -> None:
    real_step = getattr(PartnershipWeek, left_out)

    def skip_step(self: Any, cast: Any, *given: Any, **options: Any) -> None:
        if left_out == "_change_due_date" and given[:2] == (0, 10):  # the second change stays
            real_step(self, cast, *given, **options)

    monkeypatch.setattr(PartnershipWeek, left_out, skip_step)
    week = PartnershipWeek()

    with pytest.raises(WeekWentWrong, match=missing):
        week.play()


def test_what_the_manager_read_on_the_site_is_told_if_nobody_notes_it(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PartnershipWeek, "_read_on_site", lambda *given: None)

    with pytest.raises(WeekWentWrong, match=r"Mara Rivers's email lacks \[\] or has \['has answered', 'Sixty homes"):
        PartnershipWeek().play()
