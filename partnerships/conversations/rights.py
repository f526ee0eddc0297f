"""What a person may do with a conversation (docs/rights.md).

Editors and leads act for their own side.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from partnerships.conversations.models import Conversation
from partnerships.organisations.models import Organisation
from partnerships.organisations.rights import roles_of
from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Rights:
    """Rights of one person over one conversation now.

    `sides` are those that they edit for.
    """

    conversation: Conversation
    sides: tuple[Organisation, ...]
    agreed: frozenset[int]

    @property
    def keeps(self) -> bool:
        """Whether they edit for the organisation that keeps the record."""
        return any(side.pk == self.conversation.organisation_id for side in self.sides)

    @property
    def edits(self) -> bool:
        """Whether they edit for any side."""
        return bool(self.sides)

    @property
    def other_sides(self) -> tuple[Organisation, ...]:
        """Sides they edit for, except the keeper."""
        return tuple(side for side in self.sides if side.pk != self.conversation.organisation_id)

    @property
    def may_edit(self) -> bool:
        """Whether they may change the record."""
        return self.keeps and self.conversation.is_editable

    @property
    def may_circulate(self) -> bool:
        """Whether they may circulate the draft."""
        return self.keeps and self.conversation.is_draft

    @property
    def may_cancel(self) -> bool:
        """Whether they may cancel a planned conversation."""
        return self.keeps and self.conversation.is_planned

    @property
    def may_correct(self) -> bool:
        """Whether they may suggest a correction."""
        return bool(self.other_sides) and self.conversation.is_open_for_correction

    @property
    def may_answer(self) -> bool:
        """Whether they may answer corrections."""
        return self.keeps and self.conversation.is_open_for_correction

    @property
    def to_agree_for(self) -> tuple[Organisation, ...]:
        """Sides for which they may still agree."""
        if not self.conversation.is_open_for_correction:
            return ()
        return tuple(side for side in self.sides if side.pk not in self.agreed)

    @property
    def may_note(self) -> bool:
        """Whether they may write a private note."""
        return self.edits


def rights_over(conversation: Conversation, person: User, now: dt.datetime) -> Rights:
    """Rights of the person on the day of `now`."""
    sides = list(conversation.sides.select_related("organisation").order_by("pk"))
    edited = roles_of(person, now).edited_among([side.organisation_id for side in sides])
    return Rights(
        conversation,
        sides=tuple(side.organisation for side in sides if side.organisation_id in edited),
        agreed=frozenset(side.organisation_id for side in sides if side.agreed_at is not None),
    )
