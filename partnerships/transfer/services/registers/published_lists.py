"""Published lists that are not registers of organisations, each with its files and import function.

These are files of the planning data standards, names and changes of councils, code lists, and housing figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading import agreement_rows, brownfield_land, plan_rows
from partnerships.transfer.reading.headings import Column
from partnerships.transfer.reading.housing_figures import READERS
from partnerships.transfer.services.brownfield_land.importing import apply_brownfield_land
from partnerships.transfer.services.code_lists import CODE_LISTS
from partnerships.transfer.services.councils.changes import CHANGES
from partnerships.transfer.services.councils.other_names import OTHER_NAMES
from partnerships.transfer.services.developer_agreements.importing import apply_developer_agreements
from partnerships.transfer.services.files import File, ImportRequest, unpack
from partnerships.transfer.services.housing_figures import apply_housing_figures
from partnerships.transfer.services.local_plans.documents import DOCUMENTS
from partnerships.transfer.services.local_plans.importing import apply_local_plans
from partnerships.transfer.services.local_plans.progress import PROGRESS
from partnerships.transfer.services.simple_lists import apply_simple_list

#: A function that imports the files of a list inside the caller's transaction.
Importer: TypeAlias = Callable[[ImportRequest], ImportRun]


@dataclass(frozen=True, slots=True)
class Part:
    """The label and the columns of one file of a list."""

    label: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class PublishedList:
    """The files of a list, and the function that imports them."""

    parts: tuple[Part, ...]
    importer: Importer


def _one_file(label: str, columns: tuple[Column, ...], importer: Importer) -> PublishedList:
    return PublishedList((Part(label, columns),), importer)


_PLANNING_DATA: dict[str, PublishedList] = {
    Register.LOCAL_PLANS: PublishedList(
        (Part("plans", plan_rows.PLANS), Part("timetable", plan_rows.TIMETABLE)),
        apply_local_plans,
    ),
    Register.DEVELOPER_AGREEMENTS: PublishedList(
        (
            Part("agreements", agreement_rows.AGREEMENTS),
            Part("contributions", agreement_rows.CONTRIBUTIONS),
            Part("transactions", agreement_rows.TRANSACTIONS),
        ),
        apply_developer_agreements,
    ),
    Register.BROWNFIELD_LAND: _one_file("sites", brownfield_land.COLUMNS, apply_brownfield_land),
}
_SIMPLE_LISTS: dict[str, PublishedList] = {
    simple_list.register: _one_file("list", simple_list.columns, partial(apply_simple_list, simple_list=simple_list))
    for simple_list in (OTHER_NAMES, CHANGES, DOCUMENTS, PROGRESS, CODE_LISTS)
}
_HOUSING_FIGURES: dict[str, PublishedList] = {
    series.value: _one_file("figures", reader.columns, partial(apply_housing_figures, series=series))
    for series, reader in READERS.items()
}
#: Published lists by the code of their register.
PUBLISHED_LISTS = _PLANNING_DATA | _SIMPLE_LISTS | _HOUSING_FIGURES


def importer_of(register: str) -> Importer | None:
    """Return the function that imports the files of a list, or None for a register of organisations."""
    published_list = PUBLISHED_LISTS.get(register)
    return published_list.importer if published_list else None


def parts_of(register: str) -> tuple[Part, ...]:
    """Return the files that make up a list. Empty for a register of organisations or a network file."""
    published_list = PUBLISHED_LISTS.get(register)
    return published_list.parts if published_list else ()


def labels_of(register: str) -> list[str]:
    """Return the label of each file of a list. Empty for a register of organisations or a network file."""
    return [part.label for part in parts_of(register)]


def files_in(register: str, file: File) -> list[File]:
    """Return the files of a list. If the list has several, they are unpacked from the archive that `pack` made."""
    return unpack(file.data) if len(parts_of(register)) > 1 else [file]
