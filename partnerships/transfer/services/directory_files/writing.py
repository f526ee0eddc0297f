"""Write the public facts of the directory as a directory file."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from partnerships.organisations.models import (
    Area,
    AreaServed,
    Identifier,
    NameKind,
    Organisation,
    OrganisationName,
    Scheme,
    Status,
    Succession,
    SuccessionStatus,
    TieRole,
)
from partnerships.transfer.models import ORGANISATION_REGISTERS, ImportRun, RunStatus
from partnerships.transfer.network_format.directory_file import FORMAT, VERSION

#: The publisher and licence of each list that the importers read (docs/data-sources.md).
_PUBLISHERS = {
    "councils": ("mySociety; Ministry of Housing, Communities and Local Government", "CC BY 4.0; OGL 3.0"),
    "leps": ("Office for National Statistics; Department for Education", "OGL 3.0"),
    "providers": ("Regulator of Social Housing", "OGL 3.0"),
    "combined-authorities": ("Office for National Statistics", "OGL 3.0"),
}

ABOUT = (
    "Organisations of England as facts taken from lists that public bodies publish. Only what those lists state: "
    "names, identifiers, kinds, areas, dates and successors. Written by `manage.py write_directory`."
)

ATTRIBUTION = (
    "Contains public sector information licensed under the Open Government Licence v3.0. Source: Office for National "
    "Statistics; Regulator of Social Housing; Ministry of Housing, Communities and Local Government; contains OS data "
    "© Crown copyright and database right. Council names and codes: mySociety, CC BY 4.0, changed: selected, joined "
    "with the other lists and written in another format."
)

#: Roles of a tie that a file need not name, because the lists of predecessors and successors give them.
_ROLES = frozenset({TieRole.SUCCESSOR, TieRole.CONTINUING})

#: The schemes whose identifiers become keys of organisations, the preferred scheme first.
_KEYS = (Scheme.LOCAL_AUTHORITY, Scheme.RSH, Scheme.LEP, Scheme.GSS)


def directory_text() -> str:
    """Return the directory as the text of a directory file, with one organisation on each line.

    Organisations of the demonstration, and organisations that no register identifies, are left out.
    """
    facts = _Facts()
    parts = {
        "lists": list(_lists()),
        "areas": list(_areas()),
        "organisations": [facts.organisation(pk) for pk in facts.order],
        "successions": list(facts.successions()),
    }
    head = {"format": FORMAT, "version": VERSION, "about": ABOUT, "attribution": ATTRIBUTION}
    lines = [f"  {json.dumps(name)}: {_json(value)}" for name, value in head.items()]
    lines += [f"  {json.dumps(name)}: [\n{_rows(rows)}\n  ]" for name, rows in parts.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _json(value: Any) -> str:
    """Return a value as JSON, in which characters such as “ô” stay as they are."""
    return json.dumps(value, ensure_ascii=False)


def _rows(rows: Iterable[dict[str, Any]]) -> str:
    """Return the rows of a list as JSON, one on each line."""
    return ",\n".join(f"    {_json(row)}" for row in rows)


def _filled(**fields: Any) -> dict[str, Any]:
    """Return the fields that have a value, without the underscore at the end of a name.

    `from_` becomes "from", which Python does not allow as a keyword.
    """
    return {name.rstrip("_"): value for name, value in fields.items() if value not in (None, "", [])}


def _day(value: Any) -> str | None:
    """Return a date in ISO format, or None if there is none."""
    return value.isoformat() if value else None


def _identifier(row: Identifier) -> dict[str, Any]:
    """Return an identifier of an organisation as an object of the file."""
    return _filled(
        scheme=row.scheme,
        value=row.value,
        org_id=row.org_id,
        from_=_day(row.valid_from),
        to=_day(row.valid_to),
    )


def _name(row: OrganisationName) -> dict[str, Any]:
    """Return a name of an organisation as an object of the file, which need not say that a name is alternative."""
    return _filled(
        name=row.name,
        kind=row.kind if row.kind != NameKind.ALTERNATIVE else None,
        from_=_day(row.valid_from),
        to=_day(row.valid_to),
    )


def _lists() -> Iterator[dict[str, Any]]:
    """Yield the lists of registers from which the directory was imported, as objects of the file."""
    runs = ImportRun.objects.filter(status=RunStatus.APPLIED, register__in=ORGANISATION_REGISTERS)
    for run in runs.order_by("started_at", "pk").defer("report", "content"):
        publisher, licence = _PUBLISHERS[run.register]
        yield _filled(
            register=run.register,
            publisher=publisher,
            licence=licence,
            file_name=run.file_name,
            sha256=run.sha256,
            as_of=_day(run.as_of),
        )


def _areas() -> Iterator[dict[str, Any]]:
    """Yield all areas as objects of the file."""
    for area in Area.objects.select_related("parent", "region").order_by("code"):
        yield _filled(
            code=area.code,
            name=area.name,
            kind=area.kind,
            parent=area.parent.code if area.parent else None,
            region=area.region.code if area.region else None,
            from_=_day(area.valid_from),
            to=_day(area.valid_to),
        )


def _can_be_written(succession: Succession) -> bool:
    """Return whether the format can describe the succession.

    It can if every successor follows every predecessor, in all functions, on a full date.
    """
    ties = list(succession.ties.all())
    predecessor_ids = {tie.predecessor_id for tie in ties}
    successor_ids = {tie.successor_id for tie in ties}

    has_all_combinations = len(ties) == len(predecessor_ids) * len(successor_ids)
    has_plain_ties = all(tie.function_id is None and tie.share is None and tie.role in _ROLES for tie in ties)
    vests_on_full_date = succession.vests_on is None or succession.vests_on.day is not None
    return has_all_combinations and has_plain_ties and vests_on_full_date and not succession.new_name


class _Facts:
    """The facts about all organisations in the file, loaded in a few queries."""

    def __init__(self) -> None:
        self.identifiers: dict[int, list[Identifier]] = defaultdict(list)
        published = Identifier.objects.exclude(scheme=Scheme.NETWORK).exclude(organisation__is_demonstration=True)
        for row in published.select_related("organisation").order_by("scheme", "value"):
            self.identifiers[row.organisation_id].append(row)
        self.organisations = Organisation.objects.select_related("region").in_bulk(list(self.identifiers))
        self.names: dict[int, list[OrganisationName]] = defaultdict(list)
        for name in OrganisationName.objects.order_by("kind", "name"):
            self.names[name.organisation_id].append(name)
        self.served: dict[int, list[AreaServed]] = defaultdict(list)
        for served in AreaServed.objects.select_related("area").order_by("area__code", "starts_on"):
            self.served[served.organisation_id].append(served)
        self.keys = {pk: self._key(pk) for pk in self.organisations}
        self.order = sorted(self.organisations, key=lambda pk: (self.organisations[pk].kind, self.keys[pk]))

    def _key(self, pk: int) -> str:
        """Return a key made from the identifier of the preferred scheme in `_KEYS`."""
        # The rows are reversed, so that the first of several identifiers of a scheme remains in the dict.
        value_by_scheme = {row.scheme: row.value for row in reversed(self.identifiers[pk])}
        scheme = next((scheme for scheme in _KEYS if scheme in value_by_scheme), next(iter(value_by_scheme)))
        return re.sub(r"[^a-z0-9]+", "-", f"{scheme}-{value_by_scheme[scheme]}".lower()).strip("-")

    def organisation(self, pk: int) -> dict[str, Any]:
        """Return the organisation as an object of the directory file, without blank values."""
        organisation = self.organisations[pk]
        return _filled(
            key=self.keys[pk],
            name=organisation.name,
            short_name=organisation.short_name,
            kind=organisation.kind,
            council_type=organisation.council_type,
            designation=organisation.designation,
            legal_form=organisation.legal_form,
            status=organisation.status if organisation.status != Status.ACTIVE else None,
            region=organisation.region.code if organisation.region else None,
            website=organisation.website,
            from_=_day(organisation.valid_from),
            to=_day(organisation.valid_to),
            identifiers=[_identifier(row) for row in self.identifiers[pk]],
            names=self._other_names(organisation),
            areas=[
                _filled(area=row.area.code, from_=_day(row.starts_on), to=_day(row.ends_on)) for row in self.served[pk]
            ],
        )

    def _other_names(self, organisation: Organisation) -> list[dict[str, Any]]:
        """Return the names that are not in the fields `name` and `short_name`."""
        names_in_fields = {
            (organisation.name, NameKind.OFFICIAL),
            (organisation.short_name, NameKind.SHORT),
        }
        return [_name(row) for row in self.names[organisation.pk] if (row.name, row.kind) not in names_in_fields]

    def successions(self) -> Iterator[dict[str, Any]]:
        """Yield the past successions that were not undone and whose organisations are all in the file."""
        past = Succession.objects.filter(status=SuccessionStatus.EFFECTIVE).prefetch_related("ties")
        # Go back from the last succession, because one that undoes another comes after it, and may itself be undone.
        undone_ids: set[int | None] = set()
        for succession in past.order_by("-pk"):
            if succession.pk not in undone_ids:
                undone_ids.add(succession.undoes_id)
        for succession in past.filter(undoes=None).order_by("vests_on", "kind", "pk"):
            predecessor_keys = sorted({self.keys.get(tie.predecessor_id, "") for tie in succession.ties.all()})
            successor_keys = sorted({self.keys.get(tie.successor_id or 0, "") for tie in succession.ties.all()})
            is_in_file = all(predecessor_keys) and all(successor_keys)
            if succession.pk not in undone_ids and is_in_file and _can_be_written(succession):
                yield _filled(
                    kind=succession.kind,
                    on=str(succession.vests_on or ""),
                    predecessors=predecessor_keys,
                    successors=successor_keys,
                    instrument=succession.instrument,
                    source=succession.source,
                )
