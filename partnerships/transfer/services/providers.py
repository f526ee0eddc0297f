"""Import registered providers; councils among them are matched with the directory."""

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
from partnerships.transfer.reading.problems import unable
from partnerships.transfer.reading.providers import Provider, ProviderList
from partnerships.transfer.services.directory import Directory, Import, alternative_names
from partnerships.transfer.services.doubts import Doubts, NewDoubt, distinct
from partnerships.transfer.services.refusals import REFUSALS, set_aside_if_refused

#: New providers are created in batches of this size.
BATCH_SIZE = 500


def apply_providers(provider_list: ProviderList, directory: Directory, doubts: Doubts, run: Import) -> None:
    """Update the directory from a list of registered providers.

    Raises `UnableToRead` if the list has councils, but the directory has none yet to match them with.
    """
    councils = Councils(directory)
    if not councils.all and any(provider.is_council for provider in provider_list.providers):
        raise unable(
            "it lists councils that are providers, but the directory has no councils yet.",
            "Import the list of councils first: import_register councils FILE.",
        )
    providers = [_as_on_date_of_list(provider, run.as_of) for provider in provider_list.providers]
    new_providers = NewProviders(directory, run)
    matcher = _ProviderMatcher(
        directory=directory,
        councils=councils,
        unlisted_by_name=_unlisted_by_name(providers, directory, run),
        doubts=doubts,
        new_providers=new_providers,
        run=run,
    )
    active = [provider for provider in providers if not provider.is_ended]
    listed_ids = _apply_each(active, matcher.apply_active, new_providers, run, total=len(providers))

    # Ended providers come second, so that they are compared with the names of new active ones too.
    ended = [provider for provider in providers if provider.is_ended]
    apply_ended = partial(matcher.apply_ended, company_names=_company_names(directory) if ended else set())
    listed_ids |= _apply_each(ended, apply_ended, new_providers, run, done_before=len(active), total=len(providers))
    run.row = None

    candidate_ids = doubts.candidate_ids
    expected = [
        organisation
        for organisation in directory.having(Scheme.RSH)
        if not organisation.is_ended and organisation.pk not in candidate_ids
    ]
    directory.mark_listed(listed_ids, expected, run)


def _apply_each(
    providers: Sequence[Provider],
    apply: Callable[[Provider], Organisation | None],
    new_providers: NewProviders,
    run: Import,
    *,
    done_before: int = 0,
    total: int,
) -> set[int]:
    """Apply each provider, and create new ones in batches; returns the ids of their organisations."""
    organisation_ids: set[int] = set()
    for done, provider in enumerate(providers, start=done_before + 1):
        with set_aside_if_refused(provider.row, new_providers.directory, run):
            organisation = apply(provider)
            if organisation is not None:
                organisation_ids.add(organisation.pk)
        if len(new_providers.waiting) >= BATCH_SIZE:
            organisation_ids |= new_providers.create()
        run.progress(done, total)
    return organisation_ids | new_providers.create()


def _unlisted_by_name(providers: Sequence[Provider], directory: Directory, run: Import) -> dict[str, Organisation]:
    """Return providers of the directory whose numbers are not in the list, by name without “Limited” and the like.

    A provider of the list with a new number may be one of them. Empty if the list is only a part.
    """
    if run.list_file.is_part:
        return {}
    listed_numbers = {provider.number for provider in providers}
    unlisted = {}
    for organisation in directory.having(Scheme.RSH):
        numbers = directory.values(organisation, Scheme.RSH)
        is_listed = bool(numbers & listed_numbers) or run.is_mentioned(numbers)
        if organisation.kind == Kind.REGISTERED_PROVIDER and not is_listed:
            unlisted[bare_company(organisation.name)] = organisation
    return unlisted


@dataclass
class NewProviders:
    """Collects providers that the directory does not have, and creates a batch with a fixed number of queries."""

    directory: Directory
    run: Import
    waiting: list[Provider] = field(default_factory=list)

    def create(self) -> set[int]:
        """Create the waiting providers; returns their ids.

        If the batch is refused, they are created one by one, so that the refusal names its row.
        """
        providers, self.waiting = self.waiting, []
        try:
            with transaction.atomic():
                created = _create(providers, self.directory, self.run) if providers else []
        except (*REFUSALS, IntegrityError, DataError):
            created = []
            for provider in providers:
                with set_aside_if_refused(provider.row, self.directory, self.run):
                    created += _create([provider], self.directory, self.run)
        return {organisation.pk for organisation in created}


def _as_on_date_of_list(provider: Provider, list_date: dt.date) -> Provider:
    """Return the provider as it was on the list's date: later ends are ignored."""
    ends_later = provider.ended_on is not None and provider.ended_on > list_date
    return replace(provider, is_ended=False, ended_on=None) if ends_later else provider


class Councils:
    """The directory's councils by name and by place."""

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
        """Return councils that the name can mean on a date, active ones first.

        Exact names are preferred to places.
        """
        council_ids = {council.pk for council in self.all}
        with_exact_name = distinct(
            organisation for organisation in self._directory.called(name) if organisation.pk in council_ids
        )
        with_place = distinct(self._by_place.get(council_place(name), ()))
        return _existing_on(with_exact_name, on) or _existing_on(with_place, on)


def _existing_on(councils: tuple[Organisation, ...], day: dt.date) -> tuple[Organisation, ...]:
    """Return those of several councils that existed on a day; all of them if none did."""
    if len(councils) < 2:
        return councils
    existing = tuple(council for council in councils if covers(council.valid_from, council.valid_to, day))
    return existing or councils


@dataclass(frozen=True, slots=True)
class _ProviderMatcher:
    """Matches the providers of a list with organisations, and updates these."""

    directory: Directory
    councils: Councils
    #: Providers that are no longer in the list.
    unlisted_by_name: dict[str, Organisation]
    doubts: Doubts
    new_providers: NewProviders
    run: Import

    def apply_active(self, provider: Provider) -> Organisation | None:
        """Update or match one provider; None if it is new, left out or left for review."""
        existing = self.directory.holder(Scheme.RSH, provider.number)
        if existing is not None:
            _update(provider, existing, self.directory, self.run)
            return existing
        answer = self.doubts.answer(provider.number)
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
            self.doubts.ask(self.run, _doubt(provider, (predecessor,), why))
        else:
            self.new_providers.waiting.append(provider)
        return None

    def _apply_answer(self, provider: Provider, answer: Doubt) -> Organisation | None:
        """Match the provider as an administrator decided for an earlier list."""
        if answer.is_left_out:
            self.run.report.count("left_alone")
            return None
        if answer.organisation is None:
            self.new_providers.waiting.append(provider)
            return None
        organisation = self.directory.organisations[answer.organisation.pk]
        return _match(provider, organisation, self.directory, self.run)

    def _match_council(self, provider: Provider) -> Organisation | None:
        """Match a provider with the council that it is; None if the row is left for review."""
        council, doubt = _find_council(provider, self.directory, self.councils, self.run.as_of)
        if doubt is None and council is not None:
            return _match(provider, council, self.directory, self.run)
        self.doubts.ask(self.run, doubt or _doubt(provider, (), "no council in the directory has this name."))
        return None

    def apply_ended(self, provider: Provider, *, company_names: set[str]) -> Organisation | None:
        """Close a provider that is no longer registered; an unknown one is created as ended.

        Returns None if there is nothing to close. Nothing is created for a council, which goes on without its number,
        or for a provider whose name is among `company_names`: it goes on with another number.
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
    """Return the names of all providers, without “Limited” and the like."""
    return {
        bare_company(name)
        for organisation in directory.organisations.values()
        if organisation.kind == Kind.REGISTERED_PROVIDER
        for name in directory.names[organisation.pk]
    }


def _end_number(provider: Provider, run: Import) -> str:
    """End the registration number on the date in the list; returns the change in words, "" if there is none."""
    identifier = Identifier.objects.get(scheme=Scheme.RSH, value=provider.number)
    if provider.ended_on is None or identifier.valid_to is not None:
        return ""
    correct_identifier(
        identifier=identifier, valid_to=provider.ended_on, reason=run.source, author=run.author, now=run.now
    )
    return f"registered as a provider until {long_date(provider.ended_on)}"


def _doubt(provider: Provider, candidates: tuple[Organisation, ...], why: str) -> NewDoubt:
    return NewDoubt(
        key=provider.number,
        name=provider.name or provider.council_key,
        row=provider.as_json(),
        why=why,
        candidates=candidates,
    )


def _find_council(
    provider: Provider, directory: Directory, councils: Councils, on: dt.date
) -> tuple[Organisation | None, NewDoubt | None]:
    """Return the council that a provider is, or a row to review if key, number and name disagree or are not enough.

    Councils registered in 2010 have the old ONS code of their area as their number (`45UB`).
    """
    by_key = directory.holder(Scheme.LOCAL_AUTHORITY, provider.council_key) if provider.council_key else None
    by_number = directory.holder(Scheme.LOCAL_AUTHORITY_FORMER, provider.number)
    by_name = councils.named(provider.name, on) if provider.name else ()
    if provider.council_key and by_key is None:
        return None, _doubt(provider, by_name, f"no council in the directory has the key {provider.council_key}.")

    by_key_or_number = distinct(
        council for council in (by_key, by_number) if council is not None and council.kind == Kind.COUNCIL
    )
    if len(by_key_or_number) == 1:
        council = by_key_or_number[0]
        if not provider.name or council in by_name or by_key is not None:
            return council, None
    if not by_key_or_number and len(by_name) == 1:
        return by_name[0], None

    if by_key_or_number:
        why = f"the number is an older code of {by_key_or_number[0].name}, but the name is not one of its names."
    elif by_name:
        why = "several councils have this name."
    else:
        why = "no council in the directory has this name."
    return None, _doubt(provider, distinct((*by_key_or_number, *by_name)), why)


def _create(providers: Sequence[Provider], directory: Directory, run: Import) -> list[Organisation]:
    """Create providers, each with its number."""
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
    created = create_organisations(bodies=new_organisations, author=run.author, now=run.now)
    for organisation, provider in zip(created, providers, strict=True):
        directory.adopt(organisation, identifiers=[(Scheme.RSH, provider.number)], names=[organisation.name])
        run.report.count("created", f"{organisation.name} ({provider.number}){', ended' if provider.is_ended else ''}")
    return created


def _match(provider: Provider, organisation: Organisation, directory: Directory, run: Import) -> Organisation:
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


def _update(provider: Provider, organisation: Organisation, directory: Directory, run: Import) -> None:
    """Update the organisation with the provider's number; a council keeps the name in its own list."""
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
            f"{organisation.name} ({provider.number}) has ended in the directory, but is in the list: check which is "
            f"right."
        )
    if changes:
        run.report.count("changed", f"{organisation.name} ({provider.number}): {'; '.join(changes)}")
    else:
        run.report.count("left_alone")


def apply_provider_answer(
    doubt: Doubt, organisation: Organisation | None, directory: Directory, run: Import
) -> Organisation:
    """Save the provider of a reviewed row as the chosen organisation, or as a new one."""
    provider = Provider.from_json(doubt.row)
    if organisation is None:
        return _create([provider], directory, run)[0]
    return _match(provider, directory.organisations[organisation.pk], directory, run)
