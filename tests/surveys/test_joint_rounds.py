"""Several partnerships run a round together: each figure needs ten answers, and subtraction reveals no small group."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from partnerships.agreements.models import Partnership
from partnerships.agreements.services import change_status
from partnerships.digests.models import InboxItem
from partnerships.digests.queries.inbox import lines_of
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.models import Role
from partnerships.organisations.services import add_membership
from partnerships.people.models import User
from partnerships.surveys import services
from partnerships.surveys.models import Action, Figure, Invitation, Joining, Round
from partnerships.surveys.queries.results import benchmark_by_dimension, comparable_rounds
from partnerships.surveys.queries.rounds import invitation_list_hash
from partnerships.surveys.services import joining as joining_services
from partnerships.surveys.services.rounds import MIN_DAYS_BETWEEN
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.surveys.asking import (
    agreed_round,
    answer_of,
    close_round,
    closed_round,
    give_answers,
    known_to_all,
    moderator_of,
    morning_after,
    objective,
    prepared_round,
)
from tests.world import World


def joint_draft(world: World, asked: dict[str, int] | None = None) -> Round:
    """Return a draft of the Estuary Partnership that the Harbour Partnership has joined.

    Amina has added eight people, unless `asked` has other numbers, and Chidi has added fourteen.
    """
    survey_round = prepared_round(world, asked=asked or {"council": 8})
    other_partnership = known_to_all(world)
    joining = services.ask_to_join(
        survey_round=survey_round, partnership=other_partnership, author=world.amina, now=timezone.now()
    )
    services.answer_joining(joining=joining, joins=True, author=world.chidi, now=timezone.now())
    services.invite_people(
        survey_round=survey_round,
        addresses=[f"tide{place}@tidewater.example" for place in range(14)],
        group="association",
        author=world.chidi,
        now=timezone.now(),
    )
    survey_round.refresh_from_db()
    return survey_round


@pytest.fixture
def asked_joining(world: World) -> Joining:
    """Return the Estuary Partnership's question whether the Harbour Partnership joins its round."""
    return services.ask_to_join(
        survey_round=prepared_round(world), partnership=known_to_all(world), author=world.amina, now=timezone.now()
    )


def test_leads_of_a_partnership_that_is_asked_to_join_get_an_email(world: World) -> None:
    survey_round = prepared_round(world)
    other_partnership = known_to_all(world)
    ask_url = reverse("surveys:ask-partnership", args=[survey_round.partnership_id, survey_round.number])
    drop_emails()

    signed_in(world.amina).post(ask_url, {"partnership": other_partnership.pk})

    emails = deliver()
    overview_url = reverse("surveys:overview", args=[other_partnership.pk])
    assert {email.to[0] for email in emails} == {world.chidi.email, world.hana.email}
    assert all(overview_url in str(email.body) for email in emails)


@pytest.mark.usefixtures("asked_joining")
def test_a_lead_who_is_asked_to_join_sees_the_question(world: World) -> None:
    overview_url = reverse("surveys:overview", args=[world.other_partnership.pk])

    overview = signed_in(world.chidi).get(overview_url).content.decode()

    assert "Run “How are we doing?” together?" in overview


def test_a_lead_who_is_asked_to_join_does_not_find_the_round_yet(world: World, asked_joining: Joining) -> None:
    response = signed_in(world.chidi).get(asked_joining.round.get_absolute_url())

    assert response.status_code == 404


def test_a_lead_whose_partnership_joins_reads_the_round(world: World, asked_joining: Joining) -> None:
    join_url = reverse("surveys:join", args=[world.other_partnership.pk])

    response = signed_in(world.chidi).post(join_url, {"joining": asked_joining.pk, "answer": "join"}, follow=True)

    page = response.content.decode()
    assert response.redirect_chain == [(asked_joining.round.get_absolute_url(), 302)]
    assert "Harbour Partnership" in page
    assert "Results from fewer than ten answers are never shown." in page


def test_a_lead_of_a_partnership_that_joined_cannot_send_reminders(world: World) -> None:
    survey_round = joint_draft(world)

    with pytest.raises(UnableToAct, match="You do not have permission"):
        services.remind_everyone(survey_round=survey_round, author=world.chidi, now=timezone.now())


def hide_from_the_network(partnership: Partnership) -> None:
    """Let only its parties know of a partnership."""
    Partnership.objects.filter(pk=partnership.pk).update(audience="parties")


def test_partnership_that_has_not_joined_is_named_to_people_who_know_of_it(
    world: World, asked_joining: Joining
) -> None:
    page = signed_in(world.vera).get(asked_joining.round.get_absolute_url()).content.decode()

    assert "Harbour Partnership (no answer yet)" in page


def test_partnership_that_has_not_joined_is_not_named_to_others(world: World, asked_joining: Joining) -> None:
    hide_from_the_network(asked_joining.partnership)

    page = signed_in(world.vera).get(asked_joining.round.get_absolute_url()).content.decode()

    assert "Harbour Partnership" not in page


def test_partnership_that_has_joined_is_named_to_everyone_in_the_round(world: World, asked_joining: Joining) -> None:
    hide_from_the_network(asked_joining.partnership)
    services.answer_joining(joining=asked_joining, joins=True, author=world.chidi, now=timezone.now())

    page = signed_in(world.vera).get(asked_joining.round.get_absolute_url()).content.decode()

    assert "Harbour Partnership" in page


def take_back_as_amina(world: World, joining: Joining) -> int:
    """Take a partnership out of the round on the page of the round, as Amina, and return the status code."""
    survey_round = joining.round
    take_back_url = reverse("surveys:take-back", args=[survey_round.partnership_id, survey_round.number])
    return signed_in(world.amina).post(take_back_url, {"joining": joining.pk}).status_code


def test_a_hidden_partnership_that_has_not_answered_cannot_be_taken_out(world: World, asked_joining: Joining) -> None:
    hide_from_the_network(asked_joining.partnership)

    status_code = take_back_as_amina(world, asked_joining)

    assert status_code == 404
    assert Joining.objects.exists()


def test_a_hidden_partnership_that_has_joined_can_be_taken_out(world: World, asked_joining: Joining) -> None:
    hide_from_the_network(asked_joining.partnership)
    services.answer_joining(joining=asked_joining, joins=True, author=world.chidi, now=timezone.now())

    status_code = take_back_as_amina(world, asked_joining)

    assert status_code == 302
    assert not Joining.objects.exists()


@pytest.fixture
def joint_round(world: World) -> Round:
    """Return the joint draft. Chidi also reads the Estuary Partnership's pages, without leading it."""
    survey_round = joint_draft(world)
    add_membership(organisation=world.larkhaven, person=world.chidi, role=Role.VIEWER, author=None, now=timezone.now())
    return survey_round


def invitation_by(survey_round: Round, person: User) -> Invitation:
    """Return an invitation to the round that this person added."""
    return survey_round.invitations.filter(invited_by=person).order_by("pk")[0]


def button_to_remove(invitation: Invitation) -> str:
    """Return the HTML of the button that removes a person from the round."""
    return f'name="invitation" value="{invitation.pk}"'


def test_lead_sees_a_button_to_remove_whom_their_partnership_added(world: World, joint_round: Round) -> None:
    invitation = invitation_by(joint_round, world.amina)

    page = signed_in(world.amina).get(joint_round.get_absolute_url()).content.decode()

    assert button_to_remove(invitation) in page


def test_lead_of_a_partnership_that_joined_sees_buttons_only_for_whom_they_added(
    world: World, joint_round: Round
) -> None:
    added_by_amina = invitation_by(joint_round, world.amina)
    added_by_chidi = invitation_by(joint_round, world.chidi)

    page = signed_in(world.chidi).get(joint_round.get_absolute_url()).content.decode()

    assert button_to_remove(added_by_chidi) in page
    assert button_to_remove(added_by_amina) not in page


def withdraw_as_chidi(world: World, invitation: Invitation) -> None:
    """Try to remove a person from the round on its page, as Chidi."""
    survey_round = invitation.round
    withdraw_url = reverse("surveys:withdraw", args=[survey_round.partnership_id, survey_round.number])
    signed_in(world.chidi).post(withdraw_url, {"invitation": invitation.pk})


def test_lead_of_a_partnership_that_joined_removes_whom_they_added(world: World, joint_round: Round) -> None:
    invitation = invitation_by(joint_round, world.chidi)

    withdraw_as_chidi(world, invitation)

    assert not joint_round.invitations.filter(pk=invitation.pk).exists()


def test_lead_of_a_partnership_that_joined_does_not_remove_whom_others_added(world: World, joint_round: Round) -> None:
    invitation = invitation_by(joint_round, world.amina)

    withdraw_as_chidi(world, invitation)

    assert joint_round.invitations.filter(pk=invitation.pk).exists()


def test_people_added_by_a_partnership_are_removed_with_it(world: World) -> None:
    survey_round = joint_draft(world)

    services.remove_joining(joining=survey_round.joinings.get(), author=world.amina, now=timezone.now())

    assert set(survey_round.invitations.values_list("invited_by", flat=True)) == {world.amina.pk}
    assert survey_round.invitations.count() == 8


def test_round_has_the_usual_floor_once_the_other_partnership_is_removed(world: World) -> None:
    survey_round = joint_draft(world)

    services.remove_joining(joining=survey_round.joinings.get(), author=world.amina, now=timezone.now())

    survey_round.refresh_from_db()
    assert survey_round.floor == 5


def opened_joint_round(world: World, asked: dict[str, int] | None = None) -> Round:
    """Return the joint draft once Amina has opened it."""
    draft = agreed_round(joint_draft(world, asked))
    return services.open_round(survey_round=draft, author=world.amina, now=timezone.now())


def test_a_joint_round_with_nine_answers_has_no_figures(world: World) -> None:
    survey_round = opened_joint_round(world)
    give_answers(survey_round, "council", [answer_of("council", 3)] * 4)
    give_answers(survey_round, "association", [answer_of("association", 4)] * 5)

    close_round(survey_round)

    # Eight councils alone could never be shown.
    assert set(survey_round.counted.values()) == {"association+council"}
    assert survey_round.answered_at_least == 0
    assert not survey_round.figures.exists()


def test_a_joint_round_has_no_figures_of_a_group_with_nine_answers(world: World) -> None:
    survey_round = opened_joint_round(world, {"council": 12})
    give_answers(survey_round, "council", [answer_of("council", 3)] * 11)
    give_answers(survey_round, "association", [answer_of("association", 4)] * 9)

    close_round(survey_round)

    assert survey_round.figures.exists()
    assert not survey_round.figures.filter(group="association").exists()
    assert set(survey_round.figures.values_list("answered_at_least", flat=True)) == {10}


def test_a_joint_round_follows_the_earlier_round_of_the_same_partnerships(world: World) -> None:
    first_round = close_round(opened_joint_round(world))
    Round.objects.filter(pk=first_round.pk).update(closes_on=timezone.localdate() - dt.timedelta(days=100))
    second_round = close_round(opened_joint_round(world, {"council": 12}))

    rounds = comparable_rounds(second_round)

    assert list(rounds) == [first_round, second_round]


@pytest.fixture
def closed_joint_round(world: World) -> Round:
    """Return a closed round of two partnerships, in which 23 of 26 people answered."""
    survey_round = opened_joint_round(world, {"council": 12})
    give_answers(survey_round, "council", [answer_of("council", 3)] * 11)
    give_answers(survey_round, "association", [answer_of("association", 4)] * 12)
    return close_round(survey_round)


READERS_OF_BOTH_PARTNERSHIPS = pytest.mark.parametrize(
    ("name", "partnership"), [("vera", "partnership"), ("hana", "other_partnership")]
)


@READERS_OF_BOTH_PARTNERSHIPS
def test_people_of_every_partnership_read_the_results(
    world: World, closed_joint_round: Round, name: str, partnership: str
) -> None:
    page = signed_in(getattr(world, name)).get(closed_joint_round.get_absolute_url()).content.decode()

    assert "Sharing plans early" in page
    assert reverse("agreements:members", args=[getattr(world, partnership).pk]) in page


@READERS_OF_BOTH_PARTNERSHIPS
def test_overview_of_every_partnership_links_to_the_results(
    world: World, closed_joint_round: Round, name: str, partnership: str
) -> None:
    overview_url = reverse("surveys:overview", args=[getattr(world, partnership).pk])

    overview = signed_in(getattr(world, name)).get(overview_url).content.decode()

    assert closed_joint_round.get_absolute_url() in overview


def test_people_outside_the_partnerships_do_not_find_the_results(world: World, closed_joint_round: Round) -> None:
    response = signed_in(world.nadia).get(closed_joint_round.get_absolute_url())

    assert response.status_code == 404


@pytest.mark.usefixtures("closed_joint_round")
def test_people_outside_the_partnerships_read_no_figure(world: World) -> None:
    assert not Figure.objects.visible_to(world.nadia).exists()


@pytest.mark.parametrize(("name", "title"), [("amina", "Estuary Partnership"), ("hana", "Harbour Partnership")])
@pytest.mark.usefixtures("closed_joint_round")
def test_notices_about_results_name_the_readers_own_partnership(world: World, name: str, title: str) -> None:
    reader = getattr(world, name)

    [inbox_line] = lines_of(reader, list(InboxItem.objects.filter(person=reader, kind="surveys.results")))

    assert inbox_line.name == title
    assert inbox_line.may_open


def test_people_act_on_results_in_their_own_partnership(world: World, closed_joint_round: Round) -> None:
    address = reverse("surveys:link", args=[closed_joint_round.partnership_id, closed_joint_round.number])

    page = signed_in(world.chidi).get(f"{address}?theme=trust").content.decode()

    assert reverse("agreements:objective-add", args=[world.other_partnership.pk]) in page


@pytest.mark.parametrize(("name", "is_still_linked"), [("chidi", True), ("amina", False)])
def test_an_action_is_unlinked_only_by_people_of_its_own_partnership(
    world: World, closed_joint_round: Round, name: str, is_still_linked: bool
) -> None:
    action = Action.objects.create(
        round=closed_joint_round, theme="trust", objective=objective(world), added_at=timezone.now()
    )

    services.unlink_action(
        survey_round=closed_joint_round, action_pk=action.pk, author=getattr(world, name), now=timezone.now()
    )

    assert Action.objects.filter(pk=action.pk).exists() == is_still_linked


def open_joint_round_after(world: World, earlier_round: Round, draft: Round) -> Round:
    """Open the joint draft as soon as the earlier round allows it."""
    opens_at = morning_after(earlier_round) + dt.timedelta(days=MIN_DAYS_BETWEEN + 1)
    Round.objects.filter(pk=draft.pk).update(closes_on=opens_at.date() + dt.timedelta(days=14))
    return services.open_round(survey_round=draft, author=world.amina, now=opens_at)


def test_a_joint_round_opens_60_days_after_an_earlier_round_at_the_soonest(world: World) -> None:
    closed_round(world)
    draft = agreed_round(joint_draft(world))

    with pytest.raises(services.UnableToRun, match="Leave 60 days"):
        services.open_round(survey_round=draft, author=world.amina, now=timezone.now())


def test_no_other_round_of_the_same_people_opens_beside_a_joint_round(world: World) -> None:
    open_joint_round_after(world, closed_round(world), agreed_round(joint_draft(world)))
    own_draft = prepared_round(world, partnership=world.other_partnership, author=world.chidi)

    with pytest.raises(services.UnableToRun, match="Another survey of these people is open"):
        services.open_round(survey_round=agreed_round(own_draft), author=world.chidi, now=timezone.now())


def test_a_joint_round_has_no_benchmark(world: World) -> None:
    earlier_round = closed_round(world)
    draft = agreed_round(joint_draft(world))

    joint_round = open_joint_round_after(world, earlier_round, draft)

    assert benchmark_by_dimension(joint_round) == {}


@pytest.fixture
def moderated_round(world: World) -> Round:
    """Return a draft whose comments Chidi is asked to read."""
    survey_round = prepared_round(world, moderator=world.chidi, asked={"council": 16})
    services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())
    return survey_round


def test_reader_of_comments_is_replaced_once_their_partnership_is_asked_to_join(
    world: World, moderated_round: Round
) -> None:
    services.ask_to_join(
        survey_round=moderated_round, partnership=known_to_all(world), author=world.amina, now=timezone.now()
    )

    assert not Round.objects.asking_to_moderate(world.chidi).exists()
    assert moderator_of(world) != world.chidi


def test_reader_of_comments_is_asked_again_once_their_partnership_is_taken_out(
    world: World, moderated_round: Round
) -> None:
    joining = services.ask_to_join(
        survey_round=moderated_round, partnership=known_to_all(world), author=world.amina, now=timezone.now()
    )

    services.remove_joining(joining=joining, author=world.amina, now=timezone.now())

    assert Round.objects.asking_to_moderate(world.chidi).exists()


def test_partnerships_are_asked_only_so_often_a_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining_services, "MAX_JOININGS", 1)
    survey_round = prepared_round(world)
    other_partnership = known_to_all(world)
    now = timezone.now()
    joining = services.ask_to_join(
        survey_round=survey_round, partnership=other_partnership, author=world.amina, now=now
    )
    services.remove_joining(joining=joining, author=world.amina, now=now)

    with pytest.raises(services.UnableToRun, match=r"partnerships today\. Try again tomorrow"):
        services.ask_to_join(survey_round=survey_round, partnership=other_partnership, author=world.amina, now=now)


def test_survey_does_not_open_with_a_partnership_that_is_over(world: World) -> None:
    survey_round = agreed_round(joint_draft(world))
    change_status(
        partnership=world.other_partnership, status="ended", reason="Done.", author=world.chidi, now=timezone.now()
    )

    with pytest.raises(services.UnableToRun, match="“Harbour Partnership” has ended"):
        services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())


def test_reader_cannot_agree_to_a_list_from_before_a_partnership_joined(world: World) -> None:
    survey_round = prepared_round(world)
    mo = moderator_of(world)
    services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())
    earlier_hash = invitation_list_hash(survey_round)
    joining = services.ask_to_join(
        survey_round=survey_round, partnership=known_to_all(world), author=world.amina, now=timezone.now()
    )
    services.answer_joining(joining=joining, joins=True, author=world.chidi, now=timezone.now())

    with pytest.raises(services.UnableToRun, match="have changed"):
        services.agree_to_moderate(survey_round=survey_round, list_hash=earlier_hash, author=mo, now=timezone.now())


def test_reader_agrees_to_the_partnerships_that_have_joined(world: World) -> None:
    survey_round = joint_draft(world)
    mo = moderator_of(world)
    services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())

    services.agree_to_moderate(
        survey_round=survey_round, list_hash=invitation_list_hash(survey_round), author=mo, now=timezone.now()
    )

    survey_round.refresh_from_db()
    assert survey_round.moderator_agreed_at is not None


def test_round_is_not_joint_if_the_other_partnership_declines(world: World) -> None:
    survey_round = prepared_round(world)
    joining = services.ask_to_join(
        survey_round=survey_round, partnership=known_to_all(world), author=world.amina, now=timezone.now()
    )

    services.answer_joining(joining=joining, joins=False, author=world.chidi, now=timezone.now())

    survey_round.refresh_from_db()
    assert not survey_round.is_joint
    assert not Joining.objects.exists()


def test_round_opens_with_the_usual_floor_after_a_partnership_declined(world: World) -> None:
    survey_round = prepared_round(world)
    joining = services.ask_to_join(
        survey_round=survey_round, partnership=known_to_all(world), author=world.amina, now=timezone.now()
    )
    services.answer_joining(joining=joining, joins=False, author=world.chidi, now=timezone.now())
    survey_round.refresh_from_db()

    opened_round = services.open_round(survey_round=agreed_round(survey_round), author=world.amina, now=timezone.now())

    assert opened_round.floor == 5
