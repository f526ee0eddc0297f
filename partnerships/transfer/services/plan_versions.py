"""Versions of imported plans.

The first, and what a file changes, with the owners' own edits kept.
"""

from __future__ import annotations

from partnerships.open_data.services import is_under_embargo
from partnerships.organisations.models import Organisation
from partnerships.plans.content import Content, InvalidContent, normalise, rebase
from partnerships.plans.models import Audience, Plan
from partnerships.plans.services import create_plan, publish_version
from partnerships.transfer.services.directory import Import


def last_file_content(plan: Plan | None, *, is_open: bool = False) -> Content | None:
    """Return what the last file said of the plan; None if no file said anything.

    A version from a file has the edits that owners made before too. So what each file changed is applied to what the
    file before said. With `is_open`, in versions that are under no embargo.
    """
    if plan is None:
        return None
    versions = plan.versions.filter(number__lte=plan.open_number) if is_open else plan.versions.all()
    sources = dict(versions.order_by("number").values_list("number", "source"))
    imported = [number for number, source in sources.items() if source]
    if not imported:
        return None
    edited = next((number for number, source in sources.items() if not source and number > imported[0]), imported[-1])
    first = max(number for number in imported if number <= edited)
    later = [number for number in imported if number > first]
    needed = {first, *later, *(number - 1 for number in later)}
    contents = dict(versions.filter(number__in=needed).values_list("number", "content"))
    content: Content = contents[first]
    for number in later:
        content = rebase(normalise(content), normalise(contents[number - 1]), normalise(contents[number]))
    return content


def create_from_file(
    *, owners: list[Organisation], title: str, kind: str, content: Content, external: str, run: Import
) -> Plan:
    """Create a public plan with what the file says as its first version."""
    plan = create_plan(
        owners=owners,
        partnership=None,
        title=title,
        kind=kind,
        audience=Audience.PUBLIC,
        author=run.author,
        now=run.now,
        content=content,
        external_reference=external,
    )
    publish_version(
        plan=plan,
        author=run.author,
        note=f"Imported from {run.source}.",
        now=run.now,
        content=content,
        source=run.source[:300],
    )
    return plan


def publish_changes(plan: Plan, before: Content | None, fresh: Content, run: Import) -> None:
    """Publish the file's changes and keep the owners' own edits."""
    if plan.is_over:
        run.report.remark(
            f"{plan.title} is {plan.get_status_display().lower()} here, so the file’s changes were not applied."
        )
        run.report.count("left_alone")
        return
    newest = plan.versions.filter(number=plan.current_number).first()
    content = fresh
    if newest is not None and before is not None:
        content = rebase(normalise(newest.content), normalise(before), content)
        if content == normalise(newest.content):
            run.report.remark(f"{plan.title}: its owners had edited what the file changed, so their text was kept.")
            run.report.count("left_alone")
            return
    version = publish_version(
        plan=plan,
        author=run.author,
        note=f"Updated from {run.source}.",
        now=run.now,
        content=content,
        source=run.source[:300],
    )
    run.report.count("changed", f"{version.title}: version {version.number}")


def remark_on_embargo(plan: Plan, run: Import) -> None:
    """Say that the plan's rows in the published files wait for the end of its embargo."""
    if is_under_embargo(plan, run.now):
        run.report.remark(
            f"{plan.title} is under embargo, so its rows in the public files stay as they are. Import "
            "this file again when the embargo has ended."
        )


def in_words(error: Exception) -> str:
    if isinstance(error, InvalidContent):
        return "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)
    return str(error)
