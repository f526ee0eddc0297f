"""The groups of organisations by which results are shown, and how small groups are counted together."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models

from partnerships.kit.disclosure import MIN_FLOOR


class Group(models.TextChoices):
    """The group of organisations that a person answers for.

    Other bodies are, for example, departments, developers and charities.
    """

    COUNCIL = "council", "Councils and authorities"
    ASSOCIATION = "association", "Housing associations"
    LEP = "lep", "LEPs and business boards"
    OTHER = "other", "Other organisations"


#: Groups by kind of organisation (`organisations.Kind`); all other kinds are other bodies.
_GROUPS = {
    "council": Group.COUNCIL,
    "strategic_authority": Group.COUNCIL,
    "national_park": Group.COUNCIL,
    "development_corporation": Group.COUNCIL,
    "registered_provider": Group.ASSOCIATION,
    "lep": Group.LEP,
    "business_board": Group.LEP,
}


def group_of(kind: str) -> Group:
    """Return the group of organisations of this kind."""
    return _GROUPS.get(kind, Group.OTHER)


def join_small_groups(people_asked: Mapping[str, int], floor: int = MIN_FLOOR) -> dict[str, str]:
    """Return by group the code of the groups with which it is counted, such as `lep+other`.

    Results of a group with fewer people than the floor could never be shown. So the two smallest groups are joined
    until every group has enough people, or only one group is left. The round stores and shows the result before anyone
    answers.
    """
    # Each with the number of people, the smallest first.
    joined_groups = sorted((number, [group]) for group, number in people_asked.items() if number)
    while len(joined_groups) > 1:
        (smallest_number, smallest_groups), (second_number, second_groups), *larger_groups = joined_groups
        if smallest_number >= floor:
            break
        both = (smallest_number + second_number, sorted(smallest_groups + second_groups))
        joined_groups = sorted([both, *larger_groups])
    return {group: "+".join(groups) for _number, groups in joined_groups for group in groups}


def group_label(code: str) -> str:
    """Return the name of groups that are counted together, such as “Councils and authorities, other bodies”.

    The code "" means everyone.
    """
    if not code:
        return "Everyone"
    first, *other_labels = [str(Group(group).label) for group in code.split("+")]
    # Names after the first begin in lower case, except for the abbreviation LEP.
    return ", ".join([first, *(name if name == Group.LEP.label else name.lower() for name in other_labels)])
