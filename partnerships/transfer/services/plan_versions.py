"""Publish imported plans, and combine later files with edits that the owners made in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from partnerships.open_data.services import is_under_embargo
from partnerships.organisations.models import Organisation
from partnerships.plans.content import Content, InvalidContent, normalise, rebase
from partnerships.plans.models import Audience, Plan
from partnerships.plans.services import create_plan, publish_version
from partnerships.transfer.services.directory import RunningImport


def last_file_content(plan: Plan | None, *, is_open: bool = False) -> Content | None:
    """Return the content of the plan as the last file has it, without the owners' edits.

    For example, version 1 comes from a file, the owners edit version 2, and version 3 comes from the next file. Version
    3 includes the owners' edits, so the result is version 1 with the changes between versions 2 and 3. Returns None if
    no version comes from a file. With `is_open`, versions under embargo are ignored.
    """
    if plan is None:
        return None
    versions = plan.versions.filter(number__lte=plan.open_number) if is_open else plan.versions.all()
    source_by_number = dict(versions.order_by("number").values_list("number", "source"))
    imported_numbers = [number for number, source in source_by_number.items() if source]
    if not imported_numbers:
        return None
    base_number = _last_number_before_edits(source_by_number, imported_numbers)
    later_numbers = [number for number in imported_numbers if number > base_number]
    needed_numbers = {base_number, *later_numbers, *(number - 1 for number in later_numbers)}
    content_by_number = dict(versions.filter(number__in=needed_numbers).values_list("number", "content"))
    content: Content = content_by_number[base_number]
    for number in later_numbers:
        before_file, after_file = content_by_number[number - 1], content_by_number[number]
        content = rebase(normalise(content), normalise(before_file), normalise(after_file))
    return content


def _last_number_before_edits(source_by_number: Mapping[int, str], imported_numbers: Sequence[int]) -> int:
    """Return the number of the last imported version before the owners' first edit of an imported version."""
    for number, source in source_by_number.items():
        if not source and number > imported_numbers[0]:
            return max(imported for imported in imported_numbers if imported < number)
    return imported_numbers[-1]


def create_from_file(
    *, owners: list[Organisation], title: str, kind: str, content: Content, external_reference: str, run: RunningImport
) -> Plan:
    """Create a public plan whose first version has the content of the file."""
    plan = create_plan(
        owners=owners,
        partnership=None,
        title=title,
        kind=kind,
        audience=Audience.PUBLIC,
        author=run.author,
        now=run.now,
        content=content,
        external_reference=external_reference,
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


def publish_changes(plan: Plan, before: Content | None, file_content: Content, run: RunningImport) -> None:
    """Publish a new version with the changes of the file and the edits that the owners made before.

    A plan that is over is not changed. `before` is the content as the previous file has it, or None if the plan has no
    version from a file.
    """
    if plan.is_over:
        run.report.remark(
            f"{plan.title} is {plan.get_status_display().lower()} here, so the file’s changes were not applied."
        )
        run.report.count("left_alone")
        return
    newest_version = plan.versions.filter(number=plan.current_number).first()
    content = file_content
    if newest_version is not None and before is not None:
        content = rebase(normalise(newest_version.content), normalise(before), content)
        if content == normalise(newest_version.content):
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


def remark_on_embargo(plan: Plan, run: RunningImport) -> None:
    """Add a remark if the plan is under embargo, so that its rows in the public files do not change yet."""
    if is_under_embargo(plan, run.now):
        run.report.remark(
            f"{plan.title} is under embargo, so its rows in the public files stay as they are. Import "
            "this file again when the embargo has ended."
        )


def error_in_words(error: Exception) -> str:
    """Return the message of an error. For invalid content, it lists each problem with its path."""
    if isinstance(error, InvalidContent):
        return "; ".join(f"{problem.path}: {problem.message}" for problem in error.problems)
    return str(error)
