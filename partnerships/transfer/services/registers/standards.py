"""Published lists that are not registers of organisations.

Planning data, names and changes of councils, and housing figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from partnerships.transfer.models import ImportRun, Register
from partnerships.transfer.reading import agreement_rows, brownfield_land, local_plans
from partnerships.transfer.reading.headings import Column
from partnerships.transfer.reading.housing_figures import READERS
from partnerships.transfer.services.brownfield_land.importing import apply_brownfield_land
from partnerships.transfer.services.code_lists import CODE_LISTS
from partnerships.transfer.services.councils.changes import CHANGES
from partnerships.transfer.services.councils.other_names import OTHER_NAMES
from partnerships.transfer.services.developer_agreements.importing import apply_developer_agreements
from partnerships.transfer.services.files import File, Given, unpack
from partnerships.transfer.services.housing_figures import apply_housing_figures
from partnerships.transfer.services.local_plans.documents import DOCUMENTS
from partnerships.transfer.services.local_plans.importing import apply_local_plans
from partnerships.transfer.services.local_plans.progress import PROGRESS
from partnerships.transfer.services.simple_lists import apply_simple_list


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a list: its label and its columns."""

    label: str
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class StandardFiles:
    """The files of a list, and what imports them in the caller's transaction."""

    parts: tuple[Part, ...]
    apply: Callable[[Given], ImportRun]


STANDARD_FILES = {
    Register.LOCAL_PLANS: StandardFiles(
        (Part("plans", local_plans.PLANS), Part("timetable", local_plans.TIMETABLE)), apply_local_plans
    ),
    Register.DEVELOPER_AGREEMENTS: StandardFiles(
        (
            Part("agreements", agreement_rows.AGREEMENTS),
            Part("contributions", agreement_rows.CONTRIBUTIONS),
            Part("transactions", agreement_rows.TRANSACTIONS),
        ),
        apply_developer_agreements,
    ),
    Register.BROWNFIELD_LAND: StandardFiles((Part("sites", brownfield_land.COLUMNS),), apply_brownfield_land),
    **{
        one.register: StandardFiles((Part("list", one.columns),), partial(apply_simple_list, listed=one))
        for one in (OTHER_NAMES, CHANGES, DOCUMENTS, PROGRESS, CODE_LISTS)
    },
    **{
        Register(series.value): StandardFiles(
            (Part("figures", reader.columns),), partial(apply_housing_figures, series=series)
        )
        for series, reader in READERS.items()
    },
}


def importer_of(register: str) -> Callable[[Given], ImportRun] | None:
    """The function that imports the files of a list.

    None for a register of organisations.
    """
    file = STANDARD_FILES.get(Register(register))
    return file.apply if file else None


def parts_of(register: str) -> Sequence[Part]:
    """The files that make up a list.

    Empty for a register of organisations.
    """
    file = STANDARD_FILES.get(Register(register))
    return file.parts if file else ()


def labels_of(register: str) -> list[str]:
    """The label of each file of a list.

    Empty for a register of organisations or a network file.
    """
    return [part.label for part in STANDARD_FILES[Register(register)].parts] if register in STANDARD_FILES else []


def files_in(register: str, file: File) -> list[File]:
    """The files of a list, unpacked if `pack` has put several into one."""
    return unpack(file.data) if len(parts_of(register)) > 1 else [file]
