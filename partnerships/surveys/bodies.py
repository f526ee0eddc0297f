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


#: Groups by kind of organisation (`organisations.Kind`). All other kinds are in `OTHER`.
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
    """Return the code of the groups with which each group is counted, such as `lep+other`, by group.

    Results of a group with fewer people than the floor could never be shown. So the two smallest groups are joined
    until every group has enough people, or only one group is left. For example, of 9 people at councils, 3 at LEPs and
    2 at other bodies, the last 5 are counted together. The round stores and shows this before anyone answers.
    """
    # Each item has the number of people and the groups, the smallest number first.
    joined_groups = sorted((people, [group]) for group, people in people_asked.items() if people)
    while len(joined_groups) > 1:
        (fewest_people, smallest_groups), (second_fewest, second_groups), *larger_groups = joined_groups
        if fewest_people >= floor:
            break
        joined = (fewest_people + second_fewest, sorted(smallest_groups + second_groups))
        joined_groups = sorted([joined, *larger_groups])
    return {group: "+".join(groups) for _people, groups in joined_groups for group in groups}


def group_label(code: str) -> str:
    """Return the name of groups that are counted together. The code "" means everyone.

    For example, the code `council+other` gives “Councils and authorities, other organisations”.
    """
    if not code:
        return "Everyone"
    first, *other_labels = [str(Group(group).label) for group in code.split("+")]
    # Names after the first begin in lower case, except for the abbreviation LEP.
    return ", ".join([first, *(name if name == Group.LEP.label else name.lower() for name in other_labels)])
