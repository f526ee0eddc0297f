"""Match the rows of a list with councils in the directory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from partnerships.kit.names import fold_name
from partnerships.organisations.models import Kind, Organisation, Scheme
from partnerships.transfer.models import Doubt
from partnerships.transfer.reading.councils import Council, CouncilList
from partnerships.transfer.reading.names import combined_place, council_place
from partnerships.transfer.services.directory import Directory, RunningImport
from partnerships.transfer.services.rows_to_review import RowsToReview, RowToReview, without_duplicates

#: The kinds of organisation that a list of councils can match.
GOVERNING_KINDS = (Kind.COUNCIL, Kind.STRATEGIC_AUTHORITY)

#: The largest number of organisations that are offered for a row to review.
_MAX_OFFERED = 12


def find_council(council: Council, directory: Directory) -> Organisation | None:
    """Return the organisation that has the row's key or, if none has, the row's code."""
    return directory.holder(Scheme.LOCAL_AUTHORITY, council.key) or directory.holder(Scheme.GSS, council.gss)


class CouncilMatcher:
    """Matches rows with organisations by key or code or, if neither matches, by name.

    If a name is ambiguous, the row waits for review.
    """

    def __init__(
        self, council_list: CouncilList, directory: Directory, rows_to_review: RowsToReview, run: RunningImport
    ) -> None:
        self._council_list = council_list
        self._directory = directory
        self._rows_to_review = rows_to_review
        self._run = run
        self._listed_codes = {council.gss for council in council_list.councils}
        #: Keys of rows whose name matched, but not their key or code.
        self.keys_matched_by_name: set[str] = set()
        self._organisations_by_key: dict[str, Organisation | None] = {}
        self._matched_ids: set[int] = set()

        self._organisations_by_place: dict[tuple[str, str], list[Organisation]] = defaultdict(list)
        self._places_by_pk: dict[int, set[str]] = {}
        for organisation in directory.organisations.values():
            if organisation.kind in GOVERNING_KINDS:
                self._index_places(organisation)

    def _index_places(self, organisation: Organisation) -> None:
        """Index an organisation by the places in its names."""
        names = {organisation.name, organisation.short_name, *self._directory.names[organisation.pk]} - {""}
        places = {_place(name, is_combined=organisation.kind != Kind.COUNCIL) for name in names}
        self._places_by_pk[organisation.pk] = places
        for place in places:
            self._organisations_by_place[organisation.kind, place].append(organisation)

    def match(self, councils: Sequence[Council]) -> dict[str, Organisation | None]:
        """Return the organisation of each row by the row's key, or None for a new council.

        Rows that wait for review are not in the result. All rows are matched by key and code first, so that an
        organisation whose code is in one row is not matched with another row by name.
        """
        unmatched = []
        for council in councils:
            organisation = find_council(council, self._directory)
            if organisation is None:
                unmatched.append(council)
                continue
            namesakes = self._other_namesakes(council, organisation)
            if not namesakes:
                self._record(council, organisation)
            elif self._rows_to_review.answered_row(council.key) is not None:
                unmatched.append(council)
            else:
                why = f"the code belongs to {organisation.name}, but the name does not."
                self._ask(council, [organisation, *namesakes], why)

        for council in unmatched:
            answer = self._rows_to_review.answered_row(council.key)
            if answer is not None:
                self._apply_answer(council, answer)
            else:
                self._match_by_name(council)
        return self._organisations_by_key

    def _record(self, council: Council, organisation: Organisation | None) -> None:
        """Save the organisation of a row, or None for a new council."""
        self._organisations_by_key[council.key] = organisation
        if organisation is not None:
            self._matched_ids.add(organisation.pk)

    def _apply_answer(self, council: Council, answer: Doubt) -> None:
        """Match the row as an administrator decided when reviewing an earlier list."""
        if answer.is_left_out:
            self._run.report.count("left_alone")
        elif answer.organisation is not None:
            self._record(council, self._directory.organisations[answer.organisation.pk])
        else:
            self._record(council, None)

    def _other_namesakes(self, council: Council, organisation: Organisation) -> list[Organisation]:
        """Return active organisations with the row's name, if the organisation with its code has another name.

        In a list with keys, the key decides, so the result is empty.
        """
        if self._council_list.has_keys or organisation.kind not in GOVERNING_KINDS:
            return []
        place = _place(council.name, is_combined=council.is_combined)
        if place in self._places_by_pk[organisation.pk]:
            return []
        return [
            namesake
            for namesake in self._namesakes(council)
            if namesake.pk != organisation.pk and not namesake.is_ended
        ]

    def _namesakes(self, council: Council) -> tuple[Organisation, ...]:
        """Return the organisations of the row's kind that have the row's place in a name."""
        kind = Kind.STRATEGIC_AUTHORITY if council.is_combined else Kind.COUNCIL
        names = (council.name, council.short_name) if council.short_name else (council.name,)
        places = [_place(name, is_combined=council.is_combined) for name in names]
        return without_duplicates(
            organisation for place in places for organisation in self._organisations_by_place[kind, place]
        )

    def _match_by_name(self, council: Council) -> None:
        """Match by name if only one council can be meant. Otherwise, have the row reviewed, or treat it as new."""
        namesakes: Sequence[Organisation] = self._namesakes(council)
        if self._council_list.has_keys:
            # In a list with keys, two councils may have one name. An organisation already matched is the other one.
            namesakes = [namesake for namesake in namesakes if namesake.pk not in self._matched_ids]
        active_namesakes = [namesake for namesake in namesakes if not namesake.is_ended]
        only_namesake = active_namesakes[0] if len(active_namesakes) == 1 else None
        is_unmatched = only_namesake is not None and only_namesake.pk not in self._matched_ids

        if only_namesake and is_unmatched and council.is_current and self._is_certain(only_namesake, council):
            self._record(council, only_namesake)
            self.keys_matched_by_name.add(council.key)
            return
        if active_namesakes or (namesakes and council.is_current):
            why = (
                "the key and code are new, but the name is already in the directory. The council may have a new code, "
                "or be a successor."
            )
            self._ask(council, namesakes, why)
            return
        unlisted_organisations = self._unlisted_of_tier(council)
        if unlisted_organisations:
            why = "the code and name are new, and other councils of this kind are no longer in the list."
            self._ask(council, unlisted_organisations, why)
            return
        self._record(council, None)

    def _is_certain(self, organisation: Organisation, council: Council) -> bool:
        """Return whether the only active organisation with the row's name is certainly the row's.

        The organisation must be of the row's tier, and have no key or code that another row has. A combined authority
        with a code is never certain, because it may be a successor.
        """
        codes = self._directory.values(organisation, Scheme.GSS)
        keys = self._directory.values(organisation, Scheme.LOCAL_AUTHORITY)
        if self._council_list.has_keys and keys - {council.key}:
            return False
        if not codes:
            has_same_type = organisation.council_type in ("", council.type)
            return has_same_type and fold_name(organisation.name) == fold_name(council.name)
        return not council.is_combined and self._is_of_tier(organisation, council) and not codes & self._listed_codes

    def _is_of_tier(self, organisation: Organisation, council: Council) -> bool:
        """Return whether both have a GSS code of the same tier, which is its first three characters."""
        codes = self._directory.values(organisation, Scheme.GSS)
        return any(code[:3] == council.gss[:3] for code in codes)

    def _unlisted_of_tier(self, council: Council) -> list[Organisation]:
        """Return active organisations of the row's tier that are not in the list. One may have a new name and code.

        Only a complete list without keys can show this. For any other list, the result is empty.
        """
        if self._council_list.has_keys or self._run.list_file.is_part:
            return []
        unlisted_organisations = [
            organisation
            for organisation in self._directory.organisations.values()
            if self._is_unlisted(organisation) and self._is_of_tier(organisation, council)
        ]
        return unlisted_organisations[:_MAX_OFFERED]

    def _is_unlisted(self, organisation: Organisation) -> bool:
        """Return whether an active council or authority has neither a row nor its code in the list."""
        if organisation.kind not in GOVERNING_KINDS or organisation.is_ended or organisation.pk in self._matched_ids:
            return False
        codes = self._directory.values(organisation, Scheme.GSS)
        return not codes & self._listed_codes and not self._run.is_mentioned(codes)

    def _ask(self, council: Council, candidates: Sequence[Organisation], why: str) -> None:
        """Add the row to the rows to review, with the organisations that it may mean."""
        row = RowToReview(
            key=council.key,
            name=council.name,
            row=council.as_json() | {"official": self._council_list.has_keys},
            why=why,
            candidates=without_duplicates(candidates),
        )
        self._rows_to_review.add(self._run, row)


def _place(name: str, *, is_combined: bool) -> str:
    """Return the place in a name, by which councils and combined authorities are compared."""
    return combined_place(name) if is_combined else council_place(name)
