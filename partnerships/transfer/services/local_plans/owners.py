"""The authorities that own the plans of a file."""

from __future__ import annotations

from dataclasses import replace

from partnerships.kit.names import fold_name
from partnerships.organisations.models import Identifier, Kind, Organisation, OrganisationName, Scheme
from partnerships.organisations.services import create_organisation
from partnerships.transfer.reading.local_plans import LocalPlan, LocalPlans
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.services.directory import ASK_ADMINISTRATORS, Import

_IMPORT_COUNCILS = "Import the list of councils first (import_register councils FILE), or correct the key."
#: Authorities that are no councils, by the prefix of their keys. The directory may have such a body without its key.
_KINDS = {"national-park-authority": Kind.NATIONAL_PARK, "development-corporation": Kind.DEVELOPMENT_CORPORATION}


def owners_of(listed: LocalPlans, run: Import, plans_name: str) -> dict[str, Organisation]:
    """Return the organisation of every CURIE in the file.

    The plans of others are set aside; if no authority is known, councils were not imported and the files are refused.
    """
    wanted = {curie: plan for plan in reversed(listed.plans) for curie in plan.organisations}
    held = {
        (row.scheme, row.value): row.organisation
        for row in Identifier.objects.select_related("organisation").filter(
            scheme__in=[Scheme.LOCAL_AUTHORITY, Scheme.PLANNING_DATA, Scheme.PLANNING_AREA, Scheme.GSS]
        )
    }
    organisations: dict[str, Organisation] = {}
    problems, lacking = [], []
    for curie, plan in sorted(wanted.items(), key=lambda pair: pair[1].row):
        prefix, _, key = curie.partition(":")
        body = held.get((Scheme.LOCAL_AUTHORITY, key.upper())) if prefix == "local-authority" else None
        if prefix == "gss":
            body = held.get((Scheme.PLANNING_AREA, key)) or held.get((Scheme.GSS, key))
        body = body or held.get((Scheme.PLANNING_DATA, curie)) or _named(plan.organisation_name, _KINDS.get(prefix))
        may_add = prefix == "national-park-authority" and plan.organisation_name and run.organisation is None
        if body is None and may_add:
            body = create_organisation(
                name=plan.organisation_name,
                kind=Kind.NATIONAL_PARK,
                identifiers=[(Scheme.PLANNING_DATA, curie)],
                author=run.author,
                now=run.now,
            )
            run.report.remark(f"{body.name} was added to the directory: it owns a plan, and no register lists it.")
        if body is None:
            lacking.append(curie)
            problems.append(
                Problem(
                    plan.row,
                    "organisations",
                    f"“{curie}” is not an organisation in the directory.",
                    ASK_ADMINISTRATORS if run.organisation else _remedy(curie),
                    plans_name,
                )
            )
        else:
            organisations[curie] = body
    if problems and (not organisations or not run.rows_stand_alone):
        raise UnableToRead(problems)
    for plan in listed.plans:
        if named := [problem for problem, curie in zip(problems, lacking, strict=True) if curie in plan.organisations]:
            set_plan_aside(replace(named[0], row=plan.row), plan, listed, run)
    return organisations


def _named(name: str, kind: Kind | None) -> Organisation | None:
    """Return the only body of a kind with this name."""
    if not name or kind is None:
        return None
    names = OrganisationName.objects.filter(folded=fold_name(name), organisation__kind=kind)
    bodies = {row.organisation for row in names.select_related("organisation")}
    return bodies.pop() if len(bodies) == 1 else None


def _remedy(curie: str) -> str:
    """Return the remedy for administrators if no organisation has the key."""
    kind = _KINDS.get(curie.partition(":")[0])
    if kind is None:
        return _IMPORT_COUNCILS
    return (
        f"Add {curie} to the identifiers of the {kind.label.lower()} in the administration (planning data), import a "
        "list that has it with “Also import bodies that are not councils”, or enter its name under organisation-name."
    )


def set_plan_aside(
    problem: Problem, plan: LocalPlan, listed: LocalPlans, run: Import, error: Exception | None = None
) -> None:
    """Set the plan's row aside with its milestones, or refuse the files where rows do not stand alone."""
    if not run.rows_stand_alone:
        raise UnableToRead([problem]) from error
    plans, timetable = listed.list_files
    run.set_aside(plans.row_set_aside([problem]))
    found = f"the row of “{plan.reference}” in the file of plans was set aside."
    for milestone in plan.milestones:
        run.set_aside(timetable.row_set_aside([Problem(milestone.row, "plan", found, "Correct that row first.")]))
