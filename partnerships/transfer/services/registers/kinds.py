"""The kinds of register: how each is read and applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from partnerships.organisations.models import Kind, Scheme
from partnerships.transfer.models import Register
from partnerships.transfer.reading import combined_authorities, councils, leps, providers
from partnerships.transfer.reading.about import About
from partnerships.transfer.reading.headings import Column
from partnerships.transfer.reading.other_bodies import OtherBody
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.combined_authorities import apply_combined_authorities
from partnerships.transfer.services.councils import apply_councils
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.doubts import Doubts
from partnerships.transfer.services.leps import apply_leps
from partnerships.transfer.services.providers import apply_providers
from partnerships.transfer.services.vintages import Entry

Apply = Callable[[Directory, Doubts, Import], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """A list that was read.

    How, its function to apply it, and its entries if it is an older one.
    """

    about: About
    apply: Apply
    entries: tuple[Entry, ...]


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


def read_register(
    register: str, sheets: Sequence[Sheet], known_headings: Mapping[str, str], choices: Choices
) -> Reading:
    """The list of a register in the sheets. Raises `UnableToRead`."""
    register_list = _read(register, sheets, known_headings, choices)
    about = replace(register_list.about, is_part=register_list.about.is_corrected or choices.is_part)
    return replace(register_list, about=about)


def _read(register: str, sheets: Sequence[Sheet], known_headings: Mapping[str, str], choices: Choices) -> Reading:
    """Read the sheets of a register of organisations.

    What it says, how to apply it, and its rows for matching.
    """
    if register == Register.COUNCILS:
        listed = councils.read_councils(sheets, known_headings, take_others=choices.take_others)
        return Reading(
            listed.about,
            lambda directory, doubts, run: apply_councils(listed, directory, doubts, run),
            (*(_council(council, listed) for council in listed.councils), *map(_other, listed.others)),
        )
    if register == Register.LEPS:
        register_list = leps.read_leps(sheets, known_headings)
        return Reading(
            register_list.about,
            lambda directory, doubts, run: apply_leps(register_list.leps, directory, doubts, run),
            # Each year shortens their names in another way.
            tuple(
                Entry(lep.row, lep.name, Kind.LEP, ((Scheme.LEP, lep.code),), is_official=False)
                for lep in register_list.leps
            ),
        )
    if register == Register.PROVIDERS:
        bodies = providers.read_providers(sheets, known_headings)
        return Reading(
            bodies.about,
            lambda directory, doubts, run: apply_providers(bodies, directory, doubts, run),
            tuple(_provider(provider) for provider in bodies.providers),
        )
    if register == Register.COMBINED_AUTHORITIES:
        lookup = combined_authorities.read_combined_authorities(sheets, known_headings)
        return Reading(
            lookup.about,
            lambda directory, doubts, run: apply_combined_authorities(lookup.authorities, directory, doubts, run),
            tuple(
                Entry(authority.row, authority.name, Kind.STRATEGIC_AUTHORITY, ((Scheme.GSS, authority.code),))
                for authority in lookup.authorities
            ),
        )
    raise ValueError(f"{register} is not a register of organisations")


def _council(one: councils.Council, listed: councils.CouncilList) -> Entry:
    keys = (
        (Scheme.LOCAL_AUTHORITY, one.key),
        (Scheme.GSS, one.gss),
        (Scheme.PLANNING_AREA, one.planning_area),
    )
    return Entry(
        row=one.row,
        name=one.name,
        kind=Kind.STRATEGIC_AUTHORITY if one.is_combined else Kind.COUNCIL,
        identifiers=tuple(pair for pair in keys if pair[1] and pair != (Scheme.LOCAL_AUTHORITY, one.gss)),
        begun_on=one.starts_on,
        ended_on=one.ends_on,
        is_official=listed.is_whole,
    )


def _other(body: OtherBody) -> Entry:
    keys = ((Scheme.PLANNING_DATA, body.curie), (Scheme.GSS, body.gss), (Scheme.PLANNING_AREA, body.planning_area))
    return Entry(
        row=body.row,
        name=body.name,
        kind=body.kind,
        identifiers=tuple(pair for pair in keys if pair[1]),
        is_of_register=False,
    )


def _provider(one: providers.Provider) -> Entry:
    keys = [(Scheme.RSH, one.number)]
    if one.is_council:
        keys += [(Scheme.LOCAL_AUTHORITY, one.council_key), (Scheme.LOCAL_AUTHORITY_FORMER, one.number)]
    return Entry(
        row=one.row,
        name=one.name,
        kind=Kind.COUNCIL if one.is_council else Kind.REGISTERED_PROVIDER,
        identifiers=tuple(pair for pair in keys if pair[1]),
        begun_on=one.registered_on,
        ended_on=one.ended_on,
        is_official=not one.is_council,
    )
