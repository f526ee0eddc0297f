"""Writes the directory's public facts as a directory file."""

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

#: Roles that the sides of a succession say by themselves.
_ROLES = frozenset({TieRole.SUCCESSOR, TieRole.CONTINUING})

#: Schemes in the order in which one of their identifiers becomes an organisation's key.
_KEYS = (Scheme.LOCAL_AUTHORITY, Scheme.RSH, Scheme.LEP, Scheme.GSS)


def directory_text() -> str:
    """Return the directory as a directory file, one organisation on each line.

    Without the demonstration, and without organisations that no register identifies.
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
    return json.dumps(value, ensure_ascii=False)


def _rows(rows: Iterable[dict[str, Any]]) -> str:
    return ",\n".join(f"    {_json(row)}" for row in rows)


def _filled(**fields: Any) -> dict[str, Any]:
    """Return the fields that say something; `from_` is written "from"."""
    return {name.rstrip("_"): value for name, value in fields.items() if value not in (None, "", [])}


def _day(value: Any) -> str | None:
    return value.isoformat() if value else None


def _lists() -> Iterator[dict[str, Any]]:
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
    """Return whether the format can say it.

    Every successor follows every predecessor, in everything, on a day.
    """
    ties = list(succession.ties.all())
    sides = {tie.predecessor_id for tie in ties}, {tie.successor_id for tie in ties}
    return (
        len(ties) == len(sides[0]) * len(sides[1])
        and all(tie.function_id is None and tie.share is None and tie.role in _ROLES for tie in ties)
        and not succession.new_name
        and (succession.vests_on is None or succession.vests_on.day is not None)
    )


class _Facts:
    """Everything that the file says, read in a few queries."""

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
        by_scheme = {row.scheme: row.value for row in reversed(self.identifiers[pk])}
        scheme = next((scheme for scheme in _KEYS if scheme in by_scheme), next(iter(by_scheme)))
        return re.sub(r"[^a-z0-9]+", "-", f"{scheme}-{by_scheme[scheme]}".lower()).strip("-")

    def organisation(self, pk: int) -> dict[str, Any]:
        """Return the organisation as an item of the directory file.

        Blank values are left out.
        """
        one = self.organisations[pk]
        own = {(one.name, NameKind.OFFICIAL), (one.short_name, NameKind.SHORT)}
        return _filled(
            key=self.keys[pk],
            name=one.name,
            short_name=one.short_name,
            kind=one.kind,
            council_type=one.council_type,
            designation=one.designation,
            legal_form=one.legal_form,
            status=one.status if one.status != Status.ACTIVE else None,
            region=one.region.code if one.region else None,
            website=one.website,
            from_=_day(one.valid_from),
            to=_day(one.valid_to),
            identifiers=[
                _filled(
                    scheme=row.scheme,
                    value=row.value,
                    org_id=row.org_id,
                    from_=_day(row.valid_from),
                    to=_day(row.valid_to),
                )
                for row in self.identifiers[pk]
            ],
            names=[
                _filled(
                    name=row.name,
                    kind=row.kind if row.kind != NameKind.ALTERNATIVE else None,
                    from_=_day(row.valid_from),
                    to=_day(row.valid_to),
                )
                for row in self.names[pk]
                if (row.name, row.kind) not in own
            ],
            areas=[
                _filled(area=row.area.code, from_=_day(row.starts_on), to=_day(row.ends_on)) for row in self.served[pk]
            ],
        )

    def successions(self) -> Iterator[dict[str, Any]]:
        """Yield past successions, without those undone or with bodies that the file does not have."""
        past = Succession.objects.filter(status=SuccessionStatus.EFFECTIVE).prefetch_related("ties")
        undone: set[int | None] = set()
        for succession in past.order_by("-pk"):  # What undoes another comes after it.
            if succession.pk not in undone:
                undone.add(succession.undoes_id)
        for succession in past.filter(undoes=None).order_by("vests_on", "kind", "pk"):
            before = sorted({self.keys.get(tie.predecessor_id, "") for tie in succession.ties.all()})
            after = sorted({self.keys.get(tie.successor_id or 0, "") for tie in succession.ties.all()})
            if succession.pk not in undone and all(before) and all(after) and _can_be_written(succession):
                yield _filled(
                    kind=succession.kind,
                    on=str(succession.vests_on or ""),
                    predecessors=before,
                    successors=after,
                    instrument=succession.instrument,
                    source=succession.source,
                )
