"""Import lists of the documents of local plans, and add a section with links to each plan."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from django.db import transaction

from partnerships.organisations.models import Identifier, Scheme
from partnerships.plans.content import Content, InvalidContent, normalise
from partnerships.plans.models import Plan
from partnerships.plans.services import UnableToPublish
from partnerships.transfer.models import Register
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import Column, Line, Table
from partnerships.transfer.services.dating import newer_list
from partnerships.transfer.services.directory import RunningImport
from partnerships.transfer.services.local_plans.imported_plans import ImportedPlans
from partnerships.transfer.services.older_plans import record_older_content
from partnerships.transfer.services.plan_versions import (
    error_in_words,
    last_file_content,
    publish_changes,
    remark_on_embargo,
)
from partnerships.transfer.services.simple_lists import SimpleList

#: The kinds of document of the planning data platform (local-plan-document-types.csv), one of them misspelt there.
DOCUMENT_KINDS = {
    "local-plan": "local plan",
    "adoption-statement": "adoption statement",
    "area-action-plan": "area action plan",
    "financial-viability-study": "financial viability study",
    "inspectors-report": "inspector's report",
    "policies-map": "policies map",
    "strategic-flood-risk-assessment": "strategic flood risk assessment",
    "strategic-housing-market-assessment": "strategic housing market assessment",
    "supplementary-planning-documents": "supplementary planning documents",
    "local-development-scheme": "local development scheme",
    "sustainability-apprasial": "sustainability appraisal",
    "local-plan-review": "local plan review",
    "core-strategy": "core strategy",
    "site-allocations": "site allocations",
    "viability-assessment": "viability assessment",
    "sustainability-appraisal": "sustainability appraisal",
}
#: The key and the title of the section.
SECTION, _TITLE = "published-documents", "Documents"


def _apply(table: Table, collector: Collector, run: RunningImport) -> int:
    """Publish the documents of each plan, without documents whose end date has passed.

    A list that is older than the latest one only adds to histories. Every simple list returns the number of its rows
    outside England. For documents, this is always 0.
    """
    newer_run = newer_list(register=run.register, digest=run.digest, as_of=run.as_of)
    lines_by_plan = _lines_by_plan(table, collector, run)
    for done_count, (plan, lines) in enumerate(lines_by_plan.items(), start=1):
        links = [_link(line) for line in lines]
        try:
            with transaction.atomic():
                if newer_run is None:
                    _publish(plan, links, run)
                else:
                    _record_past_documents(plan, links, run)
        except (InvalidContent, UnableToPublish) as error:
            for line in lines:
                collector.add_problem(line, "plan", error_in_words(error), "Correct the row.")
        run.progress(done_count, len(lines_by_plan))
    return 0


def _lines_by_plan(table: Table, collector: Collector, run: RunningImport) -> dict[Plan, list[Line]]:
    """Return the rows of current documents by plan. A plan whose documents have all ended has no rows.

    Rows that cannot be used get a problem, and are left out.
    """
    imported_plans = ImportedPlans()
    identifiers = Identifier.objects.filter(scheme=Scheme.LOCAL_AUTHORITY)
    organisation_id_by_key = dict(identifiers.values_list("value", "organisation"))
    lines_by_plan: dict[Plan, list[Line]] = {}
    for line in table:
        reference = collector.required(line, "plan")
        collector.required(line, "name")
        ended_on = collector.day(line, "ended")
        _check_address(line, collector)
        owner_ids = _owner_ids(line, organisation_id_by_key)
        plans = imported_plans.with_reference(reference, owner_ids)
        if reference and len(plans) != 1:
            _add_problem_with_reference(line, plans, collector, has_known_owners=bool(owner_ids))
        if line.number in collector.bad_rows:
            continue
        lines_of_plan = lines_by_plan.setdefault(plans[0], [])
        if ended_on is None or ended_on > run.as_of:
            lines_of_plan.append(line)
    return lines_by_plan


def _address(line: Line) -> str:
    """Return the address of the document or, if that is blank, of the page with a link to it."""
    return line.text("url") or line.text("page")


def _check_address(line: Line, collector: Collector) -> None:
    """Add a problem if the row has no valid web address."""
    address = _address(line)
    if not re.fullmatch(r"https?://[^\s<>]+", address):
        fault = f"“{address[:60]}” is not a web address." if address else "the cell is blank."
        remedy = "Enter a full web address, for example https://council.example/plan.pdf."
        collector.add_problem(line, "url", fault, remedy)


def _owner_ids(line: Line, organisation_id_by_key: Mapping[str, int]) -> set[int]:
    """Return the ids of the organisations in the row, without keys that are not in the directory."""
    keys = [curie.strip().rpartition(":")[2].upper() for curie in line.text("organisations").split(";")]
    return {organisation_id_by_key[key] for key in keys if key in organisation_id_by_key}


def _add_problem_with_reference(
    line: Line, plans: Sequence[Plan], collector: Collector, *, has_known_owners: bool
) -> None:
    """Add a problem if several imported plans, or none, have the reference."""
    owners_words = f" of {line.text('organisations')}" if has_known_owners else ""
    count = len(plans) or "no"
    fault = f"{count} plans{owners_words} in Common Ground have the reference “{line.text('plan')}”."
    if plans:
        remedy = "Remove the row, and add the document as a link on the page of the right plan."
    else:
        remedy = "Correct the reference, or import the list of plans that has this plan."
    collector.add_problem(line, "plan", fault, remedy)


def _link(line: Line) -> str:
    """Return a document as a line of Markdown, with a link and its kinds."""
    name = re.sub(r"([\\\[\]])", r"\\\1", line.text("name"))
    codes = [code.strip() for code in line.text("kinds").split(";") if code.strip()]
    kinds = ", ".join(dict.fromkeys(DOCUMENT_KINDS.get(code, code.replace("-", " ")) for code in codes))
    return f"- [{name}](<{_address(line)}>){f' ({kinds})' if kinds else ''}"


def _publish(plan: Plan, links: Sequence[str], run: RunningImport) -> None:
    """Publish the documents of a plan, if they differ from the previous list."""
    before = normalise(last_file_content(plan) or {})
    content = normalise(_with_documents(before, links, keeps_others=run.list_file.is_corrected))
    if content == before:
        run.report.count("left_alone")
        return
    publish_changes(plan, before, content, run)
    remark_on_embargo(plan, run)


def _record_past_documents(plan: Plan, links: Sequence[str], run: RunningImport) -> None:
    """Add the documents of an older list to the history of the plan."""
    public_content = normalise(last_file_content(plan, is_open=True) or {})
    older_content = normalise(_with_documents(public_content, links, keeps_others=False))
    record_older_content(plan, older_content, public_content, run)


def _with_documents(before: Content, links: Sequence[str], *, keeps_others: bool) -> Content:
    """Return the content with these documents in its section, or without the section if it has no documents.

    `keeps_others` is for corrected rows. The documents of earlier imports are then not removed.
    """
    earlier_links: list[str] = []
    for section in before["sections"]:
        if section["key"] == SECTION and keeps_others:
            earlier_links = section["body"].splitlines()
    other_sections = [section for section in before["sections"] if section["key"] != SECTION]
    body = "\n".join(dict.fromkeys([*earlier_links, *links]))
    if not body:
        return {**before, "sections": other_sections}
    return {**before, "sections": [*other_sections, {"key": SECTION, "title": _TITLE, "body": body}]}


DOCUMENTS = SimpleList(
    Register.PLAN_DOCUMENTS,
    (
        Column("plan", ("localplan", "plan", "planreference", "localplanreference"), "local-plan", required=True),
        Column("name", ("name", "title", "documentname"), "name", required=True),
        Column("url", ("documenturl", "url"), "document-url", required=True),
        Column("page", ("documentationurl",), "documentation-url"),
        Column("kinds", ("documenttypes", "documenttype"), "document-types"),
        Column("organisations", ("organisations?",), "organisations"),
        Column("ended", ("enddate",), "end-date"),
    ),
    "the list of documents of local plans",
    _apply,
)
