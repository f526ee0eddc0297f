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
from partnerships.surveys.models import Action, Figure, Joining, Round
from partnerships.surveys.queries.results import benchmark_of, rounds_before
from partnerships.surveys.queries.rounds import list_hash_of
from partnerships.surveys.services import joining as joining_services
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
    """Return a draft of the Estuary Partnership that the Harbour Partnership has joined; both have added people."""
    survey_round = prepared_round(world, asked=asked or {"council": 8})
    other_partnership = known_to_all(world)
    joining = services.ask_to_join(
        survey_round=survey_round, partnership=other_partnership, author=world.amina, now=timezone.now()
    )
    services.answer_joining(joining=joining, joins=True, author=world.chidi, now=timezone.now())
    services.invite(
        survey_round=survey_round,
        addresses=[f"tide{place}@tidewater.example" for place in range(14)],
        group="association",
        author=world.chidi,
        now=timezone.now(),
    )
    survey_round.refresh_from_db()
    return survey_round


def test_a_partnership_is_asked_to_join_and_its_leads_answer(world: World) -> None:
    drop_emails()
    survey_round = prepared_round(world)
    other_partnership = known_to_all(world)
    address = reverse("surveys:ask-partnership", args=[survey_round.partnership_id, survey_round.number])

    response = signed_in(world.amina).post(address, {"partnership": other_partnership.pk})

    assert response.status_code == 302
    emails = deliver()
    overview = reverse("surveys:overview", args=[other_partnership.pk])
    assert {email.to[0] for email in emails} == {world.chidi.email, world.hana.email}
    assert all(overview in str(email.body) for email in emails)
    assert signed_in(world.chidi).get(survey_round.get_absolute_url()).status_code == 404
    page = signed_in(world.chidi).get(overview).content.decode()
    assert "Run “How are we doing?” together?" in page
    joining = Joining.objects.get()
    answer = signed_in(world.chidi).post(
        reverse("surveys:join", args=[other_partnership.pk]), {"joining": joining.pk, "answer": "join"}
    )
    assert answer.headers["Location"] == survey_round.get_absolute_url()
    page = signed_in(world.chidi).get(survey_round.get_absolute_url()).content.decode()
    assert "Harbour Partnership" in page
    assert "Results from fewer than ten answers are never shown." in page
    with pytest.raises(UnableToAct):
        services.remind(survey_round=survey_round, author=world.chidi, now=timezone.now())


def test_partnership_that_has_not_joined_is_named_only_to_people_who_know_of_it(world: World) -> None:
    survey_round = prepared_round(world)
    other_partnership = known_to_all(world)
    joining = services.ask_to_join(
        survey_round=survey_round, partnership=other_partnership, author=world.amina, now=timezone.now()
    )
    take_back_url = reverse("surveys:take-back", args=[survey_round.partnership_id, survey_round.number])
    reader = signed_in(world.vera)
    assert "Harbour Partnership (no answer yet)" in reader.get(survey_round.get_absolute_url()).content.decode()

    Partnership.objects.filter(pk=other_partnership.pk).update(audience="parties")

    assert "Harbour Partnership" not in reader.get(survey_round.get_absolute_url()).content.decode()
    assert signed_in(world.amina).post(take_back_url, {"joining": joining.pk}).status_code == 404
    services.answer_joining(joining=joining, joins=True, author=world.chidi, now=timezone.now())
    assert "Harbour Partnership" in reader.get(survey_round.get_absolute_url()).content.decode()
    assert signed_in(world.amina).post(take_back_url, {"joining": joining.pk}).status_code == 302
    assert not Joining.objects.exists()


def test_leads_of_a_partnership_that_joined_remove_only_whom_their_own_body_added(world: World) -> None:
    survey_round = joint_draft(world)
    added_by_chidi, added_by_amina = (
        survey_round.invitations.filter(invited_by=person).first() for person in (world.chidi, world.amina)
    )
    assert added_by_chidi is not None
    assert added_by_amina is not None
    address = reverse("surveys:withdraw", args=[survey_round.partnership_id, survey_round.number])
    # Chidi also belongs to a member of the Estuary Partnership, which prepares the round, but does not lead it.
    add_membership(organisation=world.larkhaven, person=world.chidi, role=Role.VIEWER, author=None, now=timezone.now())
    remove_field = f'name="invitation" value="{added_by_amina.pk}"'
    assert remove_field in signed_in(world.amina).get(survey_round.get_absolute_url()).content.decode()
    page = signed_in(world.chidi).get(survey_round.get_absolute_url()).content.decode()
    assert remove_field not in page
    assert f'name="invitation" value="{added_by_chidi.pk}"' in page

    for one in (added_by_amina, added_by_chidi):
        assert signed_in(world.chidi).post(address, {"invitation": one.pk}).status_code == 302

    remaining_ids = set(survey_round.invitations.values_list("pk", flat=True))
    assert added_by_amina.pk in remaining_ids
    assert added_by_chidi.pk not in remaining_ids


def test_people_whom_a_partnership_added_go_when_it_is_taken_out(world: World) -> None:
    survey_round = joint_draft(world)
    assert survey_round.invitations.count() == 22

    services.remove_joining(joining=survey_round.joinings.get(), author=world.amina, now=timezone.now())

    assert set(survey_round.invitations.values_list("invited_by", flat=True)) == {world.amina.pk}
    assert survey_round.invitations.count() == 8
    survey_round.refresh_from_db()
    assert survey_round.floor == 5


def test_figures_of_several_partnerships_rest_on_ten_answers(world: World) -> None:
    survey_round = services.open_round(
        survey_round=agreed_round(joint_draft(world)), author=world.amina, now=timezone.now()
    )
    assert set(survey_round.counted.values()) == {"association+council"}  # eight councils alone could never be shown
    give_answers(survey_round, "council", [answer_of("council", 3)] * 4)
    give_answers(survey_round, "association", [answer_of("association", 4)] * 5)
    close_round(survey_round)
    assert survey_round.answered_at_least == 0
    assert not survey_round.figures.exists()

    Round.objects.filter(pk=survey_round.pk).update(closes_on=timezone.localdate() - dt.timedelta(days=100))
    second_round = services.open_round(
        survey_round=agreed_round(joint_draft(world, {"council": 12})), author=world.amina, now=timezone.now()
    )
    give_answers(second_round, "council", [answer_of("council", 3)] * 11)
    give_answers(second_round, "association", [answer_of("association", 4)] * 9)
    close_round(second_round)

    assert set(second_round.figures.values_list("answered_at_least", flat=True)) == {10}
    shown_groups = set(second_round.figures.values_list("group", flat=True))
    assert "association" not in shown_groups  # nine answered
    assert shown_groups
    assert [earlier_round.pk for earlier_round in rounds_before(second_round)] == [survey_round.pk, second_round.pk]


@pytest.fixture
def closed_joint_round(world: World) -> Round:
    """Return a closed round of two partnerships, in which 23 of 24 people answered."""
    survey_round = services.open_round(
        survey_round=agreed_round(joint_draft(world, {"council": 12})), author=world.amina, now=timezone.now()
    )
    give_answers(survey_round, "council", [answer_of("council", 3)] * 11)
    give_answers(survey_round, "association", [answer_of("association", 4)] * 12)
    return close_round(survey_round)


def test_people_of_every_partnership_read_the_results(world: World, closed_joint_round: Round) -> None:
    for reader, own_partnership in ((world.vera, world.partnership), (world.hana, world.other_partnership)):
        client = signed_in(reader)

        page = client.get(closed_joint_round.get_absolute_url()).content.decode()
        overview = client.get(reverse("surveys:overview", args=[own_partnership.pk])).content.decode()

        assert "Sharing plans early" in page
        assert reverse("agreements:members", args=[own_partnership.pk]) in page
        assert closed_joint_round.get_absolute_url() in overview


def test_people_outside_the_partnerships_read_no_results(world: World, closed_joint_round: Round) -> None:
    assert signed_in(world.nadia).get(closed_joint_round.get_absolute_url()).status_code == 404
    assert not Figure.objects.visible_to(world.nadia).exists()


def test_notices_about_results_name_the_readers_own_partnership(world: World, closed_joint_round: Round) -> None:
    for reader, own_partnership in ((world.amina, world.partnership), (world.hana, world.other_partnership)):
        [inbox_line] = lines_of(reader, list(InboxItem.objects.filter(person=reader, kind="surveys.results")))

        assert inbox_line.name == own_partnership.title
        assert inbox_line.may_open


def test_people_act_on_results_in_their_own_partnership(world: World, closed_joint_round: Round) -> None:
    address = reverse("surveys:link", args=[closed_joint_round.partnership_id, closed_joint_round.number])

    page = signed_in(world.chidi).get(f"{address}?theme=trust").content.decode()

    assert reverse("agreements:objective-add", args=[world.other_partnership.pk]) in page


def test_an_action_is_unlinked_only_by_people_of_its_own_partnership(world: World, closed_joint_round: Round) -> None:
    action = Action.objects.create(
        round=closed_joint_round, theme="trust", objective=objective(world), added_at=timezone.now()
    )

    def unlink(author: User) -> None:
        services.unlink_action(survey_round=closed_joint_round, action_pk=action.pk, author=author, now=timezone.now())

    unlink(world.chidi)
    assert Action.objects.filter(pk=action.pk).exists()

    unlink(world.amina)
    assert not Action.objects.filter(pk=action.pk).exists()


def test_joint_rounds_neither_have_nor_give_a_benchmark_and_keep_their_distance(world: World) -> None:
    first_round = closed_round(world)
    draft = agreed_round(joint_draft(world))
    with pytest.raises(services.UnableToRun, match="Leave 60 days"):
        services.open_round(survey_round=draft, author=world.amina, now=timezone.now())
    later = morning_after(first_round) + dt.timedelta(days=61)
    Round.objects.filter(pk=draft.pk).update(closes_on=later.date() + dt.timedelta(days=14))
    services.open_round(survey_round=draft, author=world.amina, now=later)

    own_draft = prepared_round(world, partnership=world.other_partnership, author=world.chidi)
    with pytest.raises(services.UnableToRun, match="Another survey of these people is open"):
        services.open_round(survey_round=agreed_round(own_draft), author=world.chidi, now=timezone.now())

    draft.refresh_from_db()
    assert benchmark_of(draft) == {}


def test_reader_of_comments_stands_outside_all_partnerships(world: World) -> None:
    survey_round = prepared_round(world, moderator=world.chidi, asked={"council": 16})
    services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())
    assert Round.objects.asking(world.chidi).exists()

    services.ask_to_join(
        survey_round=survey_round, partnership=known_to_all(world), author=world.amina, now=timezone.now()
    )

    assert not Round.objects.asking(world.chidi).exists()
    assert moderator_of(world) != world.chidi
    services.remove_joining(joining=Joining.objects.get(), author=world.amina, now=timezone.now())
    assert Round.objects.asking(world.chidi).exists()


def test_leads_cannot_be_asked_again_and_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining_services, "MAX_JOININGS", 2)
    survey_round = prepared_round(world)
    other_partnership = known_to_all(world)
    now = timezone.now()
    for _ in range(2):
        joining = services.ask_to_join(
            survey_round=survey_round, partnership=other_partnership, author=world.amina, now=now
        )
        services.remove_joining(joining=joining, author=world.amina, now=now)

    with pytest.raises(services.UnableToRun, match="asked 2 partnerships today"):
        services.ask_to_join(survey_round=survey_round, partnership=other_partnership, author=world.amina, now=now)


def test_survey_does_not_open_with_a_partnership_that_is_over(world: World) -> None:
    survey_round = agreed_round(joint_draft(world))
    change_status(
        partnership=world.other_partnership, status="ended", reason="Done.", author=world.chidi, now=timezone.now()
    )

    with pytest.raises(services.UnableToRun, match="“Harbour Partnership” has ended"):
        services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())


def test_reader_agrees_to_the_partnerships_that_they_saw(world: World) -> None:
    survey_round = prepared_round(world)
    mo = moderator_of(world)
    services.ask_moderator(survey_round=survey_round, author=world.amina, now=timezone.now())
    list_hash = list_hash_of(survey_round)
    joining = services.ask_to_join(
        survey_round=survey_round, partnership=known_to_all(world), author=world.amina, now=timezone.now()
    )
    services.answer_joining(joining=joining, joins=True, author=world.chidi, now=timezone.now())

    with pytest.raises(services.UnableToRun, match="have changed"):
        services.agree_to_moderate(survey_round=survey_round, list_hash=list_hash, author=mo, now=timezone.now())
    services.agree_to_moderate(
        survey_round=survey_round, list_hash=list_hash_of(survey_round), author=mo, now=timezone.now()
    )


def test_a_partnership_may_decline_and_nothing_changes(world: World) -> None:
    survey_round = prepared_round(world)
    joining = services.ask_to_join(
        survey_round=survey_round, partnership=known_to_all(world), author=world.amina, now=timezone.now()
    )

    services.answer_joining(joining=joining, joins=False, author=world.chidi, now=timezone.now())

    survey_round.refresh_from_db()
    assert not survey_round.is_joint
    assert not Joining.objects.exists()
    opened = services.open_round(survey_round=agreed_round(survey_round), author=world.amina, now=timezone.now())
    assert opened.floor == 5
