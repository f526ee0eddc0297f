"""Import registered providers, and match those that are councils with the directory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from django.db import DataError, IntegrityError, transaction

from partnerships.kit.dates import covers, long_date
from partnerships.organisations.models import Identifier, Kind, Organisation, Scheme, Status
from partnerships.organisations.services import (
    NewOrganisation,
    OrganisationFields,
    correct_identifier,
    create_organisations,
    dissolve,
)
from partnerships.transfer.models import Doubt
from partnerships.transfer.reading.names import bare_company, council_place
from partnerships.transfer.reading.problems import refuse_file
from partnerships.transfer.reading.providers import Provider, ProviderList
from partnerships.transfer.services.directory import Directory, RunningImport, alternative_names
from partnerships.transfer.services.refusals import REFUSALS, set_aside_if_refused
from partnerships.transfer.services.rows_to_review import RowsToReview, RowToReview, without_duplicates

#: The number of new providers that are created together.
BATCH_SIZE = 500


def apply_providers(
    provider_list: ProviderList, directory: Directory, rows_to_review: RowsToReview, run: RunningImport
) -> None:
    """Update the directory from a list of registered providers.

    Raises `UnableToRead` if the list has councils, but the directory has no councils to match them with.
    """
    councils = Councils(directory)
    if not councils.all and any(provider.is_council for provider in provider_list.providers):
        raise refuse_file(
            "the list has councils that are providers, but the directory has no councils yet.",
            "Import the list of councils first: import_register councils FILE.",
        )
    providers = [_as_on_date_of_list(provider, run.as_of) for provider in provider_list.providers]
    new_providers = NewProviders(directory, run)
    matcher = _ProviderMatcher(
        directory=directory,
        councils=councils,
        unlisted_by_name=_unlisted_by_name(providers, directory, run),
        rows_to_review=rows_to_review,
        new_providers=new_providers,
        run=run,
    )
    active_providers = [provider for provider in providers if not provider.is_ended]
    listed_ids = _apply_each(active_providers, matcher.apply_active, new_providers, run, total=len(providers))

    # Ended providers come second, so that they are compared with the names of new active ones too.
    ended_providers = [provider for provider in providers if provider.is_ended]
    apply_ended = partial(matcher.apply_ended, company_names=_company_names(directory) if ended_providers else set())
    listed_ids |= _apply_each(
        ended_providers, apply_ended, new_providers, run, earlier_count=len(active_providers), total=len(providers)
    )
    run.row = None

    candidate_ids = rows_to_review.candidate_ids
    active = [organisation for organisation in directory.with_scheme(Scheme.RSH) if not organisation.is_ended]
    expected = [organisation for organisation in active if organisation.pk not in candidate_ids]
    directory.mark_listed(listed_ids, expected, run)


def _apply_each(
    providers: Sequence[Provider],
    apply: Callable[[Provider], Organisation | None],
    new_providers: NewProviders,
    run: RunningImport,
    *,
    earlier_count: int = 0,
    total: int,
) -> set[int]:
    """Apply each provider, create new providers in batches, and return the ids of the organisations."""
    organisation_ids: set[int] = set()
    for done_count, provider in enumerate(providers, start=earlier_count + 1):
        with set_aside_if_refused(provider.row, new_providers.directory, run):
            organisation = apply(provider)
            if organisation is not None:
                organisation_ids.add(organisation.pk)
        if len(new_providers.waiting) >= BATCH_SIZE:
            organisation_ids |= new_providers.create()
        run.progress(done_count, total)
    return organisation_ids | new_providers.create()


def _unlisted_by_name(
    providers: Sequence[Provider], directory: Directory, run: RunningImport
) -> dict[str, Organisation]:
    """Return providers of the directory whose numbers are not in the list, by name without “Limited” and the like.

    A provider of the list with a new number may be one of these. The result is empty if the list is only a part.
    """
    if run.list_file.is_part:
        return {}
    listed_numbers = {provider.number for provider in providers}
    provider_by_name = {}
    for organisation in directory.with_scheme(Scheme.RSH):
        numbers = directory.values(organisation, Scheme.RSH)
        is_listed = bool(numbers & listed_numbers) or run.is_mentioned(numbers)
        if organisation.kind == Kind.REGISTERED_PROVIDER and not is_listed:
            provider_by_name[bare_company(organisation.name)] = organisation
    return provider_by_name


@dataclass
class NewProviders:
    """Collects providers that the directory does not have, and creates each batch with a few queries."""

    directory: Directory
    run: RunningImport
    waiting: list[Provider] = field(default_factory=list)

    def create(self) -> set[int]:
        """Create the collected providers, and return their ids.

        If the batch is refused, the providers are created one by one, so that the refusal names the row.
        """
        providers, self.waiting = self.waiting, []
        try:
            with transaction.atomic():
                new_organisations = _create(providers, self.directory, self.run) if providers else []
        except (*REFUSALS, IntegrityError, DataError):
            new_organisations = []
            for provider in providers:
                with set_aside_if_refused(provider.row, self.directory, self.run):
                    new_organisations += _create([provider], self.directory, self.run)
        return {organisation.pk for organisation in new_organisations}


def _as_on_date_of_list(provider: Provider, list_date: dt.date) -> Provider:
    """Return the provider as it was on the list's date, when a later end was not known."""
    ends_later = provider.ended_on is not None and provider.ended_on > list_date
    return replace(provider, is_ended=False, ended_on=None) if ends_later else provider


class Councils:
    """The councils of the directory, found by name or place."""

    def __init__(self, directory: Directory) -> None:
        self.all = [
            organisation for organisation in directory.organisations.values() if organisation.kind == Kind.COUNCIL
        ]
        self._directory = directory
        self._by_place: dict[str, list[Organisation]] = {}
        for council in self.all:
            names = (council.name, council.short_name, *directory.names[council.pk])
            for place in {council_place(name) for name in names if name}:
                self._by_place.setdefault(place, []).append(council)

    def named(self, name: str, on: dt.date) -> tuple[Organisation, ...]:
        """Return the councils that the name can mean on a date, active ones first.

        Exact names are preferred to places.
        """
        council_ids = {council.pk for council in self.all}
        with_exact_name = without_duplicates(
            organisation for organisation in self._directory.with_name(name) if organisation.pk in council_ids
        )
        with_place = without_duplicates(self._by_place.get(council_place(name), ()))
        return _existing_on(with_exact_name, on) or _existing_on(with_place, on)


def _existing_on(councils: tuple[Organisation, ...], day: dt.date) -> tuple[Organisation, ...]:
    """Return the councils that existed on a day. Return all of them if there is only one, or if none existed."""
    if len(councils) < 2:
        return councils
    existing_councils = tuple(council for council in councils if covers(council.valid_from, council.valid_to, day))
    return existing_councils or councils


@dataclass(frozen=True, slots=True)
class _ProviderMatcher:
    """Matches the providers of a list with organisations, and updates the organisations."""

    directory: Directory
    councils: Councils
    #: Providers of the directory that are no longer in the list.
    unlisted_by_name: dict[str, Organisation]
    rows_to_review: RowsToReview
    new_providers: NewProviders
    run: RunningImport

    def apply_active(self, provider: Provider) -> Organisation | None:
        """Update or match one provider. Return None if it is new, is left out or waits for review."""
        existing_organisation = self.directory.holder(Scheme.RSH, provider.number)
        if existing_organisation is not None:
            _update(provider, existing_organisation, self.directory, self.run)
            return existing_organisation
        answer = self.rows_to_review.answered_row(provider.number)
        if answer is not None:
            return self._apply_answer(provider, answer)
        if provider.is_council:
            return self._match_council(provider)

        predecessor = self.unlisted_by_name.get(bare_company(provider.name))
        if predecessor is not None:
            numbers = " and ".join(sorted(self.directory.values(predecessor, Scheme.RSH)))
            why = (
                f"a provider with this name has the number {numbers} in the directory, which is no longer in the list."
            )
            self.rows_to_review.add(self.run, _to_review(provider, (predecessor,), why))
        else:
            self.new_providers.waiting.append(provider)
        return None

    def _apply_answer(self, provider: Provider, answer: Doubt) -> Organisation | None:
        """Match the provider as an administrator decided when reviewing an earlier list."""
        if answer.is_left_out:
            self.run.report.count("left_alone")
            return None
        if answer.organisation is None:
            self.new_providers.waiting.append(provider)
            return None
        organisation = self.directory.organisations[answer.organisation.pk]
        return _match(provider, organisation, self.directory, self.run)

    def _match_council(self, provider: Provider) -> Organisation | None:
        """Match a provider that is a council with the directory. Return None if the row waits for review."""
        council, row = _find_council(provider, self.directory, self.councils, self.run.as_of)
        if row is None and council is not None:
            return _match(provider, council, self.directory, self.run)
        self.rows_to_review.add(self.run, row or _to_review(provider, (), "no council in the directory has this name."))
        return None

    def apply_ended(self, provider: Provider, *, company_names: set[str]) -> Organisation | None:
        """Close a provider that is no longer registered. Create it as ended if the directory does not have it.

        Returns None if there is nothing to close. Nothing is created for a council, which continues without its number,
        or for a provider whose name is among `company_names`, which continues with another number.
        """
        run = self.run
        organisation = self.directory.holder(Scheme.RSH, provider.number)
        if organisation is None:
            if provider.is_council or not provider.name or bare_company(provider.name) in company_names:
                run.report.count("left_alone")
            else:
                self.new_providers.waiting.append(provider)
            return None

        change = _end_number(provider, run)
        if organisation.kind == Kind.REGISTERED_PROVIDER and not organisation.is_ended:
            dissolve(organisation=organisation, on=provider.ended_on, author=run.author, now=run.now, reason=run.source)
            when = f", {long_date(provider.ended_on)}" if provider.ended_on else ""
            run.report.count("closed", f"{organisation.name} ({provider.number}){when}")
        elif change:
            run.report.count("changed", f"{organisation.name} ({provider.number}): {change}")
        else:
            run.report.count("left_alone")
        return organisation


def _company_names(directory: Directory) -> set[str]:
    """Return the names of all providers in the directory, without “Limited” and the like."""
    return {
        bare_company(name)
        for organisation in directory.organisations.values()
        if organisation.kind == Kind.REGISTERED_PROVIDER
        for name in directory.names[organisation.pk]
    }


def _end_number(provider: Provider, run: RunningImport) -> str:
    """End the registration number on the date in the list, and return the change in words, or "" without a change."""
    identifier = Identifier.objects.get(scheme=Scheme.RSH, value=provider.number)
    if provider.ended_on is None or identifier.valid_to is not None:
        return ""
    correct_identifier(
        identifier=identifier, valid_to=provider.ended_on, reason=run.source, author=run.author, now=run.now
    )
    return f"registered as a provider until {long_date(provider.ended_on)}"


def _to_review(provider: Provider, candidates: tuple[Organisation, ...], why: str) -> RowToReview:
    """Return a row for review, with the organisations that it may mean."""
    return RowToReview(
        key=provider.number,
        name=provider.name or provider.council_key,
        row=provider.as_json(),
        why=why,
        candidates=candidates,
    )


def _find_council(
    provider: Provider, directory: Directory, councils: Councils, on: dt.date
) -> tuple[Organisation | None, RowToReview | None]:
    """Return the council that a provider is, or a row to review if key, number and name disagree or are not enough.

    Councils registered in 2010 have the old ONS code of their area as their number (`45UB`).
    """
    council_by_key = directory.holder(Scheme.LOCAL_AUTHORITY, provider.council_key) if provider.council_key else None
    council_by_number = directory.holder(Scheme.LOCAL_AUTHORITY_FORMER, provider.number)
    namesakes = councils.named(provider.name, on) if provider.name else ()
    if provider.council_key and council_by_key is None:
        return None, _to_review(provider, namesakes, f"no council in the directory has the key {provider.council_key}.")

    councils_by_key_or_number = without_duplicates(
        council
        for council in (council_by_key, council_by_number)
        if council is not None and council.kind == Kind.COUNCIL
    )
    if len(councils_by_key_or_number) == 1:
        council = councils_by_key_or_number[0]
        if not provider.name or council in namesakes or council_by_key is not None:
            return council, None
    if not councils_by_key_or_number and len(namesakes) == 1:
        return namesakes[0], None

    if councils_by_key_or_number:
        why = (
            f"the number is an older code of {councils_by_key_or_number[0].name}, but the name is not one of its names."
        )
    elif namesakes:
        why = "several councils have this name."
    else:
        why = "no council in the directory has this name."
    return None, _to_review(provider, without_duplicates((*councils_by_key_or_number, *namesakes)), why)


def _create(providers: Sequence[Provider], directory: Directory, run: RunningImport) -> list[Organisation]:
    """Create providers, each with its registration number."""
    run.row = providers[0].row if len(providers) == 1 else None
    new_organisations = [
        NewOrganisation(
            name=provider.name,
            kind=Kind.REGISTERED_PROVIDER,
            identifiers=((str(Scheme.RSH), provider.number),),
            numbered_from=provider.registered_on,
            numbered_to=provider.ended_on if provider.is_ended else None,
            fields=OrganisationFields(
                designation=provider.designation,
                legal_form=provider.form,
                status=Status.DISSOLVED if provider.is_ended else Status.ACTIVE,
                valid_to=provider.ended_on,
            ),
        )
        for provider in providers
    ]
    organisations = create_organisations(details=new_organisations, author=run.author, now=run.now)
    for organisation, provider in zip(organisations, providers, strict=True):
        directory.remember(organisation, identifiers=[(Scheme.RSH, provider.number)], names=[organisation.name])
        run.report.count("created", f"{organisation.name} ({provider.number}){', ended' if provider.is_ended else ''}")
    return organisations


def _match(provider: Provider, organisation: Organisation, directory: Directory, run: RunningImport) -> Organisation:
    """Add the provider's number, designation and name to an organisation that did not have the number."""
    directory.update(
        organisation,
        run,
        fields={"designation": provider.designation},
        identifiers=[(str(Scheme.RSH), provider.number)],
        names=alternative_names(provider.name) if provider.name != organisation.name else [],
        registered_on=provider.registered_on,
    )
    run.report.count("joined", f"{provider.name or provider.council_key} ({provider.number}) is {organisation.name}")
    return organisation


def _update(provider: Provider, organisation: Organisation, directory: Directory, run: RunningImport) -> None:
    """Update the organisation that has the provider's number. A council's name comes from the list of councils."""
    is_council = organisation.kind != Kind.REGISTERED_PROVIDER
    if is_council:
        fields: dict[str, Any] = {"designation": provider.designation}
    else:
        optional_fields = {"designation": provider.designation, "legal_form": provider.form}
        fields = {name: value for name, value in optional_fields.items() if value} | {"name": provider.name}
    changes = directory.update(
        organisation, run, fields=fields, names=alternative_names(provider.name) if is_council else []
    )
    if organisation.is_ended and not is_council:
        run.report.remark(
            f"{organisation.name} ({provider.number}) has ended in the directory, but is in the list. Check which is "
            "right."
        )
    if changes:
        run.report.count("changed", f"{organisation.name} ({provider.number}): {'; '.join(changes)}")
    else:
        run.report.count("left_alone")


def apply_provider_answer(
    doubt: Doubt, organisation: Organisation | None, directory: Directory, run: RunningImport
) -> Organisation:
    """Save the provider of a reviewed row as the chosen organisation, or as a new one."""
    provider = Provider.from_json(doubt.row)
    if organisation is None:
        return _create([provider], directory, run)[0]
    return _match(provider, directory.organisations[organisation.pk], directory, run)
