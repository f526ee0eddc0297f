"""Plans from before documents were shared keep their ids, numbers, contents, signatures and addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.db import connection
from django.db.migrations.state import StateApps
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.plans import services
from partnerships.plans.content import normalise
from partnerships.plans.links import sign_off_token
from partnerships.plans.models import Plan, SignOff
from partnerships.plans.services.publishing import version_figures
from tests.plans.drafts import CONTENT
from tests.support.database import template_database
from tests.support.empty_database import separate_database, using_database
from tests.support.migrating import migrated_back
from tests.support.signing_in import signed_in
from tests.world import World, make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

#: The last migration before documents were shared.
OLD_MIGRATION = [("plans", "0011_reword_help_texts")]
#: The columns of each table that must stay the same, to the byte.
COLUMNS_BY_TABLE = {
    "plans_version": "id, plan_id, number, title, content::text, prose::text, prose_rules, figures::text, note, minor, "
    "author_id, organisation_id, published_at, embargo_until, source",
    "plans_draft": "id, plan_id, based_on, content::text, prose::text, pieces::text, revision, "
    "clean_revision, updated_at",
    "plans_signatory": "id, plan_id, organisation_id, role, due_on, asked_by_id, asked_at, reminded_at, removed_at, "
    "link_key",
    "plans_signoff": "id, plan_id, version_id, organisation_id, person_id, role, decision, reason, signed_at",
}


def rows() -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of versions, drafts and signatures, by table."""
    rows_by_table = {}
    with connection.cursor() as cursor:
        for table, columns in COLUMNS_BY_TABLE.items():
            cursor.execute(f"SELECT {columns} FROM {table} ORDER BY id")
            rows_by_table[table] = cursor.fetchall()
    return rows_by_table


def create_plan_of_older_release(apps: StateApps, world: World) -> int:
    """Create a plan that is waiting for Westmarch, and return its id.

    The plan has two versions, a draft and Larkhaven's signature.
    """
    now = timezone.now() - dt.timedelta(days=9)
    first_content = normalise(CONTENT)
    second_content = {**first_content, "about": {**first_content["about"], "summary": "Homes by the quay."}}
    draft_content = {**second_content, "about": {**second_content["about"], "source": "A report"}}
    plan = apps.get_model("plans", "Plan").objects.create(
        title="Old plan",
        kind="housing_strategy",
        status="awaiting_sign_off",
        audience="partnership",
        partnership_id=world.partnership.pk,
        current_number=2,
        open_number=2,
        substantive_number=1,
        open_at=now,
        first_published_at=now,
        last_published_at=now,
        created_at=now,
    )
    apps.get_model("plans", "PlanOwner").objects.create(plan=plan, organisation_id=world.larkhaven.pk, began_at=now)

    def create_version(number: int, content: dict[str, Any]) -> Any:
        return apps.get_model("plans", "Version").objects.create(
            plan=plan,
            number=number,
            title="Old plan",
            content=content,
            prose={"about/summary": "<p>Old HTML.</p>"},
            prose_rules="old",
            figures=version_figures(first_content, content, ()),
            note=f"Version {number}.",
            minor=number == 2,
            author_id=world.amina.pk,
            organisation_id=world.larkhaven.pk,
            published_at=now,
        )

    first_version = create_version(1, first_content)
    create_version(2, second_content)
    apps.get_model("plans", "Draft").objects.create(
        plan=plan,
        based_on=2,
        content=draft_content,
        pieces={"about": {"revision": 7, "by": world.amina.pk, "at": now.isoformat()}},
        revision=7,
        clean_revision=6,
        updated_at=now,
    )
    add_signatures(apps, world, first_version, now)
    return int(plan.pk)


def add_signatures(apps: StateApps, world: World, version: Any, now: dt.datetime) -> None:
    """Ask Larkhaven and Westmarch to sign the plan. Larkhaven has signed this version."""
    for organisation in (world.larkhaven, world.westmarch):
        apps.get_model("plans", "Signatory").objects.create(
            plan=version.plan,
            organisation_id=organisation.pk,
            role="Director",
            asked_at=now,
            link_key="0123456789abcdef",
        )
    apps.get_model("plans", "SignOff").objects.create(
        plan=version.plan,
        version=version,
        organisation_id=world.larkhaven.pk,
        person_id=world.amina.pk,
        role="Director",
        decision="approved",
        signed_at=now,
    )


class MigratedPlan(NamedTuple):
    """A plan that an older release created, after today's migrations."""

    world: World
    plan: Plan
    #: The rows of plans before these migrations.
    rows_before: dict[str, list[tuple[object, ...]]]

    @property
    def link_to_sign(self) -> str:
        """Return the link to sign in an email that the older release sent to Ben."""
        signatory = self.plan.signatories.get(organisation=self.world.westmarch)
        return reverse("plans:sign-by-link", kwargs={"token": sign_off_token(signatory, self.world.ben, 1)})


class MigratedDatabase(NamedTuple):
    """A database with the plan of an older release, after today's migrations. No session uses it."""

    name: str
    world: World
    plan_pk: int
    rows_before: dict[str, list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def migrated_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[MigratedDatabase]:
    """Create a plan as an older release did, and migrate its database, once for all tests of this module."""
    # Each process of the run has a test database of its own, so this name is unique.
    name = f"{connection.settings_dict['NAME']}_plans"
    with django_db_blocker.unblock(), separate_database(name, template=template_database()):
        with using_database(name):
            world = make_world()
            with migrated_back(OLD_MIGRATION) as executor:
                plan_pk = create_plan_of_older_release(executor.loader.project_state(OLD_MIGRATION).apps, world)
                rows_before = rows()
        yield MigratedDatabase(name, world, plan_pk, rows_before)


@pytest.fixture
def migrated_plan(migrated_database: MigratedDatabase) -> Iterator[MigratedPlan]:
    """Return the plan in a copy of the migrated database, which the test may change."""
    name = f"{migrated_database.name}_copy"
    with separate_database(name, template=migrated_database.name), using_database(name):
        plan = Plan.objects.get(pk=migrated_database.plan_pk)
        yield MigratedPlan(migrated_database.world, plan, migrated_database.rows_before)


def test_rows_of_plans_stay_the_same_to_the_byte(migrated_plan: MigratedPlan) -> None:
    assert rows() == migrated_plan.rows_before


@pytest.mark.parametrize("page", ["", "versions/1/", "versions/2/paper/", "sign-off/"])
def test_address_of_a_plan_still_works(migrated_plan: MigratedPlan, page: str) -> None:
    response = signed_in(migrated_plan.world.amina).get(f"/plans/{migrated_plan.plan.pk}/{page}")

    assert response.status_code == 200


def test_link_to_sign_still_works(migrated_plan: MigratedPlan) -> None:
    response = Client().get(migrated_plan.link_to_sign)

    assert response.status_code == 200


def test_plan_of_an_older_release_can_be_signed(migrated_plan: MigratedPlan) -> None:
    world, plan = migrated_plan.world, migrated_plan.plan
    decision = {"organisation": world.westmarch.pk, "decision": "approved", "reason": "", "number": "2"}

    response = Client().post(migrated_plan.link_to_sign, decision)

    assert response.status_code == 302
    assert SignOff.objects.filter(plan=plan).count() == 2


def test_plan_of_an_older_release_can_be_published(migrated_plan: MigratedPlan) -> None:
    world, plan, rows_before = migrated_plan

    version = services.publish_version(plan=plan, author=world.amina, note="Its source.", now=timezone.now())

    assert version.number == 3
    assert rows()["plans_version"][:2] == rows_before["plans_version"]
