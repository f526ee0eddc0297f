"""Everyone who is asked gets a link of their own, and answers with it, once or until the round closes."""

from __future__ import annotations

import re

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
    """Return the paths of the links in these emails that begin with `route`."""
    return [path for email in emails for path in re.findall(rf"{route}\S+", str(email.body))]


def test_everybody_asked_gets_a_link_of_their_own(world: World) -> None:
    drop_emails()
    opened_round(world, asked={"council": 8})

    emails = deliver()

    assert len(emails) == 8
    assert len(set(links_in(emails, "/surveys/answer/"))) == 8
    assert "Amina Larch gave us your address for this survey" in " ".join(str(emails[0].body).split())


@pytest.fixture
def anonymous_link(world: World) -> str:
    """Return the path of one of eight links to an anonymous round."""
    drop_emails()
    opened_round(world, asked={"council": 8})
    return links_in(deliver(), "/surveys/answer/")[0]


def test_a_link_to_an_anonymous_round_shows_the_questions(anonymous_link: str) -> None:
    page = Client().get(anonymous_link).content.decode()

    assert "Trust and candour" in page


def test_an_answer_uses_up_its_link(anonymous_link: str) -> None:
    response = Client().post(anonymous_link, {"group": "council", "score-trust": "4"})

    assert response.status_code == 302
    assert SealedAnswer.objects.count() == 1
    assert Token.objects.count() == 7


def test_a_link_to_an_anonymous_round_works_once(anonymous_link: str) -> None:
    Client().post(anonymous_link, {"group": "council", "score-trust": "4"})

    response = Client().post(anonymous_link, {"group": "council", "score-trust": "1"})

    assert response.status_code == 410
    assert SealedAnswer.objects.count() == 1


def test_answers_after_the_last_day_are_refused_even_before_a_worker_closes(world: World) -> None:
    survey_round = opened_round(world)
    token = tokens(survey_round, "council")[0]

    with pytest.raises(services.UnableToAnswer, match="the survey is over, so you cannot answer"):
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


@pytest.fixture
def bilingual_url(bilingual_round: Round) -> str:
    """Return the path of the questions in English and Welsh, for one person."""
    return reverse("surveys:answer", args=[tokens(bilingual_round, "council")[0]])


def test_questions_in_two_languages_are_shown_in_the_first(bilingual_url: str) -> None:
    page = Client().get(bilingual_url).content.decode()

    assert "We trust." in page
    assert '<a class="govuk-link" href="?language=cy" hreflang="cy" lang="cy">Cymraeg</a>' in page


def test_questions_are_shown_in_the_chosen_language(bilingual_url: str) -> None:
    page = Client().get(f"{bilingual_url}?language=cy").content.decode()

    assert '<span lang="cy">Rydym yn ymddiried.</span>' in page


def test_language_in_which_somebody_answers_is_not_stored(bilingual_round: Round, bilingual_url: str) -> None:
    Client().post(f"{bilingual_url}?language=cy", {"group": "council", "score-trust": "4"})

    [answer] = sealing.open_answers(bilingual_round.key_name, [bytes(SealedAnswer.objects.get().box)])
    assert answer == Answer("council", {"trust": 4}, [], {})


@pytest.fixture
def named_round(world: World) -> Round:
    """Return an open round in which two people of a council answer by name."""
    drop_emails()
    return opened_round(world, way=AnswerMode.NAMED, asked={"council": 2})


@pytest.fixture
def named_link(named_round: Round) -> str:
    """Return the path of the link of the first person, who has answered with a score of 4."""
    link = links_in(deliver(), "/surveys/answer-by-name/")[0]
    Client().post(link, {"group": "council", "score-trust": "4"})
    return link


def test_named_answer_can_be_changed_before_the_round_closes(named_link: str) -> None:
    Client().post(named_link, {"group": "council", "score-trust": "2"})

    assert NamedAnswer.objects.get().scores == {"trust": 2}


def test_named_answer_cannot_be_changed_after_the_round_has_closed(named_round: Round, named_link: str) -> None:
    close_round(named_round)

    response = Client().post(named_link, {"group": "council", "score-trust": "1"})

    assert response.status_code == 410
    assert NamedAnswer.objects.get().scores == {"trust": 4}


@pytest.mark.usefixtures("named_link")
def test_named_answers_are_not_read_before_closing(world: World, named_round: Round) -> None:
    page = signed_in(world.ben).get(named_round.get_absolute_url()).content.decode()

    # The answer has a score for trust only, so a page of answers says "no view" beside other dimensions.
    assert "no view" not in page


@pytest.mark.usefixtures("named_link")
def test_named_answers_are_read_after_closing(world: World, named_round: Round) -> None:
    close_round(named_round)

    page = signed_in(world.ben).get(named_round.get_absolute_url()).content.decode()

    assert "no view" in page
    assert "Councils and authorities" in page
