"""Backups, logs, pages and keys do not reveal what anybody answered in an anonymous round."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from typing import Any, NamedTuple

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from structlog.testing import capture_logs

from partnerships.surveys import sealing, services
from partnerships.surveys.models import Figure, Round, SealedAnswer
from tests.support.outbox import drop_emails
from tests.support.signing_in import signed_in
from tests.surveys.asking import answer_of, close_round, closed_round, give_answers, morning_after, opened_round, tokens
from tests.world import World


class RowsAroundAnAnswer(NamedTuple):
    """A round, and every row of the database before and after one person answered."""

    survey_round: Round
    before: dict[str, list[tuple[Any, ...]]]
    after: dict[str, list[tuple[Any, ...]]]


def database_rows() -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the database by table, as a backup would contain them."""
    rows = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if model._meta.managed and not model._meta.proxy:
                cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
                rows[model._meta.db_table] = [plain_values(row) for row in cursor.fetchall()]
    return rows


def plain_values(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row with bytes in place of views of memory, which would print as an address."""
    return tuple(bytes(value) if isinstance(value, memoryview) else value for value in row)


def answer_with_comment(client: Client, survey_round: Round) -> HttpResponse:
    """Answer one question and write a comment."""
    token = tokens(survey_round, "council")[0]
    return client.post(
        reverse("surveys:answer", args=[token]),
        {"group": "council", "score-trust": "5", "comment-one_change": "A secret word."},
    )


@pytest.fixture
def rows_around_an_answer(world: World) -> RowsAroundAnAnswer:
    """Return the rows of the database before and after Ben answered while signed in."""
    survey_round = opened_round(world)
    drop_emails()
    client_of_ben = signed_in(world.ben)
    rows_before = database_rows()
    answer_with_comment(client_of_ben, survey_round)
    return RowsAroundAnAnswer(survey_round, before=rows_before, after=database_rows())


def test_answering_while_signed_in_sets_no_session_cookie(world: World) -> None:
    response = answer_with_comment(signed_in(world.ben), opened_round(world))

    assert response.status_code == 302
    assert settings.SESSION_COOKIE_NAME not in response.cookies


def test_only_tokens_and_sealed_answers_differ_between_backups_around_an_answer(
    rows_around_an_answer: RowsAroundAnAnswer,
) -> None:
    before = rows_around_an_answer.before
    after = rows_around_an_answer.after

    changed_tables = {table for table in after if sorted(map(str, after[table])) != sorted(map(str, before[table]))}

    assert changed_tables == {"surveys_token", "surveys_sealedanswer"}


def test_a_backup_does_not_contain_the_time_of_an_answer(rows_around_an_answer: RowsAroundAnAnswer) -> None:
    [sealed_answer] = rows_around_an_answer.after["surveys_sealedanswer"]

    # A random number, the encrypted answer, and the number of the round.
    assert {type(value) for value in sealed_answer} == {uuid.UUID, bytes, int}


def test_a_backup_does_not_contain_the_words_of_an_answer(rows_around_an_answer: RowsAroundAnAnswer) -> None:
    backup = rows_around_an_answer.after

    assert "A secret word." not in str(backup)


def test_a_sealed_answer_cannot_be_opened_once_its_key_is_destroyed(
    rows_around_an_answer: RowsAroundAnAnswer,
) -> None:
    key_name = rows_around_an_answer.survey_round.key_name
    sealed_answer = bytes(SealedAnswer.objects.get().box)

    sealing.destroy_key(key_name)

    with pytest.raises(sealing.KeyMissing, match="is not in SURVEY_KEYS_ROOT"):
        sealing.open_answers(key_name, [sealed_answer])


@pytest.mark.usefixtures("rows_around_an_answer")
def test_a_sealed_answer_has_the_length_of_the_longest_answer() -> None:
    sealed_answer = SealedAnswer.objects.get().box

    # The encryption adds 48 bytes.
    assert len(sealed_answer) == sealing.LENGTH + 48


@pytest.fixture
def short_and_long_answers(world: World) -> list[bytes]:
    """Return two sealed answers, one without a comment and one with a long comment."""
    survey_round = opened_round(world)
    short_answer = answer_of("council", 1)
    long_answer = answer_of("council", 5, one_change="Long words. " * 80)
    give_answers(survey_round, "council", [short_answer, long_answer])
    return [bytes(sealed_answer) for sealed_answer in SealedAnswer.objects.values_list("box", flat=True)]


def test_all_sealed_answers_have_the_same_length(short_and_long_answers: list[bytes]) -> None:
    short_answer, long_answer = short_and_long_answers

    assert len(short_answer) == len(long_answer)


def test_sealed_answers_cannot_be_opened_with_another_key(short_and_long_answers: list[bytes]) -> None:
    sealing.make_key("another")

    with pytest.raises(ValueError, match="another key"):
        sealing.open_answers("another", short_and_long_answers)


def test_key_of_an_open_round_is_not_in_the_database(world: World) -> None:
    survey_round = opened_round(world)

    backup = str(database_rows())

    key = json.loads((settings.SURVEY_KEYS_ROOT / f"{survey_round.key_name}.json").read_text())
    assert not any(value in backup for value in key.values())


def test_key_is_deleted_when_the_round_closes(world: World, django_capture_on_commit_callbacks: Any) -> None:
    survey_round = opened_round(world)

    with django_capture_on_commit_callbacks(execute=True):
        close_round(survey_round)

    assert not sealing.has_key(survey_round.key_name)


def test_key_that_was_not_deleted_at_the_close_is_deleted_later(world: World) -> None:
    survey_round = closed_round(world)
    # In a test, the deletion after the commit has not run.
    assert sealing.has_key(survey_round.key_name)

    services.close_due(now=morning_after(survey_round) + dt.timedelta(days=30))

    assert not sealing.has_key(survey_round.key_name)


def test_key_of_an_unknown_round_is_not_deleted(world: World) -> None:
    survey_round = closed_round(world)
    # The key may belong to a round in another database that uses the same directory.
    unknown_key_name = "9999-20270101000000000000"
    sealing.make_key(unknown_key_name)

    services.close_due(now=morning_after(survey_round) + dt.timedelta(days=30))

    assert sealing.has_key(unknown_key_name)


def page_without_tokens(client: Client, survey_round: Round) -> str:
    """Return the page of a round without its CSRF tokens, which differ each time."""
    page = client.get(survey_round.get_absolute_url()).content.decode()
    return re.sub(r"[A-Za-z0-9]{64}", "", page)


def test_page_of_an_open_round_does_not_change_when_somebody_answers(world: World) -> None:
    survey_round = opened_round(world)
    client = signed_in(world.amina)
    page_before = page_without_tokens(client, survey_round)

    give_answers(survey_round, "council", [answer_of("council", 5)] * 6)

    assert page_without_tokens(client, survey_round) == page_before
    assert not Figure.objects.exists()


def test_request_that_answers_is_logged_without_a_person(world: World) -> None:
    survey_round = opened_round(world)
    token = tokens(survey_round, "council")[0]
    client = signed_in(world.ben)

    with capture_logs() as log:
        client.post(reverse("surveys:answer", args=[token]), {"group": "council"})

    [line] = [entry for entry in log if entry.get("route") == "surveys:answer"]
    assert line["user"] is None
    assert token not in str(log)
