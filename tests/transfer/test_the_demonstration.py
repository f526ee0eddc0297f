"""The demonstration network loads, and shows every kind of thing that a visitor of a demonstration looks for."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from partnerships.agreements.models import Partnership, Post, TermsSignatory, TermsSignature
from partnerships.agreements.queries.dates import gaps_of
from partnerships.agreements.queries.sharing import is_data_sharing_open
from partnerships.agreements.queries.terms import version_in_force
from partnerships.agreements.terms.contributions import contributions_of
from partnerships.conversations.models import Report
from partnerships.conversations.queries.facilitating import partnerships_watched_by, stuck_records_for
from partnerships.exchange.models import Entry
from partnerships.nominations.queries import nomination_terms_on, result_of, returns_of
from partnerships.organisations.models import Kind, Membership, Organisation
from partnerships.people.models import User
from partnerships.search.queries import search
from partnerships.search.services import index_stale
from partnerships.surveys.models import Round as Survey
from partnerships.surveys.queries.results import shown_comments
from partnerships.surveys.sealing import key_names
from partnerships.transfer.services.directory_files import directory_text
from tests.support.outbox import deliver
from tests.world import load_demonstration

pytestmark = pytest.mark.django_db


@pytest.fixture
def today() -> dt.date:
    """Return the local date."""
    return timezone.localdate()


@pytest.fixture(autouse=True)
def output(db: None) -> str:
    """Load the demonstration, and return what its command said."""
    return load_demonstration()


@pytest.fixture
def estuary(output: str) -> Partnership:
    """Return the partnership of the demonstration with the most records."""
    return Partnership.objects.get(title="Estuary Homes Partnership")


def test_demonstration_loads_without_emails(output: str) -> None:
    assert output.startswith("Loaded demo.json: 10 organisations, 17 people")
    assert Entry.objects.count() >= 25
    assert not deliver()


def test_people_of_the_demonstration_can_sign_in(client: Client) -> None:
    is_signed_in = client.login(email="amina@larkhaven.example", password="a-quiet-estuary-morning")

    assert is_signed_in


def test_people_of_the_demonstration_have_their_roles() -> None:
    assert User.objects.get(email="dee@commonground.example").is_superuser
    assert Membership.objects.current().filter(person__email="ben@westmarch.example", role="lead").exists()


def test_organisations_of_the_demonstration_are_marked() -> None:
    # The national bodies of the recommendations that come with Common Ground are real.
    national_kinds = [Kind.TRADE_BODY, Kind.GOVERNMENT_DEPARTMENT]

    assert not Organisation.objects.exclude(is_demonstration=True).exclude(kind__in=national_kinds).exists()


def test_organisations_of_the_demonstration_are_not_in_the_open_directory() -> None:
    text = directory_text()

    assert text.startswith("{")
    assert "Larkhaven" not in text


def test_demonstration_has_partnerships_in_every_important_status() -> None:
    statuses = set(Partnership.objects.values_list("status", flat=True))

    assert statuses >= {"exploring", "drafting", "active", "under_review", "suspended"}
    assert Partnership.objects.filter(title="Mill Lane design group", kind="working_group").exists()


def test_demonstration_has_a_vacant_post(today: dt.date) -> None:
    vacant_posts = Post.objects.vacant_on(today)

    assert [post.role for post in vacant_posts] == ["communications"]


def test_search_of_the_demonstration_finds_the_holder_of_a_post() -> None:
    ben = User.objects.get(name="Ben West")
    index_stale()

    hits = search(user=ben, text="Who do I ring about nominations in Westmarch?").hits

    assert strip_tags(hits[0].title).startswith("Nominations officer")


def test_demonstration_has_reports_in_every_status(estuary: Partnership) -> None:
    reports = Report.objects.filter(round__partnership=estuary)

    assert set(reports.values_list("status", flat=True)) == {"accepted", "returned", "draft"}


def test_demonstration_has_an_overdue_report(estuary: Partnership, today: dt.date) -> None:
    reports = Report.objects.filter(round__partnership=estuary)

    assert reports.overdue(today).exists()


def test_facilitator_of_the_demonstration_sees_what_is_stuck() -> None:
    ravi = User.objects.get(name="Ravi Reach")

    stuck_items = {
        item.what for _partnership, item in stuck_records_for(ravi, partnerships_watched_by(ravi), timezone.now())
    }

    assert stuck_items >= {"Progress report overdue", "No answer to an ask"}


def test_demonstration_has_a_closed_survey_with_comments_and_actions() -> None:
    survey = Survey.objects.get(status="closed")

    assert survey.figures.filter(group="").exists()
    assert set(shown_comments(survey)) == {"expect_more", "one_change"}
    assert survey.actions.exists()
    assert not key_names()


def test_demonstration_has_an_agreement_with_a_gap(today: dt.date) -> None:
    charter = Partnership.objects.get(title="Northmere Warm Welcome Charter")

    gap = gaps_of(User.objects.get(name="Nora Mere"), [charter.pk], today)[charter.pk]

    assert gap.days > 0


def test_demonstration_has_an_open_question_about_terms_beside_an_answered_one(estuary: Partnership) -> None:
    signatory = TermsSignatory.objects.waiting().get(version__partnership=estuary)
    signature = TermsSignature.objects.filter(version__partnership=estuary).exclude(answers=[]).get()

    assert signatory.questions == ["Can your board secretary attend a meeting every month?"]
    assert signature.answers[0]["question"] == "Which of your panels will choose the two tenants?"


def test_demonstration_has_a_nominations_agreement_with_two_returns(today: dt.date) -> None:
    partnership = Partnership.objects.get(title="Westmarch Nominations Agreement")
    agreement = partnership.nominations

    older_return, newer_return = returns_of(agreement).order_by("starts_on")

    assert is_data_sharing_open(partnership, today)
    assert nomination_terms_on(agreement, today) is not None
    assert agreement.provider.organisation.name == "Larkhaven Homes Limited"
    assert older_return.is_settled
    assert newer_return.is_sent
    total = result_of(newer_return).total
    assert total.lettings == 100
    assert total.shortfall


def test_demonstration_has_a_joint_venture_with_shares(today: dt.date) -> None:
    version = version_in_force(Partnership.objects.get(title="Harbourside Supported Homes"), today)

    assert version is not None
    assert "Harbour Community Trust" in {row["party"] for row in version.content["shares"]}


def test_demonstration_has_contributions_of_two_years(estuary: Partnership, today: dt.date) -> None:
    version = version_in_force(estuary, today)

    assert version is not None
    assert [year.total for year in contributions_of(version.content).years] == [85_000, 90_000]
