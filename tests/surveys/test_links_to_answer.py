"""Everyone who is asked gets a link of their own, and answers with it, once or until the round closes."""

from __future__ import annotations

import pytest
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.surveys import sealing, services
from partnerships.surveys.counting import Answer
from partnerships.surveys.models import AnswerMode, NamedAnswer, QuestionSet, Round, SealedAnswer, Token
from partnerships.surveys.questions import read_toml
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.surveys.asking import (
    agreed_round,
    answer_of,
    close_round,
    morning_after,
    opened_round,
    prepared_round,
    tokens,
)
from tests.world import World


def links_in(emails: list[EmailMessage], route: str) -> list[str]:
    """Return the paths of the links to `route` in these emails. Each link has a line of its own."""
    lines = [line for email in emails for line in str(email.body).splitlines()]
    return [f"/{line.split('/', 3)[3]}" for line in lines if route in line]


def test_everybody_asked_gets_a_link_of_their_own(world: World) -> None:
    drop_emails()
    opened_round(world, asked={"council": 8})

    emails = deliver()

    assert len(emails) == 8
    assert len(set(links_in(emails, "/surveys/answer/"))) == 8
    assert "Amina Larch gave us your address for this survey" in " ".join(str(emails[0].body).split())


def test_a_link_to_an_anonymous_round_works_once(world: World) -> None:
    drop_emails()
    opened_round(world, asked={"council": 8})
    link = links_in(deliver(), "/surveys/answer/")[0]

    page = Client().get(link)
    first_response = Client().post(link, {"group": "council", "score-trust": "4"})
    second_response = Client().post(link, {"group": "council", "score-trust": "1"})

    assert "Trust and candour" in page.content.decode()
    assert first_response.status_code == 302
    assert second_response.status_code == 410
    assert SealedAnswer.objects.count() == 1
    assert Token.objects.count() == 7


def test_answers_after_the_last_day_are_refused_even_before_a_worker_closes(world: World) -> None:
    survey_round = opened_round(world)
    [token] = tokens(survey_round, "council")[:1]

    with pytest.raises(services.UnableToAnswer):
        services.answer_by_token(token=token, answer=answer_of("council", 5), now=morning_after(survey_round))


#: A set of questions in English and Welsh.
QUESTIONS_IN_TWO_LANGUAGES = """
name = "Two"
languages = ["en", "cy"]

[[dimensions]]
key = "trust"
name.en = "Trust"
name.cy = "Ymddiriedaeth"
statement.en = "We trust."
statement.cy = "Rydym yn ymddiried."
"""


@pytest.fixture
def bilingual_round(world: World) -> Round:
    """Return an open round whose questions are in English and Welsh."""
    content = read_toml(QUESTIONS_IN_TWO_LANGUAGES, ["council"])
    questions = QuestionSet.objects.create(code="two", version=1, content=content)
    survey_round = prepared_round(world)
    Round.objects.filter(pk=survey_round.pk).update(question_set=questions)
    return services.open_round(survey_round=agreed_round(survey_round), author=world.amina, now=timezone.now())


def test_language_of_the_questions_is_chosen_on_the_page(bilingual_round: Round) -> None:
    [token] = tokens(bilingual_round, "council")[:1]
    address = reverse("surveys:answer", args=[token])

    english_page = Client().get(address).content.decode()
    welsh_page = Client().get(f"{address}?language=cy").content.decode()

    assert '<a class="govuk-link" href="?language=cy" hreflang="cy" lang="cy">Cymraeg</a>' in english_page
    assert "We trust." in english_page
    assert '<span lang="cy">Rydym yn ymddiried.</span>' in welsh_page


def test_language_in_which_somebody_answers_is_not_stored_with_the_answer(bilingual_round: Round) -> None:
    [token] = tokens(bilingual_round, "council")[:1]
    address = reverse("surveys:answer", args=[token])

    response = Client().post(f"{address}?language=cy", {"group": "council", "score-trust": "4"})

    assert response.status_code == 302
    [answer] = sealing.open_answers(bilingual_round.key_name, [bytes(SealedAnswer.objects.get().box)])
    assert answer == Answer("council", {"trust": 4}, [], {})


def test_named_answer_can_be_changed_before_the_round_closes(world: World) -> None:
    drop_emails()
    opened_round(world, way=AnswerMode.NAMED, asked={"council": 2})
    [link, _] = links_in(deliver(), "/surveys/answer-by-name/")

    responses = [Client().post(link, {"group": "council", "score-trust": score}) for score in ("2", "4")]

    assert [response.status_code for response in responses] == [302, 302]
    assert NamedAnswer.objects.get().scores == {"trust": 4}


def test_named_answer_cannot_be_changed_after_the_round_has_closed(world: World) -> None:
    drop_emails()
    survey_round = opened_round(world, way=AnswerMode.NAMED, asked={"council": 2})
    [link, _] = links_in(deliver(), "/surveys/answer-by-name/")
    Client().post(link, {"group": "council", "score-trust": "4"})
    close_round(survey_round)

    response = Client().post(link, {"group": "council", "score-trust": "1"})

    assert response.status_code == 410
    assert NamedAnswer.objects.get().scores == {"trust": 4}


def test_named_answers_are_read_only_after_closing(world: World) -> None:
    drop_emails()
    survey_round = opened_round(world, way=AnswerMode.NAMED, asked={"council": 2})
    [link, _] = links_in(deliver(), "/surveys/answer-by-name/")
    Client().post(link, {"group": "council", "score-trust": "4"})
    client = signed_in(world.ben)
    page_of_open_round = client.get(survey_round.get_absolute_url()).content.decode()

    close_round(survey_round)

    page_of_closed_round = client.get(survey_round.get_absolute_url()).content.decode()
    # The answer has a score for trust only.
    assert "no view" not in page_of_open_round
    assert "no view" in page_of_closed_round
    assert "Councils and authorities" in page_of_closed_round
