"""The kinds of register, each with the functions that read and apply its lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from partnerships.organisations.models import Kind, Scheme
from partnerships.transfer.models import Register
from partnerships.transfer.reading import combined_authorities, councils, leps, providers
from partnerships.transfer.reading.headings import Column
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.other_bodies import OtherBody
from partnerships.transfer.reading.tables import Sheet
from partnerships.transfer.services.choices import Choices
from partnerships.transfer.services.combined_authorities import apply_combined_authorities
from partnerships.transfer.services.councils import apply_councils
from partnerships.transfer.services.directory import Directory, RunningImport
from partnerships.transfer.services.leps import apply_leps
from partnerships.transfer.services.older_lists import OlderEntry
from partnerships.transfer.services.providers import apply_providers
from partnerships.transfer.services.rows_to_review import RowsToReview

Apply = Callable[[Directory, RowsToReview, RunningImport], None]


@dataclass(frozen=True, slots=True)
class Reading:
    """A list after reading, and the function that applies it to the directory."""

    list_file: ListFile
    apply: Apply
    #: The rows in the form for a list that is older than the latest one, and only adds to histories.
    entries: tuple[OlderEntry, ...]


def columns_of(register: str, sheets: Sequence[Sheet]) -> tuple[Column, ...]:
    """Return the columns that a list of this register can have."""
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
    """Return the list of a register in the sheets. Raises `UnableToRead` if it is not such a list."""
    register_list = _read(register, sheets, known_headings, choices)
    list_file = replace(register_list.list_file, is_part=register_list.list_file.is_corrected or choices.is_part)
    return replace(register_list, list_file=list_file)


def _read(register: str, sheets: Sequence[Sheet], known_headings: Mapping[str, str], choices: Choices) -> Reading:
    """Read the sheets with the reader of the register, and choose the function that applies it."""
    if register == Register.COUNCILS:
        return _read_councils(sheets, known_headings, take_others=choices.take_others)
    if register == Register.LEPS:
        return _read_leps(sheets, known_headings)
    if register == Register.PROVIDERS:
        return _read_providers(sheets, known_headings)
    if register == Register.COMBINED_AUTHORITIES:
        return _read_combined_authorities(sheets, known_headings)
    raise ValueError(f"{register} is not a register of organisations")


def _read_councils(sheets: Sequence[Sheet], known_headings: Mapping[str, str], *, take_others: bool) -> Reading:
    """Read a list of councils, which may have other bodies too."""
    council_list = councils.read_councils(sheets, known_headings, take_others=take_others)
    council_entries = [_council_entry(council, council_list) for council in council_list.councils]
    other_entries = [_other_body_entry(body) for body in council_list.others]
    return Reading(
        list_file=council_list.list_file,
        apply=lambda directory, rows_to_review, run: apply_councils(council_list, directory, rows_to_review, run),
        entries=(*council_entries, *other_entries),
    )


def _read_leps(sheets: Sequence[Sheet], known_headings: Mapping[str, str]) -> Reading:
    """Read a list of Local Enterprise Partnerships."""
    lep_list = leps.read_leps(sheets, known_headings)
    return Reading(
        list_file=lep_list.list_file,
        apply=lambda directory, rows_to_review, run: apply_leps(lep_list.leps, directory, rows_to_review, run),
        entries=tuple(_lep_entry(lep) for lep in lep_list.leps),
    )


def _read_providers(sheets: Sequence[Sheet], known_headings: Mapping[str, str]) -> Reading:
    """Read a list of registered providers."""
    provider_list = providers.read_providers(sheets, known_headings)
    return Reading(
        list_file=provider_list.list_file,
        apply=lambda directory, rows_to_review, run: apply_providers(provider_list, directory, rows_to_review, run),
        entries=tuple(_provider_entry(provider) for provider in provider_list.providers),
    )


def _read_combined_authorities(sheets: Sequence[Sheet], known_headings: Mapping[str, str]) -> Reading:
    """Read a look-up of districts to combined authorities."""
    lookup = combined_authorities.read_combined_authorities(sheets, known_headings)
    return Reading(
        list_file=lookup.list_file,
        apply=lambda directory, rows_to_review, run: apply_combined_authorities(
            lookup.authorities, directory, rows_to_review, run
        ),
        entries=tuple(_combined_authority_entry(authority) for authority in lookup.authorities),
    )


def _council_entry(council: councils.Council, council_list: councils.CouncilList) -> OlderEntry:
    """Return a row as an entry of an older list."""
    # Lists without keys have the GSS code in place of the key.
    key = council.key if council.key != council.gss else ""
    return OlderEntry(
        row=council.row,
        name=council.name,
        kind=Kind.STRATEGIC_AUTHORITY if council.is_combined else Kind.COUNCIL,
        identifiers=_identifiers(
            (Scheme.LOCAL_AUTHORITY, key),
            (Scheme.GSS, council.gss),
            (Scheme.PLANNING_AREA, council.planning_area),
        ),
        begun_on=council.starts_on,
        ended_on=council.ends_on,
        is_official=council_list.has_keys,
    )


def _other_body_entry(body: OtherBody) -> OlderEntry:
    """Return the row of a body that is not a council as an entry of an older list."""
    return OlderEntry(
        row=body.row,
        name=body.name,
        kind=body.kind,
        identifiers=_identifiers(
            (Scheme.PLANNING_DATA, body.curie),
            (Scheme.GSS, body.gss),
            (Scheme.PLANNING_AREA, body.planning_area),
        ),
        is_of_register=False,
    )


def _lep_entry(lep: leps.Lep) -> OlderEntry:
    """Return a row as an entry of an older list.

    The name is not official, because lists shorten the names of LEPs differently each year.
    """
    return OlderEntry(
        row=lep.row, name=lep.name, kind=Kind.LEP, identifiers=((Scheme.LEP, lep.code),), is_official=False
    )


def _provider_entry(provider: providers.Provider) -> OlderEntry:
    """Return a row as an entry of an older list.

    The name of a council is not official here, because the list of councils has the official name.
    """
    schemes_and_values: list[tuple[Scheme, str]] = [(Scheme.RSH, provider.number)]
    if provider.is_council:
        # Councils registered in 2010 have the old ONS code of their area as their number.
        schemes_and_values += [
            (Scheme.LOCAL_AUTHORITY, provider.council_key),
            (Scheme.LOCAL_AUTHORITY_FORMER, provider.number),
        ]
    return OlderEntry(
        row=provider.row,
        name=provider.name,
        kind=Kind.COUNCIL if provider.is_council else Kind.REGISTERED_PROVIDER,
        identifiers=_identifiers(*schemes_and_values),
        begun_on=provider.registered_on,
        ended_on=provider.ended_on,
        is_official=not provider.is_council,
    )


def _combined_authority_entry(authority: combined_authorities.CombinedAuthority) -> OlderEntry:
    """Return a row as an entry of an older list."""
    return OlderEntry(
        row=authority.row,
        name=authority.name,
        kind=Kind.STRATEGIC_AUTHORITY,
        identifiers=((Scheme.GSS, authority.code),),
    )


def _identifiers(*pairs: tuple[Scheme, str]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of scheme and value that have a value."""
    return tuple((scheme, value) for scheme, value in pairs if value)
