"""Who may save datasets of published figures: administrators who keep the directory."""

from __future__ import annotations

import datetime as dt
from typing import Any

from partnerships.housing_figures.models import Figure
from partnerships.housing_figures.services import Release, add_corrected, save_dataset
from partnerships.organisations.models import Area
from partnerships.people.models import User
from tests.support.rights import ADMINISTRATOR, Row
from tests.world import World


def _westmarch_area() -> Area:
    return Area.objects.get_or_create(code="E07900001", defaults={"name": "Westmarch", "kind": "district"})[0]


def _figure(year: int) -> Figure:
    area = _westmarch_area()
    return Figure(
        row=year,
        code=area.code,
        name=area.name,
        area=area,
        measure="net_additions",
        first_year=year,
        last_year=year + 1,
        value=120,
        status="published",
    )


def _saved_dataset(world: World, author: User | None) -> Any:
    release = Release(
        series="net-additions",
        released_on=dt.date(2025, 11, 20),
        publisher="A ministry",
        licence="Open Government Licence v3.0",
        file_name="table.csv",
        sha256="0" * 64,
    )
    dataset, _ = save_dataset(release=release, figures=[_figure(2023)], author=author, now=world.now)
    return dataset


ROWS = (
    Row(
        "housing_figures.save_dataset",
        lambda world, author, _: _saved_dataset(world, author),
        ADMINISTRATOR,
        prepare=lambda world: _westmarch_area(),
    ),
    Row(
        "housing_figures.add_corrected",
        lambda world, author, dataset: add_corrected(
            dataset=dataset, figures=[_figure(2024)], author=author, now=world.now
        ),
        ADMINISTRATOR,
        prepare=lambda world: _saved_dataset(world, None),
    ),
)

#: Every service checks the rights of its author.
WITHOUT_A_PERSON: dict[str, str] = {}
