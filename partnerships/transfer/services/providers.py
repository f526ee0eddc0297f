"""Importing registered providers; councils among them are matched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from django.db import DataError, IntegrityError, transaction

from partnerships.kit.dates import long_date
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
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.doubts import Doubts, NewDoubt, distinct, settled
from partnerships.transfer.services.rows import REFUSALS, one_row

#: New providers that are created together.
TOGETHER = 500


def apply_providers(listed: ProviderList, directory: Directory, doubts: Doubts, run: Import) -> None:
    """Update the directory from a list of registered providers.

    Raises `UnableToRead` if there are no councils yet to match.
    """
    councils = Councils(directory)
    if not councils.all and any(provider.is_council for provider in listed.providers):
        raise unable(
            "it lists councils that are providers, but the directory has no councils yet.",
            "Import the list of councils first: import_register councils FILE.",
        )
    providers = [_as_at(provider, run.as_of) for provider in listed.providers]
    new = NewProviders(directory, run)
    matching = _Matching(
        directory=directory,
        councils=councils,
        former=_no_longer_listed(providers, directory, run),
        doubts=doubts,
        new=new,
        run=run,
    )
    active = [provider for provider in providers if not provider.is_ended]
    seen = _apply_each(active, matching.apply_active, new, run, total=len(providers))
    # After the active ones: ended namesakes look for them.
    ended = [provider for provider in providers if provider.is_ended]
    apply_ended = partial(matching.apply_ended, alike=_company_names(directory) if ended else set())
    seen |= _apply_each(ended, apply_ended, new, run, before=len(active), total=len(providers))
    run.row = None
    asked = {candidate.pk for doubt in doubts.asked for candidate in doubt.candidates}
    expected = [
        organisation
        for organisation in directory.having(Scheme.RSH)
        if not organisation.is_ended and organisation.pk not in asked
    ]
    directory.mark_listed(seen, expected, run)


def _apply_each(
    providers: Sequence[Provider],
    apply: Callable[[Provider], Organisation | None],
    new: NewProviders,
    run: Import,
    *,
    before: int = 0,
    total: int,
) -> set[int]:
    """Apply provider after provider, and create new ones together; the ids of those in the directory.

    `before` have been applied already.
    """
    seen: set[int] = set()
    for done, provider in enumerate(providers, start=before + 1):
        with one_row(provider.row, new.directory, run):
            body = apply(provider)
            if body is not None:
                seen.add(body.pk)
        if len(new.waiting) >= TOGETHER:
            seen |= new.create()
        run.progress(done, total)
    return seen | new.create()


def _no_longer_listed(providers: Sequence[Provider], directory: Directory, run: Import) -> dict[str, Organisation]:
    """Providers whose numbers are not in the list, by name: a new number may be theirs. None for a part of a list."""
    if run.listed.is_part:
        return {}
    numbers = {provider.number for provider in providers}
    return {
        bare_company(organisation.name): organisation
        for organisation in directory.having(Scheme.RSH)
        if organisation.kind == Kind.REGISTERED_PROVIDER
        and not directory.values(organisation, Scheme.RSH) & numbers
        and not run.is_mentioned(directory.values(organisation, Scheme.RSH))
    }


@dataclass
class NewProviders:
    """Create the providers that the directory does not have, with the same number of queries for any count."""

    directory: Directory
    run: Import
    waiting: list[Provider] = field(default_factory=list)

    def create(self) -> set[int]:
        """Create those that wait; their ids.

        One that is refused is set aside or refuses the file, by its row.
        """
        providers, self.waiting = self.waiting, []
        try:
            with transaction.atomic():
                made = _create(providers, self.directory, self.run) if providers else []
        except (*REFUSALS, IntegrityError, DataError):
            made = []
            for provider in providers:
                with one_row(provider.row, self.directory, self.run):
                    made += _create([provider], self.directory, self.run)
        return {body.pk for body in made}


def _as_at(provider: Provider, day: dt.date) -> Provider:
    """The provider as it was on the list's date: later ends are ignored."""
    later = provider.ended_on is not None and provider.ended_on > day
    return replace(provider, is_ended=False, ended_on=None) if later else provider


class Councils:
    """The directory's councils by name and by place."""

    def __init__(self, directory: Directory) -> None:
        self.all = [
            organisation for organisation in directory.organisations.values() if organisation.kind == Kind.COUNCIL
        ]
        self._directory = directory
        self._by_place: dict[str, list[Organisation]] = {}
        for council in self.all:
            places = {
                council_place(name) for name in (council.name, council.short_name, *directory.names[council.pk]) if name
            }
            for place in places:
                self._by_place.setdefault(place, []).append(council)

    def named(self, name: str, on: dt.date) -> tuple[Organisation, ...]:
        """Councils that the name can mean on a date, active ones first.

        Exact names are preferred to places.
        """
        ids = {council.pk for council in self.all}
        exact = distinct(organisation for organisation in self._directory.called(name) if organisation.pk in ids)
        return _living(exact, on) or _living(distinct(self._by_place.get(council_place(name), ())), on)


def _living(councils: tuple[Organisation, ...], on: dt.date) -> tuple[Organisation, ...]:
    if len(councils) < 2:
        return councils
    alive = tuple(
        council
        for council in councils
        if (council.valid_to is None or on < council.valid_to)
        and (council.valid_from is None or council.valid_from <= on)
    )
    return alive or councils


@dataclass(frozen=True, slots=True)
class _Matching:
    """What providers of a list are matched with."""

    directory: Directory
    councils: Councils
    #: Providers that the list no longer has, by name.
    former: dict[str, Organisation]
    doubts: Doubts
    new: NewProviders
    run: Import

    def apply_active(self, provider: Provider) -> Organisation | None:
        """Update or match one provider; None if it is new, waits for review or is left out."""
        directory, run = self.directory, self.run
        known = directory.holder(Scheme.RSH, provider.number)
        if known is not None:
            _update(provider, known, directory, run)
            return known
        joined: list[Organisation] = []
        if settled(
            self.doubts,
            provider.number,
            join=lambda body: joined.append(_join(provider, directory.organisations[body.pk], directory, run)),
            create=lambda: self.new.waiting.append(provider),
            leave=lambda: run.report.count("left_alone"),
        ):
            return joined[0] if joined else None
        if provider.is_council:
            return self._match_council(provider)
        if (predecessor := self.former.get(bare_company(provider.name))) is not None:
            why = (
                f"a provider of this name is in the directory as {_numbers(predecessor, directory)}, "
                "which this list no longer has."
            )
            self.doubts.ask(run, _doubt(provider, (predecessor,), why))
            return None
        self.new.waiting.append(provider)
        return None

    def _match_council(self, provider: Provider) -> Organisation | None:
        """The council that a provider is; None if a person must say."""
        council, doubt = _which_council(provider, self.directory, self.councils, self.run.as_of)
        if doubt is None and council is not None:
            return _join(provider, council, self.directory, self.run)
        self.doubts.ask(self.run, doubt or _doubt(provider, (), "no council in the directory has this name."))
        return None

    def apply_ended(self, provider: Provider, *, alike: set[str]) -> Organisation | None:
        """Close a provider that is no longer registered; an unknown one is created.

        None if it is new, or nothing is done: a council goes on without its number, and so does a known provider with
        the same name (`alike`) and another number.
        """
        run = self.run
        body = self.directory.holder(Scheme.RSH, provider.number)
        if body is None:
            if provider.is_council or not provider.name or bare_company(provider.name) in alike:
                run.report.count("left_alone")
            else:
                self.new.waiting.append(provider)
            return None
        said = _end_number(provider, body, run)
        if body.kind == Kind.REGISTERED_PROVIDER and not body.is_ended:
            dissolve(organisation=body, on=provider.ended_on, author=run.author, now=run.now, reason=run.source)
            run.report.count("closed", f"{body.name} ({provider.number}){_until(provider)}")
        elif said:
            run.report.count("changed", f"{body.name} ({provider.number}): {said}")
        else:
            run.report.count("left_alone")
        return body


def _company_names(directory: Directory) -> set[str]:
    """Every provider's names without legal suffixes."""
    return {
        bare_company(name)
        for organisation in directory.organisations.values()
        if organisation.kind == Kind.REGISTERED_PROVIDER
        for name in directory.names[organisation.pk]
    }


def _end_number(provider: Provider, body: Organisation, run: Import) -> str:
    """End the registration number on the list's date; returns the change."""
    number = Identifier.objects.get(scheme=Scheme.RSH, value=provider.number)
    if provider.ended_on is None or number.valid_to is not None:
        return ""
    correct_identifier(identifier=number, valid_to=provider.ended_on, reason=run.source, author=run.author, now=run.now)
    return f"registered as a provider until {long_date(provider.ended_on)}"


def _until(provider: Provider) -> str:
    return f", {long_date(provider.ended_on)}" if provider.ended_on else ""


def _numbers(organisation: Organisation, directory: Directory) -> str:
    return " and ".join(sorted(directory.values(organisation, Scheme.RSH)))


def _doubt(provider: Provider, candidates: tuple[Organisation, ...], why: str) -> NewDoubt:
    row = asdict(provider)
    row |= {name: row[name].isoformat() if row[name] else None for name in ("registered_on", "ended_on")}
    return NewDoubt(
        key=provider.number, name=provider.name or provider.council_key, row=row, why=why, candidates=candidates
    )


def _which_council(
    provider: Provider, directory: Directory, councils: Councils, on: dt.date
) -> tuple[Organisation | None, NewDoubt | None]:
    """The council that a provider is, by keys and name together.

    A row to review if they disagree or are not enough. Councils registered in 2010 have the old ONS code of their area
    as their number (`45UB`).
    """
    by_list = directory.holder(Scheme.LOCAL_AUTHORITY, provider.council_key) if provider.council_key else None
    by_code = directory.holder(Scheme.LOCAL_AUTHORITY_FORMER, provider.number)
    by_name = councils.named(provider.name, on) if provider.name else ()
    keyed = distinct(one for one in (by_list, by_code) if one is not None and one.kind == Kind.COUNCIL)
    if provider.council_key and by_list is None:
        return None, _doubt(provider, by_name, f"no council in the directory has the key {provider.council_key}.")
    if len(keyed) == 1 and (not provider.name or keyed[0] in by_name or by_list is not None):
        return keyed[0], None
    if not keyed and len(by_name) == 1:
        return by_name[0], None
    if keyed:
        why = f"the number is an older code of {keyed[0].name}, but the name is not one of its names."
    elif by_name:
        why = "several councils have this name."
    else:
        why = "no council in the directory has this name."
    return None, _doubt(provider, distinct((*keyed, *by_name)), why)


def _fields(provider: Provider) -> dict[str, Any]:
    fields: dict[str, Any] = {"designation": provider.designation} if provider.designation else {}
    if provider.form:
        fields["legal_form"] = provider.form
    return fields


def _create(providers: Sequence[Provider], directory: Directory, run: Import) -> list[Organisation]:
    """Create providers, each with its number."""
    run.row = providers[0].row if len(providers) == 1 else None
    bodies = [
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
    made = create_organisations(bodies=bodies, author=run.author, now=run.now)
    for body, provider in zip(made, providers, strict=True):
        directory.adopt(body, identifiers=[(Scheme.RSH, provider.number)], names=[body.name])
        run.report.count("created", f"{body.name} ({provider.number}){', ended' if provider.is_ended else ''}")
    return made


def _join(provider: Provider, body: Organisation, directory: Directory, run: Import) -> Organisation:
    """Add the number, the list's fields and the list's name to a body."""
    directory.update(
        body,
        run,
        fields={"designation": provider.designation},
        identifiers=[(str(Scheme.RSH), provider.number)],
        names=[(provider.name, "alternative")] if provider.name and provider.name != body.name else [],
        registered_on=provider.registered_on,
    )
    run.report.count("joined", f"{provider.name or provider.council_key} ({provider.number}) is {body.name}")
    return body


def _update(provider: Provider, body: Organisation, directory: Directory, run: Import) -> None:
    """Update a known provider; a council keeps the name in its own list."""
    names: list[tuple[str, str]] = []
    if body.kind == Kind.REGISTERED_PROVIDER:
        fields = {**_fields(provider), "name": provider.name}
    else:
        fields = {"designation": provider.designation}
        names = [(provider.name, "alternative")] if provider.name else []
    said = directory.update(body, run, fields=fields, names=names)
    if body.is_ended and body.kind == Kind.REGISTERED_PROVIDER:
        run.report.remark(
            f"{body.name} ({provider.number}) has ended in the directory, but is in the list: check which is right."
        )
    if said:
        run.report.count("changed", f"{body.name} ({provider.number}): {'; '.join(said)}")
    else:
        run.report.count("left_alone")


def apply_provider_answer(doubt: Doubt, body: Organisation | None, directory: Directory, run: Import) -> Organisation:
    """Apply an answer: match the row to the organisation, or create one."""
    days = {
        name: dt.date.fromisoformat(day) if (day := doubt.row.get(name)) else None
        for name in ("registered_on", "ended_on")
    }
    provider = Provider(**{**doubt.row, **days})
    if body is None:
        return _create([provider], directory, run)[0]
    return _join(provider, directory.organisations[body.pk], directory, run)
