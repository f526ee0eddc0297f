"""Find organisations by present and former names, and show the name that an organisation had on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    ExpressionWrapper,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Concat, TruncDate

from partnerships.kit.lists import joined
from partnerships.kit.names import fold_name
from partnerships.organisations.holdings import id_is_among
from partnerships.organisations.models import NameKind, Organisation, OrganisationName, OrganisationQuerySet
from partnerships.organisations.statements import Lookup, lookup, rows_for


def official_name_at(
    moment: str, organisation: str = "organisation", *, present: str = "organisation__name"
) -> Coalesce:
    """Return an expression for an organisation's official name at the row's moment, for `annotate`.

    `moment` is the path to a date and time. `present` is the path to the present name, which is used unless the
    organisation had another name at that moment.
    """
    day = TruncDate(ExpressionWrapper(OuterRef(moment), output_field=DateTimeField()))
    former_names = (
        OrganisationName.objects.filter(organisation=OuterRef(organisation), kind=NameKind.FORMER)
        .filter(Q(valid_from=None) | Q(valid_from__lte=day))
        .filter(valid_to__gt=day)
        .order_by("valid_to", "pk")
    )
    return Coalesce(Subquery(former_names.values("name")[:1]), F(present), output_field=CharField())


def displayed_name_at(
    moment: str, organisation: str = "organisation", *, present: str = "organisation__name", is_over: Q
) -> Case:
    """Return an expression for the name on pages, for example “Fen Homes (now Marsh Homes)”.

    The first name is the one at the row's moment. The present name is left out if it is the same, or if `is_over` is
    true of the row.
    """
    name_at_moment = official_name_at(moment, organisation, present=present)
    both_names = Concat(name_at_moment, Value(" (now "), F(present), Value(")"), output_field=TextField())
    return Case(
        When(is_over | Q(**{present: name_at_moment}), then=name_at_moment),
        default=both_names,
        output_field=TextField(),
    )


def organisations_named(text: str) -> QuerySet[OrganisationName, int]:
    """Return the ids of organisations that have or had a name with every word of the text."""
    names = OrganisationName.objects.all()
    for word in fold_name(text).split() or [text]:
        names = names.filter(folded__contains=word)
    return names.values_list("organisation", flat=True)


def with_former_names(organisations: OrganisationQuerySet) -> OrganisationQuerySet:
    """Annotate the organisations with their former official names, for `choice_label`."""
    former_names = OrganisationName.objects.filter(organisation=OuterRef("pk"), kind=NameKind.FORMER)
    former_names = former_names.exclude(name=OuterRef("name")).order_by("-valid_to", "pk")
    return organisations.annotate(former_names=joined(former_names, "name"))


def choice_label(organisation: Organisation) -> str:
    """Return the name with former names for a list of choices: “Marsh Homes (formerly Fen Homes)”.

    The organisation must come from `with_former_names`.
    """
    former_names = getattr(organisation, "former_names", "")
    return f"{organisation.name} (formerly {former_names})" if former_names else organisation.name


def group_headings(names: Collection[str]) -> dict[str, str]:
    """Return the headings of groups by present name, for example “Marsh Homes (formerly Fen Homes)”; one query."""
    organisations = with_former_names(Organisation.objects.filter(name__in=names)).order_by("pk")
    return {name: name for name in names} | {
        organisation.name: choice_label(organisation) for organisation in organisations
    }


@dataclass(frozen=True, slots=True)
class FormerName:
    """A former name of an organisation. `ends_on` is the first day without this name."""

    name: str
    starts_on: dt.date | None
    ends_on: dt.date

    def is_valid_on(self, day: dt.date) -> bool:
        """Return True if the organisation had this name on a day."""
        return (self.starts_on is None or self.starts_on <= day) and day < self.ends_on


@dataclass(frozen=True, slots=True)
class NameHistory:
    """An organisation's present name, and its former names, the earliest first."""

    name: str
    former: tuple[FormerName, ...] = ()

    def on(self, day: dt.date) -> str:
        """Return the name that the organisation had on a day."""
        for former in self.former:
            if former.is_valid_on(day):
                return former.name
        return self.name


def names_of(organisation_ids: Collection[int]) -> Mapping[int, NameHistory]:
    """Return the present and former names of organisations, by id, in one query."""
    if not organisation_ids:
        return {}
    history_by_id: dict[int, NameHistory] = {}
    for pk, name, starts_on, ends_on, former_name in rows_for(_names_among, list(organisation_ids)):
        if ends_on is None:  # The organisation has no former name, like most.
            history_by_id[pk] = NameHistory(name)
        else:
            earlier_names = history_by_id[pk].former if pk in history_by_id else ()
            history_by_id[pk] = NameHistory(name, (*earlier_names, FormerName(former_name, starts_on, ends_on)))
    return history_by_id


def names_lookup(organisation_ids: Collection[int]) -> Lookup:
    """Return the lookup of the present and former names of these organisations, for `read_ahead`."""
    return lookup(_names_among, list(organisation_ids))


def _names_among(organisation_ids: list[int]) -> QuerySet[Organisation, Any]:
    former_name = FilteredRelation("names", condition=Q(names__kind=NameKind.FORMER, names__valid_to__isnull=False))
    return (
        Organisation.objects.filter(id_is_among("pk", organisation_ids))
        .annotate(former_name=former_name)
        .order_by("pk", "former_name__valid_to", "former_name__pk")
        .values_list("pk", "name", "former_name__valid_from", "former_name__valid_to", "former_name__name")
    )


#: A fetched organisation, and the day of the name that it should show; None for its present name.
AsAt = tuple[dt.date | None, Organisation | None]


def show_names_of_day(shown: Iterable[AsAt], *, with_present: Iterable[AsAt] = ()) -> None:
    """Change the names of fetched organisations to the names that they had on a day, in one query.

    Organisations in `with_present` also show their present name, for example “Fen Homes (now Marsh Homes)”. The changed
    names are only for display, so never save these objects.
    """
    # By identity of the object, because one organisation may be fetched several times, for different days.
    renamings = {
        id(renaming.organisation): renaming
        for renaming in (
            *_renamings_needed(shown, keep_present=False),
            *_renamings_needed(with_present, keep_present=True),
        )
    }
    former_names: dict[int, list[OrganisationName]] = {}
    ids = {renaming.organisation.pk for renaming in renamings.values()}
    for row in rows_for(_former_names, list(ids)) if ids else ():
        former_names.setdefault(row.organisation_id, []).append(row)
    for renaming in renamings.values():
        renaming.apply(former_names.get(renaming.organisation.pk, ()))


@dataclass(frozen=True, slots=True)
class _Renaming:
    """A fetched organisation, and the day of the names that it should show."""

    organisation: Organisation
    day: dt.date
    keep_present: bool

    def apply(self, former_names: Iterable[OrganisationName]) -> None:
        """Set the organisation's names to those of the day; with `keep_present`, add the present names in brackets."""
        for field, name in _names_on_day(former_names, self.day).items():
            present = getattr(self.organisation, field)
            setattr(self.organisation, field, with_present_name(name, present) if self.keep_present else name)


def _renamings_needed(organisations: Iterable[AsAt], *, keep_present: bool) -> list[_Renaming]:
    return [
        _Renaming(organisation, day, keep_present)
        for day, organisation in organisations
        if day is not None and organisation is not None
    ]


def _former_names(organisation_ids: list[int]) -> QuerySet[OrganisationName]:
    """Return the names that these organisations no longer have, the earliest first."""
    kinds = [NameKind.FORMER, NameKind.FORMER_SHORT]
    rows = OrganisationName.objects.filter(
        id_is_among("organisation", organisation_ids), kind__in=kinds, valid_to__isnull=False
    )
    return rows.order_by("valid_to", "pk")


def with_present_name(former_name: str, present: str) -> str:
    """Return the former name, with the present name if it is different: “Fen Homes (now Marsh Homes)”."""
    return f"{former_name} (now {present})" if present and present != former_name else former_name


def _names_on_day(former_names: Iterable[OrganisationName], day: dt.date) -> dict[str, str]:
    """Return the name fields that had another value on a day; `former_names` must be sorted, the earliest first."""
    names_by_field: dict[str, str] = {}
    for former_name in former_names:
        has_started = former_name.valid_from is None or former_name.valid_from <= day
        has_ended = former_name.valid_to is None or former_name.valid_to <= day
        if has_started and not has_ended:
            field = "name" if former_name.kind == NameKind.FORMER else "short_name"
            names_by_field.setdefault(field, former_name.name)
    return names_by_field
