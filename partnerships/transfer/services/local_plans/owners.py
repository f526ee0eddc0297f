"""Find the authorities that own the plans of a file, and set aside plans of unknown authorities."""

from __future__ import annotations

from dataclasses import replace

from partnerships.kit.names import fold_name
from partnerships.organisations.models import Identifier, Kind, Organisation, OrganisationName, Scheme
from partnerships.organisations.services import create_organisation
from partnerships.transfer.reading.plan_rows import LocalPlan, LocalPlans
from partnerships.transfer.reading.problems import Problem, UnableToRead
from partnerships.transfer.services.directory import ASK_ADMINISTRATORS, RunningImport

_IMPORT_COUNCILS = "Import the list of councils first (import_register councils FILE), or correct the key."
#: Kinds of authority other than councils, by the prefix of a CURIE. The directory may have them without their key.
_KINDS = {"national-park-authority": Kind.NATIONAL_PARK, "development-corporation": Kind.DEVELOPMENT_CORPORATION}


def owners_by_curie(plan_files: LocalPlans, run: RunningImport, plans_name: str) -> dict[str, Organisation]:
    """Return the organisations of the files' authorities by their CURIEs.

    Plans of authorities that are not in the directory are set aside. Raises `UnableToRead` if no authority is in the
    directory, because the councils were probably not imported yet, or if rows must not be set aside one by one.
    """
    finder = _OwnerFinder(run)
    # Messages name the first row with a CURIE: the rows are reversed, so that the first one remains in the dict.
    row_by_curie = {curie: row for row in reversed(plan_files.plans) for curie in row.organisations}
    owners: dict[str, Organisation] = {}
    problem_by_curie: dict[str, Problem] = {}
    for curie, row in sorted(row_by_curie.items(), key=lambda pair: pair[1].row):
        organisation = finder.find(curie, row.organisation_name)
        if organisation is not None:
            owners[curie] = organisation
            continue
        fault = f"“{curie}” is not an organisation in the directory."
        remedy = ASK_ADMINISTRATORS if run.organisation else _remedy(curie)
        problem_by_curie[curie] = Problem(row.row, "organisations", fault, remedy, plans_name)

    if problem_by_curie and (not owners or not run.sets_bad_rows_aside):
        raise UnableToRead(problem_by_curie.values())
    for row in plan_files.plans:
        problems = [problem for curie, problem in problem_by_curie.items() if curie in row.organisations]
        if problems:
            set_plan_aside(replace(problems[0], row=row.row), row, plan_files, run)
    return owners


class _OwnerFinder:
    """Finds the organisation of a CURIE, and creates national park authorities that the directory does not have.

    A CURIE is a key, with a prefix for the kind of key, such as `local-authority:ADU` or `gss:E60000281`.
    """

    def __init__(self, run: RunningImport) -> None:
        self._run = run
        schemes = [Scheme.LOCAL_AUTHORITY, Scheme.PLANNING_DATA, Scheme.PLANNING_AREA, Scheme.GSS]
        identifiers = Identifier.objects.select_related("organisation").filter(scheme__in=schemes)
        self._organisation_by_identifier = {
            (identifier.scheme, identifier.value): identifier.organisation for identifier in identifiers
        }

    def find(self, curie: str, name: str) -> Organisation | None:
        """Return the organisation of a CURIE, or create it, or None if it is neither found nor created.

        `name` is the authority's name in the row. It is used to find a body that the directory lists without a key.
        Only a national park authority with a name is created, and only if the import is not for one organisation.
        """
        prefix, _, key = curie.partition(":")
        organisation = (
            self._with_council_key_or_gss_code(prefix, key)
            or self._organisation_by_identifier.get((Scheme.PLANNING_DATA, curie))
            or _only_with_name(name, _KINDS.get(prefix))
        )
        if organisation is not None:
            return organisation
        if prefix == "national-park-authority" and name and self._run.organisation is None:
            return self._add_national_park(curie, name)
        return None

    def _with_council_key_or_gss_code(self, prefix: str, key: str) -> Organisation | None:
        """Return the organisation with this council key (`local-authority:`) or GSS code (`gss:`), or None.

        A GSS code is looked up as the code of a planning area first. Other prefixes find nothing.
        """
        if prefix == "local-authority":
            return self._organisation_by_identifier.get((Scheme.LOCAL_AUTHORITY, key.upper()))
        if prefix == "gss":
            planning_authority = self._organisation_by_identifier.get((Scheme.PLANNING_AREA, key))
            return planning_authority or self._organisation_by_identifier.get((Scheme.GSS, key))
        return None

    def _add_national_park(self, curie: str, name: str) -> Organisation:
        """Create a national park authority in the directory, and add a remark to the report of the import."""
        organisation = create_organisation(
            name=name,
            kind=Kind.NATIONAL_PARK,
            identifiers=[(Scheme.PLANNING_DATA, curie)],
            author=self._run.author,
            now=self._run.now,
        )
        self._run.report.remark(
            f"We added {organisation.name} to the directory, because it owns a plan and is not on any register."
        )
        return organisation


def _only_with_name(name: str, kind: Kind | None) -> Organisation | None:
    """Return the only organisation of a kind with this name, or None if there are several or none."""
    if not name or kind is None:
        return None
    names = OrganisationName.objects.filter(folded=fold_name(name), organisation__kind=kind)
    organisations = {row.organisation for row in names.select_related("organisation")}
    return organisations.pop() if len(organisations) == 1 else None


def _remedy(curie: str) -> str:
    """Return the remedy for administrators if no organisation in the directory has the key."""
    kind = _KINDS.get(curie.partition(":")[0])
    if kind is None:
        return _IMPORT_COUNCILS
    return (
        f"In Common Ground administration, add {curie} to the identifiers of the {kind.label.lower()} (planning data). "
        "Or import a list that contains it with “Also import bodies that are not councils”. Or enter its name under "
        "organisation-name."
    )


def set_plan_aside(
    problem: Problem, row: LocalPlan, plan_files: LocalPlans, run: RunningImport, error: Exception | None = None
) -> None:
    """Set the plan's row and its milestones aside.

    If this import does not set bad rows aside, raises `UnableToRead` from `error`.
    """
    if not run.sets_bad_rows_aside:
        raise UnableToRead([problem]) from error
    plans_file, timetable_file = plan_files.list_files
    run.set_aside(plans_file.row_set_aside([problem]))
    fault = f"the row of “{row.reference}” in the file of plans was set aside."
    for milestone in row.milestones:
        milestone_problem = Problem(milestone.row, "plan", fault, "Correct that row first.")
        run.set_aside(timetable_file.row_set_aside([milestone_problem]))
