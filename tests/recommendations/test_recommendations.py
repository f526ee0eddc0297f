"""Organisations respond to, prove and adopt recommendations, and others see only what they may."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Change, Event
from partnerships.agreements.services import (
    add_document,
    answer_invitation,
    invite_organisation,
    leave_partnership,
)
from partnerships.calendars.queries import entries_for
from partnerships.commitments.models import Commitment
from partnerships.conversations.queries.agendas import suggestions_for
from partnerships.kit.calendars import CalendarKind
from partnerships.organisations.models import Kind, Organisation
from partnerships.organisations.obligations import held_by
from partnerships.organisations.services import create_organisation, merge_organisations
from partnerships.recommendations.models import (
    Addressee,
    Adoption,
    Confidence,
    Evidence,
    Outcome,
    Recommendation,
    Response,
    ResponseStatus,
    Source,
)
from partnerships.recommendations.queries.addressing import is_addressed, responding_bodies
from partnerships.recommendations.queries.adoptions import adoptions_of_partnership
from partnerships.recommendations.queries.evidence import proofs_of
from partnerships.recommendations.queries.listings import uncovered
from partnerships.recommendations.queries.reporting import moved_between
from partnerships.recommendations.services import (
    RecommendationDetails,
    ResponseDetails,
    ResponseHasChanged,
    UnableToAdopt,
    UnableToLink,
    UnableToRecord,
    UnableToRespond,
    add_evidence,
    adopt,
    drop_adoption,
    link_outcome,
    load_recommendations,
    propose_adoption,
    record_recommendation,
    respond,
)
from partnerships.work.queries import waiting_for
from tests.agreements.test_objectives import add as add_objective
from tests.commitments.promises import agree
from tests.conversations.gatherings import a_text_file, held_meeting, planned_meeting
from tests.recommendations.reports import (
    SHARE_PLANS,
    adopted_recommendation,
    answer_recommendation,
    in_days,
    make_recommendation,
    proposed,
    report_of,
)
from tests.support.successions import follow
from tests.world import World

pytestmark = pytest.mark.django_db


def html_for(client: Client, person: object, name: str, **kwargs: int) -> str:
    """Return the HTML of a page as this person sees it."""
    client.force_login(person)  # type: ignore[arg-type]  # a User
    response = client.get(reverse(f"recommendations:{name}", kwargs=kwargs))
    assert response.status_code == 200
    return response.content.decode()


def test_three_reports_come_with_common_ground_and_each_row_says_how_certain_it_is(
    world: World, client: Client
) -> None:
    assert load_recommendations(now=timezone.now()) == 50
    assert load_recommendations(now=timezone.now()) == 0

    assert set(Source.objects.values_list("year", "total")) == {(2015, None), (2015, 30), (2014, 39)}
    recommendations = Recommendation.objects.filter(source__title="Elphicke-House report")
    assert recommendations.filter(confidence=Confidence.MEMORY).count() == 5
    federation = Organisation.objects.get(name="National Housing Federation")
    assert federation.recommendations_addressed.get().recommendation.reference == "6"
    html = html_for(client, world.vera, "sources")
    assert "16 of 30 recommendations recorded here" in " ".join(html.split())
    assert "we do not know how many the report makes" in " ".join(html.split())


def test_long_lists_come_in_pages_and_still_count_everything(world: World, client: Client) -> None:
    source = report_of(world)
    for number in range(26):
        make_recommendation(world, f"Publish figure {number}.", source)
    answer_recommendation(Recommendation.objects.get(text="Publish figure 25."), world.larkhaven, world.eddie)
    client.force_login(world.chidi)
    coverage_url = reverse("recommendations:coverage")
    organisation_url = reverse("recommendations:of-organisation", args=[world.larkhaven.pk])

    first_page = client.get(organisation_url)
    last_page = client.get(organisation_url + first_page.context["page"].next)

    assert [row.text for row in first_page.context["page"].rows] == [
        f"Publish figure {number}." for number in range(25)
    ]
    assert [(row.text, response.status) for row, response in last_page.context["rows"]] == [
        ("Publish figure 25.", ResponseStatus.UNDER_WAY)
    ]
    assert "26 recommendations." in first_page.content.decode()
    assert "has responded to 1, and is working on or has finished 1." in " ".join(last_page.content.decode().split())
    assert "Nobody is working on 25 recommendations" in client.get(coverage_url).content.decode()


def test_more_than_1000_recommendations_to_one_body_are_not_counted(world: World, client: Client) -> None:
    source = report_of(world)
    rows = [
        Recommendation(source=source, position=number, text=f"Publish figure {number}.", confidence=Confidence.SEEN)
        for number in range(1, 1_002)
    ]
    recommendations = Recommendation.objects.bulk_create(rows)
    Addressee.objects.bulk_create(
        Addressee(recommendation=recommendation, organisation=world.larkhaven) for recommendation in recommendations
    )

    html = html_for(client, world.chidi, "of-organisation", pk=world.larkhaven.pk)
    recommendations[0].addressees.all().delete()
    html_with_fewer = html_for(client, world.chidi, "of-organisation", pk=world.larkhaven.pk)

    assert "More than 1,000 recommendations." in " ".join(html.split())
    assert "1,000 recommendations." in " ".join(html_with_fewer.split())
    assert "More than 1,000 recommendations." not in " ".join(html_with_fewer.split())


def test_another_organisation_cannot_change_a_report_but_may_record_its_own(world: World) -> None:
    source = report_of(world)
    details = RecommendationDetails("Publish every figure.", "memory", kinds=[Kind.COUNCIL])

    with pytest.raises(UnableToRecord, match="another organisation"):
        record_recommendation(
            source=source, details=details, organisation=world.westmarch, author=world.ben, now=timezone.now()
        )

    recommendation, outcome = record_recommendation(
        source=source, details=details, organisation=world.larkhaven, author=world.eddie, now=timezone.now()
    )
    assert recommendation.position == 1
    assert outcome == "created"


def test_status_and_reason_are_for_everybody_and_the_rest_for_the_organisation(world: World, client: Client) -> None:
    recommendation = make_recommendation(world)
    answer_recommendation(
        recommendation,
        world.larkhaven,
        world.eddie,
        reason="We publish drafts.",
        owner=world.vera,
        review_on=in_days(30),
        note="The board is split.",
    )
    response = Response.objects.get()

    for name, pk in (("detail", recommendation.pk), ("response", response.pk), ("of-organisation", world.larkhaven.pk)):
        html = html_for(client, world.chidi, name, pk=pk)
        assert "Under way" in html
        assert "We publish drafts." in html
        assert "The board is split." not in html
        assert "Vera" not in html
    html_for_eddie = html_for(client, world.eddie, "response", pk=response.pk)
    assert "The board is split." in html_for_eddie
    assert "Vera Larch" in html_for_eddie


def test_each_change_has_its_author_and_reason_and_what_it_was_before(world: World) -> None:
    recommendation = make_recommendation(world)
    answer_recommendation(recommendation, world.larkhaven, world.eddie, "not_started")
    answer_recommendation(recommendation, world.larkhaven, world.amina, "declined", reason="The law forbids it.")

    event = Event.objects.filter(kind="recommendation.answered").latest("pk")
    assert event.actor_id == world.amina.pk
    assert event.organisation_id == world.larkhaven.pk
    assert event.data["before"]["status"] == "not_started"
    assert event.data["after"]["status"] == "declined"
    assert event.data["reason"] == "The law forbids it."
    numbers = Change.objects.filter(subject__kind="recommendation", subject__record_id=recommendation.pk)
    assert list(numbers.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert Change.objects.filter(subject__kind="organisation", event=event).exists()


@pytest.mark.parametrize("status", ["declined", "superseded"])
def test_declining_and_superseding_need_a_reason(world: World, status: str) -> None:
    recommendation = make_recommendation(world)

    with pytest.raises(UnableToRespond, match="reason"):
        answer_recommendation(recommendation, world.larkhaven, world.eddie, status)


def test_only_an_addressee_responds_and_only_on_what_they_have_seen(world: World) -> None:
    recommendation = make_recommendation(world)
    with pytest.raises(UnableToRespond, match="not addressed"):
        answer_recommendation(recommendation, world.harbour, world.hana)
    answer_recommendation(recommendation, world.larkhaven, world.eddie)

    with pytest.raises(ResponseHasChanged):
        respond(
            recommendation=recommendation,
            organisation=world.larkhaven,
            new_response=ResponseDetails("done"),
            author=world.amina,
            now=timezone.now(),
        )
    with pytest.raises(UnableToRespond, match="acts for"):
        answer_recommendation(recommendation, world.larkhaven, world.eddie, owner=world.ben)


def test_evidence_is_shown_only_to_those_who_may_read_the_record(world: World, client: Client) -> None:
    recommendation = make_recommendation(world)
    response = answer_recommendation(recommendation, world.larkhaven, world.eddie)
    now = timezone.now()
    commitment = agree(world)
    meeting = held_meeting(world)
    document = add_document(
        partnership=world.partnership,
        title="Signed protocol",
        file=a_text_file(),
        organisation=world.larkhaven,
        author=world.eddie,
        now=now,
    )
    records = {"commitment": commitment, "meeting": meeting, "document": document, "partnership": world.partnership}
    for kind, record in records.items():
        add_evidence(
            response=response, kind=kind, record=record.pk, words=f"Proves it: {kind}", author=world.eddie, now=now
        )

    assert len(proofs_of([response.pk], world.ben)[response.pk]) == 4
    assert proofs_of([response.pk], world.chidi) == {}
    html_for_stranger = html_for(client, world.chidi, "detail", pk=recommendation.pk) + html_for(
        client, world.chidi, "moved"
    )
    assert "Proves it" not in html_for_stranger
    assert "Added evidence" not in html_for_stranger
    assert "Proves it: document" in html_for(client, world.ben, "response", pk=response.pk)
    with pytest.raises(Exception, match="from the list"):
        add_evidence(
            response=response,
            kind="partnership",
            record=world.other_partnership.pk,
            author=world.eddie,
            now=now,
        )


def test_an_organisation_can_remove_evidence_that_its_people_may_no_longer_read(world: World, client: Client) -> None:
    response = answer_recommendation(make_recommendation(world), world.larkhaven, world.eddie)
    evidence = add_evidence(
        response=response,
        kind="partnership",
        record=world.partnership.pk,
        words="Says it all.",
        author=world.eddie,
        now=timezone.now(),
    )
    Evidence.objects.filter(pk=evidence.pk).update(partnership=world.other_partnership)

    assert "that you cannot see" not in html_for(client, world.ben, "response", pk=response.pk)
    html = html_for(client, world.eddie, "response", pk=response.pk)
    answer = client.post(reverse("recommendations:evidence-remove", args=[evidence.pk]))

    assert "Partnership that you cannot see" in html
    assert "Says it all." not in html
    assert answer.status_code == 302
    assert not Evidence.objects.exists()


def test_a_partnership_proposes_adopts_and_turns_a_recommendation_into_work(world: World, client: Client) -> None:
    recommendation = make_recommendation(world)
    client.force_login(world.eddie)
    propose_url = reverse("recommendations:propose", args=[recommendation.pk])
    client.post(propose_url, {"partnership": world.partnership.pk, "why": "We lost months."})
    adoption = Adoption.objects.get()
    suggestions = [
        suggestion.suggestion for suggestion in suggestions_for(planned_meeting(world), world.ben, timezone.now())
    ]
    assert adoption.get_absolute_url() in [suggestion.path for suggestion in suggestions]
    meeting = held_meeting(world)

    client.post(reverse("recommendations:adopt", args=[adoption.pk]), {"meeting": meeting.pk})
    adoption.refresh_from_db()
    assert adoption.is_adopted
    answer = client.post(
        f"{reverse('agreements:objective-add', args=[world.partnership.pk])}?from=recommendation-{adoption.pk}",
        {
            "text": SHARE_PLANS,
            "measure": "Plans shared before consultation",
            "baseline": "0",
            "baseline_on": in_days(-30).isoformat(),
            "target": "4",
            "target_on": in_days(300).isoformat(),
            "organisation": world.larkhaven.pk,
        },
    )

    objective = Outcome.objects.get().objective
    assert objective is not None
    assert answer["Location"] == objective.get_absolute_url()
    assert adoption.get_absolute_url() in client.get(objective.get_absolute_url()).content.decode()
    html = html_for(client, world.ben, "of-partnership", pk=world.partnership.pk)
    assert objective.get_absolute_url() in html
    client.force_login(world.eddie)
    form = client.get(f"{reverse('commitments:new')}?from=recommendation-{adoption.pk}")
    assert SHARE_PLANS in form.content.decode()


def test_a_commitment_and_its_recommendation_lead_to_one_another(world: World, client: Client) -> None:
    adoption = adopted_recommendation(world)
    commitment = agree(world, partnership=world.partnership)
    client.force_login(world.eddie)

    client.post(reverse("recommendations:outcome-link", args=[adoption.pk]), {"record": f"commitment-{commitment.pk}"})

    assert adoption.get_absolute_url() in client.get(commitment.get_absolute_url()).content.decode()
    assert commitment.get_absolute_url() in client.get(adoption.get_absolute_url()).content.decode()
    (row,) = adoptions_of_partnership(world.ben, world.partnership)
    assert [outcome.what for outcome in row.outcomes] == ["Commitment"]


def test_nothing_is_adopted_without_a_meeting_that_took_place_there(world: World) -> None:
    adoption = proposed(world)
    future_meeting = planned_meeting(world)

    with pytest.raises(UnableToAdopt, match="taken place"):
        adopt(adoption=adoption, meeting=future_meeting, author=world.eddie, now=timezone.now())
    with pytest.raises(UnableToLink, match="not adopted"):
        link_outcome(adoption=adoption, record=add_objective(world), author=world.eddie, now=timezone.now())
    drop_adoption(adoption=adoption, reason="Not now.", author=world.ben, now=timezone.now())
    second_proposal = propose_adoption(
        recommendation=adoption.recommendation,
        partnership=world.partnership,
        why="The law has changed.",
        author=world.ben,
        now=timezone.now(),
    )
    assert second_proposal.pk == adoption.pk
    assert second_proposal.status == "proposed"
    assert second_proposal.reason == ""


def test_outsiders_learn_nothing_of_what_a_partnership_adopts(world: World, client: Client) -> None:
    adoption = adopted_recommendation(world)

    html = html_for(client, world.chidi, "detail", pk=adoption.recommendation_id) + html_for(
        client, world.chidi, "moved"
    )
    assert "Estuary" not in html
    assert "Adopted" not in html
    client.force_login(world.chidi)
    assert client.get(adoption.get_absolute_url()).status_code == 404
    assert adoption.recommendation in uncovered(world.chidi)
    assert adoption.recommendation not in uncovered(world.ben)


def test_former_parties_do_not_learn_what_present_parties_say(world: World, client: Client) -> None:
    now = timezone.now()
    party = invite_organisation(
        partnership=world.partnership,
        organisation=world.harbour,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=now,
    )
    answer_invitation(party=party, accept=True, reason="", author=world.hana, now=now)
    adoption = adopted_recommendation(world)
    leave_partnership(party=world.party(world.harbour), reason="Reorganised.", author=world.hana, now=timezone.now())
    answer_recommendation(adoption.recommendation, world.westmarch, world.ben, "done")

    html = html_for(client, world.hana, "of-partnership", pk=world.partnership.pk)
    html += html_for(client, world.hana, "adoption", pk=adoption.pk)

    assert SHARE_PLANS in html
    assert "Westmarch" not in html
    assert "Westmarch" in html_for(client, world.eddie, "of-partnership", pk=world.partnership.pk)


def test_what_moved_since_a_day_names_who_and_before_and_after(world: World, client: Client) -> None:
    adoption = adopted_recommendation(world)
    answer_recommendation(adoption.recommendation, world.westmarch, world.ben, "done")
    today = timezone.localdate()

    lines = moved_between(world.eddie, today, today + dt.timedelta(days=1), world.partnership)
    assert [line.title for line in lines] == [
        "Changed its response to a recommendation",
        "Adopted a recommendation",
        "Proposed to adopt a recommendation",
    ]
    assert "Westmarch" in lines[0].by
    assert moved_between(world.eddie, today - dt.timedelta(days=9), today) == []
    client.force_login(world.eddie)
    html = client.get(reverse("recommendations:moved"), {"day": today.isoformat()}).content.decode()
    assert "Adopted a recommendation" in html


def test_the_successor_of_a_lep_answers_for_what_was_addressed_to_leps(world: World, client: Client) -> None:
    recommendation = make_recommendation(world, kinds=[Kind.LEP])
    solent = create_organisation(name="Quay LEP", kind=Kind.LEP, author=None, now=world.now)
    today = timezone.localdate()
    assert not is_addressed(recommendation, world.westmarch, today)

    follow([solent], [world.westmarch], kind="absorb")

    assert responding_bodies(world.westmarch, today).kinds == {Kind.COUNCIL, Kind.LEP}
    response = answer_recommendation(recommendation, world.westmarch, world.ben)
    assert response.status == ResponseStatus.UNDER_WAY
    assert "Quay LEP" in html_for(client, world.ben, "of-organisation", pk=world.westmarch.pk)


def test_duplicate_organisations_keep_one_response(world: World) -> None:
    recommendation = make_recommendation(world)
    answer_recommendation(recommendation, world.larkhaven, world.eddie)
    duplicate = create_organisation(name="Larkhaven Home", kind=Kind.REGISTERED_PROVIDER, author=None, now=world.now)
    answer_recommendation(recommendation, duplicate, None, "not_started")

    assert [group.kind.code for group in held_by(duplicate, timezone.localdate())] == ["recommendations"]
    merge_organisations(
        kept=world.larkhaven, merged=duplicate, reason="The same body.", author=world.dee, now=timezone.now()
    )

    assert Response.objects.get(organisation=world.larkhaven).status == "under_way"
    assert not Response.objects.still_open().filter(organisation=duplicate).exists()


def test_a_review_is_a_task_of_its_owner_and_in_their_calendar(world: World) -> None:
    recommendation = make_recommendation(world)
    answer_recommendation(recommendation, world.larkhaven, world.eddie, owner=world.vera, review_on=in_days(7))
    now = timezone.now()

    def has_review_task(person: object) -> bool:
        tasks = waiting_for(person, now)  # type: ignore[arg-type]  # a User
        return any(task.what == "Review this recommendation" for task in tasks)

    assert has_review_task(world.vera)
    assert not has_review_task(world.eddie)
    (entry,) = [entry for entry in entries_for(world.vera, None, [CalendarKind.REVIEW]) if "Review:" in entry.title]
    assert entry.starts == in_days(7)
    assert not any("Review:" in entry.title for entry in entries_for(world.ben, None, [CalendarKind.REVIEW]))
    answer_recommendation(recommendation, world.larkhaven, world.eddie, "done", owner=world.vera, review_on=in_days(7))
    assert not has_review_task(world.vera)


def test_evidence_names_one_record_and_the_database_holds_it(world: World) -> None:
    response = answer_recommendation(make_recommendation(world), world.larkhaven, world.eddie)
    commitment = agree(world)

    add_evidence(response=response, kind="commitment", record=commitment.pk, author=world.eddie, now=timezone.now())

    assert Evidence.objects.get().kind == "commitment"
    assert Commitment.objects.visible_to(world.ben).filter(pk=commitment.pk).exists()
