"""People act on results, and the next round shows what was done and what changed."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Callable
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from partnerships.agreements.models import Objective
from partnerships.agreements.origin import origin_links_of, record_named_in
from partnerships.commitments.models import Commitment
from partnerships.commitments.origins import parse_origin_record
from partnerships.conversations.models import Conversation
from partnerships.conversations.services import Record, record_conversation
from partnerships.exchange.models import Entry
from partnerships.exchange.services.drafting import UnableToWriteEntry
from partnerships.surveys import services
from partnerships.surveys.models import Action, Figure, Round
from partnerships.surveys.presenting import GAP, change_in_words, mean_in_words, means_chart, means_lines
from partnerships.surveys.queries.results import actions_of, benchmark_by_dimension
from tests.agreements.test_objectives import add as add_objective
from tests.commitments.promises import propose
from tests.exchange.conftest import draft
from tests.support.signing_in import signed_in
from tests.surveys import attacking
from tests.surveys.asking import closed_round, objective, start_partnership
from tests.world import World


def test_page_of_results_names_the_dimensions(world: World) -> None:
    survey_round = closed_round(world)

    page = signed_in(world.vera).get(survey_round.get_absolute_url()).content.decode()

    assert "Sharing plans early" in page
    assert "of the 19 people asked have answered" in page


def test_page_of_results_does_not_show_the_mean_of_a_small_group(world: World) -> None:
    survey_round = closed_round(world)

    page = signed_in(world.vera).get(survey_round.get_absolute_url()).content.decode()

    assert "not shown" in page


def test_share_is_shown_to_the_nearest_ten_per_cent(world: World) -> None:
    survey_round = closed_round(world)

    page = signed_in(world.vera).get(survey_round.get_absolute_url()).content.decode()

    share = survey_round.figures.get(theme="association_pipeline", group="")
    assert share.value == Decimal(30)  # six of eighteen
    assert "about 30%" in page


def test_chart_of_means_has_a_bar_for_each_dimension(world: World) -> None:
    survey_round = closed_round(world)

    chart = means_chart(survey_round, survey_round.questions(), None)

    # Eight dimensions, and one rectangle in the legend.
    assert chart.count("<rect") == 9


def test_objective_is_linked_to_a_result(world: World) -> None:
    survey_round = closed_round(world)
    link_url = reverse("surveys:link", args=[world.partnership.pk, survey_round.number])
    form_data = {"theme": "sharing_plans", "thing": f"objective-{objective(world).pk}"}

    page = signed_in(world.ben).post(link_url, form_data, follow=True).content.decode()

    assert "Show each other drafts of local plans" in page


def closed_100_days_ago(survey_round: Round) -> Round:
    """Move the last day of a closed round 100 days back, so that another round can open."""
    survey_round.closes_on = timezone.localdate() - dt.timedelta(days=100)
    survey_round.save(update_fields=["closes_on"])
    return survey_round


def test_next_round_shows_the_actions_linked_to_the_round_before(world: World) -> None:
    earlier_round = closed_100_days_ago(closed_round(world))
    linked_objective = objective(world)
    services.link_action(
        survey_round=earlier_round,
        theme="sharing_plans",
        choice=f"objective-{linked_objective.pk}",
        author=world.ben,
        now=timezone.now(),
    )
    later_round = closed_round(world)

    page = signed_in(world.ben).get(later_round.get_absolute_url()).content.decode()

    assert "Show each other drafts of local plans" in page
    assert "after round 1" in page


def test_next_round_shows_the_change_of_each_mean(world: World) -> None:
    earlier_round = closed_100_days_ago(closed_round(world))
    later_round = closed_round(world, shift=1)

    page = signed_in(world.ben).get(later_round.get_absolute_url()).content.decode()

    earlier_mean = earlier_round.figures.get(theme="trust", group="").value
    later_mean = later_round.figures.get(theme="trust", group="").value
    assert later_mean > earlier_mean
    assert "Change since round 1" in page
    assert f"up {later_mean - earlier_mean}" in page


def result_about_trust(survey_round: Round) -> str:
    """Return the result about trust as the `from` parameter of a form names it, for example "result-12"."""
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


def test_form_that_begins_at_an_unknown_result_is_not_found(world: World) -> None:
    survey_round = closed_round(world)
    client = signed_in(world.eddie)
    address = reverse("surveys:link", args=[survey_round.partnership_id, survey_round.number])
    page = client.get(f"{address}?theme=trust").content.decode()
    link = unescape(re.findall(r'href="([^"]*from=result-[^"]*)"', page)[0])
    link_to_unknown_result = link.replace(result_about_trust(survey_round), "result-999999")

    response = client.get(link_to_unknown_result)

    assert "result-999999" in link_to_unknown_result
    assert response.status_code == 404


def add_objective_from(world: World, result: str) -> Objective:
    """Add an objective that begins at a result."""
    return add_objective(world, came_from=record_named_in(result))


def propose_commitment_from(world: World, result: str) -> Commitment:
    """Propose a commitment that begins at a result."""
    return propose(world, came_from=parse_origin_record(result), author=world.eddie)


EACH_RECORD = pytest.mark.parametrize(
    "make_record", [add_objective_from, draft_ask_from, record_conversation_from, propose_commitment_from]
)


@EACH_RECORD
def test_page_of_a_record_leads_back_to_its_result(world: World, make_record: Callable[[World, str], Any]) -> None:
    record = make_record(world, result_about_trust(closed_round(world)))

    page = signed_in(world.eddie).get(record.get_absolute_url()).content.decode()

    assert "Survey “How are we doing?”: Trust and candour" in " ".join(page.split())


@EACH_RECORD
def test_record_that_begins_at_a_result_is_an_action_on_it(
    world: World, make_record: Callable[[World, str], Any]
) -> None:
    survey_round = closed_round(world)

    make_record(world, result_about_trust(survey_round))

    assert len(actions_of([survey_round], world.eddie)[survey_round.pk, "trust"]) == 1


def test_ask_that_begins_at_a_result_must_go_to_the_partnership_of_its_survey(world: World) -> None:
    result = result_about_trust(closed_round(world))

    with pytest.raises(UnableToWriteEntry, match="this result comes from its survey"):
        draft(world.larkhaven, world.eddie, timezone.now(), came_from=record_named_in(result, Entry))


def test_strangers_do_not_see_the_result_at_which_an_ask_began(world: World) -> None:
    entry = draft_ask_from(world, result_about_trust(closed_round(world)))

    assert origin_links_of(entry, world.chidi) == []


def test_table_shows_the_trend_over_earlier_rounds(world: World) -> None:
    first_round = closed_100_days_ago(closed_round(world))
    second_round = closed_100_days_ago(closed_round(world))
    third_round = closed_round(world, shift=1)

    headings, lines = means_lines(third_round, third_round.questions(), [first_round, second_round], {})

    assert headings[-3:] == ["Round 1", "Round 2", "Change since round 2"]
    assert len(lines[0].cells) == len(headings)


def test_action_of_another_partnership_cannot_be_linked(world: World) -> None:
    survey_round = closed_round(world)
    foreign_objective = objective(world)
    Objective.objects.filter(pk=foreign_objective.pk).update(partnership=world.other_partnership)

    with pytest.raises(services.UnableToLink, match="of this partnership"):
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

    response = signed_in(world.vera).get(reverse("surveys:pdf", args=[world.partnership.pk, survey_round.number]))

    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages)
    [trust] = survey_round.figures.filter(group="", theme="trust")
    assert mean_in_words(trust.value) in text
    assert "about 30%" in text


def publish_mean_of_trust(world: World, mean: str, like: Round) -> None:
    """Publish this mean as the result of another partnership, which asked the same questions."""
    other_round = Round.objects.create(
        partnership=start_partnership(world, f"Partnership with {mean}"),
        number=1,
        title="Round",
        question_set=like.question_set,
        way="anonymous",
        status="closed",
        closes_on=like.closes_on,
        created_at=like.created_at,
        opened_at=like.created_at,
    )
    Figure.objects.create(round=other_round, theme="trust", value=Decimal(mean), answered_at_least=5)


@pytest.mark.parametrize(
    ("means", "benchmark"),
    [
        pytest.param(["1.0", "1.5", "2.0", "2.5"], {}, id="four partnerships"),
        pytest.param(["1.0", "1.5", "2.0", "2.5", "4.0"], {"trust": Decimal("2.0")}, id="five partnerships"),
    ],
)
def test_benchmark_is_the_median_of_five_other_partnerships_or_more(
    world: World, means: list[str], benchmark: dict[str, Decimal]
) -> None:
    survey_round = closed_round(world)
    for mean in means:
        publish_mean_of_trust(world, mean, like=survey_round)

    found_benchmark = benchmark_by_dimension(survey_round)

    assert found_benchmark == benchmark


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


def test_results_stay_the_same_for_years(world: World) -> None:
    survey_round = closed_round(world)
    figures = sorted(survey_round.figures.values_list("theme", "group", "value"))

    services.close_due(now=timezone.now() + dt.timedelta(days=400))

    assert sorted(survey_round.figures.values_list("theme", "group", "value")) == figures


@pytest.mark.parametrize(
    ("mean", "words"), [(Decimal("4.5"), "4.5 or more"), (Decimal("1.5"), "1.5 or less"), (None, "not shown")]
)
def test_words_for_a_mean_do_not_say_what_everybody_answered(mean: Decimal | None, words: str) -> None:
    assert mean_in_words(mean) == words


def test_gap_between_groups_is_one_point() -> None:
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
def test_change_of_a_mean_is_not_known_if_a_mean_was_cut_off(now: str, then: str, words: str) -> None:
    assert change_in_words(Decimal(now), Decimal(then)) == words


def test_change_to_a_mean_that_is_not_shown_is_not_shown() -> None:
    assert change_in_words(None, Decimal("3.2")) == "not shown"
