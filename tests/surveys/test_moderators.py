"""The person who reads comments agrees before a survey opens, after looking at the list of people asked."""

from __future__ import annotations

from typing import NamedTuple

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


def ask_reader(survey_round: Round, world: World) -> str:
    """Ask the person who should read comments, and return the message that the lead sees."""
    address = reverse("surveys:ask-reader", args=[survey_round.partnership_id, survey_round.number])
    page = signed_in(world.amina).post(address, follow=True).content.decode()
    return " ".join(page.split()).partition("If this person")[2][:60]


def agreement_url(survey_round: Round) -> str:
    """Return the URL of the page on which the reader agrees to the people and partnerships of a survey."""
    return reverse("surveys:agree", args=[survey_round.pk])


def open_survey(survey_round: Round, world: World) -> Round:
    """Open the survey as Amina."""
    return services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())


def test_survey_does_not_open_before_its_reader_has_agreed(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 8})
    ask_reader(survey_round, world)

    with pytest.raises(services.UnableToRun, match="has not agreed"):
        open_survey(survey_round, world)


def test_reader_is_asked_by_email(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 8})
    drop_emails()

    ask_reader(survey_round, world)

    [email] = deliver()
    assert email.to == ["mo@outside.example"]
    assert agreement_url(survey_round) in str(email.body)


def test_reader_is_asked_in_my_work(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 8})

    ask_reader(survey_round, world)

    [task] = tasks_of_person(moderator_of(world), timezone.now())
    assert task.path == agreement_url(survey_round)


def test_reader_sees_how_many_people_of_each_email_domain_are_asked(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 6})
    services.invite_people(
        survey_round=survey_round,
        addresses=[f"amina{place}@post.example" for place in range(4)],
        group="association",
        author=world.amina,
        now=timezone.now(),
    )
    ask_reader(survey_round, world)

    response = signed_in(moderator_of(world)).get(agreement_url(survey_round))

    page = " ".join(response.content.decode().split())
    # Only a domain and its count are shown. One person may own all four addresses, and Mo can notice that.
    assert (
        'data-label="Email domain">post.example</td> <td role="cell" class="govuk-table__cell" data-label="People">4<'
        in page
    )
    assert "amina0" not in page


def test_survey_opens_once_its_reader_has_agreed_to_the_people_asked(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 8})
    ask_reader(survey_round, world)
    form_data = {"list_hash": invitation_list_hash(survey_round), "answer": "agree"}
    signed_in(moderator_of(world)).post(agreement_url(survey_round), form_data)

    opened_round = open_survey(survey_round, world)

    assert opened_round.status == "open"


@pytest.fixture
def declined_round(world: World) -> Round:
    """Return a draft whose comments Mo has declined to read, before the emails about it are sent."""
    survey_round = prepared_round(world, asked={"council": 8})
    ask_reader(survey_round, world)
    drop_emails()
    services.decline_to_moderate(survey_round=survey_round, author=moderator_of(world), now=timezone.now())
    return survey_round


def test_reader_declines_on_the_page(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 8})
    ask_reader(survey_round, world)
    form_data = {"list_hash": invitation_list_hash(survey_round), "answer": "decline"}

    page = signed_in(moderator_of(world)).post(agreement_url(survey_round), form_data, follow=True).content.decode()

    survey_round.refresh_from_db()
    assert survey_round.moderator is None
    assert "We will email you about this survey again only if" in page


def test_reader_who_declined_no_longer_finds_the_page(world: World, declined_round: Round) -> None:
    response = signed_in(moderator_of(world)).get(agreement_url(declined_round))

    assert response.status_code == 404


@pytest.mark.usefixtures("declined_round")
def test_reader_who_declined_has_no_work(world: World) -> None:
    tasks = tasks_of_person(moderator_of(world), timezone.now())

    assert not tasks


def test_leads_are_emailed_to_name_another_reader_when_one_declined(world: World, declined_round: Round) -> None:
    naming_url = reverse("surveys:name", args=[declined_round.partnership_id, declined_round.number])

    emails = deliver()

    assert world.amina.email in [email.to[0] for email in emails]
    assert all(naming_url in str(email.body) for email in emails)


@pytest.mark.usefixtures("declined_round")
def test_email_about_a_reader_who_declined_does_not_name_them() -> None:
    emails = deliver()

    assert "mo@outside.example" not in "".join(str(email.body) for email in emails)


def test_survey_does_not_open_when_its_reader_has_declined(world: World, declined_round: Round) -> None:
    with pytest.raises(services.UnableToRun, match="has not agreed"):
        open_survey(declined_round, world)


class ChangedRound(NamedTuple):
    """A draft whose reader agreed before a person was taken off its list."""

    survey_round: Round
    #: The hash of the list to which the reader agreed.
    agreed_hash: str


@pytest.fixture
def changed_round(world: World) -> ChangedRound:
    """Return a draft with eight people, whose reader agreed to nine."""
    survey_round = agreed_round(prepared_round(world, asked={"council": 9}))
    agreed_hash = invitation_list_hash(survey_round)
    services.withdraw_invitation(
        survey_round=survey_round,
        invitation=survey_round.invitations.all()[0].pk,
        author=world.amina,
        now=timezone.now(),
    )
    return ChangedRound(survey_round, agreed_hash)


def test_survey_with_a_changed_list_does_not_open(world: World, changed_round: ChangedRound) -> None:
    with pytest.raises(services.UnableToRun, match="has not agreed"):
        open_survey(changed_round.survey_round, world)


def test_reader_cannot_agree_to_the_list_before_a_change(world: World, changed_round: ChangedRound) -> None:
    survey_round, agreed_hash = changed_round
    form_data = {"list_hash": agreed_hash, "answer": "agree"}

    response = signed_in(moderator_of(world)).post(agreement_url(survey_round), form_data, follow=True)

    page = response.content.decode()
    assert "The people or partnerships have changed" in page
    assert agreed_hash not in page
    assert f'value="{invitation_list_hash(survey_round)}"' in page


def test_survey_opens_once_its_reader_has_agreed_to_the_changed_list(world: World, changed_round: ChangedRound) -> None:
    survey_round = changed_round.survey_round
    form_data = {"list_hash": invitation_list_hash(survey_round), "answer": "agree"}
    signed_in(moderator_of(world)).post(agreement_url(survey_round), form_data)

    opened_round = open_survey(survey_round, world)

    assert opened_round.status == "open"


def draft_read_by(who: str, world: World) -> Round:
    """Return a draft that names somebody who cannot read its comments.

    They are Ben of a party, Sol, who has no account, or an address that belongs to nobody yet.
    """
    address = {"party": world.ben.email, "no account": world.sol.email, "nobody": "new@nowhere.example"}[who]
    return prepared_round(world, asked={"council": 8}, moderator=User(email=address))


@pytest.mark.parametrize("who", ["party", "no account", "nobody"])
def test_message_about_a_named_reader_does_not_show_who_has_an_account_or_where(world: World, who: str) -> None:
    draft_with_mo = prepared_round(world, asked={"council": 8})
    message_about_mo = ask_reader(draft_with_mo, world)
    services.abandon_round(survey_round=draft_with_mo, reason="Again.", author=world.amina, now=timezone.now())
    survey_round = draft_read_by(who, world)

    message = ask_reader(survey_round, world)

    assert message_about_mo != ""
    assert message == message_about_mo


@pytest.mark.parametrize("who", ["party", "no account", "nobody"])
def test_reader_from_a_party_or_without_an_account_gets_no_email(world: World, who: str) -> None:
    survey_round = draft_read_by(who, world)
    drop_emails()

    ask_reader(survey_round, world)

    assert deliver() == []


@pytest.mark.parametrize("who", ["party", "no account", "nobody"])
def test_reader_from_a_party_or_without_an_account_cannot_agree(world: World, who: str) -> None:
    survey_round = draft_read_by(who, world)
    ask_reader(survey_round, world)
    survey_round.refresh_from_db()

    with pytest.raises(UnableToAct, match="You do not have permission"):
        services.agree_to_moderate(
            survey_round=survey_round,
            list_hash=invitation_list_hash(survey_round),
            author=survey_round.moderator,
            now=timezone.now(),
        )


@pytest.mark.parametrize("who", ["party", "no account", "nobody"])
def test_reader_from_a_party_or_without_an_account_is_not_listed_as_asked(world: World, who: str) -> None:
    survey_round = draft_read_by(who, world)

    ask_reader(survey_round, world)

    survey_round.refresh_from_db()
    assert survey_round.moderator is not None
    assert not Round.objects.asking_to_moderate(survey_round.moderator).exists()


def test_naming_the_same_reader_again_sends_no_second_email_that_day(world: World) -> None:
    survey_round = prepared_round(world, asked={"council": 8})
    services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())
    services.name_moderator(
        survey_round=survey_round, address=moderator_of(world).email, author=world.amina, now=timezone.now()
    )

    with pytest.raises(services.UnableToRun, match="have already asked this person today"):
        services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())


@pytest.fixture
def ona(world: World) -> User:
    """Return Ona, who has an account and is outside all parties."""
    return person("Ona Outside", "ona@outside.example", account_since=timezone.now())


def test_lead_names_another_reader(world: World, ona: User) -> None:
    survey_round = agreed_round(prepared_round(world, asked={"council": 8}))
    address = reverse("surveys:name", args=[survey_round.partnership_id, survey_round.number])

    signed_in(world.amina).post(address, {"address": ona.email})

    survey_round.refresh_from_db()
    assert survey_round.moderator == ona
    assert survey_round.moderator_agreed_at is None


@pytest.fixture
def round_for_ona(world: World, ona: User) -> Round:
    """Return a draft whose comments Ona is asked to read, after Mo had agreed to read them."""
    survey_round = agreed_round(prepared_round(world, asked={"council": 8}))
    services.name_moderator(survey_round=survey_round, address=ona.email, author=world.amina, now=timezone.now())
    services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())
    return survey_round


def test_page_for_agreeing_is_found_by_the_reader_named_last(ona: User, round_for_ona: Round) -> None:
    response = signed_in(ona).get(agreement_url(round_for_ona))

    assert response.status_code == 200


@pytest.mark.parametrize("address", ["mo@outside.example", "amina@larkhaven.example", "dee@commonground.example"])
def test_page_for_agreeing_is_found_by_nobody_else(round_for_ona: Round, address: str) -> None:
    person_without_right = User.objects.get(email=address)

    response = signed_in(person_without_right).get(agreement_url(round_for_ona))

    assert response.status_code == 404


def test_visitor_signs_in_before_the_page_for_agreeing(round_for_ona: Round) -> None:
    response = Client().get(agreement_url(round_for_ona))

    assert response.status_code == 302


def test_survey_does_not_open_once_its_moderator_has_left(world: World) -> None:
    survey_round = agreed_round(prepared_round(world, asked={"council": 8}))
    User.objects.filter(pk=moderator_of(world).pk).update(is_active=False)
    survey_round.refresh_from_db()

    with pytest.raises(services.UnableToRun, match="can no longer do so"):
        open_survey(survey_round, world)


def test_survey_does_not_open_once_its_moderator_belongs_to_a_party(world: World) -> None:
    survey_round = agreed_round(prepared_round(world, asked={"council": 8}))
    join(moderator_of(world), world.westmarch, Role.VIEWER, timezone.now())
    survey_round.refresh_from_db()

    with pytest.raises(services.UnableToRun, match="can no longer do so"):
        open_survey(survey_round, world)
