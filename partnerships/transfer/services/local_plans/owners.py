"""The authorities that own the plans of a file."""

from __future__ import annotations

from dataclasses import replace

from partnerships.organisations.models import Identifier, Kind, Organisation, Scheme
from partnerships.organisations.services import create_organisation
from partnerships.transfer.reading.local_plans import LocalPlans
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.services.directory import ASK_ADMINISTRATORS, Import

_IMPORT_COUNCILS = "Import the list of councils first (import_register councils FILE), or correct the key."


def owners_of(listed: LocalPlans, run: Import, plans_name: str) -> dict[str, Organisation]:
    """The organisation of every CURIE in the file.

    The plans of others are set aside; if no authority is known, councils were not imported and the files are refused.
    """
    wanted = {curie: plan for plan in reversed(listed.plans) for curie in plan.organisations}
    held = {
        (row.scheme, row.value): row.organisation
        for row in Identifier.objects.select_related("organisation").filter(
            scheme__in=[Scheme.LOCAL_AUTHORITY, Scheme.PLANNING_DATA, Scheme.PLANNING_AREA, Scheme.GSS]
        )
    }
    found: dict[str, Organisation] = {}
    problems, lacking = [], []
    for curie, plan in sorted(wanted.items(), key=lambda pair: pair[1].row):
        prefix, _, key = curie.partition(":")
        body = held.get((Scheme.LOCAL_AUTHORITY, key.upper())) if prefix == "local-authority" else None
        if prefix == "gss":
            body = held.get((Scheme.PLANNING_AREA, key)) or held.get((Scheme.GSS, key))
        body = body or held.get((Scheme.PLANNING_DATA, curie))
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
                    ASK_ADMINISTRATORS if run.organisation else _IMPORT_COUNCILS,
                    plans_name,
                )
            )
        else:
            found[curie] = body
    if problems and (not found or not run.rows_stand_alone):
        raise UnableToRead(problems)
    for plan in listed.plans:
        if named := [problem for problem, curie in zip(problems, lacking, strict=True) if curie in plan.organisations]:
            set_plan_aside(replace(named[0], row=plan.row), run)
    return found


def set_plan_aside(problem: Problem, run: Import, error: Exception | None = None) -> None:
    """Set the plan's row aside, or refuse the files where rows do not stand alone."""
    if not run.rows_stand_alone:
        raise UnableToRead([problem]) from error
    run.set_aside(run.listed.row_set_aside([problem]))
