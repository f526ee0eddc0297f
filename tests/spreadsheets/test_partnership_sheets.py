"""Commitments, asks, contacts and stakeholders from a spreadsheet go through the services of their rooms."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.activity.models import Event, Subject
from partnerships.agreements.models import Post
from partnerships.agreements.services import ContactDetails, change_contact
from partnerships.commitments.emails import write_proposed_together
from partnerships.commitments.event_kinds import EventKind as Proposed
from partnerships.commitments.models import Commitment
from partnerships.commitments.services import edit_proposal, propose_commitment
from partnerships.digests.emails.blocks import render_section
from partnerships.digests.emails.changes import read_section
from partnerships.digests.models import Subscription
from partnerships.exchange.models import Entry
from partnerships.exchange.services import create_entry
from partnerships.kit.rights import UnableToAct
from partnerships.organisations.models import Membership
from partnerships.outbox.content import Content
from partnerships.outbox.kinds import DueEmail
from partnerships.outbox.models import Email
from partnerships.people.models import User
from partnerships.people.personal_data import erase_person
from partnerships.spreadsheets.models import Upload
from partnerships.spreadsheets.services import ask_to_import, process_waiting_uploads, upload_spreadsheet
from partnerships.spreadsheets.services.kinds import Target, stakeholders
from tests.plans.drafts import published_plan
from tests.spreadsheets.sheets import csv_rows, row_counts
from tests.support.outbox import deliver
from tests.world import World

DUE = timezone.localdate() + dt.timedelta(days=200)
COMMITMENTS = (
    "Your reference,Gives,Receives,What is promised,Quantity,Unit,Due date,Owner\n"
    f"1,Larkhaven Homes,Westmarch Borough Council,60 homes at the quay,60,homes,{DUE:%d/%m/%Y},Eddie Larch\n"
    f"2,Westmarch Borough Council,Larkhaven Homes,Land at Mill Lane,,,{DUE:%d %B %Y},\n"
    f"3,Tidewater Housing Group,Larkhaven Homes,Nothing,,,{DUE},\n"
    "4,Larkhaven Homes,Westmarch Borough Council,Too late,,,01/02/2020,\n"
)
ENTRIES = (
    "Ask or offer,Title,Theme,Quantity,Unit,Until\n"
    "Ask,Land for 60 homes,Land,60,homes,{until}\nOffer,Training,Skills and jobs,,,\n"
)
CONTACTS = (
    "Role,Job title,Name,Email,Phone\n"
    "Planning,Head of planning,Kit Doe,kit.doe@example.org,01234 567890\n"
    "Finance,,Vera Larch,vera@larkhaven.example,\n"
    "Signatory,,Amina Larch,amina@larkhaven.example,\n"
)


def import_rows(target: Target, author: User, kind: str, data: str | bytes) -> Upload:
    """Upload a spreadsheet, and import it."""
    upload = upload_rows(target, author, kind, data)
    return ask_to_import(upload=upload, author=author, now=timezone.now())


def upload_rows(target: Target, author: User, kind: str, data: str | bytes) -> Upload:
    """Upload a spreadsheet, which is previewed."""
    return upload_spreadsheet(
        kind=kind,
        target=target,
        data=data.encode() if isinstance(data, str) else data,
        file_name="rows.csv",
        author=author,
        now=timezone.now(),
    )


def as_csv(row: dict[str, str]) -> str:
    """Return a file of one row."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(row))
    writer.writeheader()
    writer.writerow(row)
    return out.getvalue()


def of_partnership(world: World, organisation: Any = None) -> Target:
    """Return the Estuary Partnership as the target, for Larkhaven unless another party is given."""
    return Target(partnership=world.partnership, organisation=organisation or world.larkhaven)


def export_of(client: Client, record: str, pk: int, kind: str) -> bytes:
    """Return the bytes of a CSV export of a record."""
    response = client.get(reverse("spreadsheets:export", args=[record, pk, kind, "csv"]))
    assert response.status_code == 200
    return response.getvalue()  # type: ignore[no-any-return]  # it has no type in the stubs


@pytest.fixture
def upload_of_commitments(world: World) -> Upload:
    """Return Amina's import of four commitments, two of them with mistakes."""
    return import_rows(of_partnership(world), world.amina, "commitments", COMMITMENTS)


def test_each_good_row_proposes_a_commitment(world: World, upload_of_commitments: Upload) -> None:
    first, second = Commitment.objects.order_by("pk")

    assert row_counts(upload_of_commitments) == {"created": 2, "set_aside": 2}
    assert first.giver == world.larkhaven
    assert first.quantity == 60
    assert first.unit == "homes"
    assert first.owner == world.eddie
    assert first.due_on == DUE
    assert second.giver == world.westmarch
    assert second.is_proposed


def test_a_commitment_of_another_organisation_or_a_past_day_is_set_aside(upload_of_commitments: Upload) -> None:
    reason_of_stranger, reason_of_past_day = (row[2] for row in upload_of_commitments.report["set_aside"])

    assert "“Tidewater Housing Group” does not take part in this partnership." in reason_of_stranger
    assert "Enter a due date that is today or later." in reason_of_past_day


def test_one_email_is_about_all_commitments_of_a_spreadsheet(world: World, upload_of_commitments: Upload) -> None:
    email = Email.objects.get(kind__startswith="commitments.")

    assert email.kind == "commitments.proposed_together"
    assert email.person_id == world.ben.pk
    assert email.params["commitments"] == list(Commitment.objects.order_by("pk").values_list("pk", flat=True))


@pytest.fixture
def proposal_events(world: World, upload_of_commitments: Upload) -> list[Event]:
    """Return the events of two commitments that were added from a spreadsheet, and of one that Amina typed in."""
    propose_commitment(
        giver=world.larkhaven,
        receiver=world.westmarch,
        text="A crossing",
        quantity=None,
        unit="",
        owner=None,
        due_on=DUE,
        partnership=world.partnership,
        author=world.amina,
        now=timezone.now(),
    )
    return list(Event.objects.filter(kind=Proposed.PROPOSED, within_id=world.partnership.pk).order_by("pk"))


def test_digest_has_one_line_about_the_commitments_of_one_spreadsheet(
    world: World, proposal_events: list[Event]
) -> None:
    subject = Subject(kind="partnership", record_id=world.partnership.pk)

    section = read_section(subject, proposal_events, stakeholder=False, now=timezone.now())

    line_of_spreadsheet, line_of_proposal = section.lines
    assert section.count == 2
    assert line_of_spreadsheet.sentence == "2 commitments added from a spreadsheet"
    assert line_of_spreadsheet.why.startswith("Amina Larch, Larkhaven Homes")
    assert line_of_spreadsheet.path == f"/commitments/?partnership={world.partnership.pk}"
    assert line_of_proposal.sentence == "A crossing: proposed a commitment"


def test_email_of_a_digest_links_the_list_of_commitments(world: World, proposal_events: list[Event]) -> None:
    subject = Subject(kind="partnership", record_id=world.partnership.pk)
    section = read_section(subject, proposal_events, stakeholder=False, now=timezone.now())

    text = str(render_section(section, stakeholder=False).text)

    # "=" is "=3D" in an email.
    assert f"See the list: http://localhost:8000/commitments/?partnership=3D{world.partnership.pk}" in text


def test_digest_for_stakeholders_does_not_link_the_list_of_commitments(
    world: World, proposal_events: list[Event]
) -> None:
    subject = Subject(kind="partnership", record_id=world.partnership.pk)

    section = read_section(subject, proposal_events, stakeholder=True, now=timezone.now())

    assert section.lines[0].path == ""


def test_digest_says_what_a_spreadsheet_changed_of_one_commitment(world: World) -> None:
    import_rows(of_partnership(world), world.amina, "commitments", COMMITMENTS)
    later = DUE + dt.timedelta(days=1)
    row = f"1,Larkhaven Homes,Westmarch Borough Council,60 homes at the quay,80,homes,{later:%d/%m/%Y},\n"
    upload = import_rows(of_partnership(world), world.amina, "commitments", COMMITMENTS.partition("\n")[0] + "\n" + row)
    subject = Subject(kind="partnership", record_id=world.partnership.pk)

    events = list(Event.objects.filter(kind=Proposed.TERMS_CHANGED, within_id=world.partnership.pk).order_by("pk"))
    section = read_section(subject, events, stakeholder=False, now=timezone.now())

    assert row_counts(upload) == {"changed": 1}
    assert section.count > 1
    assert not [line.sentence for line in section.lines if "spreadsheet" in line.sentence]


def test_email_about_many_commitments_takes_few_queries(
    world: World, django_assert_max_num_queries: Callable[[int], AbstractContextManager[Any]]
) -> None:
    lines = "".join(f"Larkhaven Homes,Westmarch Borough Council,Scheme {number},{DUE}\n" for number in range(25))
    import_rows(of_partnership(world), world.amina, "commitments", f"Gives,Receives,What is promised,Due date\n{lines}")
    email = Email.objects.get(kind="commitments.proposed_together")
    due = cast("DueEmail", SimpleNamespace(params=email.params))

    with django_assert_max_num_queries(8):
        content = write_proposed_together(due, world.ben, timezone.now())

    assert isinstance(content, Content)
    assert content.context["count"] == 25
    assert content.context["more"] == 5
    assert len(content.context["commitments"]) == 20


def test_second_upload_of_the_same_commitments_changes_nothing(world: World, upload_of_commitments: Upload) -> None:
    second_upload = import_rows(of_partnership(world), world.amina, "commitments", COMMITMENTS)

    assert row_counts(second_upload) == {"left_alone": 2, "set_aside": 2}


def test_a_corrected_row_changes_its_own_commitment(world: World, upload_of_commitments: Upload) -> None:
    headings, first_row, *_ = COMMITMENTS.splitlines()
    corrected_file = headings + "\n" + first_row.replace(",60,", ",75,")

    corrected_upload = import_rows(of_partnership(world), world.amina, "commitments", corrected_file)

    assert row_counts(corrected_upload) == {"changed": 1}
    assert Commitment.objects.count() == 2
    assert Commitment.objects.order_by("pk")[0].quantity == 75


def test_commitment_typed_in_a_form_stays_confirmed_when_its_download_comes_back(world: World, client: Client) -> None:
    commitment = propose_commitment(
        giver=world.larkhaven,
        receiver=world.westmarch,
        text="Land at the quay.\r\nWith access.",
        quantity=None,
        unit="",
        owner=world.vera,
        due_on=DUE,
        partnership=world.partnership,
        author=world.amina,
        now=timezone.now(),
        confirm=True,
    )
    client.force_login(world.amina)
    (row,) = csv_rows(export_of(client, "partnership", world.partnership.pk, "commitments"))
    email_count = Email.objects.count()

    upload = import_rows(of_partnership(world), world.amina, "commitments", as_csv({**row, "Unit": "homes"}))

    assert row_counts(upload) == {"left_alone": 1}
    commitment.refresh_from_db()
    assert commitment.revision == 1
    assert commitment.giver_confirmed_at is not None
    assert Email.objects.count() == email_count


def test_commitment_that_somebody_changed_since_the_preview_is_set_aside(world: World) -> None:
    import_rows(of_partnership(world), world.amina, "commitments", COMMITMENTS)
    preview = upload_rows(
        of_partnership(world), world.amina, "commitments", COMMITMENTS.replace(",60,homes", ",75,homes")
    )
    assert row_counts(preview) == {"changed": 1, "left_alone": 1, "set_aside": 2}
    commitment = Commitment.objects.select_related("giver", "receiver").get(quantity=60)
    edit_proposal(
        commitment=commitment,
        text=commitment.text,
        quantity=Decimal(50),
        unit="homes",
        owner=None,
        due_on=DUE,
        revision=commitment.revision,
        author=world.ben,
        now=timezone.now(),
    )

    upload = ask_to_import(upload=preview, author=world.amina, now=timezone.now())

    assert row_counts(upload) == {"left_alone": 1, "set_aside": 3}
    commitment.refresh_from_db()
    assert commitment.quantity == 50


def test_reference_of_another_partnership_never_touches_its_commitment(world: World) -> None:
    import_rows(of_partnership(world), world.amina, "commitments", COMMITMENTS)
    commitments_before = list(Commitment.objects.order_by("pk").values_list("pk", "text", "revision"))
    other_target = Target(partnership=world.other_partnership, organisation=world.tidewater)
    data = (
        "Your reference,ID,Gives,Receives,What is promised,Due date\n"
        f"1,,Tidewater Housing Group,Harbour Community Trust,Ours,{DUE}\n"
        f"2,C-{commitments_before[1][0]},Tidewater Housing Group,Harbour Community Trust,Theirs,{DUE}\n"
    )

    upload = import_rows(other_target, world.chidi, "commitments", data)

    assert row_counts(upload) == {"created": 1, "set_aside": 1}
    assert (
        list(Commitment.objects.exclude(text="Ours").order_by("pk").values_list("pk", "text", "revision"))
        == commitments_before
    )


def test_asks_and_offers_are_drafts_of_the_party(world: World) -> None:
    rows = ENTRIES.format(until=f"{DUE:%d/%m/%Y}")

    upload = import_rows(of_partnership(world), world.eddie, "entries", rows)

    assert row_counts(upload) == {"created": 2}
    ask = Entry.objects.get(title="Land for 60 homes")
    assert ask.direction == "ask"
    assert ask.status == "draft"
    assert ask.organisation == world.larkhaven
    assert ask.quantity == 60
    assert ask.available_until == DUE


def test_second_upload_of_the_same_asks_and_offers_changes_nothing(world: World) -> None:
    rows = ENTRIES.format(until=f"{DUE:%d/%m/%Y}")
    import_rows(of_partnership(world), world.eddie, "entries", rows)

    second_upload = import_rows(of_partnership(world), world.eddie, "entries", rows)

    assert row_counts(second_upload) == {"left_alone": 2}


def test_ask_typed_in_a_form_is_not_changed_by_its_own_download(world: World, client: Client) -> None:
    entry = create_entry(
        organisation=world.larkhaven,
        direction="ask",
        title="Land  for homes",
        theme="land",
        statement="One.\r\nTwo.",
        audience="partnership",
        partnership=world.partnership,
        author=world.eddie,
        now=timezone.now(),
    )
    revision_before = entry.revision
    client.force_login(world.eddie)
    data = export_of(client, "partnership", world.partnership.pk, "entries")

    upload = import_rows(of_partnership(world), world.eddie, "entries", data)

    assert row_counts(upload) == {"left_alone": 1}
    entry.refresh_from_db()
    assert entry.revision == revision_before


def test_contact_that_somebody_changed_since_the_preview_is_set_aside(world: World) -> None:
    target = Target(organisation=world.larkhaven)
    import_rows(target, world.eddie, "contacts", CONTACTS)
    preview = upload_rows(target, world.eddie, "contacts", CONTACTS.replace("567890", "999999"))
    holder = Post.objects.get(organisation=world.larkhaven, role="planning").holders.get()
    change_contact(
        holder=holder, contact=ContactDetails(name=holder.name, phone="01111 1"), author=world.amina, now=timezone.now()
    )

    upload = ask_to_import(upload=preview, author=world.eddie, now=timezone.now())

    assert row_counts(upload) == {"left_alone": 1, "set_aside": 2}
    holder.refresh_from_db()
    assert holder.phone == "01111 1"


def test_contacts_fill_posts_and_leads_alone_name_signatories(world: World) -> None:
    upload = import_rows(Target(organisation=world.larkhaven), world.eddie, "contacts", CONTACTS)

    assert row_counts(upload) == {"created": 2, "set_aside": 1}
    posts = {post.role: post for post in Post.objects.filter(organisation=world.larkhaven)}
    assert posts["planning"].holders.get().name == "Kit Doe"
    assert posts["finance"].holders.get().person == world.vera


def test_a_corrected_row_changes_its_own_contact(world: World) -> None:
    import_rows(Target(organisation=world.larkhaven), world.eddie, "contacts", CONTACTS)
    headings, first_row, *_ = CONTACTS.splitlines()
    corrected_file = headings + "\n" + first_row.replace("567890", "999999")

    upload = import_rows(Target(organisation=world.larkhaven), world.eddie, "contacts", corrected_file)

    assert row_counts(upload) == {"changed": 1}
    planning_post = Post.objects.get(organisation=world.larkhaven, role="planning")
    assert planning_post.holders.get().phone == "01234 999999"


def test_contact_of_several_posts_gets_one_email_about_all_of_them(world: World) -> None:
    data = (
        "Role,Job title,Name,Email\nPlanning,Head of planning,Kit Doe,kit.doe@example.org\n"
        "Finance,,Kit Doe,Kit.Doe@example.org\nTeam,Land,Pat Doe,pat.doe@example.org\n"
    )

    import_rows(Target(organisation=world.larkhaven), world.eddie, "contacts", data)
    emails = [email for email in deliver() if email.to[0].endswith(".doe@example.org")]

    bodies_to_kit = [str(email.body) for email in emails if email.to[0].casefold() == "kit.doe@example.org"]
    assert len(emails) == 2
    assert len(bodies_to_kit) == 1
    assert "We also hold your details for your post “" in bodies_to_kit[0]
    assert bodies_to_kit[0].count("/contacts/") == 2


def test_stakeholders_are_asked_once_each(world: World) -> None:
    plan = published_plan(world)
    data = "Name,Email,How often\nKit Doe,kit.doe@example.org,Weekly\nNobody,no address,\n"

    first_upload = import_rows(Target(plan=plan), world.eddie, "stakeholders", data)
    second_upload = import_rows(Target(plan=plan), world.eddie, "stakeholders", data)

    assert row_counts(first_upload) == {"created": 1, "set_aside": 1}
    assert row_counts(second_upload) == {"left_alone": 1, "set_aside": 1}
    row = Subscription.objects.get(plan=plan, person__email="kit.doe@example.org")
    assert row.is_waiting
    assert row.frequency == "weekly"
    assert row.added_for == world.larkhaven


def test_no_more_stakeholders_are_tried_than_can_be_asked_in_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stakeholders, "MAX_ASKED_A_DAY", 1)
    data = "Name,Email\nKit Doe,kit.doe@example.org\nPat Doe,pat.doe@example.org\nVal Doe,val.doe@example.org\n"
    plan = published_plan(world)

    upload = import_rows(Target(plan=plan), world.eddie, "stakeholders", data)

    assert row_counts(upload) == {"created": 1, "set_aside": 2}
    assert "Upload this row again tomorrow." in upload.report["set_aside"][1][3]
    assert Subscription.objects.filter(plan=plan, added_for=world.larkhaven).count() == 1


@pytest.mark.parametrize("kind", ["commitments", "entries", "contacts", "stakeholders"])
def test_export_of_a_partnership_imports_again_unchanged(world: World, client: Client, kind: str) -> None:
    target = of_partnership(world)
    data = {
        "commitments": COMMITMENTS,
        "entries": ENTRIES.format(until=f"{DUE:%d/%m/%Y}"),
        "contacts": CONTACTS,
        "stakeholders": "Name,Email\nKit Doe,kit.doe@example.org\n",
    }[kind]
    import_rows(target, world.amina, kind, data)
    client.force_login(world.amina)

    upload = import_rows(target, world.amina, kind, export_of(client, "partnership", world.partnership.pk, kind))

    assert set(row_counts(upload)) == {"left_alone"}


def test_strangers_readers_and_observers_cannot_import(world: World) -> None:
    for person, body in ((world.vera, world.larkhaven), (world.chidi, world.tidewater), (world.ben, world.larkhaven)):
        with pytest.raises(UnableToAct):
            import_rows(of_partnership(world, body), person, "commitments", COMMITMENTS)
    with pytest.raises(UnableToAct):
        import_rows(Target(organisation=world.larkhaven), world.ben, "contacts", CONTACTS)


def test_erasing_a_person_deletes_spreadsheets_that_name_them(world: World) -> None:
    plan = published_plan(world)
    import_rows(Target(plan=plan), world.eddie, "stakeholders", "Name,Email\nKit Doe,kit.doe@example.org\n")
    upload_rows(
        Target(organisation=world.larkhaven), world.amina, "contacts", "Role,Email\nPlanning,Kit.Doe@example.org\n"
    )
    remaining_upload = import_rows(
        Target(plan=plan), world.eddie, "stakeholders", "Name,Email\nPat Doe,pat.doe@example.org\n"
    )
    kit = User.objects.get(email="kit.doe@example.org")

    count_by_rule = erase_person(person=kit, author=world.dee, reason="Asked for it.", now=timezone.now())

    assert count_by_rule["spreadsheets.Upload.report"] == 2
    assert list(Upload.objects.all()) == [remaining_upload]


def test_addresses_of_partners_people_are_not_looked_up_for_an_owner(world: World) -> None:
    heading_row = "Gives,Receives,What is promised,Due date,Owner\n"
    row = f"Westmarch Borough Council,Larkhaven Homes,Land,{DUE},{{}}\n"

    refusals = [
        upload_rows(of_partnership(world), world.eddie, "commitments", heading_row + row.format(owner)).report[
            "set_aside"
        ][0][2:4]
        for owner in (world.ben.email, "nobody@westmarch.example")
    ]
    upload_with_name = upload_rows(
        of_partnership(world), world.eddie, "commitments", heading_row + row.format(world.ben.display_name)
    )

    assert [remedy for _, remedy in refusals] == [
        "Enter the full name of one of its people, or leave the cell blank."
    ] * 2
    assert refusals[0][0].replace(world.ben.email, "") == refusals[1][0].replace("nobody@westmarch.example", "")
    assert row_counts(upload_with_name) == {"created": 1}


def test_name_that_is_too_long_is_set_aside_and_not_cut(world: World) -> None:
    upload = upload_rows(
        Target(plan=published_plan(world)), world.eddie, "stakeholders", f"Name,Email\n{'N' * 151},n@x.example\n"
    )

    assert upload.report["set_aside"][0][2:4] == ["Name: the text is 151 characters long.", "Shorten it to 150."]


def test_person_of_two_parties_chooses_which_one_acts(world: World, client: Client) -> None:
    Membership.objects.create(
        person=world.eddie,
        organisation=world.westmarch,
        role="editor",
        starts_on=timezone.localdate(),
        accepted_at=timezone.now(),
    )
    client.force_login(world.eddie)
    record_url = reverse("spreadsheets:record", args=["partnership", world.partnership.pk])
    new_url = reverse("spreadsheets:new", args=["partnership", world.partnership.pk, "entries"])

    html = client.get(record_url).content.decode()
    data = ENTRIES.format(until=DUE)
    client.post(f"{new_url}?party={world.westmarch.pk}", {"rows": data})

    assert f"?party={world.westmarch.pk}" in html
    assert Upload.objects.get().organisation == world.westmarch
    assert client.get(f"{record_url}?party={world.tidewater.pk}").status_code == 404


@pytest.fixture
def upload_for_worker(world: World) -> Upload:
    """Return an upload of 26 commitments, which a worker has to preview."""
    lines = "".join(f"Larkhaven Homes,Westmarch Borough Council,Scheme {number},{DUE}\n" for number in range(26))
    return upload_rows(
        of_partnership(world), world.amina, "commitments", f"Gives,Receives,What is promised,Due date\n{lines}"
    )


def test_many_commitments_wait_for_a_worker(world: World, upload_for_worker: Upload) -> None:
    is_at_work_before_preview = upload_for_worker.is_at_work
    process_waiting_uploads(now=timezone.now())
    upload_for_worker.refresh_from_db()

    waiting_upload = ask_to_import(upload=upload_for_worker, author=world.amina, now=timezone.now())

    assert is_at_work_before_preview
    assert waiting_upload.status == "waiting"
    assert not Commitment.objects.filter(text__startswith="Scheme").exists()


def test_a_worker_imports_many_commitments(world: World, upload_for_worker: Upload) -> None:
    process_waiting_uploads(now=timezone.now())
    upload_for_worker.refresh_from_db()
    ask_to_import(upload=upload_for_worker, author=world.amina, now=timezone.now())

    process_waiting_uploads(now=timezone.now())

    upload_for_worker.refresh_from_db()
    assert upload_for_worker.is_applied
    assert Commitment.objects.filter(text__startswith="Scheme").count() == 26


def test_uploads_are_limited_for_each_person(world: World, client: Client, settings: Any) -> None:
    settings.UPLOADS_PER_HOUR = 1
    client.force_login(world.eddie)
    new_url = reverse("spreadsheets:new", args=["organisation", world.larkhaven.pk, "contacts"])

    with time_machine.travel(timezone.now(), tick=False):  # a new hour would count from none
        statuses = [client.post(new_url, {"rows": CONTACTS}).status_code for _ in range(2)]

    assert statuses == [302, 429]
