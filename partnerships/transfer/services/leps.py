"""Import Local Enterprise Partnerships, which are closed organisations."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict

from partnerships.kit.text import counted
from partnerships.organisations.models import Area, Kind, Organisation, Scheme, Status
from partnerships.organisations.services import create_organisation
from partnerships.transfer.models import Doubt
from partnerships.transfer.reading.leps import Lep
from partnerships.transfer.reading.names import lep_core_name
from partnerships.transfer.services.directory import Directory, RunningImport, alternative_names
from partnerships.transfer.services.refusals import set_aside_if_refused
from partnerships.transfer.services.rows_to_review import RowsToReview, RowToReview

#: The day after LEPs lost their core funding and functions, at the end of a financial year. Lists of LEPs do not have
#: the date. If a LEP's company continues, an administrator can correct its date or status.
CLOSED_ON = dt.date(2024, 4, 1)


def apply_leps(leps: tuple[Lep, ...], directory: Directory, rows_to_review: RowsToReview, run: RunningImport) -> None:
    """Update the directory from a list of LEPs of any year."""
    listed_codes = {lep.code for lep in leps}
    unlisted_leps = _unlisted_leps(leps, directory, run)
    listed_ids: set[int] = set()
    for done_count, lep in enumerate(leps, start=1):
        with set_aside_if_refused(lep.row, directory, run):
            organisation = _apply_lep(lep, listed_codes, unlisted_leps, directory, rows_to_review, run)
            if organisation is not None:
                listed_ids.add(organisation.pk)
        run.progress(done_count, len(leps))
    run.row = None

    candidate_ids = rows_to_review.candidate_ids
    expected = [
        organisation for organisation in directory.with_scheme(Scheme.LEP) if organisation.pk not in candidate_ids
    ]
    directory.mark_listed(listed_ids, expected, run)


def _unlisted_leps(leps: tuple[Lep, ...], directory: Directory, run: RunningImport) -> list[Organisation]:
    """Return the LEPs of earlier lists that this list does not have. There are none if it is only a part.

    LEPs that an administrator added have no code, and need not be in any list.
    """
    if run.list_file.is_part:
        return []
    listed_codes = {lep.code for lep in leps}
    listed_names = {lep_core_name(lep.name) for lep in leps}
    unlisted_leps = []
    for organisation in directory.organisations.values():
        codes = directory.values(organisation, Scheme.LEP)
        if (
            organisation.kind == Kind.LEP
            and codes
            and not codes & listed_codes
            and not _core_names(organisation, directory) & listed_names
            and not run.is_mentioned(codes | directory.names[organisation.pk])
        ):
            unlisted_leps.append(organisation)
    return unlisted_leps


def _core_names(organisation: Organisation, directory: Directory) -> set[str]:
    """Return the organisation's names without the words that only mean “a LEP”."""
    return {lep_core_name(name) for name in directory.names[organisation.pk]}


def _apply_lep(
    lep: Lep,
    listed_codes: set[str],
    unlisted_leps: list[Organisation],
    directory: Directory,
    rows_to_review: RowsToReview,
    run: RunningImport,
) -> Organisation | None:
    """Create or update one LEP. Return None if its row is left out or waits for review."""
    existing_organisation = directory.holder(Scheme.LEP, lep.code)
    if existing_organisation is not None:
        return _update(lep, existing_organisation, directory, run)

    answer = rows_to_review.answered_row(lep.code)
    if answer is not None:
        return _apply_answer(lep, answer, directory, run)

    namesakes = _namesakes(lep, listed_codes, directory)
    if len(namesakes) == 1:
        return _update(lep, namesakes[0], directory, run)
    if not unlisted_leps:
        return _create(lep, directory, run)
    # No LEP was founded after these lists, so a new code and name probably mean a LEP that is no longer listed.
    rows_to_review.add(
        run,
        RowToReview(
            key=lep.code,
            name=lep.name,
            row={**asdict(lep), "districts": list(lep.districts)},
            why="the code and name are new, and another LEP is no longer in the list.",
            candidates=tuple(unlisted_leps),
        ),
    )
    return None


def _apply_answer(lep: Lep, answer: Doubt, directory: Directory, run: RunningImport) -> Organisation | None:
    """Create or update the LEP as an administrator decided when reviewing an earlier list. None if it is left out."""
    if answer.is_left_out:
        run.report.count("left_alone")
        return None
    if answer.organisation is None:
        return _create(lep, directory, run)
    return _update(lep, directory.organisations[answer.organisation.pk], directory, run)


def _namesakes(lep: Lep, listed_codes: set[str], directory: Directory) -> list[Organisation]:
    """Return the LEPs with the same name whose code is not in the list."""
    return [
        organisation
        for organisation in directory.organisations.values()
        if organisation.kind == Kind.LEP
        and not directory.values(organisation, Scheme.LEP) & listed_codes
        and lep_core_name(lep.name) in _core_names(organisation, directory)
    ]


def _create(lep: Lep, directory: Directory, run: RunningImport) -> Organisation:
    """Create a LEP that has closed, with the districts that it served."""
    identifiers = [(str(Scheme.LEP), lep.code)]
    organisation = create_organisation(
        name=lep.name,
        kind=Kind.LEP,
        identifiers=identifiers,
        author=run.author,
        now=run.now,
        status=Status.DISSOLVED,
        valid_to=CLOSED_ON,
        region=_common_region([directory.district(code, name) for code, name in lep.districts]),
    )
    directory.remember(organisation, identifiers=identifiers, names=[lep.name])
    _add_districts(lep, organisation, directory, run)
    served_words = f", served {counted(len(lep.districts), 'district')}" if lep.districts else ""
    run.report.count("created", f"{organisation.name} ({lep.code}), closed{served_words}")
    return organisation


def _common_region(areas: list[Area]) -> Area | None:
    """Return the region of all these areas, or None if they are in several."""
    regions = {area.region for area in areas}
    return regions.pop() if len(regions) == 1 else None


def _update(lep: Lep, organisation: Organisation, directory: Directory, run: RunningImport) -> Organisation:
    """Update an existing LEP.

    Its name does not change, because lists shorten it differently each year. Other forms become alternative names.
    """
    changes = directory.update(
        organisation,
        run,
        fields={},
        identifiers=[(str(Scheme.LEP), lep.code)],
        names=alternative_names(lep.name),
    )
    added_count = _add_districts(lep, organisation, directory, run)
    if added_count:
        changes.append(f"served {counted(added_count, 'more district')}")
    if changes:
        run.report.count("changed", f"{organisation.name} ({lep.code}): {'; '.join(changes)}")
    else:
        run.report.count("left_alone")
    return organisation


def _add_districts(lep: Lep, organisation: Organisation, directory: Directory, run: RunningImport) -> int:
    """Add the districts that the LEP served, and return how many are new.

    The service ended when the LEP closed, or earlier if the district ended.
    """
    added_count = 0
    for code, name in lep.districts:
        area = directory.district(code, name)
        end_dates = [day for day in (organisation.valid_to, area.valid_to) if day is not None]
        if directory.serve(organisation, area, run, ends_on=min(end_dates, default=None)):
            added_count += 1
    return added_count


def apply_lep_answer(
    doubt: Doubt, organisation: Organisation | None, directory: Directory, run: RunningImport
) -> Organisation:
    """Save the LEP of a reviewed row as the chosen organisation, or as a new one."""
    districts = tuple((code, name) for code, name in doubt.row["districts"])
    lep = Lep(row=doubt.row["row"], code=doubt.row["code"], name=doubt.row["name"], districts=districts)
    if organisation is None:
        return _create(lep, directory, run)
    return _update(lep, directory.organisations[organisation.pk], directory, run)
