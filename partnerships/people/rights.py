"""Rights over a person's account (docs/rights.md)."""

from __future__ import annotations

from dataclasses import dataclass

from partnerships.people.models import User


@dataclass(frozen=True, slots=True)
class Rights:
    """The present rights of one author over one person's account.

    `is_system` means loaders, commands and scheduled jobs, which have no author.
    """

    person: User
    author_id: int | None = None
    is_system: bool = False
    is_administrator: bool = False

    @property
    def is_own(self) -> bool:
        """Return True if the account is the author's own and open."""
        return self.author_id == self.person.pk and self.person.is_active

    @property
    def may_administer(self) -> bool:
        """Return True if the author may close the account, reopen it, and make the person an administrator."""
        return self.is_system or self.is_administrator

    @property
    def may_change_details(self) -> bool:
        """Return True if the author may change the name and the time zone."""
        return self.is_own or self.may_administer

    @property
    def may_export(self) -> bool:
        """Return True if the author may download all data that is stored about the person."""
        return self.is_own or self.may_administer


def is_administrator(person: User) -> bool:
    """Return True if the person is an administrator of the network.

    This is read from the database and not from the object, because the account may have been closed in the meantime.
    """
    return person.is_staff and User.objects.filter(pk=person.pk, is_staff=True, is_active=True).exists()


def rights_over(person: User, author: User | None) -> Rights:
    """Return the author's rights over the person's account; an author of None means the system."""
    if author is None:
        return Rights(person, is_system=True)
    return Rights(person, author.pk, is_administrator=is_administrator(author))


def may_change_network_settings(author: User | None) -> bool:
    """Return True if the author may change settings of the whole network.

    Administrators may, and so may the system (None).
    """
    return author is None or is_administrator(author)
