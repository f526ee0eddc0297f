"""Addresses that anybody can guess, such as pages of records by their ids, searches, and lists of Django admin."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import admin
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from partnerships.commitments.models import Commitment
from partnerships.conversations.models import Conversation
from partnerships.exchange.models import Entry
from partnerships.organisations.models import Organisation
from partnerships.plans.models import Plan
from tests.support.planted import Planted


def guessable_addresses(planted: Planted, *, one_of: int | None = None) -> list[str]:
    """Return the address of every page with an id for every planted record, because anybody may guess the ids.

    With `one_of`, each page gets only the record at this index, modulo the number of records.
    """
    pks_by_room: dict[str, list[int]] = {
        "agreements": [planted.world.partnership.pk, planted.world.other_partnership.pk],
        "commitments": _pks(Commitment, text__contains=planted.mark),
        "conversations": _pks(Conversation, subject__contains=planted.mark),
        "exchange": _pks(Entry, title__contains=planted.mark),
        "organisations": _pks(Organisation, name__endswith=planted.mark),
        "plans": _pks(Plan, title__contains=planted.mark),
    }
    addresses = []
    for name, parameters in named_patterns():
        namespace = name.partition(":")[0]
        if namespace == "web":
            namespace = "agreements" if ":partnership" in name else "organisations"
        if parameters == {"pk"}:
            pks = pks_by_room.get(namespace, [])
            if one_of is not None and pks:
                pks = [pks[one_of % len(pks)]]
            addresses += [reverse(name, kwargs={"pk": pk}) for pk in pks]
    return addresses


def _pks(model: type[Model], **lookups: str) -> list[int]:
    """Return the ids of the records that these lookups find."""
    return list(model._default_manager.filter(**lookups).order_by("pk").values_list("pk", flat=True))


def named_patterns(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[tuple[str, set[str]]]:
    """Yield the name of every URL of ours, with the names of its parameters."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from named_patterns(pattern, f"{pattern.namespace}:" if pattern.namespace else namespace)
        elif isinstance(pattern, URLPattern) and pattern.name and namespace:
            yield f"{namespace}{pattern.name}", set(pattern.pattern.regex.groupindex)


#: Pages that search records. They must answer a hidden word like a nonsense word.
FINDERS = (
    "/search/?q={}",
    "/search/suggestions/?q={}",
    "/partnerships/?q={}",
    "/organisations/?q={}",
    "/plans/?q={}",
    "/ask-and-offer/?q={}",
    "/ask-and-offer/list/?q={}",
    "/commitments/?q={}",
    "/conversations/?q={}",
)


def administration() -> list[str]:
    """Return the addresses of Django admin that list records, suggest records, or show their history."""
    addresses = ["/admin/"]
    for model, options in admin.site._registry.items():
        label, name = model._meta.app_label, model._meta.model_name
        addresses.append(reverse(f"admin:{label}_{name}_changelist"))
        addresses += [
            f"/admin/autocomplete/?app_label={label}&model_name={name}&field_name={field_name}&term=zq"
            for field_name in options.autocomplete_fields
        ]
        if hasattr(model, "pgh_event_model"):
            newest = model._default_manager.order_by("-pk").values_list("pk", flat=True)[:1]
            addresses += [reverse(f"admin:{label}_{name}_history", args=[pk]) for pk in newest]
    return addresses


def finders_of_administration() -> list[str]:
    """Return the addresses of Django admin's lists that have a search."""
    return [
        f"{reverse(f'admin:{model._meta.app_label}_{model._meta.model_name}_changelist')}?q={{}}"
        for model, options in admin.site._registry.items()
        if options.search_fields
    ]
