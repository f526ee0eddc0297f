"""Save datasets of published figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from partnerships.housing_figures.models import Dataset, Figure
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User

#: The number of figures that are saved in one statement.
BATCH = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A release of a series, and the file from which its figures are saved as a `Dataset`."""

    series: str
    released_on: dt.date
    publisher: str
    licence: str
    file_name: str
    sha256: str


def save_dataset(
    *, release: Release, figures: Sequence[Figure], author: User | None, now: dt.datetime
) -> tuple[Dataset, set[str]]:
    """Save a dataset with its figures. Return it, and the codes of the areas that got new figures.

    Importing the same file again adds only the figures of areas that are new in the directory. The caller records the
    event.
    """
    with transaction.atomic():
        require(roles_of(author, now).may_change_directory)
        dataset, _ = Dataset.objects.get_or_create(
            series=release.series,
            released_on=release.released_on,
            sha256=release.sha256,
            defaults={
                "publisher": release.publisher,
                "licence": release.licence,
                "file_name": release.file_name[:300],
                "imported_at": now,
            },
        )
        return dataset, _add_new_figures(dataset, figures)


def add_corrected(*, dataset: Dataset, figures: Sequence[Figure], author: User | None, now: dt.datetime) -> set[str]:
    """Add the figures of corrected rows, and return the codes of the areas that got new figures.

    Existing figures do not change. Imports run one at a time, so the dataset is not locked.
    """
    with transaction.atomic():
        require(roles_of(author, now).may_change_directory)
        existing_keys = set(dataset.figures.values_list("code", "measure", "plan_key", "first_year", "last_year"))
        last_row = max(dataset.figures.values_list("row", flat=True), default=0)
        new_figures = [
            figure
            for figure in figures
            if (figure.code, figure.measure, figure.plan_key, figure.first_year, figure.last_year) not in existing_keys
        ]
        for figure in new_figures:
            # The corrected file numbers its rows from 1 again, so its numbers continue after those of the dataset.
            figure.row += last_row
        return _add_new_figures(dataset, new_figures)


def _add_new_figures(dataset: Dataset, figures: Sequence[Figure]) -> set[str]:
    """Save the figures of cells that are not in the dataset yet, and return the codes of their areas."""
    existing_cells = set(dataset.figures.values_list("row", "measure", "first_year", "last_year"))
    new_figures = [
        figure
        for figure in figures
        if (figure.row, figure.measure, figure.first_year, figure.last_year) not in existing_cells
    ]
    for figure in new_figures:
        figure.dataset = dataset
    Figure.objects.bulk_create(new_figures, batch_size=BATCH)
    return {figure.code for figure in new_figures}
