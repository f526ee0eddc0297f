"""Bodies of a list of councils that are no councils, as their kind."""

from __future__ import annotations

from collections.abc import Sequence

from partnerships.organisations.models import Organisation, Scheme
from partnerships.organisations.services import create_organisation
from partnerships.transfer.reading.other_bodies import OtherBody
from partnerships.transfer.services.directory import Directory, Import
from partnerships.transfer.services.rows import one_row


def keep_others(bodies: Sequence[OtherBody], directory: Directory, run: Import) -> None:
    """Create or update each body, found by its keys or by name and kind."""
    for body in bodies:
        with one_row(body.row, directory, run):
            _keep(body, directory, run)


def _keep(body: OtherBody, directory: Directory, run: Import) -> None:
    """Create the body, or update the one that has these identifiers."""
    pairs = (
        (Scheme.PLANNING_DATA, body.curie),
        (Scheme.GSS, body.gss),
        (Scheme.PLANNING_AREA, body.planning_area),
    )
    identifiers = [(str(scheme), value) for scheme, value in pairs if value]
    known = _known(body, identifiers, directory)
    if known is None:
        made = create_organisation(
            name=body.name,
            kind=body.kind,
            identifiers=identifiers,
            author=run.author,
            now=run.now,
            website=body.website,
        )
        directory.adopt(made, identifiers=identifiers, names=[made.name])
        run.report.count("created", f"{made.name} ({made.get_kind_display().lower()})")
        return
    fields = {"name": body.name} | ({"website": body.website} if body.website else {})
    if said := directory.update(known, run, fields=fields, identifiers=identifiers):
        run.report.count("changed", f"{known.name}: {'; '.join(said)}")
    else:
        run.report.count("left_alone")


def _known(body: OtherBody, identifiers: list[tuple[str, str]], directory: Directory) -> Organisation | None:
    for scheme, value in identifiers:
        if holder := directory.holder(scheme, value):
            return holder
    alike = [organisation for organisation in directory.called(body.name) if organisation.kind == body.kind]
    return alike[0] if len(alike) == 1 else None
