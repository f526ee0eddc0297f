"""Keeping datasets of published figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from partnerships.housing_figures.models import Dataset, Figure
from partnerships.kit.rights import require
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User

#: Figures written in one statement.
BATCH = 5_000


def keep_dataset(
    *,
    series: str,
    released_on: dt.date,
    publisher: str,
    licence: str,
    file_name: str,
    sha256: str,
    figures: Sequence[Figure],
    author: User | None,
    now: dt.datetime,
) -> tuple[Dataset, set[str]]:
    """The dataset with these figures, and the codes of the areas that got new ones.

    The same file again adds the figures of areas that the directory did not have then, and changes nothing else. The
    import that calls this records the event.
    """
    with transaction.atomic():
        require(roles_of(author, now).keeps_directory)
        dataset, _ = Dataset.objects.get_or_create(
            series=series,
            released_on=released_on,
            sha256=sha256,
            defaults={
                "publisher": publisher,
                "licence": licence,
                "file_name": file_name[:300],
                "imported_at": now,
            },
        )
        return dataset, _add(dataset, figures)


def add_corrected(*, dataset: Dataset, figures: Sequence[Figure], author: User | None, now: dt.datetime) -> set[str]:
    """Add figures of rows that were set aside and corrected.

    Returns the codes of the areas that got new ones. What the dataset has for an area, measure, plan and years stays.
    Imports take turns, so no lock is needed.
    """
    with transaction.atomic():
        require(roles_of(author, now).keeps_directory)
        has = set(dataset.figures.values_list("code", "measure", "plan_key", "first_year", "last_year"))
        last = max(dataset.figures.values_list("row", flat=True), default=0)
        new = [
            figure
            for figure in figures
            if (figure.code, figure.measure, figure.plan_key, figure.first_year, figure.last_year) not in has
        ]
        for figure in new:
            figure.row += last
        return _add(dataset, new)


def _add(dataset: Dataset, figures: Sequence[Figure]) -> set[str]:
    has = set(dataset.figures.values_list("row", "measure", "first_year", "last_year"))
    new = [figure for figure in figures if (figure.row, figure.measure, figure.first_year, figure.last_year) not in has]
    for figure in new:
        figure.dataset = dataset
    Figure.objects.bulk_create(new, batch_size=BATCH)
    return {figure.code for figure in new}
