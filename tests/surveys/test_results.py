"""People act on results, and the next round shows what was done and what changed."""

from __future__ import annotations

import datetime as dt
import io
import re
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from partnerships.agreements.models import Objective
from partnerships.agreements.origin import origin_links_of, record_named_in
from partnerships.commitments.origins import parse_origin_record
from partnerships.conversations.models import Conversation
from partnerships.conversations.services import Record, record_conversation
from partnerships.exchange.models import Entry
from partnerships.exchange.services.drafting import UnableToWriteEntry
from partnerships.surveys import services
from partnerships.surveys.models import Action, Figure, Round
from partnerships.surveys.presenting import GAP, change_in_words, mean_in_words, means_chart, means_lines
from partnerships.surveys.queries.results import actions_of, benchmark_by_dimension, comparable_rounds
from tests.agreements.test_objectives import add as add_objective
from tests.commitments.promises import propose
from tests.exchange.conftest import draft
from tests.support.signing_in import signed_in
from tests.surveys import attacking
from tests.surveys.asking import closed_round, objective, start_partnership
from tests.world import World


def test_page_shows_means_by_group_shares_and_what_is_not_shown(world: World) -> None:
    survey_round = closed_round(world)

    page = signed_in(world.vera).get(survey_round.get_absolute_url()).content.decode()

    assert "Sharing plans early" in page
    assert "not shown" in page
    assert (
        means_chart(survey_round, survey_round.questions(), None).count("<rect") == 9
    )  # eight dimensions, and one in the legend
    assert "of the 19 people asked have answered" in page
    values = {(figure.theme, figure.group): figure.value for figure in survey_round.figures.all()}
    assert values["association_pipeline", ""] == Decimal(30)  # six of eighteen, to the nearest ten per cent
    assert "about 30%" in page


def test_action_is_linked_and_the_next_round_shows_it_with_what_moved(world: World) -> None:
    first_round = closed_round(world)
    linked_objective = objective(world)
    client = signed_in(world.ben)

    answer = client.post(
        reverse("surveys:link", args=[world.partnership.pk, first_round.number]),
        {"theme": "sharing_plans", "thing": f"objective-{linked_objective.pk}"},
    )
    assert answer.status_code == 302
    assert linked_objective.text in client.get(first_round.get_absolute_url()).content.decode()
    Round.objects.filter(pk=first_round.pk).update(closes_on=timezone.localdate() - dt.timedelta(days=100))

    second_round = closed_round(world, shift=1)

    page = client.get(second_round.get_absolute_url()).content.decode()
    assert linked_objective.text in page
    assert "after round 1" in page
    assert "Change since round 1" in page
    [second_mean, first_mean] = [
        survey_round.figures.get(theme="trust", group="").value for survey_round in (second_round, first_round)
    ]
    assert second_mean > first_mean
    assert f"up {second_mean - first_mean}" in page


def result_about_trust(survey_round: Round) -> str:
    """Return the result about trust, as addresses name the origin of a new record."""
    figure = survey_round.figures.filter(theme="trust").order_by("group")[0]
    return f"result-{figure.pk}"


def draft_ask_from(world: World, result: str) -> Entry:
    """Draft an ask to the partnership that begins at a result."""
    return draft(
        world.larkhaven,
        world.eddie,
        timezone.now(),
        audience="partnership",
        partnership=world.partnership,
        came_from=record_named_in(result, Entry),
    )


def record_conversation_from(world: World, result: str) -> Conversation:
    """Record a conversation that begins at a result."""
    return record_conversation(
        organisation=world.larkhaven,
        record=Record(
            subject="Trust",
            held_on=timezone.localdate(),
            planned=False,
            format="in_person",
            organisations=[world.westmarch],
            partnership=world.partnership,
        ),
        came_from=record_named_in(result, Conversation),
        author=world.eddie,
        now=timezone.now(),
    )


def test_forms_of_four_kinds_of_record_begin_at_a_result(world: World) -> None:
    survey_round = closed_round(world)
    client = signed_in(world.eddie)
    address = reverse("surveys:link", args=[survey_round.partnership_id, survey_round.number])

    page = client.get(f"{address}?theme=trust").content.decode()

    links = [unescape(link) for link in re.findall(r'href="([^"]*from=result-[^"]*)"', page)]
    assert len(links) == 4
    assert all("Trust and candour" in client.get(link).content.decode() for link in links)
    unknown_result = links[0].replace(result_about_trust(survey_round), "result-999999")
    assert client.get(unknown_result).status_code == 404


def test_objective_ask_conversation_and_commitment_lead_back_to_their_result(world: World) -> None:
    survey_round = closed_round(world)
    result = result_about_trust(survey_round)
    records = [
        add_objective(world, came_from=record_named_in(result)),
        draft_ask_from(world, result),
        record_conversation_from(world, result),
        propose(world, came_from=parse_origin_record(result), author=world.eddie),
    ]
    client = signed_in(world.eddie)

    pages = [" ".join(client.get(record.get_absolute_url()).content.decode().split()) for record in records]

    assert all("Survey “How are we doing?”: Trust and candour" in page for page in pages)
    assert len(actions_of([survey_round], world.eddie)[survey_round.pk, "trust"]) == 4


def test_ask_that_begins_at_a_result_must_go_to_the_partnership_of_its_survey(world: World) -> None:
    result = result_about_trust(closed_round(world))

    with pytest.raises(UnableToWriteEntry, match="this result comes from its survey"):
        draft(world.larkhaven, world.eddie, timezone.now(), came_from=record_named_in(result, Entry))


def test_strangers_do_not_see_the_result_at_which_an_ask_began(world: World) -> None:
    entry = draft_ask_from(world, result_about_trust(closed_round(world)))

    assert origin_links_of(entry, world.chidi) == []


def test_table_shows_the_trend_over_earlier_rounds(world: World) -> None:
    for _ in range(2):
        earlier_round = closed_round(world)
        Round.objects.filter(pk=earlier_round.pk).update(closes_on=timezone.localdate() - dt.timedelta(days=100))
    third_round = closed_round(world, shift=1)

    headings, lines = means_lines(third_round, third_round.questions(), list(comparable_rounds(third_round))[:-1], {})

    assert headings[-3:] == ["Round 1", "Round 2", "Change since round 2"]
    assert len(lines[0].cells) == len(headings)


def test_action_of_another_partnership_cannot_be_linked(world: World) -> None:
    survey_round = closed_round(world)
    foreign_objective = objective(world)
    Objective.objects.filter(pk=foreign_objective.pk).update(partnership=world.other_partnership)

    with pytest.raises(services.UnableToLink):
        services.link_action(
            survey_round=survey_round,
            theme="trust",
            choice=f"objective-{foreign_objective.pk}",
            author=world.amina,
            now=timezone.now(),
        )
    assert not Action.objects.exists()


def test_pdf_has_the_figures_of_the_page(world: World) -> None:
    survey_round = closed_round(world)

    answer = signed_in(world.vera).get(reverse("surveys:pdf", args=[world.partnership.pk, survey_round.number]))

    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    [trust] = survey_round.figures.filter(group="", theme="trust")
    assert mean_in_words(trust.value) in text
    assert "about 30%" in text


def test_benchmark_needs_five_other_partnerships(world: World) -> None:
    survey_round = closed_round(world)
    other_rounds = [
        Round.objects.create(
            partnership=start_partnership(world, f"Partnership {number}"),
            number=1,
            title="Round",
            question_set=survey_round.question_set,
            way="anonymous",
            status="closed",
            closes_on=survey_round.closes_on,
            created_at=survey_round.created_at,
            opened_at=survey_round.created_at,
        )
        for number in range(5)
    ]
    for number, one in enumerate(other_rounds[:4]):
        Figure.objects.create(round=one, theme="trust", value=Decimal(2 + number) / 2, answered_at_least=5)
    assert benchmark_by_dimension(survey_round) == {}

    Figure.objects.create(round=other_rounds[4], theme="trust", value=4, answered_at_least=5)

    assert benchmark_by_dimension(survey_round) == {"trust": Decimal("2.0")}


def test_attacker_learns_no_group_of_four_from_the_rows_of_a_round(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    survey_round = closed_round(world)
    questions = survey_round.questions()
    themes = tuple(dimension.key for dimension in questions.dimensions)
    monkeypatch.setattr(attacking, "DIMENSIONS", themes)
    monkeypatch.setattr(attacking, "EXPECTATIONS", tuple(expectation.key for expectation in questions.expectations))
    answered = {"council": 6, "association": 8, "other": 4}
    attacked_round = attacking.GeneratedRound(
        asked=survey_round.asked,
        sizes={(theme, group): number for theme in (*themes, attacking.ANSWERED) for group, number in answered.items()},
        figures={(figure.theme, figure.group): figure.value for figure in survey_round.figures.all()},
        answered_at_least=survey_round.answered_at_least,
        means={},
        floor=survey_round.floor,
    )

    assert len(attacked_round.figures) > len(themes)
    assert attacking.recovered(attacked_round) == []


def test_results_are_the_same_for_every_reader_and_on_every_day(world: World) -> None:
    survey_round = closed_round(world)
    figures = sorted(survey_round.figures.values_list("theme", "group", "value"))

    services.close_due(now=timezone.now() + dt.timedelta(days=400))

    assert sorted(survey_round.figures.values_list("theme", "group", "value")) == figures


def test_words_for_means_near_the_ends() -> None:
    assert mean_in_words(Decimal("4.5")) == "4.5 or more"
    assert mean_in_words(Decimal("1.5")) == "1.5 or less"
    assert mean_in_words(None) == "not shown"
    assert Decimal(1) == GAP


@pytest.mark.parametrize(
    ("now", "then", "words"),
    [
        ("3.6", "3.2", "up 0.4"),
        ("3.2", "3.6", "down 0.4"),
        ("3.2", "3.2", "no change"),
        ("4.5", "3.2", "not known"),
        ("3.2", "1.5", "not known"),
    ],
)
def test_what_moved_is_said_unless_a_mean_was_cut_off(now: str, then: str, words: str) -> None:
    assert change_in_words(Decimal(now), Decimal(then)) == words
    assert change_in_words(None, Decimal(then)) == "not shown"
