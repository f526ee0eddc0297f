"""The names that an organisation has and had: on a day, and to find it by."""

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
from partnerships.organisations.holdings import among
from partnerships.organisations.models import NameKind, Organisation, OrganisationName, OrganisationQuerySet
from partnerships.organisations.statements import Lookup, lookup, rows_for


def named_then(moment: str, organisation: str = "organisation", *, present: str = "organisation__name") -> Coalesce:
    """The organisation's official name at a moment of the row, for `annotate`.

    `moment` is the path to a date and time, `present` to the present name, which counts where no former one does.
    """
    day = TruncDate(ExpressionWrapper(OuterRef(moment), output_field=DateTimeField()))
    former = (
        OrganisationName.objects.filter(organisation=OuterRef(organisation), kind=NameKind.FORMER)
        .filter(Q(valid_from=None) | Q(valid_from__lte=day))
        .filter(valid_to__gt=day)
        .order_by("valid_to", "pk")
    )
    return Coalesce(Subquery(former.values("name")[:1]), F(present), output_field=CharField())


def shown_then(
    moment: str, organisation: str = "organisation", *, present: str = "organisation__name", is_over: Q
) -> Case:
    """What pages call the organisation at a moment of the row.

    With the present name beside it unless it is over.
    """
    then = named_then(moment, organisation, present=present)
    both = Concat(then, Value(" (now "), F(present), Value(")"), output_field=TextField())
    return Case(When(is_over | Q(**{present: then}), then=then), default=both, output_field=TextField())


def organisations_named(text: str) -> QuerySet[OrganisationName, int]:
    """Ids of organisations with a present or former name that contains every word."""
    names = OrganisationName.objects.all()
    for word in fold_name(text).split() or [text]:
        names = names.filter(folded__contains=word)
    return names.values_list("organisation", flat=True)


def with_former_names(organisations: OrganisationQuerySet) -> OrganisationQuerySet:
    """The organisations with their former official names (`former_names`), for `choice_words`."""
    former = OrganisationName.objects.filter(organisation=OuterRef("pk"), kind=NameKind.FORMER)
    former = former.exclude(name=OuterRef("name")).order_by("-valid_to", "pk")
    return organisations.annotate(former_names=joined(former, "name"))


def choice_words(organisation: Organisation) -> str:
    """The name as choices say it, with former ones.

    "Marsh Homes (formerly Fen Homes)"; see `with_former_names`.
    """
    former = getattr(organisation, "former_names", "")
    return f"{organisation.name} (formerly {former})" if former else organisation.name


def group_words(names: Collection[str]) -> dict[str, str]:
    """The same for organisations by their present names, as headings of groups; one query."""
    organisations = with_former_names(Organisation.objects.filter(name__in=names)).order_by("pk")
    return {name: name for name in names} | {
        organisation.name: choice_words(organisation) for organisation in organisations
    }


@dataclass(frozen=True, slots=True)
class FormerName:
    """A name that an organisation no longer has, with its days.

    `ends_on` is the first day without it.
    """

    name: str
    starts_on: dt.date | None
    ends_on: dt.date

    def is_valid_on(self, day: dt.date) -> bool:
        """Whether the organisation had this name on a day."""
        return (self.starts_on is None or self.starts_on <= day) and day < self.ends_on


@dataclass(frozen=True, slots=True)
class Named:
    """An organisation's present name, and its former ones, the first to end first."""

    name: str
    former: tuple[FormerName, ...] = ()

    def on(self, day: dt.date) -> str:
        """The name on a day."""
        for former in self.former:
            if former.is_valid_on(day):
                return former.name
        return self.name


def names_of(organisations: Collection[int]) -> Mapping[int, Named]:
    """The names of these organisations (ids) over time, in one query."""
    if not organisations:
        return {}
    names: dict[int, Named] = {}
    for pk, name, starts_on, ends_on, former_name in rows_for(_names_among, list(organisations)):
        if ends_on is None:
            names[pk] = Named(name)  # most of 20,000
        else:
            former = names[pk].former if pk in names else ()
            names[pk] = Named(name, (*former, FormerName(former_name, starts_on, ends_on)))
    return names


def names_lookup(organisations: Collection[int]) -> Lookup:
    """What `names_of` is going to ask for these organisations, for `read_ahead`."""
    return lookup(_names_among, list(organisations))


def _names_among(organisations: list[int]) -> QuerySet[Organisation, Any]:
    ended = FilteredRelation("names", condition=Q(names__kind=NameKind.FORMER, names__valid_to__isnull=False))
    return (
        Organisation.objects.filter(among("pk", organisations))
        .annotate(ended=ended)
        .order_by("pk", "ended__valid_to", "ended__pk")
        .values_list("pk", "name", "ended__valid_from", "ended__valid_to", "ended__name")
    )


#: An organisation that was read, and the day whose name it is to say; None: the present name.
AsAt = tuple[dt.date | None, Organisation | None]


def show_as_at(shown: Iterable[AsAt], *, with_present: Iterable[AsAt] = ()) -> None:
    """Give organisations the names that they had on a day, in one query.

    Those in `with_present` get the present name beside the former one. For display only: never save these objects.
    """
    renamings = {
        id(renaming.organisation): renaming
        for renaming in (*_renamings(shown, keep_present=False), *_renamings(with_present, keep_present=True))
    }
    former_names: dict[int, list[OrganisationName]] = {}
    ids = {renaming.organisation.pk for renaming in renamings.values()}
    for row in rows_for(_former_names, list(ids)) if ids else ():
        former_names.setdefault(row.organisation_id, []).append(row)
    for renaming in renamings.values():
        renaming.apply(former_names.get(renaming.organisation.pk, ()))


@dataclass(frozen=True, slots=True)
class _Renaming:
    """An organisation to show with its names on a day."""

    organisation: Organisation
    day: dt.date
    keep_present: bool

    def apply(self, former_names: Iterable[OrganisationName]) -> None:
        """Set the names of the day, beside the present ones where they are kept."""
        for field, name in _then(former_names, self.day).items():
            present = getattr(self.organisation, field)
            setattr(self.organisation, field, beside_present(name, present) if self.keep_present else name)


def _renamings(wanted: Iterable[AsAt], *, keep_present: bool) -> list[_Renaming]:
    return [
        _Renaming(organisation, day, keep_present)
        for day, organisation in wanted
        if day is not None and organisation is not None
    ]


def _former_names(organisations: list[int]) -> QuerySet[OrganisationName]:
    """The names that these organisations no longer have, the first to end first."""
    kinds = [NameKind.FORMER, NameKind.FORMER_SHORT]
    rows = OrganisationName.objects.filter(among("organisation", organisations), kind__in=kinds, valid_to__isnull=False)
    return rows.order_by("valid_to", "pk")


def beside_present(then: str, present: str) -> str:
    """The name on that day, with the present one if it has changed.

    "Fen Homes (now Marsh Homes)".
    """
    return f"{then} (now {present})" if present and present != then else then


def _then(former: Iterable[OrganisationName], day: dt.date) -> dict[str, str]:
    """The fields of an organisation that were otherwise on a day.

    Rows by the day on which they ended.
    """
    names_then: dict[str, str] = {}
    for row in former:
        if (row.valid_from is None or row.valid_from <= day) and row.valid_to is not None and day < row.valid_to:
            names_then.setdefault("name" if row.kind == NameKind.FORMER else "short_name", row.name)
    return names_then
