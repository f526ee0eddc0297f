"""Who may call each service of partnerships."""

from __future__ import annotations

from typing import Any

from django.core.files.base import ContentFile
from django.utils import timezone

from partnerships.agreements import services
from partnerships.agreements.models import Partnership
from partnerships.people.models import User
from tests.support.rights import ADMINISTRATOR, EDITORS, LEAD, OWN, PARTNER, PARTNER_EDITORS, Row
from tests.world import World


def _invited(world: World) -> Any:
    """Tidewater, invited to the Estuary Partnership."""
    return services.invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        author=world.amina,
        now=timezone.now(),
    )


def _step(world: World, author: User | None, status: str) -> None:
    services.change_status(
        partnership=world.partnership, status=status, reason="Agreed.", author=author, now=timezone.now()
    )


def _under_review(world: World) -> None:
    """The Estuary Partnership under review."""
    services.edit_terms(
        partnership=world.partnership,
        terms_of_reference="We meet every month.",
        review_on=timezone.localdate(),
        author=world.amina,
        now=timezone.now(),
    )
    for status in ("drafting", "awaiting_sign_off", "active", "under_review"):
        _step(world, world.amina, status)


def _document(world: World, of: Any = None, by: Any = None) -> Any:
    return services.add_document(
        partnership=world.partnership,
        title="Memorandum",
        file=ContentFile(b"What we agreed.\n", name="memorandum.txt"),
        organisation=of or world.larkhaven,
        author=by or world.amina,
        now=timezone.now(),
    )


def _removed(world: World) -> Any:
    document = _document(world)
    services.remove_document(document=document, author=world.amina, now=timezone.now())
    return document


def _post(world: World, role: str = "nominations") -> Any:
    return services.create_post(
        organisation=world.larkhaven, partnership=world.partnership, role=role, author=world.amina, now=timezone.now()
    )


def _fill(post: Any, author: User | None, someone: User) -> Any:
    return services.fill_post(post=post, person=someone, reason="New.", author=author, now=timezone.now())


def _holder(world: World) -> Any:
    """Lena's colleague Vera, in a post."""
    return _fill(_post(world), world.amina, world.vera)


def _create(world: World, author: User, _: Any) -> Partnership:
    return services.create_partnership(
        organisation=world.larkhaven, author=author, title="Quays", kind="charter", now=timezone.now()
    )


ROWS = (
    Row("agreements.create_partnership", _create, LEAD),
    Row(
        "agreements.edit_terms",
        lambda w, author, _: services.edit_terms(
            partnership=w.partnership, title="Quays", author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "agreements.edit_terms",
        lambda w, author, _: services.edit_terms(
            partnership=w.partnership, title="Quays", author=author, organisation=w.westmarch, now=timezone.now()
        ),
        frozenset(),
        situation="in the name of a member",
    ),
    Row(
        "agreements.invite_organisation",
        lambda w, author, _: services.invite_organisation(
            partnership=w.partnership, organisation=w.tidewater, role="member", author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "agreements.answer_invitation",
        lambda w, author, party: services.answer_invitation(
            party=party, accept=True, reason="", author=author, now=timezone.now()
        ),
        frozenset({"stranger"}),
        prepare=_invited,
        situation="sent to Tidewater",
    ),
    Row(
        "agreements.leave_partnership",
        lambda w, author, _: services.leave_partnership(
            party=w.party(w.westmarch), reason="Over.", author=author, now=timezone.now()
        ),
        PARTNER,
    ),
    Row(
        "agreements.remove_party",
        lambda w, author, _: services.remove_party(
            party=w.party(w.westmarch), reason="Over.", author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "agreements.remove_party",
        lambda w, author, party: services.remove_party(
            party=party, reason="A mistake.", author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_invited,
        situation="that is only invited",
    ),
    Row(
        "agreements.change_party_role",
        lambda w, author, _: services.change_party_role(
            party=w.party(w.westmarch), role="lead", author=author, now=timezone.now()
        ),
        LEAD,
    ),
    Row(
        "agreements.create_post",
        lambda w, author, _: services.create_post(
            organisation=w.larkhaven, role="finance", author=author, now=timezone.now()
        ),
        EDITORS,
    ),
    Row(
        "agreements.create_post",
        lambda w, author, _: services.create_post(
            organisation=w.larkhaven, role="signatory", author=author, now=timezone.now()
        ),
        LEAD,
        situation="of a signatory",
    ),
    Row("agreements.fill_post", lambda w, author, post: _fill(post, author, w.vera), EDITORS, prepare=_post),
    Row(
        "agreements.fill_post",
        lambda w, author, post: _fill(post, author, w.eddie),
        LEAD,
        prepare=lambda w: _post(w, "lead"),
        situation="of a lead",
    ),
    Row(
        "agreements.vacate_post",
        lambda w, author, holder: services.vacate_post(
            holder=holder, reason="Moved.", author=author, now=timezone.now()
        ),
        OWN,
        prepare=_holder,
        situation="that a viewer holds",
    ),
    Row(
        "agreements.change_contact",
        lambda w, author, holder: services.change_contact(
            holder=holder, contact=services.Contact(phone="01329 555 010"), author=author, now=timezone.now()
        ),
        OWN,
        prepare=_holder,
        situation="of a viewer",
    ),
    Row(
        "agreements.end_post",
        lambda w, author, post: services.end_post(post=post, reason="Done.", author=author, now=timezone.now()),
        EDITORS,
        prepare=_post,
    ),
    Row("agreements.change_status", lambda w, author, _: _step(w, author, "drafting"), LEAD),
    Row(
        "agreements.renew",
        lambda w, author, _: services.renew(
            partnership=w.partnership, organisation=w.larkhaven, reason="Go on.", author=author, now=timezone.now()
        ),
        LEAD,
        prepare=_under_review,
    ),
    Row("agreements.add_document", lambda w, author, _: _document(w, w.larkhaven, author), EDITORS),
    Row(
        "agreements.add_document",
        lambda w, author, _: _document(w, w.westmarch, author),
        PARTNER_EDITORS,
        situation="of a member",
    ),
    Row(
        "agreements.add_document",
        lambda w, author, _: _document(w, w.riverside, author),
        frozenset(),
        situation="of an observer",
    ),
    Row(
        "agreements.add_document",
        lambda w, author, _: _document(w, w.harbour, author),
        frozenset(),
        situation="of a former party",
    ),
    Row(
        "agreements.remove_document",
        lambda w, author, document: services.remove_document(document=document, author=author, now=timezone.now()),
        EDITORS,
        prepare=_document,
    ),
    Row(
        "agreements.restore_document",
        lambda w, author, document: services.restore_document(document=document, author=author, now=timezone.now()),
        ADMINISTRATOR,
        prepare=_removed,
    ),
)

#: Services that only the system calls.
WITHOUT_A_PERSON = {
    "agreements.record_due_step": "called by the clock",
    "agreements.take_status": "called by services that checked",
    "agreements.record_due_steps": "called by the clock",
    "agreements.missing_for": "reads only",
    "agreements.record_event": "records what another service did",
}
