"""The changes of plans since the last conversation, for a brief."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.utils import timezone

from partnerships.conversations.models import Conversation
from partnerships.people.models import User
from partnerships.plans.changes import changes_between, summary
from partnerships.plans.content import Content
from partnerships.plans.models import Plan, ReadingClass, Version
from partnerships.plans.queries import area_names, content_for_reader, visible_versions

#: The most changes of one plan in a brief. The comparison page has all changes.
_MAX_CHANGES = 6


@dataclass(frozen=True, slots=True)
class PlanChanges:
    """A shared plan and its changes since the last conversation."""

    plan: Plan
    #: The number of the newest version.
    newest: int
    summary: str
    #: The first changes, each as a sentence.
    changes: tuple[str, ...] = ()
    #: The number of changes that are not listed.
    more: int = 0
    #: The number of the version with which the newest is compared, or None if there is none.
    earlier: int | None = None


def changes_of_plans(
    user: User, plans: Sequence[Plan], inside_ids: Collection[int], last_conversation: Conversation | None
) -> list[PlanChanges]:
    """Return the changes of each plan, without plans whose versions the reader may not see.

    The reader reads the plans in `inside_ids` with confidential sites and restricted text.
    """
    versions_by_plan: defaultdict[int, list[Version]] = defaultdict(list)
    for version in visible_versions(user, plans):
        versions_by_plan[version.plan_id].append(version)
    compared_by_plan = {
        pk: _compared_versions(versions, last_conversation) for pk, versions in versions_by_plan.items()
    }
    content_by_version = _contents_of(compared_by_plan.values())
    areas = area_names(*content_by_version.values())

    plan_changes = []
    for plan in plans:
        compared = compared_by_plan.get(plan.pk)
        if compared is not None:
            reader = ReadingClass.INSIDE if plan.pk in inside_ids else ReadingClass.OUTSIDE
            plan_changes.append(_plan_changes(plan, compared, reader, content_by_version, areas))
    return plan_changes


@dataclass(frozen=True, slots=True)
class _ComparedVersions:
    """The newest version of a plan, and the version with which it is compared, both without content."""

    newest: Version
    #: None if no conversation has been recorded.
    earlier: Version | None
    #: Whether the plan was first published after the last conversation.
    is_new: bool = False

    @property
    def is_changed(self) -> bool:
        """Return whether there are two versions to compare."""
        return self.earlier is not None and self.earlier.pk != self.newest.pk


def _compared_versions(versions: list[Version], last_conversation: Conversation | None) -> _ComparedVersions:
    """Return the versions of one plan to compare. `versions` are those that the reader may see, newest first."""
    newest_version = versions[0]
    if last_conversation is None:
        return _ComparedVersions(newest_version, None)
    for version in versions:
        if timezone.localdate(version.published_at) <= last_conversation.held_on:
            return _ComparedVersions(newest_version, version)
    # A plan that was first published later is compared with its first version.
    return _ComparedVersions(newest_version, versions[-1], is_new=True)


def _contents_of(compared_plans: Iterable[_ComparedVersions]) -> dict[int, Content]:
    """Return the contents of the versions to compare, by id. Check the reader's rights before."""
    ids: list[int] = []
    for compared in compared_plans:
        if compared.earlier is not None and compared.is_changed:
            ids += [compared.earlier.pk, compared.newest.pk]
    return dict(Version.objects.filter(pk__in=ids).values_list("pk", "content")) if ids else {}


def _plan_changes(
    plan: Plan,
    compared: _ComparedVersions,
    reader: ReadingClass,
    content_by_version: dict[int, Content],
    areas: dict[str, str],
) -> PlanChanges:
    """Return the first changes of a plan since the version that was current at the last conversation."""
    newest_number, earlier_version = compared.newest.number, compared.earlier
    if earlier_version is None:
        return PlanChanges(plan, newest_number, "No conversation has been recorded yet. See the plan.")
    if not compared.is_changed:
        sentence = "Published since the last conversation." if compared.is_new else "Nothing changed."
        return PlanChanges(plan, newest_number, sentence)
    old_content = content_for_reader(content_by_version[earlier_version.pk], reader)
    new_content = content_for_reader(content_by_version[compared.newest.pk], reader)
    all_changes = changes_between(old_content, new_content, areas)
    introduction = (
        f"Published since the last conversation. Since version {earlier_version.number}: " if compared.is_new else ""
    )
    return PlanChanges(
        plan,
        newest_number,
        introduction + summary(all_changes),
        changes=tuple(change.sentence() for change in all_changes[:_MAX_CHANGES]),
        more=max(len(all_changes) - _MAX_CHANGES, 0),
        earlier=earlier_version.number,
    )
