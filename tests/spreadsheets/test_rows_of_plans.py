"""Rows that a plan refuses are named as the file has them, and nothing wrong is imported."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.documents.services import drafting
from partnerships.plans.models import Plan
from partnerships.plans.queries import draft_content
from partnerships.plans.services import save_piece
from partnerships.spreadsheets.models import Upload
from partnerships.spreadsheets.services import ask_to_import
from tests.plans.drafts import save
from tests.spreadsheets.sheets import draft_items_by_name, imported_upload, row_counts, upload
from tests.world import World

MANY = "Name\tArea\n" + "".join(f"Site {number}\tFareham\n" for number in range(1, 21))


def test_table_with_a_column_for_each_year_names_its_own_rows_and_removes_lines(world: World, plan: Plan) -> None:
    data = (
        "Homes by year\n\nSite,Tenure,Beds,2027/28,2028/29,Total\nNQ1,Social Rent,2,0,9,9\n"
        "NQ1,Market sale,1,-,lots,\nNQ1,Sold,1,,3,3\n"
    )

    imported = imported_upload(plan, world.eddie, "homes", data)

    assert row_counts(imported) == {"changed": 1, "set_aside": 2}
    assert [(home["year"], home["count"]) for home in draft_items_by_name(plan, "sites")["North Quay"]["homes"]] == [
        ("2028-29", 9)
    ]
    messages = imported.report["lines"]["set_aside"]
    assert messages[0].startswith("Row 5, column “2028/29”: “lots” is not an amount.")
    assert messages[1].startswith("Row 6, column “Tenure”: “Sold” is not an allowed value.")


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("sites", "Reference,Name,Landowner\nA1,Mill Lane,The Crown\na1,Mill Lane,Harbour Trust\nA2,Mill Lane,\n"),
        ("milestones", "Milestone,Site,Forecast\nHandover,NQ1,2029\nhandover,North Quay,2030\nHandover,,2031\n"),
    ],
)
def test_two_rows_of_one_new_item_are_not_two_items(world: World, plan: Plan, kind: str, data: str) -> None:
    count_before = len(draft_content(plan)[kind])

    imported = imported_upload(plan, world.eddie, kind, data)

    assert row_counts(imported) == {"created": 2, "set_aside": 1}
    assert len(draft_content(plan)[kind]) == count_before + 2
    assert "as row 2." in imported.report["set_aside"][0][2]


def test_row_that_went_bad_after_the_preview_is_named(world: World, plan: Plan, client: Client) -> None:
    data = "Reference,Name,Landowner\nNQ1,North Quay,The Crown\nN2,Dock,\n"
    preview = upload(plan, world.eddie, "sites", data, all_or_nothing=True)
    save(plan, world, "sites/north-quay", landowner="Harbour Trust")
    client.force_login(world.eddie)

    html = client.post(reverse("spreadsheets:import", args=[preview.pk]), follow=True).content.decode()

    assert "Row 2: this site was changed since the preview." in html
    assert "Dock" not in draft_items_by_name(plan, "sites")


def test_site_removed_since_the_preview_does_not_come_back(world: World, plan: Plan) -> None:
    preview = upload(plan, world.eddie, "sites", "Reference,Name,Landowner\nNQ1,North Quay,The Crown\nN2,Dock,\n")
    save_piece(plan=plan, piece="sites/north-quay", value=None, based_on=None, author=world.amina, now=timezone.now())

    imported = ask_to_import(upload=preview, author=world.eddie, now=timezone.now())

    assert row_counts(imported) == {"created": 1, "set_aside": 1}
    assert "North Quay" not in draft_items_by_name(plan, "sites")


def test_file_that_its_preview_refuses_is_not_kept(
    world: World, plan: Plan, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafting, "MAX_ITEMS", 10)
    client.force_login(world.eddie)

    response = client.post(reverse("spreadsheets:new", args=["plan", plan.pk, "sites"]), {"rows": MANY})

    assert response.status_code == 422
    assert "A plan can have at most 10 sites. Remove some first." in response.content.decode()
    assert not Upload.objects.exists()
