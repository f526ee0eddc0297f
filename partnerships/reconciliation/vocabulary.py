"""The types and properties that the service knows."""

from __future__ import annotations

from dataclasses import dataclass

from partnerships.kit.names import fold_name
from partnerships.organisations.models import ALLOCATORS, CouncilType, Kind, Scheme

#: The type of every body.
ANYTHING = "organisation"
DATE = "date"
KIND = "kind"
AREA = "area"
ORG_ID = "org-id"
#: Schemes whose numbers are published; the keys of network files are our own.
SCHEMES = tuple(scheme for scheme in Scheme if scheme != Scheme.NETWORK)

_COUNCILS = {
    CouncilType.UNITARY: "Unitary council",
    CouncilType.METROPOLITAN: "Metropolitan district council",
    CouncilType.DISTRICT: "District council",
    CouncilType.LONDON_BOROUGH: "London borough council",
    CouncilType.COUNTY: "County council",
    CouncilType.CITY_CORPORATION: "City corporation",
}


@dataclass(frozen=True, slots=True)
class Type:
    """A type of body: its id, its name, and the id of the broader type."""

    id: str
    name: str
    broader: str = ""


@dataclass(frozen=True, slots=True)
class Property:
    """A property: whether it narrows a query (`asked`), and whether it can be fetched (`given`)."""

    id: str
    name: str
    about: str
    asked: bool = False
    given: bool = False


def council_type_id(code: str) -> str:
    """The id of the type of councils of one tier, such as `council-nmd`."""
    return f"{Kind.COUNCIL}-{code.lower()}"


def _allocated(scheme: Scheme) -> str:
    by = ALLOCATORS.get(scheme)
    return f"From {by}." if by else "An older code of a council, such as that of the ONS until 2011."


TYPES: dict[str, Type] = {
    one.id: one
    for one in (
        Type(ANYTHING, "Organisation"),
        *(Type(str(kind), str(kind.label), ANYTHING) for kind in Kind),
        *(Type(council_type_id(tier), name, str(Kind.COUNCIL)) for tier, name in _COUNCILS.items()),
    )
}
#: Offered before the user has chosen a type.
DEFAULT_TYPES = (
    ANYTHING,
    Kind.COUNCIL,
    Kind.STRATEGIC_AUTHORITY,
    Kind.REGISTERED_PROVIDER,
    Kind.LEP,
    Kind.NATIONAL_PARK,
    Kind.DEVELOPMENT_CORPORATION,
)

PROPERTIES: dict[str, Property] = {
    one.id: one
    for one in (
        Property(DATE, "As at", "The day, month or year that the name is of: 2019-04-01, 2019-04 or 2019.", asked=True),
        Property(KIND, "Kind", "The kind of body, or the tier of a council.", asked=True, given=True),
        Property(AREA, "Area", "The name or GSS code of an area that it serves, or of its region.", asked=True),
        *(Property(str(one), str(one.label), _allocated(one), asked=True, given=True) for one in SCHEMES),
        Property(ORG_ID, "org-id", "Its numbers as org-id.guide writes them.", asked=True, given=True),
        Property("name", "Name", "Its official name on the date.", given=True),
        Property("short-name", "Short name", "Its present short name.", given=True),
        Property("other-names", "Other names", "Former and alternative names.", given=True),
        Property("began", "Began", "The day on which it began.", given=True),
        Property("ended", "Ended", "The first day on which it no longer existed.", given=True),
        Property("successors", "Successors", "Its successors by the date.", given=True),
        Property("predecessors", "Predecessors", "Its predecessors by the date.", given=True),
    )
}


def types_of(kind: str, council_type: str, *, is_provider: bool) -> tuple[str, ...]:
    """The types of a body, the most telling first.

    A council with homes is a registered provider too.
    """
    tier = council_type_id(council_type) if council_type in _COUNCILS and kind == Kind.COUNCIL else ""
    provider = str(Kind.REGISTERED_PROVIDER) if is_provider and kind != Kind.REGISTERED_PROVIDER else ""
    return tuple(filter(None, (str(kind), tier, provider)))


def words_of(types: tuple[str, ...]) -> str:
    """A body's types in words: the tier of a council instead of “Council”."""
    shown = types[1:] if len(types) > 1 and TYPES[types[1]].broader == types[0] else types
    return ", ".join(TYPES[body].name for body in shown)


def kinds_called(text: str) -> frozenset[str]:
    """The types that a text names, by id or by name."""
    folded = fold_name(text)
    return frozenset(type_.id for type_ in TYPES.values() if folded in (fold_name(type_.id), fold_name(type_.name)))
