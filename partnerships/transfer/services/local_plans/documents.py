"""Lists of the documents of local plans.

Each plan gets a section that links to its documents.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.db import transaction

from partnerships.organisations.models import Identifier, Scheme
from partnerships.plans.content import Content, InvalidContent, normalise
from partnerships.plans.models import Plan
from partnerships.plans.services import UnableToPublish
from partnerships.transfer.models import Register
from partnerships.transfer.reading.collecting import Collector
from partnerships.transfer.reading.headings import Column, Line, Table
from partnerships.transfer.services.dating import newer_list
from partnerships.transfer.services.directory import Import
from partnerships.transfer.services.local_plans.known import Known
from partnerships.transfer.services.older_plans import record_past
from partnerships.transfer.services.plan_versions import in_words, publish_changes, remark_on_embargo, said_before
from partnerships.transfer.services.simple_lists import SimpleList

#: The kinds of document of the planning data platform (local-plan-document-types.csv), with a misspelt one that it has.
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
#: The key of the section, and its title.
SECTION, _TITLE = "published-documents", "Documents"


def _apply(table: Table, collector: Collector, run: Import) -> int:
    """Publish the documents of each plan.

    Those with an end-date that is past are left out. A list that is older than the last one fills history.
    """
    known, newer = Known(), newer_list(register=run.register, digest=run.digest, as_of=run.as_of)
    keys = Identifier.objects.filter(scheme=Scheme.LOCAL_AUTHORITY)
    held = dict(keys.values_list("value", "organisation"))
    of_plan: dict[Plan, list[Line]] = {}
    for line in table:
        reference, address = collector.required(line, "plan"), line.text("url") or line.text("page")
        collector.required(line, "name")
        ended = collector.day(line, "ended")
        if not re.fullmatch(r"https?://[^\s<>]+", address):
            found = f"“{address[:60]}” is not a web address." if address else "the cell is blank."
            collector.add_problem(
                line, "url", found, "Enter a full web address, for example https://council.example/plan.pdf."
            )
        named = line.text("organisations")
        bodies = {held[key] for one in named.split(";") if (key := one.strip().rpartition(":")[2].upper()) in held}
        plans = known.called(reference, bodies)
        if reference and len(plans) != 1:
            whose = f" of {named}" if bodies else ""
            found = f"{len(plans) or 'no'} plans{whose} in Common Ground have the reference “{reference}”."
            remedy = "Correct it, or import the list of plans that has it."
            if plans:
                remedy = "Leave it out, and add the document as a link on the page of the plan that is meant."
            collector.add_problem(line, "plan", found, remedy)
        if line.number not in collector.bad_rows:
            of_plan.setdefault(plans[0], [])
            if ended is None or ended > run.as_of:
                of_plan[plans[0]].append(line)
    for done, (plan, lines) in enumerate(of_plan.items(), start=1):
        try:
            with transaction.atomic():
                links = [_link(line) for line in lines]
                if newer is None:
                    _publish(plan, links, run)
                else:
                    said = normalise(said_before(plan, is_open=True) or {})
                    record_past(plan, normalise(_with_documents(said, links, keeps_others=False)), said, run)
        except (InvalidContent, UnableToPublish) as error:
            for line in lines:
                collector.add_problem(line, "plan", in_words(error), "Correct the row.")
        run.progress(done, len(of_plan))
    return 0


def _link(line: Line) -> str:
    """Return a line of the section: the document with its address and kinds."""
    name = re.sub(r"([\\\[\]])", r"\\\1", line.text("name"))
    codes = [code.strip() for code in line.text("kinds").split(";") if code.strip()]
    kinds = ", ".join(dict.fromkeys(DOCUMENT_KINDS.get(code, code.replace("-", " ")) for code in codes))
    return f"- [{name}](<{line.text('url') or line.text('page')}>){f' ({kinds})' if kinds else ''}"


def _publish(plan: Plan, links: Sequence[str], run: Import) -> None:
    before = normalise(said_before(plan) or {})
    content = normalise(_with_documents(before, links, keeps_others=run.list_file.is_corrected))
    if content == before:
        run.report.count("left_alone")
        return
    publish_changes(plan, before, content, run)
    remark_on_embargo(plan, run)


def _with_documents(before: Content, links: Sequence[str], *, keeps_others: bool) -> Content:
    """Return the content with these documents.

    Corrected rows come beside those that went in before.
    """
    old: list[str] = next(
        (section["body"].splitlines() for section in before["sections"] if section["key"] == SECTION), []
    )
    body = "\n".join(dict.fromkeys([*(old if keeps_others else ()), *links]))
    section = {"key": SECTION, "title": _TITLE, "body": body}
    other_sections = [section for section in before["sections"] if section["key"] != SECTION]
    return {**before, "sections": [*other_sections, *([section] if body else ())]}


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
