"""The kinds of register: how each is read and applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from partnerships.transfer.models import Register
from partnerships.transfer.reading import combined_authorities, councils, leps, providers
from partnerships.transfer.reading.about import About
from partnerships.transfer.reading.headings import Column
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.services.combined_authorities import apply_combined_authorities
from partnerships.transfer.services.councils import apply_councils
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.doubts import Doubts
from partnerships.transfer.services.leps import apply_leps
from partnerships.transfer.services.providers import apply_providers
from partnerships.transfer.services.registers.choices import Choices

Apply = Callable[[Directory, Doubts, Import], None]


def columns_of(register: str, sheets: Sequence[Sheet]) -> tuple[Column, ...]:
    """The columns that a list of this register can have."""
    if register == Register.LEPS:
        return leps.columns_of(sheets)
    columns = {
        Register.COUNCILS: councils.COLUMNS,
        Register.PROVIDERS: providers.COLUMNS,
        Register.COMBINED_AUTHORITIES: combined_authorities.COLUMNS,
    }
    return columns[Register(register)]


def reader_of(
    register: str, sheets: Sequence[Sheet], known: Mapping[str, str], choices: Choices
) -> tuple[About, Apply]:
    """How the sheets were read, and the function that applies them.

    Raises `UnableToRead`.
    """
    about, apply = _read(register, sheets, known, choices)
    return replace(about, is_part=about.is_corrected or choices.is_part), apply


def _read(register: str, sheets: Sequence[Sheet], known: Mapping[str, str], choices: Choices) -> tuple[About, Apply]:
    if register == Register.COUNCILS:
        listed = councils.read_councils(sheets, known, take_others=choices.take_others)
        return listed.about, lambda directory, doubts, run: apply_councils(listed, directory, doubts, run)
    if register == Register.LEPS:
        found = leps.read_leps(sheets, known)
        return found.about, lambda directory, doubts, run: apply_leps(found.leps, directory, doubts, run)
    if register == Register.PROVIDERS:
        bodies = providers.read_providers(sheets, known)
        return bodies.about, lambda directory, doubts, run: apply_providers(bodies, directory, doubts, run)
    if register == Register.COMBINED_AUTHORITIES:
        lookup = combined_authorities.read_combined_authorities(sheets, known)
        return lookup.about, lambda directory, doubts, run: apply_combined_authorities(
            lookup.authorities, directory, doubts, run
        )
    raise ValueError(f"{register} is no register of organisations")
