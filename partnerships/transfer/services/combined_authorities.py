"""Importing combined authorities and the districts they consist of."""

from __future__ import annotations

from dataclasses import asdict

from partnerships.organisations.models import Area, AreaKind, CouncilType, Kind, Organisation, Scheme
from partnerships.organisations.services import create_organisation
from partnerships.transfer.models import Doubt
from partnerships.transfer.reading.combined_authorities import CombinedAuthority
from partnerships.transfer.reading.names import combined_place, council_place
from partnerships.transfer.reading.problems import unable
from partnerships.transfer.services.councils import follow_code
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.doubts import Doubts, NewDoubt, settled
from partnerships.transfer.services.rows import one_row


def apply_combined_authorities(
    listed: tuple[CombinedAuthority, ...], directory: Directory, doubts: Doubts, run: Import
) -> None:
    """Update the directory from a look-up of combined authorities.

    Raises `UnableToRead` if the directory has no councils yet.
    """
    if not any(organisation.kind == Kind.COUNCIL for organisation in directory.organisations.values()):
        raise unable(
            "the directory has no councils yet, and combined authorities consist of their districts.",
            "Import the list of councils first: import_register councils FILE.",
        )
    listed_codes = {code for authority in listed for code, _ in authority.districts}
    seen: set[int] = set()
    for done, authority in enumerate(listed, start=1):
        with one_row(authority.row, directory, run):
            body = _apply_authority(authority, listed_codes, directory, doubts, run)
            if body is not None:
                seen.add(body.pk)
        run.progress(done, len(listed))
    run.row = None
    asked = {candidate.pk for doubt in doubts.asked for candidate in doubt.candidates}
    expected = [
        organisation
        for organisation in directory.having(Scheme.GSS)
        if organisation.kind == Kind.STRATEGIC_AUTHORITY
        and not organisation.is_ended
        and organisation.pk not in asked
        and any(code.startswith("E47") for code in directory.values(organisation, Scheme.GSS))
    ]
    directory.mark_listed(seen, expected, run)


def _apply_authority(
    authority: CombinedAuthority, listed_codes: set[str], directory: Directory, doubts: Doubts, run: Import
) -> Organisation | None:
    """Update, create or ask about one authority. None if it waits for a decision."""
    known = directory.holder(Scheme.GSS, authority.code)
    if known is not None:
        return _update(authority, known, listed_codes, directory, run)
    done: list[Organisation] = []
    if settled(
        doubts,
        authority.code,
        join=lambda body: done.append(
            _update(authority, directory.organisations[body.pk], listed_codes, directory, run)
        ),
        create=lambda: done.append(_create(authority, listed_codes, directory, run)),
        leave=lambda: run.report.count("left_alone"),
    ):
        return done[0] if done else None
    place = combined_place(authority.name)
    alike = [
        organisation
        for organisation in directory.organisations.values()
        if organisation.kind == Kind.STRATEGIC_AUTHORITY
        and place in {combined_place(name) for name in (organisation.name, *directory.names[organisation.pk])}
    ]
    if alike:
        doubts.ask(
            run,
            NewDoubt(
                key=authority.code,
                name=authority.name,
                row={**asdict(authority), "districts": list(authority.districts)},
                why="its code is new, and an authority of this name has another. It may be recoded, or be a successor.",
                candidates=tuple(alike),
            ),
        )
        return None
    return _create(authority, listed_codes, directory, run)


def _create(authority: CombinedAuthority, listed_codes: set[str], directory: Directory, run: Import) -> Organisation:
    identifiers = [(str(Scheme.GSS), authority.code)]
    body = create_organisation(
        name=authority.name,
        kind=Kind.STRATEGIC_AUTHORITY,
        council_type=CouncilType.COMBINED,
        identifiers=identifiers,
        author=run.author,
        now=run.now,
    )
    directory.adopt(body, identifiers=identifiers, names=[authority.name])
    _serve(authority, body, listed_codes, directory, run)
    run.report.count("created", f"{body.name} ({authority.code}), {len(authority.districts)} districts")
    return body


def _update(
    authority: CombinedAuthority, body: Organisation, listed_codes: set[str], directory: Directory, run: Import
) -> Organisation:
    said = directory.update(
        body, run, fields={}, identifiers=[(str(Scheme.GSS), authority.code)], names=[(authority.name, "alternative")]
    )
    said += _serve(authority, body, listed_codes, directory, run)
    if said:
        run.report.count("changed", f"{body.name} ({authority.code}): {'; '.join(said)}")
    else:
        run.report.count("left_alone")
    return body


def _serve(
    authority: CombinedAuthority, body: Organisation, listed_codes: set[str], directory: Directory, run: Import
) -> list[str]:
    """Make the authority serve exactly the listed districts; say the changes.

    It keeps the districts that are not listed if the list is a part, or if a row about it was set aside.
    """
    is_whole = not (run.listed.is_part or run.is_mentioned((authority.code, authority.name)))
    own = directory.areas.get(authority.code) or directory.area(
        authority.code, name=authority.name, kind=AreaKind.COMBINED_AUTHORITY
    )
    recoded = follow_code(body, own, directory, run)
    districts = {_district(code, name, listed_codes, directory, run).pk for code, name in authority.districts}
    by_pk = {area.pk: area for area in directory.areas.values()}
    joined = [by_pk[pk] for pk in sorted(districts) if directory.serve(body, by_pk[pk], run)]
    left = [
        area
        for pk, rows in directory.served[body.pk].items()
        if is_whole
        and rows
        and (area := by_pk[pk]).kind == AreaKind.DISTRICT
        and pk not in districts
        and directory.end_service(body, area, run.as_of, run)
    ]
    lines = [line for line in recoded if "→" in line]
    if joined:
        lines.append(f"serves {_names(joined)}")
    if left:
        lines.append(f"no longer serves {_names(left)}")
    return lines


def _names(areas: list[Area]) -> str:
    return ", ".join(area.name for area in areas)


def _district(code: str, name: str, listed_codes: set[str], directory: Directory, run: Import) -> Area:
    """The area of a district.

    An unknown code with the name and tier of exactly one council, whose old code is not in the list, is its new code.
    """
    known = directory.areas.get(code)
    if known is not None:
        return known
    organisations = [
        organisation
        for organisation in directory.organisations.values()
        if organisation.kind == Kind.COUNCIL
        and not organisation.is_ended
        and council_place(name)
        in (council_place(organisation.name), council_place(organisation.short_name or organisation.name))
        and any(old[:3] == code[:3] for old in directory.values(organisation, Scheme.GSS))
        and not directory.values(organisation, Scheme.GSS) & listed_codes
    ]
    area = directory.district(code, name)
    if len(organisations) == 1:
        council = organisations[0]
        said = follow_code(council, area, directory, run)
        directory.update(council, run, fields={}, identifiers=[(str(Scheme.GSS), code)])
        run.report.count("changed", f"{council.name}: {'; '.join(said)}")
    return directory.areas[code]


def apply_combined_authority_answer(
    doubt: Doubt, body: Organisation | None, directory: Directory, run: Import
) -> Organisation:
    """Apply an answer: match the row to the organisation, or create one."""
    districts = tuple((code, name) for code, name in doubt.row["districts"])
    authority = CombinedAuthority(doubt.row["row"], doubt.row["code"], doubt.row["name"], districts)
    codes = {code for code, _ in districts}
    if body is None:
        return _create(authority, codes, directory, run)
    return _update(authority, directory.organisations[body.pk], codes, directory, run)
