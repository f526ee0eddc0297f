"""Every email of digests is well formed, parsed as email apps do it.

Headers follow their standards, both parts state the same facts, links open the right pages, and hostile text does no
harm.
"""

from __future__ import annotations

import datetime as dt
import re
from email.message import EmailMessage
from html import unescape
from itertools import permutations
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from partnerships.agreements.models import Partnership
from partnerships.commitments.models import Commitment
from partnerships.digests import services
from partnerships.digests.emails import rendering
from partnerships.digests.emails.links import BadLink, ExpiredLink, Purpose, make, minute_of
from partnerships.digests.emails.links import read as read_link
from partnerships.digests.models import Delivery, Preference
from partnerships.kit.dates import long_date
from partnerships.outbox import mime, throttle
from partnerships.people.models import User
from partnerships.people.services import person_for_address
from partnerships.plans.models import Plan
from partnerships.plans.services import add_comment
from tests.commitments.promises import agree, in_days
from tests.digests.conftest import PostOffice, html_of, play, publish, quay, text_of
from tests.support.pages import collapse
from tests.support.signing_in import signed_in
from tests.world import World

HOSTILE = 'Bee\r\nBcc: all@example.org <script>alert("x")</script> Ünïcode \ue000head\ue001 \ue000stop\ue002'


@pytest.fixture
def emails(world: World, plan: Plan, office: PostOffice) -> dict[str, EmailMessage]:
    """Return the digests that a partner and a stakeholder received about the same version."""
    now = timezone.now()
    services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=now)
    services.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, why="", now=now
    )
    add_comment(plan=plan, author=world.amina, text="@Ben West, is this right?", version_number=1, now=now)
    publish(plan, 96, author=world.amina, note='<b>Fewer</b> & "safer"', start="2027-09", summary="Homes by the river.")
    play(office)
    return {"ben": office.to(world.ben)[-1], "sol": office.to(world.sol)[-1]}


@pytest.fixture(params=["ben", "sol"])
def email(request: pytest.FixtureRequest, emails: dict[str, EmailMessage]) -> EmailMessage:
    """Return one of the two digests."""
    return emails[request.param]


def words(text: str) -> set[str]:
    """Return the figures and words in a part of an email, without links."""
    plain = re.sub(r"https?://\S+", " ", text)
    return set(re.findall(r"[\w’“”&-]+", plain.replace("|", " ")))


def test_a_milestones_changes_are_in_one_sentence(world: World, plan: Plan, office: PostOffice) -> None:
    services.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    publish(plan, 120, author=world.amina, start="2027-10")
    play(office)
    [email] = office.to(world.sol)

    for part in (text_of(email), collapse(unescape(re.sub(r"<[^>]+>", "", html_of(email))))):
        assert "Start on site, forecast: was April 2027, now October 2027" in part


def test_headers_follow_the_standards(email: EmailMessage) -> None:
    delivery = Delivery.objects.get(message_id=str(email["Message-ID"]))

    assert email["Auto-Submitted"] == "auto-generated"  # RFC 3834
    assert email["Precedence"] is None
    assert email["Bcc"] is None
    assert len(email.get_all("To", [])) == 1
    assert delivery.recipient.email in str(email["To"])
    assert email["Date"] is not None
    assert email["MIME-Version"] == "1.0"
    assert re.fullmatch(r'("[^"]+" )?<partnership-\d+\.digests\.localhost>', str(email["List-Id"]))  # RFC 2919
    assert "<mailto:" in email["List-Unsubscribe"]  # RFC 2369
    assert "<http" in email["List-Unsubscribe"]
    assert email["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"  # RFC 8058


def test_list_id_with_the_longest_title_has_both_quotes(world: World, plan: Plan, office: PostOffice) -> None:
    Partnership.objects.filter(pk=world.partnership.pk).update(title="E" * 200, audience="network")
    services.add_confirmed_subscription(
        person=world.sol, target=plan, author=world.amina, organisation=world.larkhaven, now=timezone.now()
    )
    publish(plan, 99, author=world.amina)

    play(office)

    [email] = office.to(world.sol)
    expected = rf'"E{{180}}" <partnership-{world.partnership.pk}\.digests\.localhost>'
    assert re.fullmatch(expected, " ".join(str(email["List-Id"]).split()))


def test_a_digest_has_a_text_and_an_html_part_in_ascii(email: EmailMessage, office: PostOffice) -> None:
    assert email.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in email.iter_parts()] == ["text/plain", "text/html"]
    for sent in office.sent:
        assert sent.data.isascii()
        head, _, body = sent.data.partition(b"\r\n\r\n")
        assert max(map(len, head.split(b"\r\n"))) < 200  # addresses cannot be folded
        assert max(map(len, body.split(b"\r\n"))) <= 76
        assert b"\n" not in sent.data.replace(b"\r\n", b"")


def test_both_parts_state_the_same_facts(email: EmailMessage) -> None:
    html_text = re.sub(r"<[^>]+>", " ", re.sub(r"<(style|title)\b.*?</\1>", " ", html_of(email), flags=re.DOTALL))
    text = words(text_of(email))
    html = words(unescape(html_text))

    assert not {word for word in text ^ html if any(char.isdigit() for char in word)}
    assert html - text <= {
        "Was",
        "Now",
        "Difference",
        "Common",
        "Ground",
    }  # the table's headings and the site's name at the top
    one_line = " ".join(text_of(email).split())
    assert "was 120, now 96" in one_line
    assert "Summary: Homes by the [removed: water] [added: river]." in one_line
    assert "[removed: <del" in html_of(email)


def test_the_html_loads_nothing_and_runs_nothing(email: EmailMessage) -> None:
    html = html_of(email)

    assert not re.search(r"<(img|script|iframe|link|object|form)\b", html)
    assert "url(" not in html
    assert "@import" not in html
    assert "&lt;b&gt;Fewer&lt;/b&gt; &amp; " in html


def test_every_link_in_a_digest_opens(world: World, emails: dict[str, EmailMessage]) -> None:
    for name, email in emails.items():
        client = Client()
        if name == "ben":
            client.force_login(world.ben)
        links = {unescape(link) for link in re.findall(r'href="([^"]+)"', html_of(email))}
        assert links == set(re.findall(r"http\S+", text_of(email)))
        for link in links:
            parts = urlsplit(link)
            assert client.get(f"{parts.path}?{parts.query}").status_code == 200, link


def test_the_comparison_link_opens_exactly_the_two_versions(emails: dict[str, EmailMessage], plan: Plan) -> None:
    assert f"/plans/{plan.pk}/compare/?from=1&to=2" in text_of(emails["ben"])
    assert "Compare version 1 with version 2" in text_of(emails["ben"])


def test_a_digest_includes_what_waits_for_its_reader(emails: dict[str, EmailMessage]) -> None:
    assert "Waiting for you" in text_of(emails["ben"])
    assert "Answer Amina Larch’s comment" in text_of(emails["ben"])
    assert "Waiting for you" not in text_of(emails["sol"])


def test_overdue_items_say_by_how_many_days(world: World, plan: Plan, office: PostOffice) -> None:
    services.add_confirmed_subscription(person=world.eddie, target=plan, author=None, now=timezone.now())
    Commitment.objects.filter(pk=agree(world).pk).update(due_on=in_days(-3))
    later_commitment = agree(world, text="Land for homes.", due_on=in_days(2))
    publish(plan, 96, author=world.amina)

    play(office)
    email = office.to(world.eddie)[-1]

    for part in (text_of(email), collapse(html_of(email))):
        assert f"due {long_date(in_days(-3))}, overdue by 3 days" in part
        assert f"due {long_date(later_commitment.due_on)}" in part
        assert part.count("overdue") == 1


@pytest.mark.parametrize(
    ("typed", "quoted"),
    [
        ("you chair the panel", " (“you chair the panel”)"),
        ("You chair the housing committee.", " (“You chair the housing committee”)"),
        ("Agreed in May; see <minutes> & notes!", " (“Agreed in May; see <minutes> & notes!”)"),
        (".", ""),
        ("", ""),
    ],
)
def test_the_reason_for_a_digest_is_the_same_in_emails_and_on_pages(
    world: World, plan: Plan, office: PostOffice, typed: str, quoted: str
) -> None:
    arguments = {"author": world.amina, "organisation": world.larkhaven, "why": typed, "now": timezone.now()}
    for person in (world.sol, world.ben):
        services.add_confirmed_subscription(person=person, target=plan, **arguments)
    publish(plan, 96, author=world.amina)
    play(office)
    email = office.to(world.sol)[-1]
    preferences = re.search(r"http://[^/\s]+(/digests/preferences/\S+)", text_of(email))
    pages = [signed_in(world.ben).get(reverse("digests:manage")), Client().get(preferences[1] if preferences else "")]

    because = f"{world.larkhaven.name} asked you to follow Harbour Quarter{quoted}, and you confirmed"
    text, html, *page_texts = (
        " ".join(unescape(words).split())
        for words in (text_of(email), html_of(email), *(page.content.decode() for page in pages))
    )
    assert f"You are receiving this email because {because}. You get digests" in text
    assert f"You are receiving this email because {because}.</p>" in html
    assert all(f">{because}</td>" in page for page in page_texts)


def test_added_text_is_set_apart_from_the_word_before_it(world: World, plan: Plan, office: PostOffice) -> None:
    services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())
    publish(plan, 120, author=world.amina, summary="Homes by the water; a ferry from the quay.")
    play(office)

    text = " ".join(text_of(office.to(world.ben)[-1]).split())
    assert "Homes by the water [added: ; a ferry from the quay]." in text


def test_hostile_text_is_escaped(world: World, plan: Plan, office: PostOffice) -> None:
    world.ben.name = HOSTILE[:140]
    world.ben.save(update_fields=["name"])
    services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())
    publish(plan, 96, author=world.amina, note=HOSTILE)

    play(office)

    [email] = office.to(world.ben)
    assert email["Bcc"] is None
    assert "<script" not in html_of(email)
    assert "\ue000head\ue001 \ue000stop\ue002" in text_of(email)
    assert office.sent[0].data.isascii()


@given(st.text(max_size=300))
def test_joined_encoded_parts_decode_to_the_original_text(text: str) -> None:
    import quopri

    clean = text.replace("\r", "")
    joined = mime.quoted_printable(clean) + mime.quoted_printable("|") + mime.quoted_printable(clean + "\n")

    decoded = quopri.decodestring(joined.encode()).decode("utf-8").replace("\r\n", "\n")
    assert decoded == f"{clean}|{clean}\n".encode("utf-8", "replace").decode()
    assert all(len(line) <= 76 for line in joined.split("\r\n"))


# ---- Links


def token(world: World, purpose: Purpose, *, days: int = 0, number: int = 1) -> str:
    """Return the token of one of Sol's links, made a number of days ago."""
    preference, _ = Preference.objects.get_or_create(person=world.sol)
    made_at = timezone.now() - timezone.timedelta(days=days)
    return make(
        purpose, person_id=world.sol.pk, link_key=preference.link_key, record_id=number, minute=minute_of(made_at)
    )


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_link_is_valid_for_its_purpose(world: World, purpose: Purpose) -> None:
    link = read_link(purpose, token(world, purpose), now=timezone.now())

    assert link.person == world.sol


@pytest.mark.parametrize(("purpose", "other_purpose"), list(permutations(Purpose, 2)))
def test_a_link_is_invalid_for_every_other_purpose(world: World, purpose: Purpose, other_purpose: Purpose) -> None:
    link_token = token(world, purpose)

    with pytest.raises(BadLink):
        read_link(other_purpose, link_token, now=timezone.now())


def test_a_link_that_stops_emails_expires_after_two_years(world: World) -> None:
    old_token = token(world, Purpose.STOP, days=731)

    with pytest.raises(ExpiredLink):
        read_link(Purpose.STOP, old_token, now=timezone.now())


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if purpose is not Purpose.STOP])
def test_every_other_link_has_expired_after_31_days(world: World, purpose: Purpose) -> None:
    old_token = token(world, purpose, days=31)

    with pytest.raises(ExpiredLink):
        read_link(purpose, old_token, now=timezone.now())


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_link_altered_for_another_person_is_invalid(world: World, purpose: Purpose) -> None:
    payload, _, signature = token(world, purpose).rpartition(".")
    _sols_id, minute, record_id = payload.split(".")
    token_for_ben = f"{world.ben.pk:x}.{minute}.{record_id}.{signature}"

    with pytest.raises(BadLink):
        read_link(purpose, token_for_ben, now=timezone.now())


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_link_is_invalid_once_the_person_has_new_links(world: World, purpose: Purpose) -> None:
    earlier_token = token(world, purpose)

    services.renew_links(person=world.sol, author=None, now=timezone.now())

    with pytest.raises(BadLink):
        read_link(purpose, earlier_token, now=timezone.now())


# ---- Throttling


def test_a_domain_gets_no_more_emails_per_minute_than_its_limit(
    world: World, plan: Plan, office: PostOffice, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EMAIL_PER_DOMAIN_PER_MINUTE = 3
    # The minute may change during the test, so held emails must become due only when the test wants it.
    monkeypatch.setattr(throttle, "next_minute", lambda now: now + dt.timedelta(hours=1))
    for number in range(5):
        services.add_confirmed_subscription(
            person=person_for_address(email=f"reader{number}@council.example", name=""),
            target=plan,
            author=world.amina,
            organisation=world.larkhaven,
            now=timezone.now(),
        )
    services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())
    publish(plan, 96, author=world.amina)

    play(office)
    sent_in_first_minute = len(
        [outgoing for outgoing in office.sent if outgoing.recipient.endswith("@council.example")]
    )
    Delivery.objects.filter(status="queued").update(available_at=timezone.now())
    from partnerships.outbox.models import SendCount

    SendCount.objects.all().delete()  # a minute passes
    office.drain()

    assert sent_in_first_minute == 3
    assert len(office.to(world.ben)) == 1
    assert len(office.sent) == 6


def test_a_paused_reader_catches_up_with_one_digest(world: World, plan: Plan, office: PostOffice) -> None:
    subscription = services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())
    services.pause(subscription=subscription, author=world.ben, now=timezone.now())
    for homes in (110, 100, 96):
        publish(plan, homes, author=world.amina)
        play(office)
    count_while_paused = len(office.sent)
    subscription.refresh_from_db()

    services.resume(subscription=subscription, author=world.ben, now=timezone.now())
    play(office)

    assert count_while_paused == 0
    [email] = office.to(world.ben)
    assert "was 120, now 96" in text_of(email)


def test_long_news_is_shortened_but_keeps_the_figures(world: World, plan: Plan, office: PostOffice) -> None:
    services.add_confirmed_subscription(person=world.ben, target=plan, author=None, now=timezone.now())
    content = quay(96)
    content["sections"] = [{"key": f"s{n}", "title": f"Section {n}", "text": f"Words {n}."} for n in range(20)]
    from partnerships.plans.services import publish_version

    publish_version(plan=plan, author=world.amina, note="Many.", content=content, now=timezone.now())
    play(office)

    text = " ".join(text_of(office.to(world.ben)[0]).split())
    assert "was 120, now 96" in text
    assert re.search(r"and \d+ more changes", text)


def test_the_frame_of_emails_is_rendered_once(world: World, plan: Plan, office: PostOffice) -> None:
    assert rendering.frame() is rendering.frame()


def test_shared_text_is_stored_once_and_each_reader_gets_their_own_email(
    world: World, public_plan: Plan, office: PostOffice
) -> None:
    now = timezone.now()
    panel = [
        User.objects.create_user(f"panel{number}@elsewhere.example", name=f"Reader{number} Reed") for number in range(6)
    ]
    why_by_person = dict.fromkeys(panel, "you sit on the tenant panel") | {world.sol: ".wherever the ferry lands"}
    for person, why in why_by_person.items():
        services.add_confirmed_subscription(
            person=person, target=public_plan, author=world.amina, organisation=world.larkhaven, why=why, now=now
        )
    publish(public_plan, 80, author=world.amina)

    play(office)

    own_text_by_person = {}
    for person, why in why_by_person.items():
        email = office.to(person)[-1]
        delivery = Delivery.objects.filter(recipient=person).latest("pk")
        for part in (text_of(email), html_of(email)):
            assert why in " ".join(part.split())
            assert person.get_short_name() in part
        own_text_by_person[person] = "".join((delivery.recipe or [[], []])[1]).replace("=\r\n", "")
    assert not any("tenant panel" in own_text_by_person[person] for person in panel)
    assert "wherever the ferry lands" in own_text_by_person[world.sol]
