"""The person who reads comments agrees before a survey opens, after looking at the list of people asked."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.kit.rights import UnableToAct
from partnerships.organisations.models import Role
from partnerships.people.models import User
from partnerships.surveys import services
from partnerships.surveys.models import Round
from partnerships.surveys.queries.rounds import invitation_list_hash
from partnerships.work.queries import tasks_of_person
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.surveys.asking import agreed_round, moderator_of, prepared_round
from tests.world import World, join, person


def ask(survey_round: Round, world: World) -> str:
    """Ask the person who should read comments, and return the message that the lead sees."""
    address = reverse("surveys:ask-reader", args=[survey_round.partnership_id, survey_round.number])
    response = signed_in(world.amina).post(address, follow=True)
    return " ".join(response.content.decode().split()).partition("If this person")[2][:60]


def test_survey_opens_only_after_its_reader_has_agreed_to_who_is_asked(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 6})
    services.invite_people(
        survey_round=survey_round,
        addresses=[f"amina{place}@post.example" for place in range(4)],
        group="association",
        author=world.amina,
        now=timezone.now(),
    )
    drop_emails()
    with pytest.raises(services.UnableToRun, match="has not agreed"):
        services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())

    ask(survey_round, world)

    mo = moderator_of(world)
    [email] = deliver()
    address = reverse("surveys:agree", args=[survey_round.pk])
    assert address in str(email.body)
    assert [item.path for item in tasks_of_person(mo, timezone.now())] == [address]
    page = " ".join(signed_in(mo).get(address).content.decode().split())
    # Only a domain and its count are shown. One person may own all four addresses, and Mo can notice that.
    assert (
        'data-label="Email domain">post.example</td> <td role="cell" class="govuk-table__cell" data-label="People">4<'
        in page
    )
    assert "amina0" not in page
    assert (
        signed_in(mo).post(address, {"list_hash": invitation_list_hash(survey_round), "answer": "agree"}).status_code
        == 302
    )
    assert services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now()).status == "open"


def test_reader_who_declines_is_asked_no_more_and_the_leads_name_somebody_else(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 8})
    ask(survey_round, world)
    mo = moderator_of(world)
    address = reverse("surveys:agree", args=[survey_round.pk])
    drop_emails()

    answer = signed_in(mo).post(
        address, {"list_hash": invitation_list_hash(survey_round), "answer": "decline"}, follow=True
    )

    assert "We will email you about this survey again only if" in answer.content.decode()
    assert not tasks_of_person(mo, timezone.now())
    assert signed_in(mo).get(address).status_code == 404
    naming = reverse("surveys:name", args=[survey_round.partnership_id, survey_round.number])
    emails = deliver()
    assert {email.to[0] for email in emails} >= {world.amina.email}
    assert all(naming in str(email.body) and mo.email not in str(email.body) for email in emails)
    with pytest.raises(services.UnableToRun, match="has not agreed"):
        services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())


def test_changed_list_needs_another_agreement(world: World) -> None:
    survey_round = agreed_round(prepared_round(world, asked={"council": 9}))
    mo = moderator_of(world)
    list_hash = invitation_list_hash(survey_round)

    services.withdraw_invitation(
        survey_round=survey_round,
        invitation=survey_round.invitations.all()[0].pk,
        author=world.amina,
        now=timezone.now(),
    )

    with pytest.raises(services.UnableToRun, match="has not agreed"):
        services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())
    address = reverse("surveys:agree", args=[survey_round.pk])
    page = signed_in(mo).post(address, {"list_hash": list_hash, "answer": "agree"}, follow=True).content.decode()
    assert "The people or partnerships have changed" in page
    shown_hash = invitation_list_hash(survey_round)
    assert list_hash not in page
    assert f'value="{shown_hash}"' in page
    signed_in(mo).post(address, {"list_hash": shown_hash, "answer": "agree"})
    assert services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now()).status == "open"


@pytest.mark.parametrize("who", ["party", "no account", "nobody"])
def test_naming_a_reader_does_not_show_who_has_an_account_or_where(world: World, who: str) -> None:
    drop_emails()
    first_draft = prepared_round(world, asked={"council": 8})
    message = ask(first_draft, world)
    assert len(deliver()) == 1
    services.abandon_round(survey_round=first_draft, reason="Again.", author=world.amina, now=timezone.now())
    address = {"party": world.ben.email, "no account": world.sol.email, "nobody": "new@nowhere.example"}[who]
    survey_round = prepared_round(world, asked={"council": 8}, moderator=User(email=address))

    assert ask(survey_round, world) == message != ""

    assert len(deliver()) == 1
    reader = User.objects.get(email=address)
    with pytest.raises(UnableToAct):
        services.agree_to_moderate(
            survey_round=survey_round, list_hash=invitation_list_hash(survey_round), author=reader, now=timezone.now()
        )
    assert not Round.objects.asking_to_moderate(reader).exists()


def test_naming_the_same_reader_again_sends_no_second_email_that_day(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 8})
    services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())

    services.name_moderator(
        survey_round=survey_round, address=moderator_of(world).email, author=world.amina, now=timezone.now()
    )

    with pytest.raises(services.UnableToRun, match="have already asked this person today"):
        services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())


def test_another_reader_can_be_named_and_nobody_else_opens_the_page(world: World) -> None:
    survey_round = agreed_round(prepared_round(world, asked={"council": 8}))
    ona = person("Ona Outside", "ona@outside.example", account_since=timezone.now())
    address = reverse("surveys:name", args=[survey_round.partnership_id, survey_round.number])

    answer = signed_in(world.amina).post(address, {"address": ona.email})

    survey_round.refresh_from_db()
    assert answer.status_code == 302
    assert survey_round.moderator == ona
    assert survey_round.moderator_agreed_at is None
    services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())
    page = reverse("surveys:agree", args=[survey_round.pk])
    readers = [moderator_of(world), world.amina, world.dee, ona]
    assert [signed_in(reader).get(page).status_code for reader in readers] == [404, 404, 404, 200]
    assert Client().get(page).status_code == 302


@pytest.mark.parametrize("why", ["left", "joined a party"])
def test_survey_does_not_open_once_its_reader_can_no_longer_read_comments(world: World, why: str) -> None:
    survey_round = agreed_round(prepared_round(world, asked={"council": 8}))
    mo = moderator_of(world)
    if why == "left":
        User.objects.filter(pk=mo.pk).update(is_active=False)
    else:
        join(mo, world.westmarch, Role.VIEWER, timezone.now())
    survey_round.refresh_from_db()

    with pytest.raises(services.UnableToRun, match="can no longer do so"):
        services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())
