"""Apply a list of councils and combined authorities to the directory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from partnerships.kit.dates import long_date
from partnerships.organisations.models import Area, Organisation, Scheme
from partnerships.transfer.models import Doubt
from partnerships.transfer.reading.councils import Council, CouncilList
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.services.councils.areas import save_areas
from partnerships.transfer.services.councils.bodies import MatchedCouncil, save_council
from partnerships.transfer.services.councils.matching import GOVERNING_KINDS, CouncilMatcher
from partnerships.transfer.services.councils.others import save_other_bodies
from partnerships.transfer.services.councils.successions import record_successions
from partnerships.transfer.services.directory import Directory, RunningImport
from partnerships.transfer.services.refusals import set_aside_if_refused
from partnerships.transfer.services.rows_to_review import RowsToReview, without_duplicates

#: The most councils that are named in the remark about councils that end after the list's date.
_MAX_NAMED = 10


def apply_councils(
    council_list: CouncilList, directory: Directory, rows_to_review: RowsToReview, run: RunningImport
) -> None:
    """Update the directory from a list of councils.

    Rows that contradict each other or the directory are set aside. Raises `UnableToRead` instead if rows must not be
    set aside one by one.
    """
    council_list = _without_contradictions(council_list, directory, run)
    if council_list.elsewhere:
        run.report.remark(f"Councils outside England were skipped: {council_list.elsewhere:,}.")
    councils = _as_on_date_of_list(council_list.councils, run)

    matcher = CouncilMatcher(council_list, directory, rows_to_review, run)
    existing_by_key = matcher.match(councils)
    matched_councils = tuple(
        MatchedCouncil(
            council=council,
            organisation=existing_by_key[council.key],
            has_official_name=council_list.has_keys,
            is_matched_by_name=council.key in matcher.keys_matched_by_name,
        )
        for council in councils
        if council.key in existing_by_key
    )
    areas_by_key = save_areas(
        tuple(matched.council for matched in matched_councils), directory, names_are_areas=not council_list.has_keys
    )
    saved_by_key = _save_councils(matched_councils, areas_by_key, directory, run)
    save_other_bodies(council_list.others, directory, run)

    record_successions(
        tuple(matched.council for matched in matched_councils if matched.council.key in saved_by_key),
        saved_by_key,
        undecided_keys={council.key for council in councils} - saved_by_key.keys(),
        directory=directory,
        run=run,
    )
    directory.mark_listed(
        {organisation.pk for organisation in saved_by_key.values()},
        _expected_organisations(council_list, directory, rows_to_review),
        run,
    )


def _save_councils(
    matched_councils: Sequence[MatchedCouncil], areas_by_key: dict[str, Area], directory: Directory, run: RunningImport
) -> dict[str, Organisation]:
    """Save each council, and return the organisations by the keys of their rows, without rows that were refused."""
    saved_by_key: dict[str, Organisation] = {}
    for done_count, matched in enumerate(matched_councils, start=1):
        key = matched.council.key
        with set_aside_if_refused(matched.council.row, directory, run):
            saved_by_key[key] = save_council(matched, areas_by_key[key], directory, run)
        run.progress(done_count, len(matched_councils))
    run.row = None
    return saved_by_key


def _expected_organisations(
    council_list: CouncilList, directory: Directory, rows_to_review: RowsToReview
) -> list[Organisation]:
    """Return the organisations that count as missing unless the list has them.

    A list without keys contains only some types of council, and often only current ones. Candidates of rows to review
    are not expected: one of them may be in the list.
    """
    candidate_ids = rows_to_review.candidate_ids
    listed_types = {council.type for council in council_list.councils}
    has_ended_councils = any(not council.is_current for council in council_list.councils)

    def is_expected(organisation: Organisation) -> bool:
        if organisation.kind not in GOVERNING_KINDS or organisation.pk in candidate_ids:
            return False
        if organisation.is_ended and not has_ended_councils:
            return False
        return council_list.has_keys or organisation.council_type in listed_types

    scheme = Scheme.LOCAL_AUTHORITY if council_list.has_keys else Scheme.GSS
    return [organisation for organisation in directory.with_scheme(scheme) if is_expected(organisation)]


def _as_on_date_of_list(councils: Sequence[Council], run: RunningImport) -> tuple[Council, ...]:
    """Return the councils as they were on the list's date. Those that ended later are returned as current."""
    ending_later = [
        council for council in councils if council.ends_on and council.ends_on > run.as_of and not council.is_current
    ]
    if ending_later:
        examples = ", ".join(
            f"{council.name} ({long_date(council.ends_on)})"
            for council in ending_later[:_MAX_NAMED]
            if council.ends_on is not None
        )
        count = len(ending_later)
        councils_end = "council in the list ends" if count == 1 else "councils in the list end"
        run.report.remark(
            f"{count:,} {councils_end} after the date of the list, and until then stay active: {examples}."
        )
    return tuple(
        replace(council, is_current=council.ends_on > run.as_of) if council.ends_on is not None else council
        for council in councils
    )


def apply_council_answer(
    doubt: Doubt, organisation: Organisation | None, directory: Directory, run: RunningImport
) -> Organisation:
    """Save the council of a reviewed row as the chosen organisation, or as a new one."""
    row = dict(doubt.row)
    has_official_name = row.pop("official")
    council = Council.from_json(row)
    chosen_organisation = directory.organisations[organisation.pk] if organisation is not None else None
    matched = MatchedCouncil(
        council=council,
        organisation=chosen_organisation,
        has_official_name=has_official_name,
        is_matched_by_name=chosen_organisation is not None,
    )
    area = save_areas((council,), directory, names_are_areas=not has_official_name)[council.key]
    return save_council(matched, area, directory, run)


def _without_contradictions(council_list: CouncilList, directory: Directory, run: RunningImport) -> CouncilList:
    """Set aside the rows that contradict each other or the directory, and return the list without them.

    Raises `UnableToRead` if there is such a row and rows must not be set aside one by one.
    """
    problems = list(_contradictions(council_list, directory, run))
    if not problems:
        return council_list
    if not run.sets_bad_rows_aside:
        raise UnableToRead(problems)
    bad_rows = list(dict.fromkeys(problem.row for problem in problems))
    for row in bad_rows:
        run.set_aside(run.list_file.row_set_aside([problem for problem in problems if problem.row == row]))
    return replace(
        council_list, councils=tuple(council for council in council_list.councils if council.row not in bad_rows)
    )


def _contradictions(council_list: CouncilList, directory: Directory, run: RunningImport) -> Iterator[Problem]:
    """Yield a problem for each key, code or successor that contradicts the directory or another row."""
    listed_keys = {council.key for council in council_list.councils}
    first_council_by_pk: dict[int, Council] = {}
    for council in council_list.councils:
        key_holder = directory.holder(Scheme.LOCAL_AUTHORITY, council.key)
        code_holder = directory.holder(Scheme.GSS, council.gss)
        if key_holder and code_holder and key_holder.pk != code_holder.pk:
            fault = (
                f"the key {council.key} belongs to {key_holder.name}, but the code {council.gss} to {code_holder.name}."
            )
            yield Problem(council.row, "", fault, "Correct the key or the code.")

        for organisation in without_duplicates(holder for holder in (key_holder, code_holder) if holder is not None):
            first_council = first_council_by_pk.setdefault(organisation.pk, council)
            if first_council is not council:
                yield _same_organisation_problem(council, first_council, organisation)
                yield _same_organisation_problem(first_council, council, organisation)

        for successor in council.successors:
            is_known = successor in listed_keys or directory.holder(Scheme.LOCAL_AUTHORITY, successor) is not None
            if not is_known and not run.is_mentioned([successor]):
                fault = f"no council in the file or the directory has the key “{successor}”."
                yield Problem(council.row, "replaced-by", fault, "Correct the key, or add the successor’s row.")


def _same_organisation_problem(council: Council, other_council: Council, organisation: Organisation) -> Problem:
    """Return the problem of a row that is the same organisation in the directory as another row."""
    fault = f"this row and row {other_council.row} are both {organisation.name} in the directory."
    return Problem(council.row, "", fault, "Correct the key or the code of one of the two.")
