"""Make the text of each partnership version 1 of its terms, or its first draft.

Partnerships that are or were in force keep their text as version 1, "accepted before signing existed", with the
acceptances of their parties. The others get a first draft. Statuses stay as they are.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone

from partnerships.agreements.terms.declarations import declare
from partnerships.agreements.terms.projection import COLUMNS, content_from_columns
from partnerships.agreements.terms.schema import MAX_CLAUSE, build_schema
from partnerships.documents import normalise
from partnerships.documents.services.rendering import prose_of
from partnerships.kit.prose import rules

IN_FORCE = ("agreed", "active", "under_review", "suspended", "renewed")
ROLES = {"chair": "Chair", "lead": "Lead", "member": "Member", "observer": "Observer"}


def _content(partnership: Any, schema: Any) -> dict[str, Any]:
    names = (*COLUMNS, "terms_of_reference", "contribution")
    raw = content_from_columns({name: getattr(partnership, name) for name in names})
    terms_clause = next((clause for clause in raw["clauses"] if clause["key"] == "terms"), None)
    if terms_clause is not None and len(terms_clause["body"]) > MAX_CLAUSE:
        # A text that is too long for one clause becomes several.
        text, new_clauses = terms_clause["body"], []
        for number, start in enumerate(range(0, len(text), MAX_CLAUSE), 1):
            title = "Terms" if number == 1 else f"Terms, part {number}"
            new_clauses.append({"key": f"terms-{number}", "title": title, "body": text[start : start + MAX_CLAUSE]})
        raw["clauses"] = [*new_clauses, *(clause for clause in raw["clauses"] if clause["key"] != "terms")]
    return normalise(schema, raw)


def first_terms(apps: Any, schema_editor: Any) -> None:
    """Write version 1 or the first draft of every partnership."""
    del schema_editor
    models = {name: apps.get_model("agreements", name) for name in _MODELS}
    now = timezone.now()
    kinds = {kind.code: kind for kind in models["PartnershipKind"].objects.all()}
    were_active = set(
        models["PartnershipEvent"].objects.filter(status="active").values_list("pgh_obj_id", flat=True).distinct()
    )
    for partnership in models["Partnership"].objects.filter(terms_version=None).order_by("pk").iterator():
        kind = kinds[partnership.kind_id]
        declarations = declare(kind.code, kind.label, review_date=kind.requires_review_date)
        schema = build_schema(declarations)
        content = _content(partnership, schema)
        parties = list(
            models["Party"].objects.filter(partnership=partnership).select_related("organisation", "answered_by")
        )
        ended_after = partnership.status == "ended" and partnership.pk in were_active
        if partnership.status in IN_FORCE or ended_after:
            _version(models, partnership, kind, declarations, schema, content, parties, now)
        elif parties:
            _draft(models, partnership, declarations, schema, content, parties, now)


def _version(
    models: dict[str, Any],
    partnership: Any,
    kind: Any,
    declarations: Any,
    schema: Any,
    content: dict[str, Any],
    parties: list[Any],
    now: Any,
) -> None:
    present_parties = [party for party in parties if party.status == "accepted"]
    present_parties.sort(key=lambda party: (party.role, party.pk))
    # Published now, not when it was agreed: parties that left before read the text as it was on that day.
    version = models["TermsVersion"].objects.create(
        partnership=partnership,
        number=1,
        origin="before_signing",
        content=content,
        prose=prose_of(schema, content),
        prose_rules=rules(),
        note="The terms as they were when signing began. They were agreed by accepting the invitations.",
        published_at=now,
        title=partnership.title,
        kind_label=kind.label,
        declarations=declarations,
        parties=[
            {
                "organisation": party.organisation_id,
                "name": party.organisation.name,
                "role": party.role,
                "role_label": ROLES[party.role],
                "signs": party.role != "observer",
            }
            for party in present_parties
        ],
    )

    for party in present_parties:
        if party.role == "observer":
            continue
        signed_at = party.answered_at or party.invited_at
        person = party.answered_by
        models["TermsSignature"].objects.create(
            version=version,
            organisation=party.organisation,
            decision="approved",
            person=person,
            name=(person.name or person.email) if person else "",
            role="",
            how="accepted",
            signed_on=timezone.localdate(signed_at),
            signed_at=signed_at,
        )

    models["TermsInForce"].objects.create(
        partnership=partnership,
        version=version,
        from_day=partnership.starts_on or timezone.localdate(partnership.created_at),
        decided_at=now,
    )
    models["Partnership"].objects.filter(pk=partnership.pk).update(terms_version=version)


def _draft(
    models: dict[str, Any],
    partnership: Any,
    declarations: Any,
    schema: Any,
    content: dict[str, Any],
    parties: list[Any],
    now: Any,
) -> None:
    proposing_party = min(parties, key=lambda party: (party.role not in ("chair", "lead"), party.pk))
    models["TermsProposal"].objects.create(
        partnership=partnership,
        number=1,
        proposed_by=proposing_party.organisation,
        author=partnership.created_by,
        reason="The first terms.",
        declarations=declarations,
        content=content,
        prose=prose_of(schema, content),
        prose_rules=rules(),
        created_at=partnership.created_at,
        updated_at=now,
    )


_MODELS = (
    "Partnership",
    "PartnershipEvent",
    "PartnershipKind",
    "Party",
    "TermsInForce",
    "TermsProposal",
    "TermsSignature",
    "TermsVersion",
)


class Migration(migrations.Migration):
    dependencies = [("agreements", "0011_terms")]
    operations = [migrations.RunPython(first_terms, migrations.RunPython.noop)]
