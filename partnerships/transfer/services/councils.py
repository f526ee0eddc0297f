"""Importing councils and combined authorities, areas and successions."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from partnerships.kit.dates import long_date
from partnerships.kit.names import fold_name
from partnerships.organisations.models import (
    Area,
    AreaKind,
    Kind,
    Organisation,
    Scheme,
    Status,
    SuccessionKind,
)
from partnerships.organisations.services import create_organisation, dissolve, record_succession
from partnerships.transfer.models import Answer, Doubt
from partnerships.transfer.reading.councils import REGION_NAMES, Council, CouncilList
from partnerships.transfer.reading.names import combined_place, council_place
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.services.directory import Directory, Import, alternative_names
from partnerships.transfer.services.doubts import Doubts, NewDoubt, distinct

#: The Greater London Authority's code names the body; its area is the region.
LONDON = "E12000007"
_AREA_KINDS = {"CTY": AreaKind.COUNTY, "COMB": AreaKind.COMBINED_AUTHORITY, "SRA": AreaKind.REGION}
_GOVERNING = (Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY)
#: Maximum organisations offered for a row to review.
_MAX_OFFERED = 12
_DATES = ("starts_on", "ends_on")
_TUPLES = ("successors", "alternatives", "former_codes")


def bring_councils(listed: CouncilList, directory: Directory, doubts: Doubts, run: Import) -> None:
    """Update the directory from a list of councils.

    Raises `UnableToRead` if the list contradicts itself or the directory.
    """
    _check(listed, directory)
    if listed.elsewhere:
        run.report.remark(f"{listed.elsewhere:,} rows of councils outside England were left aside.")
    councils = _as_at(listed.councils, run)
    matching = _Matching(listed, directory, doubts, run)
    known = matching.matched(councils)
    decided = tuple(council for council in councils if council.key in known)
    areas = _areas(decided, directory, names_are_areas=not listed.is_whole)
    bodies: dict[str, Organisation] = {}
    for done, council in enumerate(decided, start=1):
        run.row = council.row
        bodies[council.key] = _body(
            council,
            known[council.key],
            areas[council.key],
            directory,
            run,
            official=listed.is_whole,
            joined=council.key in matching.joined,
        )
        run.progress(done, len(decided))
    run.row = None
    _successions(decided, bodies, {council.key for council in councils} - bodies.keys(), directory, run)
    types = {council.type for council in listed.councils}
    knows_ended = any(not council.is_current for council in listed.councils)
    asked = {one.pk for doubt in doubts.asked for one in doubt.candidates}
    expected = [
        one
        for one in directory.having(Scheme.LOCAL_AUTHORITY if listed.is_whole else Scheme.GSS)
        if one.kind in _GOVERNING
        and one.pk not in asked
        and (listed.is_whole or one.council_type in types)
        and (knows_ended or not one.is_ended)
    ]
    directory.mark_listed({one.pk for one in bodies.values()}, expected, run)


def _as_at(councils: Sequence[Council], run: Import) -> tuple[Council, ...]:
    """The councils as they were on the list's date.

    Ends after it are ignored, ends before it count.
    """
    later = [one for one in councils if one.ends_on and one.ends_on > run.as_of and not one.is_current]
    if later:
        words = ", ".join(f"{one.name} ({long_date(one.ends_on)})" for one in later[:10] if one.ends_on)
        run.report.remark(f"{len(later):,} in the list end after its day and stay until then: {words}.")
    return tuple(
        replace(one, is_current=one.ends_on > run.as_of) if one.ends_on is not None else one for one in councils
    )


def find_council(council: Council, directory: Directory) -> Organisation | None:
    """The organisation of a row, by key or else by code, old or new."""
    return directory.holder(Scheme.LOCAL_AUTHORITY, council.key) or directory.holder(Scheme.GSS, council.gss)


class _Matching:
    """Matches rows to organisations, by key or code, or else by name.

    A name must be unambiguous; otherwise the row is left for review.
    """

    def __init__(self, listed: CouncilList, directory: Directory, doubts: Doubts, run: Import) -> None:
        self._listed = listed
        self._directory = directory
        self._doubts = doubts
        self._run = run
        self._codes = {council.gss for council in listed.councils}
        #: Rows that were matched by name alone.
        self.joined: set[str] = set()
        self._of_place: dict[tuple[str, str], list[Organisation]] = defaultdict(list)
        self._places: dict[int, set[str]] = {}
        for body in directory.organisations.values():
            if body.kind in _GOVERNING:
                names = {body.name, body.short_name, *directory.names[body.pk]} - {""}
                self._places[body.pk] = {_place(name, combined=body.kind != Kind.COUNCIL) for name in names}
                for place in self._places[body.pk]:
                    self._of_place[body.kind, place].append(body)

    def matched(self, councils: Sequence[Council]) -> dict[str, Organisation | None]:
        """The organisation of each row by the row's key; None for a new one.

        Rows left for review are missing.
        """
        found: dict[str, Organisation | None] = {}
        taken: dict[int, Council] = {}
        waiting = []
        for council in councils:
            body = find_council(council, self._directory)
            if body is None:
                waiting.append(council)
            elif others := self._contradicting(council, body):
                if self._doubts.answer(council.key) is None:
                    self._ask(council, (body, *others), f"the code is that of {body.name}, the name is not.")
                else:
                    waiting.append(council)
            else:
                found[council.key] = body
                taken[body.pk] = council
        for council in waiting:
            answer = self._doubts.answer(council.key)
            if answer is None:
                self._by_name(council, found, taken)
            elif answer.answer == Answer.LEAVE_OUT:
                self._run.report.note("left_alone")
            else:
                body = self._directory.organisations[answer.organisation.pk] if answer.organisation else None
                found[council.key] = body
                if body is not None:
                    taken[body.pk] = council
        return found

    def _contradicting(self, council: Council, body: Organisation) -> list[Organisation]:
        """Other organisations with the row's name.

        Only for lists of codes and names, and only if the name differs from the matched organisation's.
        """
        place = _place(council.name, combined=council.is_combined)
        if self._listed.is_whole or body.kind not in _GOVERNING or place in self._places[body.pk]:
            return []
        return [one for one in self._alike(council) if one.pk != body.pk and not one.is_ended]

    def _alike(self, council: Council) -> list[Organisation]:
        kind = Kind.STRATEGIC_AUTHORITY if council.is_combined else Kind.COUNCIL
        names = (council.name, council.short_name) if council.short_name else (council.name,)
        return list(
            distinct(one for name in names for one in self._of_place[kind, _place(name, combined=council.is_combined)])
        )

    def _by_name(self, council: Council, found: dict[str, Organisation | None], taken: dict[int, Council]) -> None:
        # Keys tell two councils of the same name apart; codes and names do not.
        alike = [one for one in self._alike(council) if one.pk not in taken or not self._listed.is_whole]
        living = [one for one in alike if not one.is_ended]
        one_is_left = len(living) == 1 and living[0].pk not in taken
        if one_is_left and council.is_current and self._is_sure(living[0], council):
            found[council.key] = living[0]
            taken[living[0].pk] = council
            self.joined.add(council.key)
        elif living or (alike and council.is_current):
            words = "it is new here under this key and code, but the name is there already."
            self._ask(council, tuple(alike), f"{words} It may be recoded, or a successor.")
        elif gone := self._gone(council, taken):
            self._ask(
                council, tuple(gone), "its code and name are new, while this list no longer has others of its kind."
            )
        else:
            found[council.key] = None

    def _is_sure(self, body: Organisation, council: Council) -> bool:
        """Whether the one active organisation with the row's name is the row's.

        It must have the row's tier, and no key or code that another row has. Never sure for a combined authority with a
        code: it may be a successor.
        """
        codes = self._directory.values(body, Scheme.GSS)
        if self._listed.is_whole and self._directory.values(body, Scheme.LOCAL_AUTHORITY) - {council.key}:
            return False
        if not codes:
            return body.council_type in ("", council.type) and fold_name(body.name) == fold_name(council.name)
        return not council.is_combined and self._is_of_tier(body, council) and not codes & self._codes

    def _is_of_tier(self, body: Organisation, council: Council) -> bool:
        codes = self._directory.values(body, Scheme.GSS)
        return any(code[:3] == council.gss[:3] for code in codes)

    def _gone(self, council: Council, taken: dict[int, Council]) -> list[Organisation]:
        """Active organisations of the row's tier that the list lacks.

        Only for lists of codes and names: one of them may have changed both.
        """
        if self._listed.is_whole:
            return []
        return [
            one
            for one in self._directory.organisations.values()
            if one.kind in _GOVERNING
            and not one.is_ended
            and one.pk not in taken
            and self._is_of_tier(one, council)
            and not self._directory.values(one, Scheme.GSS) & self._codes
        ][:_MAX_OFFERED]

    def _ask(self, council: Council, candidates: Sequence[Organisation], why: str) -> None:
        self._doubts.ask(
            self._run, NewDoubt(council.key, council.name, _as_row(council, self._listed), why, distinct(candidates))
        )


def _place(name: str, *, combined: bool) -> str:
    return combined_place(name) if combined else council_place(name)


def _as_row(council: Council, listed: CouncilList) -> dict[str, Any]:
    row = asdict(council) | {"official": listed.is_whole}
    row |= {name: row[name].isoformat() if row[name] else None for name in _DATES}
    return row | {name: list(row[name]) for name in _TUPLES}


def apply_council_answer(doubt: Doubt, body: Organisation | None, directory: Directory, run: Import) -> Organisation:
    """Apply an answer: match the row to the organisation, or create one."""
    row = dict(doubt.row)
    official = row.pop("official")
    row |= {name: dt.date.fromisoformat(row[name]) if row[name] else None for name in _DATES}
    row |= {name: tuple(row[name]) for name in _TUPLES}
    council = Council(**row)
    area = _areas((council,), directory, names_are_areas=not official)[council.key]
    known = directory.organisations[body.pk] if body is not None else None
    return _body(council, known, area, directory, run, official=official, joined=known is not None)


def _check(listed: CouncilList, directory: Directory) -> None:
    problems: list[Problem] = []
    keys = {council.key for council in listed.councils}
    claimed: dict[int, Council] = {}
    for council in listed.councils:
        by_key = directory.holder(Scheme.LOCAL_AUTHORITY, council.key)
        by_code = directory.holder(Scheme.GSS, council.gss)
        if by_key and by_code and by_key.pk != by_code.pk:
            problems.append(
                Problem(
                    council.row,
                    "",
                    f"the key {council.key} is {by_key.name}, but the code {council.gss} is {by_code.name}.",
                    "Correct the key or the code.",
                )
            )
        for body in {one.pk: one for one in (by_key, by_code) if one}.values():
            other = claimed.setdefault(body.pk, council)
            if other is not council:
                problems.append(
                    Problem(
                        council.row,
                        "",
                        f"this row and row {other.row} are both {body.name} in the directory.",
                        "Correct the key or the code of one of the two.",
                    )
                )
        problems += [
            Problem(
                council.row,
                "replaced-by",
                f"“{successor}” is the key of no council in the file or the directory.",
                "Correct it, or add the successor's row.",
            )
            for successor in council.successors
            if successor not in keys and directory.holder(Scheme.LOCAL_AUTHORITY, successor) is None
        ]
    if problems:
        raise UnableToRead(problems)


def _areas(councils: tuple[Council, ...], directory: Directory, *, names_are_areas: bool) -> dict[str, Area]:
    """The area of each council by its key.

    Regions first, then counties, then what they contain. If `names_are_areas` (lists of codes and names), the list
    names new areas; known areas keep their names.
    """
    for code, name in REGION_NAMES.items():
        directory.area(code, name=name, kind=AreaKind.REGION)
    found: dict[str, Area] = {}
    counties: dict[str, Area] = {}
    for council in sorted(councils, key=lambda one: one.type != "CTY"):
        code = LONDON if council.type == "SRA" else council.gss
        if council.type == "SRA":
            found[council.key] = directory.areas[LONDON]
            continue
        name = council.short_name or council.name
        fields: dict[str, Any] = {"kind": _AREA_KINDS.get(council.type, AreaKind.DISTRICT)}
        if not names_are_areas or code not in directory.areas:
            fields["name"] = name
        if council.region:
            fields["region"] = directory.areas[council.region]
        if council.county in counties:
            fields["parent"] = counties[council.county]
        if council.ends_on and not council.is_current:
            fields["valid_to"] = council.ends_on
        area = directory.area(code, **fields)
        found[council.key] = area
        if council.type == "CTY":
            counties[council.key] = area
        for former in council.former_codes:
            directory.area(former, name=name, kind=fields["kind"])
    return found


def _fields(council: Council, directory: Directory, *, official: bool) -> dict[str, Any]:
    """The organisation's fields in the list.

    Blank fields are left out, and so is the name if the list names areas.
    """
    fields: dict[str, Any] = {"council_type": council.type}
    if official:
        fields["name"] = council.name
    if council.short_name:
        fields["short_name"] = council.short_name[:120]
    if council.region:
        fields["region"] = directory.areas[council.region]
    if council.starts_on:
        fields["valid_from"] = council.starts_on
    if council.website:
        fields["website"] = council.website
    return fields


def _identifiers(council: Council, directory: Directory) -> list[tuple[str, str]]:
    wanted = [(Scheme.GSS, council.gss)] if council.gss != LONDON else []
    if council.key != council.gss:
        wanted.append((Scheme.LOCAL_AUTHORITY, council.key))
    wanted += [(Scheme.LOCAL_AUTHORITY_FORMER, code) for code in (council.old_code, *council.former_codes)]
    if council.entity:
        wanted.append((Scheme.PLANNING_DATA, council.entity))
    return [(str(scheme), value) for scheme, value in wanted if value]


def _body(
    council: Council,
    known: Organisation | None,
    area: Area,
    directory: Directory,
    run: Import,
    *,
    official: bool,
    joined: bool,
) -> Organisation:
    """The row's organisation, created or updated.

    If `official`, the row has the organisation's own name; if `joined`, it was matched by name alone.
    """
    if known is not None:
        return _brought_up_to_date(known, council, area, directory, run, official=official, joined=joined)
    free = [pair for pair in _identifiers(council, directory) if pair not in directory.holders]
    body = create_organisation(
        kind=Kind.STRATEGIC_AUTHORITY if council.is_combined else Kind.COUNCIL,
        identifiers=free,
        names=alternative_names(*council.alternatives),
        author=run.author,
        now=run.now,
        status=Status.ACTIVE if council.is_current else Status.DISSOLVED,
        valid_to=council.ends_on,
        **_fields(council, directory, official=True),
    )
    directory.adopt(body, identifiers=free, names=[body.name, body.short_name, *council.alternatives])
    directory.serve(body, area, run, starts_on=council.starts_on, ends_on=body.valid_to)
    run.report.note("created", f"{body.name} ({council.key}){'' if council.is_current else ', ended'}")
    return body


def _brought_up_to_date(
    body: Organisation,
    council: Council,
    area: Area,
    directory: Directory,
    run: Import,
    *,
    official: bool,
    joined: bool,
) -> Organisation:
    was = body.name
    fields = _fields(council, directory, official=official)
    names = alternative_names(*council.alternatives, *(() if official else (council.name,)))
    if council.is_current and body.is_ended:
        fields |= {"status": Status.ACTIVE, "valid_to": council.ends_on}
    elif council.ends_on and (council.is_current or body.is_ended):
        fields["valid_to"] = council.ends_on
    said = directory.update(body, run, fields=fields, identifiers=_identifiers(council, directory), names=names)
    said += follow_code(body, area, directory, run, ends_on=None if council.is_current else council.ends_on)
    if not council.is_current and not body.is_ended:
        dissolve(organisation=body, on=council.ends_on, author=run.author, now=run.now, reason=run.source)
        run.report.note("closed", f"{body.name} ({council.key})")
    elif joined:
        run.report.note("joined", f"{council.name} ({council.key}) is {was}: {'; '.join(said)}")
    elif said:
        run.report.note("changed", f"{body.name} ({council.key}): {'; '.join(said)}")
    else:
        run.report.note("left_alone")
    return body


def follow_code(
    body: Organisation, area: Area, directory: Directory, run: Import, *, ends_on: dt.date | None = None
) -> list[str]:
    """Make a council govern the area of its present code.

    A new code for the same place ends the old one. Nothing changes if the list still has a code that has ended, or a
    lower code of the same tier, which is older than the known one.
    """
    if area.valid_to is not None and ends_on is None:
        return []
    present = [row for rows in directory.served[body.pk].values() for row in rows if row.ends_on is None]
    by_pk = {one.pk: one.code for one in directory.areas.values()}
    if ends_on is None and any(
        by_pk[row.area_id][:3] == area.code[:3] and by_pk[row.area_id] > area.code for row in present
    ):
        return []
    said: list[str] = []
    older = [
        known
        for known in (
            directory.areas[code] for code in sorted(directory.values(body, Scheme.GSS)) if code in directory.areas
        )
        if known.pk != area.pk and known.kind == area.kind and known.valid_to is None
    ]
    for known in older:
        directory.area(known.code, valid_to=run.as_of)
        directory.area(area.code, valid_from=run.as_of, parent=known.parent, region=known.region)
        if directory.end_service(body, known, run.as_of, run):
            said.append(f"the code of its area {known.code} → {area.code}")
    starts_on = run.as_of if older else body.valid_from
    if directory.serve(body, area, run, starts_on=starts_on, ends_on=ends_on) and not said:
        said.append(f"serves {area.name}" if ends_on is None else f"served {area.name} until then")
    return said


def _successions(
    councils: tuple[Council, ...],
    bodies: dict[str, Organisation],
    undecided: set[str],
    directory: Directory,
    run: Import,
) -> None:
    """One succession for each set of successors on a date.

    Districts that became one council are a merger; the two successors of a county are a split. Rows left for review
    are not included yet.
    """
    events: dict[tuple[tuple[str, ...], dt.date | None], list[Organisation]] = {}
    rows: dict[tuple[tuple[str, ...], dt.date | None], int] = {}
    starts = {council.key: council.starts_on for council in councils}
    for council in councils:
        if council.successors and not undecided & set(council.successors):
            event = tuple(sorted(council.successors)), council.ends_on
            events.setdefault(event, []).append(bodies[council.key])
            rows.setdefault(event, council.row)
    kinds: Counter[str] = Counter()
    for (keys, on), predecessors in events.items():
        run.row = rows[keys, on]
        successors = [bodies.get(key) or directory.holder(Scheme.LOCAL_AUTHORITY, key) for key in keys]
        begun_before = len(keys) == 1 and on is not None and (starts.get(keys[0]) or on) < on
        kind = (
            SuccessionKind.SPLIT
            if len(keys) > 1
            else SuccessionKind.ABSORB
            if begun_before or len(predecessors) == 1
            else SuccessionKind.MERGE
        )
        record_succession(
            kind=kind,
            on=on,
            predecessors=predecessors,
            successors=[body for body in successors if body is not None],
            author=run.author,
            now=run.now,
            source=run.source[:200],
        )
        kinds[kind] += 1
    run.row = None
    if kinds:
        said = ", ".join(f"{count} {SuccessionKind(kind).label.lower()}" for kind, count in sorted(kinds.items()))
        run.report.remark(f"Successions in the list: {said}.")
