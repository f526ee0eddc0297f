"""Administrators edit the kinds of partnership, and pages show the changes."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships import documents
from partnerships.agreements import services as agreements
from partnerships.agreements.models import (
    KindCheck,
    KindField,
    KindTable,
    Partnership,
    PartnershipKind,
    TermsProposal,
)
from partnerships.agreements.queries.terms import content_of_proposal
from partnerships.agreements.terms.checks import problems_of
from partnerships.agreements.terms.declarations import with_retired_fields
from partnerships.agreements.terms.schema import build_schema
from tests.support.signing_in import signed_in
from tests.world import World

#: The form of a new kind, as an administrator fills it in.
NEW_KIND = {
    "label": "Land pact",
    "code": "land_pact",
    "purpose": "Owners pool their land.",
    "position": "110",
    "reminder_days": "90, 30",
    "active": "on",
}


def admin_page(name: str, *ids: int) -> str:
    """Return the address of an admin page of kinds: `add`, or `change` or `delete` for the kind with this id."""
    return reverse(f"admin:agreements_partnershipkind_{name}", args=ids)


def inline_data(page: Client, address: str) -> dict[str, str]:
    """Return the fields that the admin page would send if nothing was changed."""
    data: dict[str, str] = {}
    context = page.get(address).context
    forms = [context["adminform"].form]
    for formset in context["inline_admin_formsets"]:
        forms += [formset.formset.management_form, *formset.formset.forms]
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is not None and value is not False:
                data[bound.html_name] = "on" if value is True else str(value)
    return data


def test_an_administrator_adds_a_kind_that_people_can_choose_at_once(world: World) -> None:
    response = signed_in(world.dee).post(admin_page("add"), NEW_KIND)

    form = signed_in(world.amina).get(reverse("agreements:create")).content.decode()
    assert response.status_code == 302
    assert '<option value="land_pact">Land pact</option>' in form


def test_a_partnership_of_an_added_kind_shows_its_label(world: World) -> None:
    signed_in(world.dee).post(admin_page("add"), NEW_KIND)
    partnership = agreements.create_partnership(
        organisation=world.larkhaven, author=world.amina, title="Quays", kind="land_pact", now=timezone.now()
    )

    html = signed_in(world.amina).get(partnership.get_absolute_url()).content.decode()

    assert "Land pact" in html


def reword_memorandum(administrator: Client) -> PartnershipKind:
    """Change the label of memoranda of understanding to "Memorandum", try to change their code, and return the kind."""
    kind = PartnershipKind.objects.get(code="memorandum")
    address = admin_page("change", kind.pk)
    administrator.post(address, inline_data(administrator, address) | {"label": "Memorandum", "code": "changed"})
    kind.refresh_from_db()
    return kind


def test_a_partnership_shows_the_new_label_of_its_kind(world: World) -> None:
    reword_memorandum(signed_in(world.dee))

    html = signed_in(world.amina).get(world.partnership.get_absolute_url()).content.decode()

    assert "Memorandum" in html
    assert "Memorandum of understanding" not in html


def test_a_reworded_kind_keeps_its_code(world: World) -> None:
    kind = reword_memorandum(signed_in(world.dee))

    assert kind.code == "memorandum"
    assert kind.label == "Memorandum"
    assert [row.pgh_label for row in kind.events.order_by("pgh_id")]  # type: ignore[attr-defined]  # made by pghistory == ["insert", "update"]


@pytest.fixture
def retired_memorandum(world: World) -> None:
    """Retire the kind of the Estuary Partnership, which is a memorandum."""
    kind = PartnershipKind.objects.get(code="memorandum")
    kind.active = False
    kind.save()


@pytest.mark.usefixtures("retired_memorandum")
def test_a_retired_kind_is_not_offered_to_new_partnerships(world: World) -> None:
    html = signed_in(world.amina).get(reverse("agreements:create")).content.decode()

    assert 'value="memorandum"' not in html


@pytest.mark.usefixtures("retired_memorandum")
def test_an_old_partnership_keeps_its_retired_kind(world: World) -> None:
    address = reverse("agreements:edit", kwargs={"pk": world.partnership.pk})

    html = signed_in(world.amina).get(address).content.decode()

    assert '<option value="memorandum" selected>' in html


@pytest.mark.usefixtures("retired_memorandum")
def test_partnerships_of_a_retired_kind_are_found_in_the_list(world: World) -> None:
    html = signed_in(world.amina).get(reverse("agreements:list"), {"kind": "memorandum"}).content.decode()

    assert world.partnership.title in html


@pytest.mark.usefixtures("retired_memorandum")
def test_no_new_partnership_can_have_a_retired_kind(world: World) -> None:
    with pytest.raises(agreements.UnableToCreatePartnership, match="no longer offered"):
        agreements.create_partnership(
            organisation=world.larkhaven, author=world.amina, title="Quays", kind="memorandum", now=timezone.now()
        )


def test_nobody_deletes_a_kind(world: World, client: Client) -> None:
    kind = PartnershipKind.objects.get(code="charter")
    client.force_login(world.dee)

    response = client.post(admin_page("delete", kind.pk), {"post": "yes"})

    assert response.status_code == 403
    assert PartnershipKind.objects.filter(code="charter").exists()
    assert Partnership.objects.filter(kind_id="memorandum").exists()


def add_required_field_to_charters(administrator: Client) -> None:
    """Add the field "Pledge" to charters, on the administrator's page of the kind."""
    address = admin_page("change", PartnershipKind.objects.get(code="charter").pk)
    data = inline_data(administrator, address)
    index = int(data["fields-TOTAL_FORMS"])
    new_field = {"label": "Pledge", "code": "pledge", "shape": "line", "help": "In one line.", "position": "5"}
    data |= {f"fields-{index}-{name}": value for name, value in new_field.items()}
    data |= {f"fields-{index}-required": "on", f"fields-{index}-active": "on", "fields-TOTAL_FORMS": str(index + 1)}
    response = administrator.post(address, data)
    assert response.status_code == 302, [inline.formset.errors for inline in response.context["inline_admin_formsets"]]


def test_an_added_field_is_in_the_schema_of_new_terms(world: World) -> None:
    add_required_field_to_charters(signed_in(world.dee))

    cached_kind = PartnershipKind.by_code()["charter"]
    codes_of_own_fields = [field.code for field in build_schema(cached_kind.declarations).about][-4:]
    assert codes_of_own_fields == ["pledge", "standards", "how_to_join", "published_at"]


def test_an_added_field_is_in_the_preview_of_the_form(world: World) -> None:
    dee = signed_in(world.dee)
    add_required_field_to_charters(dee)
    kind = PartnershipKind.objects.get(code="charter")

    html = dee.get(reverse("admin:kind_preview", args=[kind.pk])).content.decode()

    assert "Pledge (required)" in " ".join(html.split())
    assert 'placeholder="A line of text"' in html
    assert "In one line." in html


def save_unchanged(administrator: Client, address: str) -> str:
    """Save the form on an administrator's page as it is, and return the address of the next page."""
    return administrator.post(address, inline_data(administrator, address)).headers["Location"]


def test_saving_a_table_leads_to_the_page_of_its_kind(world: World) -> None:
    table = KindTable.objects.get(kind__code="joint_venture", code="shares")

    next_page = save_unchanged(signed_in(world.dee), reverse("admin:agreements_kindtable_change", args=[table.pk]))

    assert next_page == admin_page("change", table.kind_id)


def test_saving_a_column_leads_to_the_page_of_its_table(world: World) -> None:
    table = KindTable.objects.get(kind__code="joint_venture", code="shares")
    column = table.columns.order_by("pk")[0]

    next_page = save_unchanged(signed_in(world.dee), reverse("admin:agreements_kindfield_change", args=[column.pk]))

    assert next_page == reverse("admin:agreements_kindtable_change", args=[table.pk])


def test_a_retired_field_is_kept_only_in_an_amendment_of_terms_that_fill_it_in(world: World) -> None:
    earlier_declarations = PartnershipKind.by_code()["charter"].declarations
    content = documents.normalise(build_schema(earlier_declarations), {"about": {"standards": "Warm homes."}})
    field = KindField.objects.get(kind__code="charter", code="standards")
    field.active = False
    field.save()

    current_declarations = PartnershipKind.by_code()["charter"].declarations
    declarations_of_amendment = with_retired_fields(current_declarations, earlier_declarations, content)

    assert "standards" not in build_schema(current_declarations).about_by_code
    assert documents.normalise(build_schema(declarations_of_amendment), content)["about"]["standards"] == "Warm homes."
    assert "published_at" in build_schema(declarations_of_amendment).about_by_code


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"code": "quorum"}, "All terms have a field"),
        ({"code": "Bad code"}, "Use a to z"),
        ({"shape": "choice", "choices": "one: One\none: Two"}, "each code once"),
        ({"shape": "line", "choices": "one: One"}, "Leave them empty for other types"),
        ({"code": "standards"}, "already exists"),
        ({"shape": "percent", "starter": "120"}, "between 0 and 100"),
        ({"shape": "flag", "starter": "yes"}, "true or false"),
    ],
)
def test_faulty_fields_are_refused_in_words(db: None, change: dict[str, str], words: str) -> None:
    kind = PartnershipKind.objects.get(code="charter")
    field = KindField(kind=kind, **{"code": "pledge", "label": "Pledge", "shape": "line", **change})

    with pytest.raises(ValidationError, match=words):
        field.full_clean()


@pytest.fixture
def shares_table(db: None) -> KindTable:
    """Return the table of shares in the terms of joint ventures."""
    return KindTable.objects.get(kind__code="joint_venture", code="shares")


def test_a_check_cannot_name_a_field_that_the_table_lacks(shares_table: KindTable) -> None:
    check = KindCheck(kind=shares_table.kind, table=shares_table, check_name="adds_up_to_100", field="weight")

    with pytest.raises(ValidationError, match="There is no field with the code “weight”"):
        check.full_clean()


def test_a_check_of_a_sum_needs_a_table(shares_table: KindTable) -> None:
    check = KindCheck(kind=shares_table.kind, check_name="adds_up_to_100", field="quorum")

    with pytest.raises(ValidationError, match="Choose its table"):
        check.full_clean()


def test_a_check_can_name_a_field_of_its_table(shares_table: KindTable) -> None:
    check = KindCheck(kind=shares_table.kind, table=shares_table, check_name="adds_up_to_100", field="percent")

    check.full_clean()


def test_every_kind_begins_with_clauses_and_valid_declarations(db: None) -> None:
    for kind in PartnershipKind.by_code().values():
        schema = build_schema(kind.declarations)
        content = documents.normalise(schema, {"clauses": kind.clauses})

        assert len(content["clauses"]) >= 4 or kind.code == "working_group", kind.code
        for check in kind.checks.all():
            check.full_clean()
        for field in [*kind.fields.all(), *(column for table in kind.tables.all() for column in table.columns.all())]:
            field.full_clean()


def test_a_partnership_opened_on_the_page_begins_with_the_clauses_of_its_kind(world: World, client: Client) -> None:
    client.force_login(world.amina)
    form = {"organisation": world.larkhaven.pk, "title": "Quays", "kind": "joint_venture", "audience": "parties"}

    response = client.post(reverse("agreements:create"), form)

    proposal = TermsProposal.objects.get(partnership__title="Quays")
    assert response.status_code == 302
    assert [clause["title"] for clause in content_of_proposal(proposal)["clauses"]][:2] == ["Business plan", "Money"]


def test_shares_of_a_joint_venture_must_add_up(db: None) -> None:
    declarations = PartnershipKind.by_code()["joint_venture"].declarations
    shares = [{"party": "Larkhaven", "percent": "60"}, {"party": "Westmarch", "percent": "30"}]
    content = documents.normalise(build_schema(declarations), {"shares": shares})

    problem_messages = [problem.message for problem in problems_of(declarations, content)]

    assert "“Share” in “Shares” adds up to 90%. It must add up to 100%." in problem_messages
    assert "Fill in “How a party leaves”." in problem_messages
