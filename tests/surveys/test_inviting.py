"""People are invited, reminded and left alone as they wish, and nobody is counted wrongly."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from partnerships.outbox.bounces import suppress_address
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.people.refusals import address_hashes, store_hashes
from partnerships.surveys import services
from partnerships.surveys.models import AnswerMode, Round
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.surveys.asking import agreed_round, answer_of, give_answers, opened_round, prepared_round
from tests.world import World


def refuse_emails(address: str) -> None:
    """Record that the mail server of this address refuses our emails."""
    suppress_address(address=address, reason="550", email_id=None, author_id=None, now=timezone.now())


def test_weekly_reminder_skips_people_who_have_since_asked_not_to_be_emailed(world: World) -> None:
    survey_round = opened_round(world)
    give_answers(survey_round, "council", [answer_of("council", 5)] * 3)
    drop_emails()
    store_hashes(address_hashes("other0@members.example"), now=timezone.now())

    services.remind_everyone(survey_round=survey_round, author=world.amina, now=timezone.now())

    recipients = {email.to[0] for email in deliver()}
    assert len(recipients) == 18, "Nineteen were asked, and one of them refuses emails."
    assert "other0@members.example" not in recipients


def test_a_reminder_is_not_sent_again_within_a_week(world: World) -> None:
    survey_round = opened_round(world)
    now = timezone.now()
    services.remind_everyone(survey_round=survey_round, author=world.amina, now=now)

    with pytest.raises(services.UnableToRun, match="reminded everyone in the last week"):
        services.remind_everyone(survey_round=survey_round, author=world.amina, now=now + dt.timedelta(days=6))


def test_a_reminder_can_be_sent_again_after_a_week(world: World) -> None:
    survey_round = opened_round(world)
    now = timezone.now()
    services.remind_everyone(survey_round=survey_round, author=world.amina, now=now)

    reminded = services.remind_everyone(survey_round=survey_round, author=world.amina, now=now + dt.timedelta(days=7))

    assert reminded


def test_survey_by_name_of_one_person_says_one_person(world: World) -> None:
    survey_round = prepared_round(world, way=AnswerMode.NAMED, asked={"council": 1})
    open_url = reverse("surveys:open", args=[survey_round.partnership_id, survey_round.number])

    page = signed_in(world.amina).post(open_url, follow=True).content.decode()

    assert "We will email a link to 1 person." in page
    assert "1 person was asked." in page
    assert "1 people" not in page


def test_reminder_of_one_person_says_one_person(world: World) -> None:
    survey_round = opened_round(world, way=AnswerMode.NAMED, asked={"council": 1})
    remind_url = reverse("surveys:remind", args=[survey_round.partnership_id, survey_round.number])

    page = signed_in(world.amina).post(remind_url, follow=True).content.decode()

    assert "We will email a reminder to the one person who was asked" in page
    assert "1 people" not in page


def key_file_of(survey_round: Round) -> Path:
    """Return the file with the key of a round."""
    return Path(settings.SURVEY_KEYS_ROOT) / f"{survey_round.key_name}.json"


def test_invitations_stay_queued_on_a_machine_without_the_key(world: World) -> None:
    drop_emails()
    survey_round = opened_round(world, asked={"council": 8})
    key_file_of(survey_round).unlink()

    sent_emails = deliver()

    assert sent_emails == []
    assert set(Email.objects.filter(kind="surveys.invitation").values_list("status", flat=True)) == {"queued"}


def test_queued_invitations_are_sent_once_the_machine_has_the_key(world: World) -> None:
    drop_emails()
    survey_round = opened_round(world, asked={"council": 8})
    key_file = key_file_of(survey_round)
    key = key_file.read_bytes()
    key_file.unlink()
    deliver()
    key_file.write_bytes(key)
    Email.objects.filter(kind="surveys.invitation").update(available_at=timezone.now())

    emails = deliver()

    assert len(emails) == 8


@pytest.mark.parametrize("address", ["erased@members.example", "bounced@members.example"])
def test_people_who_refused_emails_cannot_be_invited(world: World, address: str) -> None:
    survey_round = prepared_round(world, asked={"council": 8})
    store_hashes(address_hashes("erased@members.example")[:1], now=timezone.now())
    refuse_emails("bounced@members.example")

    with pytest.raises(services.UnableToRun, match=f"Remove {address}"):
        services.invite_people(
            survey_round=survey_round, addresses=[address], group="council", author=world.amina, now=timezone.now()
        )

    assert not User.objects.filter(email="erased@members.example").exists()


def test_people_whose_address_bounced_after_their_invitation_are_not_asked(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 8})
    invitation = survey_round.invitations.order_by("pk")[0]
    refuse_emails(invitation.person.email)
    services.invite_people(
        survey_round=survey_round,
        addresses=["one@more.example"],
        group="council",
        author=world.amina,
        now=timezone.now(),
    )

    opened = services.open_round(survey_round=agreed_round(survey_round), author=world.amina, now=timezone.now())

    assert opened.people_asked == 8, "Nine are invited, and one of them refuses emails."
