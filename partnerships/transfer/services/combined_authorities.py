"""Import combined authorities and the districts that they consist of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from partnerships.kit.text import counted
from partnerships.organisations.models import Area, AreaKind, CouncilType, Kind, Organisation, Scheme
from partnerships.organisations.services import create_organisation
from partnerships.transfer.models import Doubt
from partnerships.transfer.reading.combined_authorities import CombinedAuthority
from partnerships.transfer.reading.names import combined_place, council_place
from partnerships.transfer.reading.problems import refuse_file
from partnerships.transfer.services.councils import update_area_of_code
from partnerships.transfer.services.directory import Directory, RunningImport, alternative_names
from partnerships.transfer.services.refusals import set_aside_if_refused
from partnerships.transfer.services.rows_to_review import RowsToReview, RowToReview


def apply_combined_authorities(
    authorities: tuple[CombinedAuthority, ...], directory: Directory, rows_to_review: RowsToReview, run: RunningImport
) -> None:
    """Update the directory from a look-up of districts to combined authorities.

    Authorities that the list lacks are marked as missing from it. Raises `UnableToRead` if the directory has no
    councils yet.
    """
    if not any(organisation.kind == Kind.COUNCIL for organisation in directory.organisations.values()):
        raise refuse_file(
            "the directory has no councils yet, and combined authorities are made up of councils.",
            "Import the list of councils first: import_register councils FILE.",
        )
    listed_district_codes = {code for authority in authorities for code, _ in authority.districts}
    listed_ids: set[int] = set()
    for done_count, authority in enumerate(authorities, start=1):
        with set_aside_if_refused(authority.row, directory, run):
            organisation = _apply_authority(authority, listed_district_codes, directory, rows_to_review, run)
            if organisation is not None:
                listed_ids.add(organisation.pk)
        run.progress(done_count, len(authorities))
    run.row = None

    directory.mark_listed(listed_ids, _expected_authorities(directory, rows_to_review), run)


def _expected_authorities(directory: Directory, rows_to_review: RowsToReview) -> list[Organisation]:
    """Return the authorities that a complete list must have, which are active and have a combined authority's code.

    Candidates of rows to review are left out, because one of them may be in the list.
    """
    candidate_ids = rows_to_review.candidate_ids
    expected = []
    for organisation in directory.with_scheme(Scheme.GSS):
        if organisation.kind != Kind.STRATEGIC_AUTHORITY or organisation.is_ended or organisation.pk in candidate_ids:
            continue
        if any(code.startswith("E47") for code in directory.values(organisation, Scheme.GSS)):
            expected.append(organisation)
    return expected


def _apply_authority(
    authority: CombinedAuthority,
    listed_district_codes: set[str],
    directory: Directory,
    rows_to_review: RowsToReview,
    run: RunningImport,
) -> Organisation | None:
    """Update or create one authority. Return None if its row is left out or waits for review."""
    existing_organisation = directory.holder(Scheme.GSS, authority.code)
    if existing_organisation is not None:
        return _update(authority, existing_organisation, listed_district_codes, directory, run)

    answer = rows_to_review.answered_row(authority.code)
    if answer is not None:
        return _apply_answer(authority, answer, listed_district_codes, directory, run)

    namesakes = _namesakes(authority, directory)
    if not namesakes:
        return _create(authority, listed_district_codes, directory, run)
    rows_to_review.add(
        run,
        RowToReview(
            key=authority.code,
            name=authority.name,
            row={**asdict(authority), "districts": list(authority.districts)},
            why="the code is new, but an authority with this name has another code. The authority may have a new "
            "code, or be a successor.",
            candidates=namesakes,
        ),
    )
    return None


def _apply_answer(
    authority: CombinedAuthority,
    answer: Doubt,
    listed_district_codes: set[str],
    directory: Directory,
    run: RunningImport,
) -> Organisation | None:
    """Update or create the authority as an administrator decided when reviewing an earlier list.

    Returns None if the row is left out.
    """
    if answer.is_left_out:
        run.report.count("left_alone")
        return None
    if answer.organisation is None:
        return _create(authority, listed_district_codes, directory, run)
    organisation = directory.organisations[answer.organisation.pk]
    return _update(authority, organisation, listed_district_codes, directory, run)


def _namesakes(authority: CombinedAuthority, directory: Directory) -> tuple[Organisation, ...]:
    """Return the combined authorities in the directory that have the place of this one in a name."""
    place = combined_place(authority.name)
    return tuple(
        organisation
        for organisation in directory.organisations.values()
        if organisation.kind == Kind.STRATEGIC_AUTHORITY
        and place in {combined_place(name) for name in (organisation.name, *directory.names[organisation.pk])}
    )


def _create(
    authority: CombinedAuthority, listed_district_codes: set[str], directory: Directory, run: RunningImport
) -> Organisation:
    """Create the organisation of a combined authority, and make it serve its districts."""
    identifiers = [(str(Scheme.GSS), authority.code)]
    organisation = create_organisation(
        name=authority.name,
        kind=Kind.STRATEGIC_AUTHORITY,
        council_type=CouncilType.COMBINED,
        identifiers=identifiers,
        author=run.author,
        now=run.now,
    )
    directory.remember(organisation, identifiers=identifiers, names=[authority.name])
    _update_districts(authority, organisation, listed_district_codes, directory, run)
    run.report.count(
        "created", f"{organisation.name} ({authority.code}), {counted(len(authority.districts), 'district')}"
    )
    return organisation


def _update(
    authority: CombinedAuthority,
    organisation: Organisation,
    listed_district_codes: set[str],
    directory: Directory,
    run: RunningImport,
) -> Organisation:
    """Update the organisation and its districts.

    Its name does not change. The name in the list becomes an alternative name.
    """
    changes = directory.update(
        organisation,
        run,
        fields={},
        identifiers=[(str(Scheme.GSS), authority.code)],
        names=alternative_names(authority.name),
    )
    changes += _update_districts(authority, organisation, listed_district_codes, directory, run)
    if changes:
        run.report.count("changed", f"{organisation.name} ({authority.code}): {'; '.join(changes)}")
    else:
        run.report.count("left_alone")
    return organisation


def _update_districts(
    authority: CombinedAuthority,
    organisation: Organisation,
    listed_district_codes: set[str],
    directory: Directory,
    run: RunningImport,
) -> list[str]:
    """Make the authority serve exactly the listed districts, and return the changes in words.

    Districts that are not listed are not removed if the list is only a part, or if a row about the authority was set
    aside.
    """
    own_area = directory.areas.get(authority.code) or directory.area(
        authority.code, name=authority.name, kind=AreaKind.COMBINED_AUTHORITY
    )
    changes = [change for change in update_area_of_code(organisation, own_area, directory, run) if "→" in change]

    district_ids = {
        _district(code, name, listed_district_codes, directory, run).pk for code, name in authority.districts
    }
    area_by_pk = {area.pk: area for area in directory.areas.values()}
    new_districts = [
        area_by_pk[pk] for pk in sorted(district_ids) if directory.serve(organisation, area_by_pk[pk], run)
    ]
    if new_districts:
        changes.append(f"serves {_names(new_districts)}")

    has_every_district = not (run.list_file.is_part or run.is_mentioned((authority.code, authority.name)))
    if has_every_district:
        former_districts = _end_other_districts(organisation, district_ids, directory, run)
        if former_districts:
            changes.append(f"no longer serves {_names(former_districts)}")
    return changes


def _end_other_districts(
    organisation: Organisation, district_ids: set[int], directory: Directory, run: RunningImport
) -> list[Area]:
    """End the authority's service of all districts but these, and return the districts whose service has ended now."""
    area_by_pk = {area.pk: area for area in directory.areas.values()}
    former_districts: list[Area] = []
    for pk, services in directory.served[organisation.pk].items():
        area = area_by_pk[pk]
        is_other_district = bool(services) and area.kind == AreaKind.DISTRICT and pk not in district_ids
        if is_other_district and directory.end_service(organisation, area, run.as_of, run):
            former_districts.append(area)
    return former_districts


def _names(areas: Iterable[Area]) -> str:
    """Return the names of the areas, separated by commas."""
    return ", ".join(area.name for area in areas)


def _district(code: str, name: str, listed_district_codes: set[str], directory: Directory, run: RunningImport) -> Area:
    """Return the area of a district. Create it if the directory has no area with this code.

    A new code is the new code of a council that has the district's name and tier, if there is exactly one such council
    and its old code is not in the list.
    """
    if code in directory.areas:
        return directory.areas[code]

    def may_have_new_code(organisation: Organisation) -> bool:
        if organisation.kind != Kind.COUNCIL or organisation.is_ended:
            return False
        old_codes = directory.values(organisation, Scheme.GSS)
        # The first three characters of a code are its tier.
        has_same_tier = any(old_code[:3] == code[:3] for old_code in old_codes)
        return has_same_tier and not old_codes & listed_district_codes and _has_place(organisation, council_place(name))

    area = directory.district(code, name)
    councils = [organisation for organisation in directory.organisations.values() if may_have_new_code(organisation)]
    if len(councils) == 1:
        council = councils[0]
        changes = update_area_of_code(council, area, directory, run)
        directory.update(council, run, fields={}, identifiers=[(str(Scheme.GSS), code)])
        run.report.count("changed", f"{council.name}: {'; '.join(changes)}")
    return directory.areas[code]


def _has_place(council: Organisation, place: str) -> bool:
    """Return whether the council's name or short name is the name of this place."""
    return place in (council_place(council.name), council_place(council.short_name or council.name))


def apply_combined_authority_answer(
    doubt: Doubt, organisation: Organisation | None, directory: Directory, run: RunningImport
) -> Organisation:
    """Save the authority of a reviewed row as the chosen organisation, or as a new one."""
    districts = tuple((code, name) for code, name in doubt.row["districts"])
    authority = CombinedAuthority(
        row=doubt.row["row"], code=doubt.row["code"], name=doubt.row["name"], districts=districts
    )
    district_codes = {code for code, _ in districts}
    if organisation is None:
        return _create(authority, district_codes, directory, run)
    return _update(authority, directory.organisations[organisation.pk], district_codes, directory, run)
