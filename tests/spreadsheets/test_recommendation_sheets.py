"""Recommendations of reports from a spreadsheet are recorded for an organisation."""

from __future__ import annotations

import pytest
from django.utils import timezone

from partnerships.recommendations.models import Recommendation
from partnerships.spreadsheets.services import ask_to_import, upload_spreadsheet
from partnerships.spreadsheets.services.kinds import Target
from tests.spreadsheets.sheets import row_counts
from tests.world import World

pytestmark = pytest.mark.django_db

SHEET = (
    "Report,Year,Publisher,Recommendations in all,Reference,Recommendation,How certain,Addressed to,Themes\n"
    "Quay review,2018,Quay Institute,9,R1,Name one contact each.,Passage read,Councils; Housing associations,Data\n"
    "Quay review,2018,,,R2,Meet every year.,From memory,Westmarch Borough Council; LEPs,\n"
    "Quay review,2018,,,R3,Build towers.,Guessed,Councils,\n"
    "Quay review,2018,,,R4,Build more.,Written from memory,Nobody at all,\n"
)


def test_files_with_the_former_words_for_confidence_can_still_be_imported(world: World) -> None:
    upload = upload_spreadsheet(
        kind="recommendations",
        target=Target(organisation=world.larkhaven),
        data=(
            b"Report,Year,Recommendation,How certain,Addressed to\n"
            b"Quay review,2018,Meet every year.,Seen in the text,Councils\n"
            b"Quay review,2018,Build more.,seen in part,Councils\n"
            b"Quay review,2018,Count homes.,From memory,Councils\n"
        ),
        file_name="quay.csv",
        author=world.eddie,
        now=timezone.now(),
    )
    assert row_counts(ask_to_import(upload=upload, author=world.eddie, now=timezone.now())) == {"created": 3}
    imported = Recommendation.objects.filter(source__title="Quay review").order_by("position")

    assert [recommendation.confidence for recommendation in imported] == ["seen", "part", "memory"]


def test_others_are_imported_from_a_spreadsheet_and_bad_rows_set_aside(world: World) -> None:
    def import_data(data: str) -> dict[str, int]:
        upload = upload_spreadsheet(
            kind="recommendations",
            target=Target(organisation=world.larkhaven),
            data=data.encode(),
            file_name="quay.csv",
            author=world.eddie,
            now=timezone.now(),
        )
        return row_counts(ask_to_import(upload=upload, author=world.eddie, now=timezone.now()))

    assert import_data(SHEET) == {"created": 2, "set_aside": 2}
    second_recommendation = Recommendation.objects.get(reference="R2")
    assert second_recommendation.source.total == 9
    assert second_recommendation.source.recorded_for == world.larkhaven
    assert set(second_recommendation.addressees.values_list("kind", "organisation")) == {
        ("lep", None),
        ("", world.westmarch.pk),
    }
    assert import_data("\n".join(SHEET.splitlines()[:3]).replace("Meet every year", "Meet twice a year")) == {
        "left_alone": 1,
        "changed": 1,
    }
    without_themes = (
        SHEET.splitlines()[1].replace("Name one contact each", "Name two contacts each").replace("Data", "")
    )
    assert import_data(f"{SHEET.splitlines()[0]}\n{without_themes}\n") == {"changed": 1}
    first_recommendation = Recommendation.objects.get(reference="R1")
    assert first_recommendation.text == "Name two contacts each."
    assert first_recommendation.themes == ["data"]
