"""Importing Local Enterprise Partnerships as closed organisations."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict

from partnerships.organisations.models import Area, Kind, Organisation, Scheme, Status
from partnerships.organisations.services import create_organisation
from partnerships.transfer.models import Doubt
from partnerships.transfer.reading.leps import Lep
from partnerships.transfer.reading.names import lep_core_name
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.doubts import Doubts, NewDoubt, settled
from partnerships.transfer.services.rows import one_row

#: Core funding and functions of LEPs ended with the financial year. Lists of LEPs do not say so; an administrator can
#: give a LEP whose company goes on another date or status.
CLOSED_ON = dt.date(2024, 4, 1)


def apply_leps(listed: tuple[Lep, ...], directory: Directory, doubts: Doubts, run: Import) -> None:
    """Update the directory from a list of LEPs of any year."""
    seen: set[int] = set()
    codes = {lep.code for lep in listed}
    places = {lep_core_name(lep.name) for lep in listed}
    gone = [
        organisation
        for organisation in directory.organisations.values()
        if not run.listed.is_part
        and organisation.kind == Kind.LEP
        and directory.values(organisation, Scheme.LEP)  # from an earlier list; a LEP entered by hand may be missing
        and not directory.values(organisation, Scheme.LEP) & codes
        and not {lep_core_name(name) for name in directory.names[organisation.pk]} & places
        and not run.is_mentioned(directory.values(organisation, Scheme.LEP) | directory.names[organisation.pk])
    ]
    for done, lep in enumerate(listed, start=1):
        with one_row(lep.row, directory, run):
            body = _apply_lep(lep, codes, gone, directory, doubts, run)
            if body is not None:
                seen.add(body.pk)
        run.progress(done, len(listed))
    run.row = None
    asked = {candidate.pk for doubt in doubts.asked for candidate in doubt.candidates}
    expected = [organisation for organisation in directory.having(Scheme.LEP) if organisation.pk not in asked]
    directory.mark_listed(seen, expected, run)


def _apply_lep(
    lep: Lep, codes: set[str], gone: list[Organisation], directory: Directory, doubts: Doubts, run: Import
) -> Organisation | None:
    """Create, update or match one LEP; None if the row waits or is left out."""
    known = directory.holder(Scheme.LEP, lep.code)
    if known is not None:
        return _update(lep, known, directory, run)
    done: list[Organisation] = []
    if settled(
        doubts,
        lep.code,
        join=lambda body: done.append(_update(lep, directory.organisations[body.pk], directory, run)),
        create=lambda: done.append(_create(lep, directory, run)),
        leave=lambda: run.report.count("left_alone"),
    ):
        return done[0] if done else None
    organisations = [
        organisation
        for organisation in directory.organisations.values()
        if organisation.kind == Kind.LEP
        and not directory.values(organisation, Scheme.LEP) & codes
        and lep_core_name(lep.name) in {lep_core_name(name) for name in directory.names[organisation.pk]}
    ]
    if len(organisations) == 1:
        return _update(lep, organisations[0], directory, run)
    if gone:  # no LEP was founded after these lists, so one new and one missing are probably the same
        doubts.ask(
            run,
            NewDoubt(
                key=lep.code,
                name=lep.name,
                row={**asdict(lep), "districts": list(lep.districts)},
                why="its code and name are new, and another LEP is no longer in the list.",
                candidates=tuple(gone),
            ),
        )
        return None
    return _create(lep, directory, run)


def _create(lep: Lep, directory: Directory, run: Import) -> Organisation:
    """Create a LEP that has closed, with the districts that it served."""
    identifiers = [(str(Scheme.LEP), lep.code)]
    body = create_organisation(
        name=lep.name,
        kind=Kind.LEP,
        identifiers=identifiers,
        author=run.author,
        now=run.now,
        status=Status.DISSOLVED,
        valid_to=CLOSED_ON,
        region=_common_region([directory.district(code, name) for code, name in lep.districts]),
    )
    directory.adopt(body, identifiers=identifiers, names=[lep.name])
    _serve(lep, body, directory, run)
    count = len(lep.districts)
    served = f", served {count} {'district' if count == 1 else 'districts'}" if count else ""
    run.report.count("created", f"{body.name} ({lep.code}), closed{served}")
    return body


def _common_region(areas: list[Area]) -> Area | None:
    regions = {area.region for area in areas}
    return regions.pop() if len(regions) == 1 else None


def _update(lep: Lep, body: Organisation, directory: Directory, run: Import) -> Organisation:
    """Update a known LEP.

    Its name stays, because lists shorten it differently each year; all forms are kept.
    """
    said = directory.update(
        body, run, fields={}, identifiers=[(str(Scheme.LEP), lep.code)], names=[(lep.name, "alternative")]
    )
    added = _serve(lep, body, directory, run)
    if added:
        said.append(f"served {added} more {'district' if added == 1 else 'districts'}")
    if said:
        run.report.count("changed", f"{body.name} ({lep.code}): {'; '.join(said)}")
    else:
        run.report.count("left_alone")
    return body


def _serve(lep: Lep, body: Organisation, directory: Directory, run: Import) -> int:
    """Add the districts served; returns how many are new.

    Service ends when the LEP closed, or earlier if the district ended.
    """
    added = 0
    closed = body.valid_to
    for code, name in lep.districts:
        area = directory.district(code, name)
        ends = [day for day in (closed, area.valid_to) if day is not None]
        added += directory.serve(body, area, run, ends_on=min(ends) if ends else None)
    return added


def apply_lep_answer(doubt: Doubt, body: Organisation | None, directory: Directory, run: Import) -> Organisation:
    """Apply an answer: match the row to the organisation, or create one."""
    districts = tuple((code, name) for code, name in doubt.row["districts"])
    lep = Lep(doubt.row["row"], doubt.row["code"], doubt.row["name"], districts)
    if body is None:
        return _create(lep, directory, run)
    return _update(lep, directory.organisations[body.pk], directory, run)
