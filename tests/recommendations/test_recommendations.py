"""Organisations respond to, prove and adopt recommendations, and others see only what they may."""

from __future__ import annotations

import datetime as dt
from typing import Any

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
from partnerships.conversations.queries.agendas import look_back_of, suggestions_for
from partnerships.kit.calendars import CalendarKind
from partnerships.organisations.models import Kind, Organisation
from partnerships.organisations.obligations import held_records_by_kind
from partnerships.organisations.services import create_organisation, merge_organisations
from partnerships.people.models import User
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
from partnerships.recommendations.queries.evidence import shown_evidence
from partnerships.recommendations.queries.listings import recommendations_nobody_works_on
from partnerships.recommendations.queries.reporting import change_lines_between
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
from partnerships.work.queries import tasks_of_person
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


def test_recommendations_of_three_reports_are_loaded_once() -> None:
    loaded_count = load_recommendations(now=timezone.now())
    count_of_second_run = load_recommendations(now=timezone.now())

    assert loaded_count == 50
    assert count_of_second_run == 0
    assert Source.objects.count() == 3


def test_each_loaded_recommendation_says_how_certain_its_words_are(world: World) -> None:
    load_recommendations(now=timezone.now())

    recommendations = Recommendation.objects.filter(source__title="Elphicke-House report")
    federation = Organisation.objects.get(name="National Housing Federation")
    assert recommendations.filter(confidence=Confidence.MEMORY).count() == 5
    assert federation.recommendations_addressed.get().recommendation.reference == "6"


def test_the_list_of_reports_says_how_many_recommendations_are_recorded(world: World, client: Client) -> None:
    load_recommendations(now=timezone.now())

    html = " ".join(html_for(client, world.vera, "sources").split())

    assert set(Source.objects.values_list("total", flat=True)) == {None, 30, 39}
    assert "16 of 30 recommendations recorded here" in html
    assert "We do not know how many the report makes" in html


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
    assert "There are 25 recommendations that nobody" in client.get(coverage_url).content.decode()


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


@pytest.fixture
def response_with_note(world: World) -> Response:
    """Return Larkhaven's response to a recommendation, with an owner and a note for its own people."""
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
    return Response.objects.get()


def test_status_and_reason_of_a_response_are_for_everybody(
    world: World, client: Client, response_with_note: Response
) -> None:
    pages = {
        "detail": response_with_note.recommendation_id,
        "response": response_with_note.pk,
        "of-organisation": world.larkhaven.pk,
    }

    for name, pk in pages.items():
        html = html_for(client, world.chidi, name, pk=pk)
        assert "Under way" in html
        assert "We publish drafts." in html
        assert "The board is split." not in html
        assert "Vera" not in html


def test_note_and_owner_of_a_response_are_for_its_organisation(
    world: World, client: Client, response_with_note: Response
) -> None:
    html = html_for(client, world.eddie, "response", pk=response_with_note.pk)

    assert "The board is split." in html
    assert "Vera Larch" in html


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


def test_changes_of_a_recommendation_are_numbered(world: World) -> None:
    recommendation = make_recommendation(world)

    answer_recommendation(recommendation, world.larkhaven, world.eddie, "not_started")
    answer_recommendation(recommendation, world.larkhaven, world.amina, "declined", reason="The law forbids it.")

    changes = Change.objects.filter(subject__kind="recommendation", subject__record_id=recommendation.pk)
    assert list(changes.order_by("number").values_list("number", flat=True)) == [1, 2]


def test_a_changed_response_is_also_a_change_of_its_organisation(world: World) -> None:
    recommendation = make_recommendation(world)
    answer_recommendation(recommendation, world.larkhaven, world.eddie, "not_started")

    answer_recommendation(recommendation, world.larkhaven, world.amina, "declined", reason="The law forbids it.")

    last_event = Event.objects.filter(kind="recommendation.answered").latest("pk")
    assert Change.objects.filter(subject__kind="organisation", event=last_event).exists()


@pytest.mark.parametrize("status", ["declined", "superseded"])
def test_declining_and_superseding_need_a_reason(world: World, status: str) -> None:
    recommendation = make_recommendation(world)

    with pytest.raises(UnableToRespond, match="reason"):
        answer_recommendation(recommendation, world.larkhaven, world.eddie, status)


def test_an_organisation_that_is_not_addressed_cannot_respond(world: World) -> None:
    recommendation = make_recommendation(world)

    with pytest.raises(UnableToRespond, match="not addressed"):
        answer_recommendation(recommendation, world.harbour, world.hana)


def test_a_response_that_a_colleague_has_since_sent_is_not_overwritten(world: World) -> None:
    recommendation = make_recommendation(world)
    answer_recommendation(recommendation, world.larkhaven, world.eddie)

    with pytest.raises(ResponseHasChanged):
        respond(
            recommendation=recommendation,
            organisation=world.larkhaven,
            new_response=ResponseDetails("done"),
            author=world.amina,
            now=timezone.now(),
        )


def test_the_owner_of_a_response_must_act_for_its_organisation(world: World) -> None:
    recommendation = make_recommendation(world)
    answer_recommendation(recommendation, world.larkhaven, world.eddie)

    with pytest.raises(UnableToRespond, match="acts for"):
        answer_recommendation(recommendation, world.larkhaven, world.eddie, owner=world.ben)


@pytest.fixture
def proven_response(world: World) -> Response:
    """Return Larkhaven's response with four pieces of evidence, which only the Estuary Partnership may read."""
    response = answer_recommendation(make_recommendation(world), world.larkhaven, world.eddie)
    now = timezone.now()
    document = add_document(
        partnership=world.partnership,
        title="Signed protocol",
        file=a_text_file(),
        organisation=world.larkhaven,
        author=world.eddie,
        now=now,
    )
    records = {
        "commitment": agree(world),
        "meeting": held_meeting(world),
        "document": document,
        "partnership": world.partnership,
    }
    for kind, record in records.items():
        add_evidence(
            response=response, kind=kind, record=record.pk, words=f"Proves it: {kind}", author=world.eddie, now=now
        )
    return response


def test_evidence_is_shown_to_those_who_may_read_the_record(
    world: World, client: Client, proven_response: Response
) -> None:
    html = html_for(client, world.ben, "response", pk=proven_response.pk)

    assert len(shown_evidence([proven_response.pk], world.ben)[proven_response.pk]) == 4
    assert "Proves it: document" in html


def test_evidence_is_hidden_from_those_who_may_not_read_the_record(
    world: World, client: Client, proven_response: Response
) -> None:
    html = html_for(client, world.chidi, "detail", pk=proven_response.recommendation_id)
    html += html_for(client, world.chidi, "moved")

    assert shown_evidence([proven_response.pk], world.chidi) == {}
    assert "Proves it" not in html
    assert "Added evidence" not in html


def test_only_records_that_the_author_may_read_are_added_as_evidence(world: World) -> None:
    response = answer_recommendation(make_recommendation(world), world.larkhaven, world.eddie)

    with pytest.raises(Exception, match="from the list"):
        add_evidence(
            response=response,
            kind="partnership",
            record=world.other_partnership.pk,
            author=world.eddie,
            now=timezone.now(),
        )


@pytest.fixture
def hidden_evidence(world: World) -> Evidence:
    """Return evidence of Larkhaven's about a partnership that its people may no longer read."""
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
    return evidence


def test_only_the_organisations_own_people_see_that_it_has_hidden_evidence(
    world: World, client: Client, hidden_evidence: Evidence
) -> None:
    html_for_ben = html_for(client, world.ben, "response", pk=hidden_evidence.response_id)
    html_for_eddie = html_for(client, world.eddie, "response", pk=hidden_evidence.response_id)

    assert "that you cannot see" not in html_for_ben
    assert "Partnership that you cannot see" in html_for_eddie
    assert "Says it all." not in html_for_eddie


def test_an_organisation_can_remove_evidence_that_its_people_may_no_longer_read(
    world: World, client: Client, hidden_evidence: Evidence
) -> None:
    client.force_login(world.eddie)

    response = client.post(reverse("recommendations:evidence-remove", args=[hidden_evidence.pk]))

    assert response.status_code == 302
    assert not Evidence.objects.exists()


def test_a_proposed_recommendation_is_suggested_for_the_next_meeting(world: World, client: Client) -> None:
    client.force_login(world.eddie)
    client.post(
        reverse("recommendations:propose", args=[make_recommendation(world).pk]),
        {"partnership": world.partnership.pk, "why": "We lost months."},
    )

    meeting = planned_meeting(world)
    suggestions = suggestions_for(meeting, world.ben, look_back_of(meeting, timezone.now()))

    paths = [suggested_item.suggestion.path for suggested_item in suggestions]
    assert Adoption.objects.get().get_absolute_url() in paths


def test_a_partnership_adopts_a_recommendation_at_a_meeting(world: World, client: Client) -> None:
    adoption = proposed(world)
    client.force_login(world.eddie)

    client.post(reverse("recommendations:adopt", args=[adoption.pk]), {"meeting": held_meeting(world).pk})

    adoption.refresh_from_db()
    assert adoption.is_adopted


def add_objective_from(adoption: Adoption, world: World, client: Client) -> str:
    """Add an objective from an adopted recommendation on the page, and return the address that follows."""
    add_url = reverse("agreements:objective-add", args=[adoption.partnership_id])
    response = client.post(
        f"{add_url}?from=recommendation-{adoption.pk}",
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
    return str(response["Location"])


def test_an_adopted_recommendation_becomes_an_objective(world: World, client: Client) -> None:
    adoption = adopted_recommendation(world)
    client.force_login(world.eddie)

    next_url = add_objective_from(adoption, world, client)

    objective = Outcome.objects.get().objective
    assert objective is not None
    assert next_url == objective.get_absolute_url()


def test_an_objective_and_its_recommendation_lead_to_one_another(world: World, client: Client) -> None:
    adoption = adopted_recommendation(world)
    client.force_login(world.eddie)
    add_objective_from(adoption, world, client)
    objective = Outcome.objects.get().objective
    assert objective is not None

    objective_page = client.get(objective.get_absolute_url()).content.decode()
    recommendations_page = html_for(client, world.ben, "of-partnership", pk=world.partnership.pk)

    assert adoption.get_absolute_url() in objective_page
    assert objective.get_absolute_url() in recommendations_page


def test_a_commitment_from_a_recommendation_begins_with_its_words(world: World, client: Client) -> None:
    adoption = adopted_recommendation(world)
    client.force_login(world.eddie)

    form_page = client.get(f"{reverse('commitments:new')}?from=recommendation-{adoption.pk}")

    assert SHARE_PLANS in form_page.content.decode()


def test_a_commitment_and_its_recommendation_lead_to_one_another(world: World, client: Client) -> None:
    adoption = adopted_recommendation(world)
    commitment = agree(world, partnership=world.partnership)
    client.force_login(world.eddie)

    client.post(reverse("recommendations:outcome-link", args=[adoption.pk]), {"record": f"commitment-{commitment.pk}"})

    commitment_page = client.get(commitment.get_absolute_url()).content.decode()
    adoption_page = client.get(adoption.get_absolute_url()).content.decode()
    assert adoption.get_absolute_url() in commitment_page
    assert commitment.get_absolute_url() in adoption_page
    (adoption_with_outcomes,) = adoptions_of_partnership(world.ben, world.partnership)
    assert [outcome.what for outcome in adoption_with_outcomes.outcomes] == ["Commitment"]


def test_nothing_is_adopted_at_a_meeting_that_has_not_taken_place(world: World) -> None:
    adoption = proposed(world)
    future_meeting = planned_meeting(world)

    with pytest.raises(UnableToAdopt, match="taken place"):
        adopt(adoption=adoption, meeting=future_meeting, author=world.eddie, now=timezone.now())


def test_work_is_linked_only_to_an_adopted_recommendation(world: World) -> None:
    adoption = proposed(world)

    with pytest.raises(UnableToLink, match="not adopted"):
        link_outcome(adoption=adoption, record=add_objective(world), author=world.eddie, now=timezone.now())


def test_a_recommendation_that_was_dropped_can_be_proposed_again(world: World) -> None:
    adoption = proposed(world)
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


@pytest.mark.parametrize("name", ["detail", "moved"])
def test_outsiders_do_not_read_what_a_partnership_adopts(world: World, client: Client, name: str) -> None:
    adoption = adopted_recommendation(world)
    arguments = {"pk": adoption.recommendation_id} if name == "detail" else {}

    html = html_for(client, world.chidi, name, **arguments)

    assert "Estuary" not in html
    assert "Adopted" not in html


def test_outsiders_cannot_open_an_adoption(world: World, client: Client) -> None:
    adoption = adopted_recommendation(world)
    client.force_login(world.chidi)

    response = client.get(adoption.get_absolute_url())

    assert response.status_code == 404


def test_an_adopted_recommendation_still_counts_as_uncovered_for_outsiders(world: World) -> None:
    adoption = adopted_recommendation(world)

    assert adoption.recommendation in recommendations_nobody_works_on(world.chidi)
    assert adoption.recommendation not in recommendations_nobody_works_on(world.ben)


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


def test_what_moved_on_a_day_is_listed_with_who_moved_it(world: World) -> None:
    adoption = adopted_recommendation(world)
    answer_recommendation(adoption.recommendation, world.westmarch, world.ben, "done")
    today = timezone.localdate()

    lines = change_lines_between(world.eddie, today, today + dt.timedelta(days=1), world.partnership)

    assert [line.title for line in lines] == [
        "Changed its response to a recommendation",
        "Adopted a recommendation",
        "Proposed to adopt a recommendation",
    ]
    assert "Westmarch" in lines[0].by
    assert change_lines_between(world.eddie, today - dt.timedelta(days=9), today) == []


def test_the_page_lists_what_moved_since_a_day(world: World, client: Client) -> None:
    adopted_recommendation(world)
    client.force_login(world.eddie)

    page = client.get(reverse("recommendations:moved"), {"day": timezone.localdate().isoformat()})

    assert "Adopted a recommendation" in page.content.decode()


@pytest.fixture
def recommendation_to_leps(world: World) -> Recommendation:
    """Return a recommendation to every LEP, after Westmarch has taken over the only one."""
    recommendation = make_recommendation(world, kinds=[Kind.LEP])
    quay_lep = create_organisation(name="Quay LEP", kind=Kind.LEP, author=None, now=world.now)
    follow([quay_lep], [world.westmarch], kind="absorb")
    return recommendation


def test_a_council_does_not_answer_for_leps_before_it_takes_one_over(world: World) -> None:
    recommendation = make_recommendation(world, kinds=[Kind.LEP])

    assert not is_addressed(recommendation, world.westmarch, timezone.localdate())


def test_the_successor_of_a_lep_answers_for_what_was_addressed_to_leps(
    world: World, recommendation_to_leps: Recommendation
) -> None:
    response = answer_recommendation(recommendation_to_leps, world.westmarch, world.ben)

    assert response.status == ResponseStatus.UNDER_WAY
    assert responding_bodies(world.westmarch, timezone.localdate()).kinds == {Kind.COUNCIL, Kind.LEP}


def test_recommendations_to_the_successor_of_a_lep_name_the_lep(
    world: World, client: Client, recommendation_to_leps: Recommendation
) -> None:
    html = html_for(client, world.ben, "of-organisation", pk=world.westmarch.pk)

    assert "Quay LEP" in html


def test_duplicate_organisations_keep_one_response(world: World) -> None:
    recommendation = make_recommendation(world)
    answer_recommendation(recommendation, world.larkhaven, world.eddie)
    duplicate = create_organisation(name="Larkhaven Home", kind=Kind.REGISTERED_PROVIDER, author=None, now=world.now)
    answer_recommendation(recommendation, duplicate, None, "not_started")

    records_of_duplicate = held_records_by_kind(duplicate, timezone.localdate())

    merge_organisations(
        kept=world.larkhaven, merged=duplicate, reason="The same body.", author=world.dee, now=timezone.now()
    )

    assert [group.kind.code for group in records_of_duplicate] == ["recommendations"]
    assert Response.objects.get(organisation=world.larkhaven).status == "under_way"
    assert not Response.objects.unfinished().filter(organisation=duplicate).exists()


@pytest.fixture
def reviewed_recommendation(world: World) -> Recommendation:
    """Return a recommendation whose response Vera has to review in a week."""
    recommendation = make_recommendation(world)
    answer_recommendation(recommendation, world.larkhaven, world.eddie, owner=world.vera, review_on=in_days(7))
    return recommendation


def has_review_task(person: User) -> bool:
    """Return whether My work asks the person to review a recommendation."""
    return any(task.action == "Review this recommendation" for task in tasks_of_person(person, timezone.now()))


def review_entries(person: User) -> list[Any]:
    """Return the reviews of recommendations in the person's calendar."""
    return [entry for entry in entries_for(person, None, [CalendarKind.REVIEW]) if "Review:" in entry.title]


def test_a_review_is_a_task_of_its_owner(world: World, reviewed_recommendation: Recommendation) -> None:
    assert has_review_task(world.vera)
    assert not has_review_task(world.eddie)


def test_a_review_is_in_the_calendar_of_its_owner(world: World, reviewed_recommendation: Recommendation) -> None:
    [entry] = review_entries(world.vera)

    assert entry.starts == in_days(7)
    assert review_entries(world.ben) == []


def test_a_recommendation_that_is_done_needs_no_review(world: World, reviewed_recommendation: Recommendation) -> None:
    answer_recommendation(
        reviewed_recommendation, world.larkhaven, world.eddie, "done", owner=world.vera, review_on=in_days(7)
    )

    assert not has_review_task(world.vera)


def test_evidence_names_one_record_and_the_database_holds_it(world: World) -> None:
    response = answer_recommendation(make_recommendation(world), world.larkhaven, world.eddie)
    commitment = agree(world)

    add_evidence(response=response, kind="commitment", record=commitment.pk, author=world.eddie, now=timezone.now())

    assert Evidence.objects.get().kind == "commitment"
    assert Commitment.objects.visible_to(world.ben).filter(pk=commitment.pk).exists()
