"""Question sets are data: administrators add versions, and rounds stay as they were asked."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse

from partnerships.surveys import questions, services
from partnerships.surveys.models import QuestionSet
from partnerships.surveys.queries.rounds import newest_question_sets
from partnerships.surveys.questions import InvalidQuestions, read_toml
from tests.support.signing_in import signed_in
from tests.surveys.asking import closed_round, prepared_round
from tests.world import World

FIRST = (Path(questions.__file__).parent / "question_sets" / "health_1.toml").read_text()


def first_version_with(line: str, *, instead_of: str) -> str:
    """Return the text of the first version with another line."""
    assert instead_of in FIRST
    return FIRST.replace(instead_of, line)


def add_by_admin(world: World, text: str) -> str:
    """Send the form as an administrator, and return the page that follows."""
    client = signed_in(world.dee)
    address = reverse("admin:surveys_questionset_add")
    return client.post(address, {"code": "health", "questions": text}, follow=True).content.decode()


def test_administrator_adds_a_version_that_new_surveys_use(world: World) -> None:
    add_by_admin(world, first_version_with("We want and say the same things", instead_of="We want the same things"))

    [newest] = newest_question_sets()
    assert newest.version == 2
    assert newest.content["dimensions"][0]["statement"]["en"].startswith("We want and say the same")


def test_prepared_round_keeps_its_version_of_the_questions(world: World) -> None:
    survey_round = prepared_round(world)

    add_by_admin(world, first_version_with("We want and say the same things", instead_of="We want the same things"))

    survey_round.refresh_from_db()
    assert survey_round.question_set.version == 1


@pytest.mark.parametrize(
    ("line", "instead_of", "reason"),
    [
        pytest.param('key = "trust"', 'key = "value"', "is used twice", id="key used twice"),
        pytest.param('languages = ["en", "cy"]', 'languages = ["en"]', "in cy", id="not translated"),
        pytest.param("languages = en", 'languages = ["en"]', "cannot read these questions as TOML", id="not TOML"),
    ],
)
def test_questions_that_cannot_be_asked_are_refused_with_the_reason(
    world: World, line: str, instead_of: str, reason: str
) -> None:
    page = add_by_admin(world, first_version_with(line, instead_of=instead_of))

    assert reason in page
    assert QuestionSet.objects.count() == 1


def test_key_keeps_its_meaning_in_later_versions(world: World) -> None:
    text = FIRST.replace('key = "value"', 'key = "worth"').replace('key = "lep_board"', 'key = "value"')

    with pytest.raises(services.UnableToAddQuestions, match="Version 1 uses the key “value” in its dimensions"):
        services.add_question_set(code="health", text=text, author=world.dee)


def test_unknown_language_is_refused(world: World) -> None:
    with pytest.raises(services.UnableToAddQuestions, match="“xx” is not a language code"):
        services.add_question_set(
            code="one",
            text='name = "One"\nlanguages = ["xx"]\n[[dimensions]]\nkey = "trust"\nname.xx = "T"\nstatement.xx = "S"',
            author=world.dee,
        )


def test_question_set_that_cannot_be_used_is_refused_with_the_place() -> None:
    text = """
        name = "Two"
        languages = ["en", "cy"]

        [[dimensions]]
        key = "trust"
        name.en = "Trust"
        statement.en = "We trust."
    """

    with pytest.raises(InvalidQuestions, match="dimensions 1: enter “name” in cy"):
        read_toml(text, ["council"])


def test_administrator_sees_rounds_without_title_answers_or_results(world: World) -> None:
    survey_round = closed_round(world)
    client = signed_in(world.dee)

    page = client.get(reverse("admin:surveys_round_change", args=[survey_round.pk])).content.decode()

    assert "Mo Outside" in page
    assert survey_round.title not in page
    assert 'name="_save"' not in page
