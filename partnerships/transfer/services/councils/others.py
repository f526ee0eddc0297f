"""Save the bodies in a list of councils that are not councils, such as national parks."""

from __future__ import annotations

from collections.abc import Sequence

from partnerships.organisations.models import Organisation, Scheme
from partnerships.organisations.services import create_organisation
from partnerships.transfer.reading.other_bodies import OtherBody
from partnerships.transfer.services.directory import Directory, RunningImport
from partnerships.transfer.services.refusals import set_aside_if_refused


def save_other_bodies(bodies: Sequence[OtherBody], directory: Directory, run: RunningImport) -> None:
    """Create or update the organisation of each body."""
    for body in bodies:
        with set_aside_if_refused(body.row, directory, run):
            _save(body, directory, run)


def _save(body: OtherBody, directory: Directory, run: RunningImport) -> None:
    """Create the organisation, or update its name, website and identifiers."""
    schemes_and_values = (
        (Scheme.PLANNING_DATA, body.curie),
        (Scheme.GSS, body.gss),
        (Scheme.PLANNING_AREA, body.planning_area),
    )
    identifiers = [(str(scheme), value) for scheme, value in schemes_and_values if value]
    existing_organisation = _find(body, identifiers, directory)
    if existing_organisation is None:
        _create(body, identifiers, directory, run)
        return

    fields = {"name": body.name}
    if body.website:
        fields["website"] = body.website
    changes = directory.update(existing_organisation, run, fields=fields, identifiers=identifiers)
    if changes:
        run.report.count("changed", f"{existing_organisation.name}: {'; '.join(changes)}")
    else:
        run.report.count("left_alone")


def _find(body: OtherBody, identifiers: list[tuple[str, str]], directory: Directory) -> Organisation | None:
    """Return the organisation with one of the identifiers, or else the only one with this name and kind."""
    for scheme, value in identifiers:
        if holder := directory.holder(scheme, value):
            return holder
    namesakes = [organisation for organisation in directory.with_name(body.name) if organisation.kind == body.kind]
    return namesakes[0] if len(namesakes) == 1 else None


def _create(body: OtherBody, identifiers: list[tuple[str, str]], directory: Directory, run: RunningImport) -> None:
    """Create the organisation, and count it in the report."""
    organisation = create_organisation(
        name=body.name,
        kind=body.kind,
        identifiers=identifiers,
        author=run.author,
        now=run.now,
        website=body.website,
    )
    directory.remember(organisation, identifiers=identifiers, names=[organisation.name])
    run.report.count("created", f"{organisation.name} ({organisation.get_kind_display().lower()})")
