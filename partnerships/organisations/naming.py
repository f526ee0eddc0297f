"""The present and former names of organisations: by which they are found, and which one they had on a day."""

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
    """Return an expression for the official name that an organisation had at a moment of the row, for `annotate`.

    `moment` is the path to a date and time, and `present` the path to the present name, which is used if the
    organisation had no other one then.
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
    """Return an expression for the name on pages: the name of that moment, with the present one unless it is over."""
    name_then = named_then(moment, organisation, present=present)
    both_names = Concat(name_then, Value(" (now "), F(present), Value(")"), output_field=TextField())
    return Case(When(is_over | Q(**{present: name_then}), then=name_then), default=both_names, output_field=TextField())


def organisations_named(text: str) -> QuerySet[OrganisationName, int]:
    """Return the ids of the organisations that have or had a name with every word of the text."""
    names = OrganisationName.objects.all()
    for word in fold_name(text).split() or [text]:
        names = names.filter(folded__contains=word)
    return names.values_list("organisation", flat=True)


def with_former_names(organisations: OrganisationQuerySet) -> OrganisationQuerySet:
    """Return the organisations with an annotation of their former official names, for `choice_words`."""
    former = OrganisationName.objects.filter(organisation=OuterRef("pk"), kind=NameKind.FORMER)
    former = former.exclude(name=OuterRef("name")).order_by("-valid_to", "pk")
    return organisations.annotate(former_names=joined(former, "name"))


def choice_words(organisation: Organisation) -> str:
    """Return the name with its former ones for a list of choices: “Marsh Homes (formerly Fen Homes)”.

    Get the organisation from `with_former_names`.
    """
    former = getattr(organisation, "former_names", "")
    return f"{organisation.name} (formerly {former})" if former else organisation.name


def group_words(names: Collection[str]) -> dict[str, str]:
    """Return the names with their former ones, by present name, as headings of groups; one query."""
    organisations = with_former_names(Organisation.objects.filter(name__in=names)).order_by("pk")
    return {name: name for name in names} | {
        organisation.name: choice_words(organisation) for organisation in organisations
    }


@dataclass(frozen=True, slots=True)
class FormerName:
    """A name that an organisation no longer has; `ends_on` is the first day without it."""

    name: str
    starts_on: dt.date | None
    ends_on: dt.date

    def is_valid_on(self, day: dt.date) -> bool:
        """Whether the organisation had this name on a day."""
        return (self.starts_on is None or self.starts_on <= day) and day < self.ends_on


@dataclass(frozen=True, slots=True)
class NameHistory:
    """The present name of an organisation, and its former ones, the earliest first."""

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
        if ends_on is None:  # no former name, as for most organisations
            history_by_id[pk] = NameHistory(name)
        else:
            earlier_names = history_by_id[pk].former if pk in history_by_id else ()
            history_by_id[pk] = NameHistory(name, (*earlier_names, FormerName(former_name, starts_on, ends_on)))
    return history_by_id


def names_lookup(organisation_ids: Collection[int]) -> Lookup:
    """Return the query of `names_of`, so that it can be sent together with others."""
    return lookup(_names_among, list(organisation_ids))


def _names_among(organisations: list[int]) -> QuerySet[Organisation, Any]:
    ended = FilteredRelation("names", condition=Q(names__kind=NameKind.FORMER, names__valid_to__isnull=False))
    return (
        Organisation.objects.filter(among("pk", organisations))
        .annotate(ended=ended)
        .order_by("pk", "ended__valid_to", "ended__pk")
        .values_list("pk", "name", "ended__valid_from", "ended__valid_to", "ended__name")
    )


#: A fetched organisation, and the day whose name it should show; None for the present name.
AsAt = tuple[dt.date | None, Organisation | None]


def show_as_at(shown: Iterable[AsAt], *, with_present: Iterable[AsAt] = ()) -> None:
    """Give fetched organisations the names that they had on a day, in one query.

    Those in `with_present` also show their present name. Never save these objects: the names are for display only.
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
    """A fetched organisation, and the day whose names it should show."""

    organisation: Organisation
    day: dt.date
    keep_present: bool

    def apply(self, former_names: Iterable[OrganisationName]) -> None:
        """Set the names of the day; with `keep_present`, followed by the present ones in brackets."""
        for field, name in _names_on_day(former_names, self.day).items():
            present = getattr(self.organisation, field)
            setattr(self.organisation, field, beside_present(name, present) if self.keep_present else name)


def _renamings(organisations: Iterable[AsAt], *, keep_present: bool) -> list[_Renaming]:
    return [
        _Renaming(organisation, day, keep_present)
        for day, organisation in organisations
        if day is not None and organisation is not None
    ]


def _former_names(organisations: list[int]) -> QuerySet[OrganisationName]:
    """Return the names that these organisations no longer have, the earliest first."""
    kinds = [NameKind.FORMER, NameKind.FORMER_SHORT]
    rows = OrganisationName.objects.filter(among("organisation", organisations), kind__in=kinds, valid_to__isnull=False)
    return rows.order_by("valid_to", "pk")


def beside_present(then: str, present: str) -> str:
    """Return the name of that day, with the present one if it is different: “Fen Homes (now Marsh Homes)”."""
    return f"{then} (now {present})" if present and present != then else then


def _names_on_day(former_names: Iterable[OrganisationName], day: dt.date) -> dict[str, str]:
    """Return the name fields that were different on a day; `former_names` must be sorted with the earliest first."""
    names_by_field: dict[str, str] = {}
    for former_name in former_names:
        has_started = former_name.valid_from is None or former_name.valid_from <= day
        has_ended = former_name.valid_to is None or former_name.valid_to <= day
        if has_started and not has_ended:
            field = "name" if former_name.kind == NameKind.FORMER else "short_name"
            names_by_field.setdefault(field, former_name.name)
    return names_by_field
