"""The types and properties that clients can use."""

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
#: The schemes of published numbers. Keys of network files are not published.
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
    """A type of body. `broader` is the id of the type that includes it, or ""."""

    id: str
    name: str
    broader: str = ""


@dataclass(frozen=True, slots=True)
class Property:
    """A property of bodies."""

    id: str
    name: str
    about: str
    #: True if the property can narrow a query.
    can_narrow: bool = False
    #: True if the property can be fetched.
    can_fetch: bool = False


def council_type_id(code: str) -> str:
    """Return the id of the type of councils of one tier, such as `council-nmd`."""
    return f"{Kind.COUNCIL}-{code.lower()}"


def _origin_of_numbers(scheme: Scheme) -> str:
    """Return the text about a scheme, such as “From Companies House.”"""
    allocator = ALLOCATORS.get(scheme)
    older_code = "An older code of a council, for example one that the ONS used until 2011."
    return f"From {allocator}." if allocator else older_code


TYPES: dict[str, Type] = {
    body_type.id: body_type
    for body_type in (
        Type(ANYTHING, "Organisation"),
        *(Type(str(kind), str(kind.label), ANYTHING) for kind in Kind),
        *(Type(council_type_id(tier), name, str(Kind.COUNCIL)) for tier, name in _COUNCILS.items()),
    )
}
#: The types that clients offer before the user has chosen a type.
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
    prop.id: prop
    for prop in (
        Property(
            DATE,
            "As at",
            "A day, month or year when the organisation had this name, such as 2019-04-01, 2019-04 or 2019.",
            can_narrow=True,
        ),
        Property(KIND, "Kind", "The kind of organisation, or the tier of a council.", can_narrow=True, can_fetch=True),
        Property(
            AREA,
            "Area",
            "The name or GSS code of an area that the organisation serves, or of its region.",
            can_narrow=True,
        ),
        *(
            Property(str(scheme), str(scheme.label), _origin_of_numbers(scheme), can_narrow=True, can_fetch=True)
            for scheme in SCHEMES
        ),
        Property(
            ORG_ID,
            "org-id",
            "The organisation’s numbers in the form that org-id.guide uses.",
            can_narrow=True,
            can_fetch=True,
        ),
        Property("name", "Name", "The organisation’s official name on the date.", can_fetch=True),
        Property("short-name", "Short name", "The organisation’s present short name.", can_fetch=True),
        Property("other-names", "Other names", "Former and alternative names.", can_fetch=True),
        Property("began", "Began", "The day on which the organisation began.", can_fetch=True),
        Property("ended", "Ended", "The first day on which the organisation no longer existed.", can_fetch=True),
        Property("successors", "Successors", "The organisation’s successors by the date.", can_fetch=True),
        Property("predecessors", "Predecessors", "The organisation’s predecessors by the date.", can_fetch=True),
    )
}


def types_of(kind: str, council_type: str, *, is_provider: bool) -> tuple[str, ...]:
    """Return the types of a body, which are its kind and, for a council, its tier.

    A council with social homes is also a registered provider.
    """
    tier = council_type_id(council_type) if council_type in _COUNCILS and kind == Kind.COUNCIL else ""
    provider = str(Kind.REGISTERED_PROVIDER) if is_provider and kind != Kind.REGISTERED_PROVIDER else ""
    return tuple(filter(None, (str(kind), tier, provider)))


def types_in_words(types: tuple[str, ...]) -> str:
    """Return a body's types in words. The tier of a council replaces “Council”."""
    shown_types = types[1:] if len(types) > 1 and TYPES[types[1]].broader == types[0] else types
    return ", ".join(TYPES[type_id].name for type_id in shown_types)


def types_with_name(text: str) -> frozenset[str]:
    """Return the ids of the types with this id or name."""
    folded = fold_name(text)
    return frozenset(type_.id for type_ in TYPES.values() if folded in (fold_name(type_.id), fold_name(type_.name)))
