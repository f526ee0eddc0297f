"""Replies by email become answers, and automatic emails do not."""

from __future__ import annotations

import datetime as dt
import mailbox
import re
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from partnerships.answers import retention, services
from partnerships.answers.models import Answer, Incoming, IncomingFile
from partnerships.answers.reading import is_automatic, read_mail, text_of_html, without_quotation
from partnerships.digests import services as digests
from partnerships.digests.models import Delivery
from partnerships.outbox.models import Email
from partnerships.plans.models import Comment, Plan
from partnerships.plans.services import add_comment
from partnerships.work.queries import tasks_of_person
from tests.answers.conftest import form_token, signed_in
from tests.digests.conftest import PostOffice
from tests.support.outbox import deliver, recorded
from tests.world import World

PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def reply_to(world: World, digest: Delivery, office: PostOffice) -> str:
    """Return the Reply-To address of Sol's digest."""
    return str(office.to(world.sol)[-1]["Reply-To"])


def reply(to: str, text: str = "Please keep the trees.", **headers: str) -> EmailMessage:
    """Return a reply of Sol's with quotation and signature, as his email app writes it."""
    message = EmailMessage()
    message["From"] = headers.pop("From", "Sol Stake <sol@council.example>")
    message["To"] = to
    message["Subject"] = headers.pop("Subject", "Re: 1 change in Harbour Quarter")
    message["Message-ID"] = headers.pop("Message-ID", f"<{abs(hash((to, text)))}@council.example>")
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(
        f"{text}\n\nKind regards\nSol Stake\n\nOn Sat, 28 Nov 2026 at 09:00, Common Ground\n"
        "<digests@ground.example> wrote:\n\n> was 120, now 96\n"
    )
    return message


def own_reply_address(email: Any) -> str:
    """Return our own address among the addresses to which an email may be answered."""
    return next(address for address in ", ".join(email.reply_to).split(", ") if "+r-" in address)


def read_mailbox(folder: Path, *messages: EmailMessage) -> str:
    """Read these emails from a Maildir with the command, and return what the command prints."""
    box = mailbox.Maildir(str(folder / "box"))
    box.clear()
    for message in messages:
        box.add(message)
    output = StringIO()
    call_command("digests", "bounces", str(folder / "box"), stdout=output)
    return output.getvalue()


def link_to_confirm(world: World) -> str:
    """Return the path of the link in the email that asks Sol to confirm his reply."""
    confirm_emails = [
        email for email in deliver() if email.to == [world.sol.email] and "Confirm your comment" in email.subject
    ]
    match = re.search(r"https?://[^/\s]+(/answers/replies/\S+)", confirm_emails[-1].body)
    assert match is not None
    return match[1]


def test_reply_becomes_a_comment_once_its_person_confirms_it(
    world: World, plan: Plan, reply_to: str, tmp_path: Path, bearer: Client
) -> None:
    read_mailbox(tmp_path, reply(reply_to))
    link = link_to_confirm(world)
    page = bearer.get(link).content.decode()

    bearer.post(link, {"form": form_token(page), "plan": plan.pk, "text": "Please keep the trees."})

    answer = Answer.objects.get()
    assert answer.text == "Please keep the trees."
    assert answer.person == world.sol
    assert answer.status == "waiting"
    assert Incoming.objects.get().text == ""


def test_reading_a_reply_saves_no_comment(world: World, plan: Plan, reply_to: str, tmp_path: Path) -> None:
    output = read_mailbox(tmp_path, reply(reply_to))

    assert "1 reply" in output
    assert not Answer.objects.exists()


def test_a_head_request_for_the_link_saves_no_comment(
    world: World, plan: Plan, reply_to: str, tmp_path: Path, bearer: Client
) -> None:
    read_mailbox(tmp_path, reply(reply_to))
    link = link_to_confirm(world)

    bearer.head(link)

    assert not Answer.objects.exists()


def test_opening_the_link_shows_the_reply_but_saves_no_comment(
    world: World, plan: Plan, reply_to: str, tmp_path: Path, bearer: Client
) -> None:
    read_mailbox(tmp_path, reply(reply_to))
    link = link_to_confirm(world)

    page = bearer.get(link).content.decode()

    assert "Please keep the trees." in page
    assert "was 120, now 96" not in page  # the quotation of our email is removed
    assert not Answer.objects.exists()


def test_reply_with_a_forged_sender_is_confirmed_by_the_real_person(
    world: World, reply_to: str, tmp_path: Path
) -> None:
    read_mailbox(tmp_path, reply(reply_to, "Build nothing.", From="Mallory <mallory@evil.example>"))

    [email] = [email for email in deliver() if "Confirm" in email.subject]
    assert email.to == [world.sol.email]
    assert not Answer.objects.exists()


@pytest.mark.parametrize("change", ["signature", "number", "no token"])
def test_reply_with_a_wrong_token_is_ignored(world: World, reply_to: str, tmp_path: Path, change: str) -> None:
    name, _, domain = reply_to.partition("@")
    wrong_address = {
        "signature": f"{name[:-1]}{'a' if name[-1] != 'a' else 'b'}@{domain}",
        "number": re.sub(r"\+r-[0-9a-f]+", "+r-1", reply_to),
        "no token": f"digests@{domain}",
    }[change]

    read_mailbox(tmp_path, reply(wrong_address))

    assert not Incoming.objects.exists()


def test_renewed_links_end_the_reply_addresses_of_earlier_digests(world: World, reply_to: str, tmp_path: Path) -> None:
    digests.renew_links(person=world.sol, author=world.sol, now=timezone.now())

    output = read_mailbox(tmp_path, reply(reply_to))

    assert "1 could not be used" in output
    assert not Incoming.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner-email=x"},
        {"Precedence": "bulk"},
        {"Precedence": "auto_reply"},
        {"X_Auto_Response_Suppress": "All"},
        {"Return_Path": "<>"},
        {"X_Autoreply": "yes"},
        {"List_Id": "<list.council.example>"},
        {"Subject": "Automatic reply: 1 change in Harbour Quarter"},
        {"Subject": "Out of Office: back on Monday"},
        {"From": "MAILER-DAEMON@council.example"},
        {"From": "No reply <no-reply@council.example>"},
    ],
    ids=str,
)
def test_automatic_reply_is_never_answered(
    world: World, reply_to: str, tmp_path: Path, headers: dict[str, str]
) -> None:
    email_count = Email.objects.count()

    output = read_mailbox(tmp_path, reply(reply_to, **headers))

    assert "1 automatic reply" in output
    assert not Incoming.objects.exists()
    assert Email.objects.count() == email_count


@pytest.mark.parametrize(
    "headers", [{"Auto_Submitted": "no"}, {"Return_Path": "<sol@council.example>"}], ids=["no", "return path"]
)
def test_reply_written_by_a_person_is_not_automatic(headers: dict[str, str]) -> None:
    assert not is_automatic(reply("a@b.example", **headers))


def empty_reply(reply_to: str, message_id: str) -> EmailMessage:
    """Return a reply that has nothing but a quotation."""
    message = reply(reply_to, **{"Message-ID": message_id})
    message.set_content("> was 120, now 96\n")
    return message


def test_reply_that_fits_nothing_is_answered_with_a_link(world: World, reply_to: str, tmp_path: Path) -> None:
    output = read_mailbox(tmp_path, empty_reply(reply_to, "<one@council.example>"))

    text = next(email.body for email in deliver() if email.subject == "We could not process your email")
    assert "1 could not be used" in output
    assert reverse("digests:new-links") in text


def test_replies_that_fit_nothing_are_answered_once_a_day(world: World, reply_to: str, tmp_path: Path) -> None:
    first_reply = empty_reply(reply_to, "<one@council.example>")
    second_reply = empty_reply(reply_to, "<two@council.example>")

    output = read_mailbox(tmp_path, first_reply, second_reply)

    [email] = recorded("answers.unfit")
    assert "2 could not be used" in output
    assert email.person_id == world.sol.pk


def test_strangers_are_never_answered(world: World, reply_to: str, tmp_path: Path) -> None:
    email_count = Email.objects.count()
    wrong_address = re.sub(r"\+r-[0-9a-f]+", "+r-1", reply_to)

    read_mailbox(tmp_path, reply(wrong_address, From="Nobody <nobody@elsewhere.example>"))

    assert Email.objects.count() == email_count


def test_same_email_read_twice_counts_once(world: World, reply_to: str, tmp_path: Path) -> None:
    message = reply(reply_to)
    read_mailbox(tmp_path, message)

    output = read_mailbox(tmp_path, message)

    assert "1 already read" in output
    assert Incoming.objects.count() == 1


def test_catchers_folder_is_read_like_a_mailbox(world: World, reply_to: str, tmp_path: Path) -> None:
    (tmp_path / "00000000000000000001-000001.eml").write_bytes(
        f"X-Envelope-To: {reply_to}\r\n".encode() + reply("Common Ground <digests@ground.example>").as_bytes()
    )

    call_command("digests", "bounces", str(tmp_path), stdout=StringIO())

    assert Incoming.objects.get().text == "Please keep the trees."


@pytest.fixture
def link_to_reply_with_files(world: World, reply_to: str, tmp_path: Path, settings: Any) -> str:
    """Return the link to confirm a reply with two files: a PDF, and a program that is named like a PDF."""
    settings.MEDIA_ROOT = tmp_path / "media"
    message = reply(reply_to)
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="trees.pdf")
    message.add_attachment(b"MZ\x00\x01", maintype="application", subtype="pdf", filename="invoice.pdf")
    read_mailbox(tmp_path, message)
    return link_to_confirm(world)


def test_page_says_which_file_was_left_out(link_to_reply_with_files: str, bearer: Client) -> None:
    html = bearer.get(link_to_reply_with_files).content.decode()

    assert "Left out: invoice.pdf" in html


@pytest.fixture
def answer_with_file(plan: Plan, link_to_reply_with_files: str, bearer: Client) -> Answer:
    """Return the answer that Sol made of his reply with files."""
    html = bearer.get(link_to_reply_with_files).content.decode()
    bearer.post(link_to_reply_with_files, {"form": form_token(html), "plan": plan.pk, "text": "With a picture."})
    return Answer.objects.get()


def test_file_of_a_reply_belongs_to_its_answer(answer_with_file: Answer) -> None:
    file = IncomingFile.objects.get()

    assert file.file_name == "trees.pdf"
    assert file.answer == answer_with_file


@pytest.mark.parametrize(("name", "status"), [("ben", 200), ("chidi", 404)])
def test_file_of_an_approved_answer_is_read_in_the_partnership_only(
    world: World, answer_with_file: Answer, name: str, status: int
) -> None:
    services.approve_answer(answer=answer_with_file, author=world.amina, now=timezone.now())
    file_url = reverse("answers:file", kwargs={"pk": IncomingFile.objects.get().pk})

    response = signed_in(getattr(world, name)).get(file_url)

    assert response.status_code == status


@pytest.fixture
def bens_reply_url(world: World, plan: Plan, office: PostOffice, tmp_path: Path) -> str:
    """Return the path of the page on which Ben, who has an account, confirms his reply to a notice."""
    add_comment(plan=plan, version_number=1, text="@Ben West, is it so?", author=world.amina, now=timezone.now())
    [notice] = [email for email in deliver() if email.to == [world.ben.email]]
    read_mailbox(tmp_path, reply(own_reply_address(notice), "It is.", From="ben@westmarch.example"))
    return reverse("answers:incoming", kwargs={"pk": Incoming.objects.get().pk})


def test_reply_of_a_person_with_an_account_is_their_work(world: World, bens_reply_url: str) -> None:
    tasks = tasks_of_person(world.ben, timezone.now())

    assert "Confirm your reply by email" in [task.action for task in tasks]


def test_reply_of_a_person_with_an_account_is_read_by_nobody_else(world: World, bens_reply_url: str) -> None:
    response = signed_in(world.amina).get(bens_reply_url)

    assert response.status_code == 404


def test_reply_of_a_person_with_an_account_becomes_a_comment(world: World, plan: Plan, bens_reply_url: str) -> None:
    signed_in(world.ben).post(bens_reply_url, {"plan": plan.pk, "text": "It is."})

    assert Comment.objects.filter(author=world.ben, text="It is.").exists()


@pytest.fixture
def link_to_dropped_reply(world: World, reply_to: str, tmp_path: Path, bearer: Client) -> str:
    """Return the link to a reply that Sol has deleted."""
    read_mailbox(tmp_path, reply(reply_to))
    link = link_to_confirm(world)
    bearer.post(link, {"form": form_token(bearer.get(link).content.decode()), "drop": "yes"})
    return link


@pytest.mark.usefixtures("link_to_dropped_reply")
def test_text_of_a_dropped_reply_is_deleted() -> None:
    incoming = Incoming.objects.get()

    assert incoming.status == "dropped"
    assert incoming.text == ""


def test_link_to_a_dropped_reply_says_so(link_to_dropped_reply: str, bearer: Client) -> None:
    html = bearer.get(link_to_dropped_reply).content.decode()

    assert "You have already confirmed or deleted this email" in html


@pytest.mark.parametrize(("days", "outcome"), [(29, "replies"), (31, "unfit")])
def test_address_for_replies_works_for_thirty_days(
    world: World, digest: Delivery, reply_to: str, days: int, outcome: str
) -> None:
    mail = read_mail(reply(reply_to).as_bytes())
    assert mail is not None

    result = services.receive_mail(mail=mail, now=timezone.now() + dt.timedelta(days=days))

    assert result == outcome


def test_replies_of_one_person_are_limited_per_day(world: World, reply_to: str, tmp_path: Path) -> None:
    replies = [reply(reply_to, f"Comment {number}.") for number in range(25)]

    output = read_mailbox(tmp_path, *replies)

    assert "20 replies" in output
    assert "5 could not be used" in output


@pytest.fixture
def incoming_with_file(reply_to: str, tmp_path: Path, settings: Any) -> Incoming:
    """Return a reply of Sol's with a file, which he has not confirmed."""
    settings.MEDIA_ROOT = tmp_path / "media"
    message = reply(reply_to)
    message.add_attachment(PDF, maintype="application", subtype="pdf", filename="trees.pdf")
    read_mailbox(tmp_path, message)
    return Incoming.objects.get()


@pytest.mark.usefixtures("incoming_with_file")
def test_emails_that_nobody_confirmed_are_kept_for_29_days() -> None:
    deleted = retention.delete_incoming(timezone.now() + dt.timedelta(days=29), False)

    assert deleted == 0
    assert Incoming.objects.exists()


@pytest.mark.usefixtures("incoming_with_file")
def test_emails_that_nobody_confirmed_are_deleted_after_thirty_days() -> None:
    deleted = retention.delete_incoming(timezone.now() + dt.timedelta(days=31), False)

    assert deleted == 1
    assert not Incoming.objects.exists()
    assert not IncomingFile.objects.exists()


@pytest.fixture
def file_that_storage_kept(
    incoming_with_file: Incoming, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> Path:
    """Return the file of a reply that was dropped while the storage could not delete it."""

    def fail_to_delete(*args: object) -> None:
        raise OSError

    with monkeypatch.context() as patched, django_capture_on_commit_callbacks(execute=True):
        patched.setattr(FileSystemStorage, "delete", fail_to_delete)
        services.drop_incoming(incoming=incoming_with_file, author=incoming_with_file.person, now=timezone.now())
    return Path(IncomingFile.objects.get().file.path)


def test_file_that_storage_cannot_delete_stays_recorded(file_that_storage_kept: Path) -> None:
    assert file_that_storage_kept.exists()
    assert IncomingFile.objects.count() == 1


def test_file_that_storage_kept_is_deleted_by_retention(file_that_storage_kept: Path) -> None:
    retention.delete_incoming(timezone.now() + dt.timedelta(days=31), False)

    assert not file_that_storage_kept.exists()
    assert not IncomingFile.objects.exists()


def test_emails_carry_no_reply_address_without_a_mailbox(world: World, plan: Plan, settings: Any) -> None:
    settings.EMAIL_REPLIES = "none"

    add_comment(plan=plan, version_number=1, text="@Ben West, is it so?", author=world.amina, now=timezone.now())

    [notice] = [email for email in deliver() if email.to == [world.ben.email]]
    assert notice.reply_to == [world.amina.email]


@pytest.mark.parametrize(
    ("text", "own_text"),
    [
        pytest.param("Fine.\n\n-- \nSol Stake\n01489 000000\n", "Fine.", id="signature"),
        pytest.param(
            "Fine.\n\nSent from my iPhone\n\n> On 28 Nov 2026, Common Ground wrote:\n> Hello\n", "Fine.", id="iPhone"
        ),
        pytest.param(
            "Fine.\n\n________________________________\nFrom: A <a@b.example>\nSent: today\nTo: B\nSubject: C\n\nD",
            "Fine.",
            id="Outlook",
        ),
        pytest.param("> was 120\nToo many.\n> was May\nFine.\n", "Too many.\nFine.", id="answers between quotations"),
        pytest.param("I want:\n- trees\n- a hedge\n", "I want:\n- trees\n- a hedge", id="list"),
    ],
)
def test_only_the_own_text_of_a_reply_is_kept(text: str, own_text: str) -> None:
    assert without_quotation(text) == own_text


def test_long_paragraphs_stay_whole() -> None:
    paragraph = "We have read the plan and " + "agree with very much of it and " * 30 + "thank you."

    own_text = without_quotation(paragraph)

    assert own_text == paragraph


@pytest.mark.parametrize(
    "text",
    ["\n" * 20_000, "On " * 7_000, "From: a\n" * 2_500, "_" * 20_000, "a\n\n" * 7_000],
    ids=["empty lines", "On", "From", "underscores", "short paragraphs"],
)
def test_hostile_text_is_read_in_two_seconds(text: str) -> None:
    started_at = timezone.now()

    without_quotation(text)

    assert timezone.now() - started_at < dt.timedelta(seconds=2)


def test_words_of_an_html_reply_end_before_the_quotation() -> None:
    html = "<style>p{}</style><p>Keep &amp; care.<br>Please.</p><div class='gmail_quote'>On Sat: <p>Hello</p></div>"

    text = text_of_html(html)

    assert text.strip() == "Keep & care.\nPlease."
