"""Delivery of a commitment is reported, proved, verified and transferred."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from partnerships.commitments import registry, services
from partnerships.commitments.models import Commitment, Evidence, Status
from partnerships.kit.dates import long_date
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.models import Role
from tests.commitments.promises import agree, done_commitment, in_days, propose, report, verified_commitment
from tests.support.outbox import deliver, drop_emails, parts
from tests.support.signing_in import signed_in
from tests.world import World, join


def test_progress_is_recorded_in_parts(world: World) -> None:
    commitment = agree(world)

    report(world, commitment, delivered=Decimal(25))
    report(world, commitment, delivered=Decimal(40), note_text="Block B handed over.")

    commitment.refresh_from_db()
    assert commitment.status == Status.IN_PROGRESS
    assert commitment.delivered_words == "40 of 60 homes"
    assert commitment.outstanding == 20
    assert list(commitment.progress.order_by("pk").values_list("delivered_before", "delivered")) == [(0, 25), (25, 40)]


def test_done_needs_the_whole_quantity(world: World) -> None:
    commitment = agree(world)

    with pytest.raises(services.UnableToRecordProgress, match="40 of 60 homes"):
        report(world, commitment, Status.DONE, delivered=Decimal(40))


def test_commitment_cannot_be_blocked_without_a_blocker(world: World) -> None:
    commitment = agree(world)

    with pytest.raises(services.UnableToRecordProgress, match="what is blocking the work"):
        report(world, commitment, Status.BLOCKED, blocker=" ")


def test_blocker_is_stored_with_a_blocked_commitment(world: World) -> None:
    commitment = agree(world)

    report(world, commitment, Status.BLOCKED, blocker="No water connection before May.")

    commitment.refresh_from_db()
    assert commitment.is_blocked
    assert commitment.blocker == "No water connection before May."


def test_more_than_promised_is_refused_without_a_note(world: World) -> None:
    commitment = agree(world)

    with pytest.raises(services.UnableToRecordProgress, match="61 of 60 homes is more than was promised"):
        report(world, commitment, delivered=Decimal(61))


def test_larger_total_that_was_explained_needs_no_second_note(world: World) -> None:
    commitment = agree(world)
    report(world, commitment, delivered=Decimal(61), note_text="The roof holds one more.")

    report(world, commitment, Status.DONE, delivered=Decimal(61))

    commitment.refresh_from_db()
    assert commitment.is_done
    assert commitment.delivered_words == "61 of 60 homes"


def progress_url(commitment: Commitment) -> str:
    """Return the URL of the form to report progress."""
    return reverse("commitments:progress", args=[commitment.pk])


#: A report on 60 promised homes that may contain a typing error.
LARGER_TOTAL = {"delivered": "61", "status": "in_progress", "note_text": "", "blocker": "", "seen": "0"}


def test_empty_form_does_not_mention_a_larger_total(world: World) -> None:
    commitment = agree(world)

    html = signed_in(world.eddie).get(progress_url(commitment)).content.decode()

    assert "we delivered more" not in html


def test_form_asks_for_a_tick_and_a_note_if_the_total_is_larger(world: World) -> None:
    commitment = agree(world)

    refusal = signed_in(world.eddie).post(progress_url(commitment), LARGER_TOTAL)

    assert refusal.status_code == 422
    assert "61 of 60 homes is more than was promised" in refusal.content.decode()
    assert "Enter why you delivered more" in refusal.content.decode()


def test_form_accepts_a_larger_total_with_a_tick_and_a_note(world: World) -> None:
    commitment = agree(world)
    form_data = LARGER_TOTAL | {"more": "on", "note_text": "The roof holds one more."}

    response = signed_in(world.eddie).post(progress_url(commitment), form_data)

    assert response.status_code == 302
    assert commitment.progress.get().delivered == 61


def test_reporting_less_than_before_needs_a_note(world: World) -> None:
    commitment = agree(world)
    report(world, commitment, delivered=Decimal(40))

    with pytest.raises(services.UnableToRecordProgress, match="lower than in the last report"):
        report(world, commitment, delivered=Decimal(30))


def test_report_sent_twice_is_recorded_once(world: World) -> None:
    commitment = agree(world)
    report(world, commitment, delivered=Decimal(10), newest_seen_id=0)

    with pytest.raises(services.UnableToRecordProgress, match="A colleague has just reported"):
        report(world, commitment, delivered=Decimal(10), newest_seen_id=0)

    assert commitment.progress.count() == 1


@pytest.mark.parametrize("who", ["vera", "ben", "chidi", "lena", "dee"])
def test_only_editors_of_the_giver_record_progress(world: World, who: str) -> None:
    commitment = agree(world)

    with pytest.raises(UnableToAct, match="organisation that made the promise"):
        services.record_progress(
            commitment=commitment, status=Status.AT_RISK, author=getattr(world, who), now=timezone.now()
        )


def test_receiver_verifies_a_finished_commitment(world: World) -> None:
    commitment = services.verify_delivery(commitment=done_commitment(world), author=world.ben, now=timezone.now())

    assert commitment.is_verified
    assert commitment.verified_by == world.ben


def test_giver_cannot_verify_its_own_delivery(world: World) -> None:
    with pytest.raises(UnableToAct, match="receiving organisation"):
        services.verify_delivery(commitment=done_commitment(world), author=world.amina, now=timezone.now())


def test_delivery_is_not_sent_back_without_a_reason(world: World) -> None:
    commitment = done_commitment(world)

    with pytest.raises(services.UnableToVerify, match="what is missing"):
        services.send_back(commitment=commitment, reason="", author=world.ben, now=timezone.now())


def test_delivery_that_is_sent_back_is_in_progress_with_the_reason(world: World) -> None:
    commitment = done_commitment(world)

    returned = services.send_back(
        commitment=commitment, reason="Four homes have no keys.", author=world.ben, now=timezone.now()
    )

    assert returned.status == Status.IN_PROGRESS
    assert returned.progress.order_by("-pk")[0].note == "Four homes have no keys."


def test_email_about_an_overdue_commitment_says_by_how_much(world: World) -> None:
    commitment = agree(world)
    Commitment.objects.filter(pk=commitment.pk).update(due_on=in_days(-3))
    drop_emails()

    services.escalate(commitment=commitment, helper=world.ben, author=world.eddie, now=timezone.now())

    [email] = deliver()
    assert all("overdue by 3 days" in part for part in parts(email))


def test_escalation_email_says_what_is_promised_and_replies_reach_its_author(world: World) -> None:
    commitment = agree(world)
    drop_emails()

    services.escalate(commitment=commitment, helper=world.ben, author=world.eddie, now=timezone.now())

    [email] = deliver()
    assert email.reply_to == [world.eddie.email]
    for part in parts(email):
        assert commitment.reference in part
        assert "Sixty modular homes at Quayside" in part
        assert "Larkhaven Homes to Westmarch" in part


def test_email_about_a_cancelled_commitment_does_not_say_overdue(world: World) -> None:
    commitment = agree(world)
    Commitment.objects.filter(pk=commitment.pk).update(due_on=in_days(-12))
    drop_emails()

    services.end_commitment(commitment=commitment, reason="No money.", author=world.amina, now=timezone.now())

    emails = deliver()
    assert {email.to[0] for email in emails} == {world.ben.email, world.eddie.email}
    for email in emails:
        for part in parts(email):
            assert f"Due: {long_date(in_days(-12))}" in part.replace("<strong>", "")
            assert "overdue" not in part


def test_email_about_a_verified_commitment_does_not_say_overdue(world: World) -> None:
    commitment = done_commitment(world)
    Commitment.objects.filter(pk=commitment.pk).update(due_on=in_days(-12))
    drop_emails()

    services.verify_delivery(commitment=commitment, author=world.ben, now=timezone.now())

    emails = deliver()
    assert emails
    assert not any("overdue" in part for email in emails for part in parts(email))


def test_commitment_is_not_escalated_to_somebody_who_cannot_see_it(world: World) -> None:
    commitment = agree(world)

    with pytest.raises(services.UnableToEscalate, match="cannot see"):
        services.escalate(commitment=commitment, helper=world.chidi, author=world.eddie, now=timezone.now())


def test_commitment_is_escalated_to_a_person_of_the_receiver(world: World) -> None:
    commitment = agree(world)

    escalated = services.escalate(commitment=commitment, helper=world.ben, author=world.eddie, now=timezone.now())

    assert escalated.escalated_to == world.ben


def test_script_that_is_named_as_a_pdf_is_refused(world: World) -> None:
    commitment = agree(world)
    script = SimpleUploadedFile("handover.pdf", b"<script>alert(1)</script>")

    with pytest.raises(services.UnableToAttach):
        services.attach_evidence(commitment=commitment, file=script, author=world.eddie, now=timezone.now())


def test_evidence_is_stored_under_another_name_than_its_title(world: World) -> None:
    commitment = agree(world)
    note = SimpleUploadedFile("handover.txt", b"Block B handed over on Monday.")

    evidence = services.attach_evidence(commitment=commitment, file=note, author=world.eddie, now=timezone.now())

    assert evidence.title == "handover.txt"
    assert "handover" not in evidence.file.name


def test_evidence_is_visible_to_everybody_who_sees_the_commitment(world: World) -> None:
    note = SimpleUploadedFile("handover.txt", b"Block B handed over on Monday.")
    services.attach_evidence(commitment=agree(world), file=note, author=world.eddie, now=timezone.now())

    people = ("vera", "ben", "chidi", "dee")
    sees_evidence = {name: Evidence.objects.visible_to(getattr(world, name)).exists() for name in people}

    assert sees_evidence == {"vera": True, "ben": True, "chidi": False, "dee": False}


def test_open_commitments_of_a_person_who_left_pass_to_a_colleague(world: World) -> None:
    open_commitment = agree(world)
    verified = verified_commitment(world)

    count = services.hand_over_commitments(
        person=world.eddie, organisation=world.larkhaven, to=world.amina, author=world.amina, now=timezone.now()
    )

    open_commitment.refresh_from_db()
    verified.refresh_from_db()
    assert count == 1
    assert open_commitment.owner == world.amina
    assert verified.owner == world.eddie


def test_listeners_are_called_inside_the_transaction(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses: list[str] = []

    def listener(*, commitment: Commitment, author: Any, now: Any) -> None:
        assert transaction.get_connection().in_atomic_block
        statuses.append(commitment.status)

    monkeypatch.setattr(registry, "_listeners", [listener])

    commitment = agree(world)
    report(world, commitment, delivered=Decimal(40))
    report(world, commitment, Status.DONE, delivered=Decimal(60))
    services.verify_delivery(commitment=commitment, author=world.ben, now=timezone.now())

    assert statuses == [Status.AGREED, Status.IN_PROGRESS, Status.DONE, Status.VERIFIED]


def test_commitment_from_a_register_is_recorded_once(world: World) -> None:
    promise = services.RegisterPromise(
        reference="AWDM/0205/12-Leisure",
        text="Open space and leisure",
        receiver=world.westmarch,
        giver_name="The developer of AWDM/0205/12",
        agreed_at=world.now,
        quantity=Decimal(650000),
        unit="pounds",
        progress=[services.RegisterProgress(at=world.now, delivered=Decimal(288900), note="Spent")],
    )
    arguments = {"promises": [promise], "source": "Developer agreements", "author": None, "now": world.now}

    first_import = services.create_from_register(**arguments)
    second_import = services.create_from_register(**arguments)

    assert [commitment.delivered_words for commitment in first_import] == ["£288,900 of £650,000"]
    assert second_import == []


def test_receiver_reports_for_a_giver_outside_the_network(world: World) -> None:
    promise = services.RegisterPromise(
        reference="X-1", text="A footbridge", receiver=world.westmarch, giver_name="A developer", agreed_at=world.now
    )
    (commitment,) = services.create_from_register(promises=[promise], source="Register", author=None, now=world.now)

    services.record_progress(
        commitment=commitment, status=Status.DONE, author=world.ben, now=timezone.now(), note_text="Opened."
    )
    verified = services.verify_delivery(commitment=commitment, author=world.ben, now=timezone.now())

    assert verified.is_verified


def test_new_lead_of_the_giver_can_report_at_once(world: World) -> None:
    commitment = agree(world)
    join(world.nadia, world.larkhaven, Role.LEAD, world.now)

    services.record_progress(commitment=commitment, status=Status.AT_RISK, author=world.nadia, now=timezone.now())

    commitment.refresh_from_db()
    assert commitment.status == Status.AT_RISK


def test_proposed_commitment_cannot_have_progress(world: World) -> None:
    with pytest.raises(services.UnableToRecordProgress, match="proposed"):
        report(world, propose(world, due_on=in_days(5)))


def test_file_sent_twice_is_kept_once(world: World) -> None:
    commitment = agree(world)

    for _ in range(2):
        note = SimpleUploadedFile("handover.txt", b"Block B handed over on Monday.")
        services.attach_evidence(commitment=commitment, file=note, author=world.eddie, now=timezone.now())

    assert commitment.evidence.count() == 1
