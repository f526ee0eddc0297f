"""A round from draft to results, and what nobody can learn about an answer on the way."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from structlog.testing import capture_logs

from housing.grants import grant
from partnerships.activity.models import Event
from partnerships.agreements.services import change_status
from partnerships.outbox.bounces import suppress
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.people.refusals import hashes_of, keep_hashes
from partnerships.surveys import sealing, services
from partnerships.surveys.counting import Answer
from partnerships.surveys.models import (
    Comment,
    Figure,
    Invitation,
    NamedAnswer,
    QuestionSet,
    Round,
    SealedAnswer,
    Token,
    Way,
)
from partnerships.surveys.questions import read_toml
from tests.support.outbox import deliver, drop_emails
from tests.support.signing_in import signed_in
from tests.surveys.asking import (
    agreed_round,
    answer_of,
    close_round,
    closed_round,
    give_answers,
    morning_after,
    opened_round,
    prepared,
    start_partnership,
    tokens,
)
from tests.world import World


def database_rows() -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the database by table, as a backup would contain them."""
    rows = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if model._meta.managed and not model._meta.proxy:
                cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
                rows[model._meta.db_table] = [
                    tuple(bytes(one) if isinstance(one, memoryview) else one for one in row)
                    for row in cursor.fetchall()
                ]
    return rows


def test_everybody_asked_gets_a_link_of_their_own_that_works_once(world: World) -> None:
    drop_emails()
    opened_round(world, asked={"council": 8})
    emails = deliver()
    assert len(emails) == 8
    links = {line for email in emails for line in str(email.body).splitlines() if "/surveys/answer/" in line}
    assert len(links) == 8
    assert "Amina Larch gave us your address for this survey" in " ".join(str(emails[0].body).split())
    path = links.pop().split("/", 3)[3]

    page = Client().get(f"/{path}")
    first_response = Client().post(f"/{path}", {"group": "council", "score-trust": "4"})
    second_response = Client().post(f"/{path}", {"group": "council", "score-trust": "1"})

    assert "Trust and candour" in page.content.decode()
    assert first_response.status_code == 302
    assert second_response.status_code == 410
    assert SealedAnswer.objects.count() == 1
    assert Token.objects.count() == 7


def test_two_backups_around_an_answer_name_nobody_and_tell_no_answer(world: World) -> None:
    survey_round = opened_round(world)
    drop_emails()
    [token] = tokens(survey_round, "council")[:1]
    client = signed_in(world.ben)
    rows_before = database_rows()

    response = client.post(
        reverse("surveys:answer", args=[token]),
        {"group": "council", "score-trust": "5", "comment-one_change": "A secret word."},
    )

    rows_after = database_rows()
    assert response.status_code == 302
    assert settings.SESSION_COOKIE_NAME not in response.cookies
    changed = {
        table for table in rows_after if sorted(map(str, rows_after[table])) != sorted(map(str, rows_before[table]))
    }
    assert changed == {"surveys_token", "surveys_sealedanswer"}
    [row] = rows_after["surveys_sealedanswer"]
    assert {type(value) for value in row} == {uuid.UUID, bytes, int}  # a random number, the box, the round: no time
    assert "A secret word." not in str(rows_after)
    assert len(bytes(SealedAnswer.objects.get().box)) == sealing.LENGTH + 48
    sealing.destroy_key(survey_round.key_name)
    with pytest.raises(sealing.KeyMissing):
        sealing.open_all(survey_round.key_name, [bytes(SealedAnswer.objects.get().box)])


def test_sealed_answers_have_one_length_and_open_with_no_other_key(world: World) -> None:
    survey_round = opened_round(world)
    give_answers(
        survey_round, "council", [answer_of("council", 1), answer_of("council", 5, one_change="Long words. " * 80)]
    )
    other = sealing.make_key("another")

    boxes = [bytes(box) for box in SealedAnswer.objects.values_list("box", flat=True)]

    assert len({len(box) for box in boxes}) == 1
    assert other
    with pytest.raises(ValueError, match="another key"):
        sealing.open_all("another", boxes)


def test_key_is_in_no_table_and_goes_when_the_round_closes(
    world: World, django_capture_on_commit_callbacks: Any
) -> None:
    survey_round = opened_round(world)
    key = json.loads((settings.SURVEY_KEYS_ROOT / f"{survey_round.key_name}.json").read_text())
    assert not any(value in str(database_rows()) for value in key.values())

    with django_capture_on_commit_callbacks(execute=True):
        close_round(survey_round)

    assert not sealing.has_key(survey_round.key_name)


def test_open_round_says_nothing_about_answers(world: World) -> None:
    survey_round = opened_round(world)
    client = signed_in(world.amina)
    token = re.compile(r"[A-Za-z0-9]{64}")
    page_before = token.sub("", client.get(survey_round.get_absolute_url()).content.decode())

    give_answers(survey_round, "council", [answer_of("council", 5)] * 6)

    assert token.sub("", client.get(survey_round.get_absolute_url()).content.decode()) == page_before
    assert not Figure.objects.exists()


def test_request_that_answers_is_logged_without_a_person(world: World) -> None:
    survey_round = opened_round(world)
    [token] = tokens(survey_round, "council")[:1]
    client = signed_in(world.ben)

    with capture_logs() as log:
        client.post(reverse("surveys:answer", args=[token]), {"group": "council"})

    [line] = [entry for entry in log if entry.get("route") == "surveys:answer"]
    assert line["user"] is None
    assert token not in str(log)


def test_weekly_reminder_skips_people_who_have_since_asked_not_to_be_emailed(world: World) -> None:
    survey_round = opened_round(world)
    give_answers(survey_round, "council", [answer_of("council", 5)] * 3)
    drop_emails()
    keep_hashes(hashes_of("other0@members.example"), now=timezone.now())

    services.remind(survey_round=survey_round, author=world.amina, now=timezone.now())

    recipients = {email.to[0] for email in deliver()}
    assert len(recipients) == survey_round.people_asked - 1
    assert "other0@members.example" not in recipients
    in_six_days, in_a_week = (timezone.now() + dt.timedelta(days=days) for days in (6, 7))
    with pytest.raises(services.UnableToRun, match="reminded everyone in the last week"):
        services.remind(survey_round=survey_round, author=world.amina, now=in_six_days)
    assert services.remind(survey_round=survey_round, author=world.amina, now=in_a_week)


def test_closing_publishes_results_and_forgets_answers_tokens_and_who_was_asked(world: World) -> None:
    survey_round = closed_round(world)

    assert survey_round.is_closed
    figures = {(figure.theme, figure.group): figure.value for figure in survey_round.figures.all()}
    assert ("trust", "other") not in figures
    assert len([group for theme, group in figures if theme == "trust"]) == 2
    assert survey_round.answered_at_least in (5, 10, 15)
    assert sorted(Comment.objects.values_list("text", flat=True)) == sorted(
        f"Meet before {month}." for month in ("May", "June", "July", "August", "September")
    )
    assert not SealedAnswer.objects.exists()
    assert not Token.objects.exists()
    assert not Invitation.objects.exists()


def test_answers_after_the_last_day_are_refused_even_before_a_worker_closes(world: World) -> None:
    survey_round = opened_round(world)
    [token] = tokens(survey_round, "council")[:1]

    with pytest.raises(services.UnableToAnswer):
        services.answer_by_token(token=token, answer=answer_of("council", 5), now=morning_after(survey_round))


def test_round_closes_though_people_answered_for_another_group(world: World) -> None:
    survey_round = opened_round(world, asked={"council": 5, "association": 5})
    give_answers(survey_round, "council", [answer_of("council", 3)] * 5)
    give_answers(survey_round, "association", [answer_of("council", 4)] * 2)

    assert close_round(survey_round).is_closed


@pytest.mark.parametrize("fault", ["no key", "a box of another key"])
def test_round_that_cannot_be_opened_stays_unread_and_holds_up_no_other(world: World, fault: str) -> None:
    survey_round = opened_round(world)
    other_round = opened_round(world, partnership=start_partnership(world, "Second partnership"))
    if fault == "no key":
        sealing.destroy_key(survey_round.key_name)
    else:
        SealedAnswer.objects.create(round=survey_round, box=b"of another key")

    assert services.close_due(now=morning_after(survey_round)) == 1

    survey_round.refresh_from_db()
    other_round.refresh_from_db()
    assert (survey_round.is_closed, other_round.is_closed) == (False, True)


def test_key_that_was_left_is_deleted_later(world: World) -> None:
    survey_round = closed_round(world)  # the deletion after the commit has not run in a test
    unknown_key = sealing.make_key("9999-20270101000000000000")
    assert unknown_key
    assert sealing.has_key(survey_round.key_name)

    services.close_due(now=morning_after(survey_round) + dt.timedelta(days=30))

    assert not sealing.has_key(survey_round.key_name)
    assert sealing.has_key("9999-20270101000000000000")  # of a round that another database may know


def test_ended_round_deletes_answers_unread(world: World) -> None:
    survey_round = opened_round(world)
    give_answers(survey_round, "council", [answer_of("council", 5)] * 6)

    services.abandon_round(
        survey_round=survey_round, reason="The chair has left.", author=world.amina, now=timezone.now()
    )

    assert not SealedAnswer.objects.exists()
    assert "The chair has left." in signed_in(world.ben).get(survey_round.get_absolute_url()).content.decode()


def test_partnership_that_is_too_small_is_told_so_and_can_ask_by_name(world: World) -> None:
    survey_round = prepared(world, asked={"council": 3, "association": 4})
    page = signed_in(world.amina).get(survey_round.get_absolute_url()).content.decode()
    assert "needs at least 8 people, and 7 are invited" in page
    with pytest.raises(services.UnableToRun, match="ask by name"):
        services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())

    signed_in(world.amina).post(reverse("surveys:by-name", args=[survey_round.partnership_id, survey_round.number]))
    by_name = services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())

    assert not by_name.is_anonymous
    assert not by_name.public_key
    assert not Token.objects.exists()


def test_survey_by_name_of_one_person_says_one_person(world: World) -> None:
    survey_round = prepared(world, way=Way.NAMED, asked={"council": 1})
    amina, page = signed_in(world.amina), survey_round.get_absolute_url()
    url_args = [survey_round.partnership_id, survey_round.number]

    pages = [
        amina.post(reverse("surveys:open", args=url_args), follow=True).content.decode(),
        amina.post(reverse("surveys:remind", args=url_args), follow=True).content.decode(),
        amina.get(page).content.decode(),
    ]

    assert "We will email a link to 1 person." in pages[0]
    assert "We will email a reminder to the one person who was asked" in pages[1]
    assert "1 person was asked." in pages[2]
    assert "1 people" not in "".join(pages)


def test_language_of_the_questions_is_chosen_on_the_page_and_joins_nothing(world: World) -> None:
    text = 'name = "Two"\nlanguages = ["en", "cy"]\n[[dimensions]]\nkey = "trust"\nname.en = "Trust"\n'
    text += 'name.cy = "Ymddiriedaeth"\nstatement.en = "We trust."\nstatement.cy = "Rydym yn ymddiried."\n'
    questions = QuestionSet.objects.create(code="two", version=1, content=read_toml(text, ["council"]))
    survey_round = prepared(world)
    Round.objects.filter(pk=survey_round.pk).update(question_set=questions)
    services.open_round(survey_round=agreed_round(survey_round), author=world.amina, now=timezone.now())
    [token] = tokens(survey_round, "council")[:1]
    address = reverse("surveys:answer", args=[token])

    english = Client().get(address).content.decode()
    welsh = Client().get(f"{address}?language=cy").content.decode()
    response = Client().post(f"{address}?language=cy", {"group": "council", "score-trust": "4"})

    assert '<a class="govuk-link" href="?language=cy" hreflang="cy" lang="cy">Cymraeg</a>' in english
    assert "We trust." in english
    assert '<span lang="cy">Rydym yn ymddiried.</span>' in welsh
    assert response.status_code == 302
    [answer] = sealing.open_all(survey_round.key_name, [bytes(SealedAnswer.objects.get().box)])
    assert answer == Answer("council", {"trust": 4}, [], {})


def test_draft_of_a_partnership_that_is_over_cannot_open(world: World) -> None:
    survey_round = prepared(world)
    now = timezone.now()
    change_status(partnership=world.partnership, status="ended", reason="It is done.", author=world.amina, now=now)

    with pytest.raises(services.UnableToRun, match="has ended"):
        services.open_round(survey_round=survey_round, author=world.amina, now=now)


def test_fourth_survey_in_thirty_days_cannot_open(world: World) -> None:
    for _ in range(3):
        services.abandon_round(
            survey_round=opened_round(world), reason="Again.", author=world.amina, now=timezone.now()
        )
    survey_round = prepared(world)

    with pytest.raises(services.UnableToRun, match="opened 3 surveys in the last 30 days"):
        services.open_round(survey_round=survey_round, author=world.amina, now=timezone.now())


def test_followers_hear_that_a_survey_ended_only_if_it_had_opened(world: World) -> None:
    for make_round in (prepared, opened_round):
        services.abandon_round(
            survey_round=make_round(world), reason="Too soon.", author=world.amina, now=timezone.now()
        )

    kinds = Event.objects.filter(kind__startswith="surveys.").order_by("pk").values_list("kind", flat=True)

    assert list(kinds) == [
        "surveys.round_drafted",
        "surveys.draft_dropped",
        "surveys.round_drafted",
        "surveys.round_opened",
        "surveys.round_abandoned",
    ]


def test_named_answer_can_be_changed_and_is_read_after_closing(world: World) -> None:
    drop_emails()
    survey_round = opened_round(world, way=Way.NAMED, asked={"council": 2})
    [link, _] = [
        line for email in deliver() for line in str(email.body).splitlines() if "/surveys/answer-by-name/" in line
    ]
    path = f"/{link.split('/', 3)[3]}"
    for score in ("2", "4"):
        assert Client().post(path, {"group": "council", "score-trust": score}).status_code == 302
    assert NamedAnswer.objects.get().scores == {"trust": 4}
    assert "no view" not in signed_in(world.ben).get(survey_round.get_absolute_url()).content.decode()

    close_round(survey_round)

    page = signed_in(world.ben).get(survey_round.get_absolute_url()).content.decode()
    assert "Councils and authorities" in page
    assert Client().post(path, {"group": "council", "score-trust": "1"}).status_code == 410


@pytest.mark.parametrize("ways", ["anonymous anonymous", "named anonymous", "anonymous named"])
def test_round_before_or_after_an_anonymous_one_waits_so_that_two_cannot_be_compared(world: World, ways: str) -> None:
    first_way, second_way = ways.split()
    first_round = close_round(opened_round(world, way=first_way, asked={"council": 8}))
    second_round = agreed_round(prepared(world, way=second_way, asked={"council": 9}))

    with pytest.raises(services.UnableToRun, match="Leave 60 days"):
        services.open_round(survey_round=second_round, author=world.amina, now=timezone.now())

    later = morning_after(first_round) + dt.timedelta(days=60)
    Round.objects.filter(pk=second_round.pk).update(closes_on=later.date() + dt.timedelta(days=14))
    assert services.open_round(survey_round=second_round, author=world.amina, now=later).status == "open"


def test_database_refuses_a_figure_of_four_and_changes_of_figures(world: World) -> None:
    survey_round = closed_round(world)
    with pytest.raises(IntegrityError), transaction.atomic():
        Figure.objects.create(round=survey_round, theme="trust", group="other", value=3, answered_at_least=4)
    figure = survey_round.figures.first()
    assert figure is not None
    with pytest.raises(Exception, match="immutable"), transaction.atomic():
        Figure.objects.filter(pk=figure.pk).update(value=1)


def test_applications_own_role_can_take_a_survey_to_its_end(world: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE survey_reader NOLOGIN; GRANT survey_reader TO CURRENT_USER")
        grant(role="survey_reader")
        cursor.execute("SET LOCAL ROLE survey_reader")

    survey_round = closed_round(world)

    assert survey_round.is_closed
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        Figure.objects.filter(round=survey_round).delete()


def test_invitation_waits_on_a_machine_without_the_key_and_leaves_once_it_has_it(world: World) -> None:
    drop_emails()
    survey_round = opened_round(world, asked={"council": 8})
    key_file = settings.SURVEY_KEYS_ROOT / f"{survey_round.key_name}.json"
    key = key_file.read_bytes()
    key_file.unlink()

    assert deliver() == []
    assert set(Email.objects.filter(kind="surveys.invitation").values_list("status", flat=True)) == {"queued"}

    key_file.write_bytes(key)
    Email.objects.filter(kind="surveys.invitation").update(available_at=timezone.now())
    assert len(deliver()) == 8


def test_people_who_refused_emails_are_not_asked(world: World) -> None:
    survey_round = prepared(world, asked={"council": 8})
    keep_hashes(hashes_of("erased@members.example")[:1], now=timezone.now())
    suppress(address="bounced@members.example", reason="550", email_id=None, author_id=None, now=timezone.now())

    for address in ("erased@members.example", "bounced@members.example"):
        with pytest.raises(services.UnableToRun, match=f"Remove {address}"):
            services.invite(
                survey_round=survey_round, addresses=[address], group="council", author=world.amina, now=timezone.now()
            )

    assert not User.objects.filter(email="erased@members.example").exists()
    person = survey_round.invitations.order_by("pk")[0].person
    suppress(address=person.email, reason="550", email_id=None, author_id=None, now=timezone.now())
    services.invite(
        survey_round=survey_round,
        addresses=["one@more.example"],
        group="council",
        author=world.amina,
        now=timezone.now(),
    )
    assert (
        services.open_round(
            survey_round=agreed_round(survey_round), author=world.amina, now=timezone.now()
        ).people_asked
        == 8
    )
