"""What a person may do with an account (docs/rights.md)."""

from __future__ import annotations

from dataclasses import dataclass

from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Rights:
    """What one person may do with one account now.

    `is_system` stands for loaders, commands and scheduled jobs, which have no author.
    """

    person: User
    author_id: int | None = None
    is_system: bool = False
    is_administrator: bool = False

    @property
    def is_own(self) -> bool:
        """Whether the account is their own and open."""
        return self.author_id == self.person.pk and self.person.is_active

    @property
    def may_administer(self) -> bool:
        """Whether they may close the account, reopen it and give it rights."""
        return self.is_system or self.is_administrator

    @property
    def may_change_details(self) -> bool:
        """Whether they may change the name and the time zone."""
        return self.is_own or self.may_administer

    @property
    def may_export(self) -> bool:
        """Whether they may have everything that is held about the person."""
        return self.is_own or self.may_administer


def is_administrator(person: User) -> bool:
    """Whether the person administers the network.

    Read from the database and not from the object, because the account may have been closed meanwhile.
    """
    return person.is_staff and User.objects.filter(pk=person.pk, is_staff=True, is_active=True).exists()


def rights_over(person: User, author: User | None) -> Rights:
    """The author's rights over the person's account; None is the system."""
    if author is None:
        return Rights(person, is_system=True)
    return Rights(person, author.pk, is_administrator=is_administrator(author))


def keeps_network(author: User | None) -> bool:
    """Whether somebody may change what concerns no single account.

    Administrators and the system may.
    """
    return author is None or is_administrator(author)
