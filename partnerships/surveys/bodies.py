"""The groups of bodies that results are shown by, and how small groups are counted together."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import models

from partnerships.kit.disclosure import MIN_FLOOR


class Group(models.TextChoices):
    """What a person answers as. Others are departments, regulators, developers, charities and so on."""

    COUNCIL = "council", "Councils and authorities"
    ASSOCIATION = "association", "Housing associations"
    LEP = "lep", "LEPs and business boards"
    OTHER = "other", "Other bodies"


#: Groups by kind of organisation (`organisations.Kind`); kinds that are not here are other bodies.
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
    """The group of an organisation's kind."""
    return _GROUPS.get(kind, Group.OTHER)


def counted_as(asked: Mapping[str, int], floor: int = MIN_FLOOR) -> dict[str, str]:
    """For each group, the group or groups that it is counted with, such as `lep+other`.

    Fewer people of one group than the floor could never be shown: the group is counted with the smallest others until
    there are as many. This is decided, and said, before anybody answers.
    """
    together: list[tuple[int, tuple[str, ...]]] = sorted(
        (number, (group,)) for group, number in asked.items() if number
    )
    while len(together) > 1 and together[0][0] < floor:
        first, second, *others = together
        together = sorted([(first[0] + second[0], tuple(sorted(first[1] + second[1]))), *others])
    return {group: "+".join(groups) for _, groups in together for group in groups}


def words_of(code: str) -> str:
    """The words for groups counted together, such as “Councils and authorities, other bodies”; "" is everybody."""
    names = [str(Group(one).label) for one in code.split("+") if one]
    if not names:
        return "Everybody"
    return ", ".join([names[0], *(name if name == Group.LEP.label else name.lower() for name in names[1:])])
