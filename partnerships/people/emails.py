"""Letters about accounts and about who administers the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Q

from partnerships.kit.letters import link, send_letter
from partnerships.people.models import User


def _tell(template: str, person: User, *, administrators: bool, **context: object) -> int:
    """A letter each to the person it is about and, where it concerns them, to all who administer the network."""
    concerned = Q(pk=person.pk) | Q(is_staff=True) if administrators else Q(pk=person.pk)
    return sum(
        send_letter(
            to=one.email,
            template=f"people/{template}",
            context={"person": person, "own": one == person, "link": link("people:account"), **context},
        )
        for one in User.objects.filter(concerned, is_active=True).order_by("pk")
    )


def tell_of_administration(person: User, *, granted: bool, author: User | None, reason: str) -> int:
    """Somebody administers the network from now on, or no longer: they and all who do read it."""
    return _tell("administration", person, administrators=True, granted=granted, author=author, reason=reason)


def tell_of_removed_factors(person: User, *, author: User, reason: str) -> int:
    """An administrator has removed somebody's second factors: they read it, of an administrator's all who are."""
    return _tell("second_factor_removed", person, administrators=person.is_staff, author=author, reason=reason)


def tell_of_provider(
    leads: Iterable[User],
    *,
    provider: Mapping[str, str],
    organisations: Sequence[str],
    author: User,
    reason: str,
    what: str,
) -> int:
    """A sign-in provider was added, changed or removed: the leads who rely on it and all administrators read it."""
    concerned = Q(pk__in=[lead.pk for lead in leads]) | Q(is_staff=True)
    return sum(
        send_letter(
            to=one.email,
            template="people/sign_in_provider",
            context={
                "provider": provider,
                "organisations": organisations,
                "author": author,
                "reason": reason,
                "what": what,
                "administers": one.is_staff,
            },
        )
        for one in User.objects.filter(concerned, is_active=True).order_by("pk")
    )
