"""A week of a partnership, with a councillor who has no account, and a manager.

The councillor gets one email a week and replies to it. The manager gets one summary a day, without the changes that
she has already read on the site.
"""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

from partnerships.activity.models import Change
from partnerships.activity.seen import note_events_seen
from partnerships.agreements import services as agreements
from partnerships.answers import services as answers
from partnerships.answers.management.company import ASK, PROMISE, Cast, Company
from partnerships.answers.models import Answer, Incoming
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.commitments.models import Status as CommitmentStatus
from partnerships.digests import services as digests
from partnerships.digests.management.weeks.stage import WeekWentWrong, parsed, text_of
from partnerships.digests.models import Delivery, InboxItem, Preference
from partnerships.exchange import services as exchange
from partnerships.kit.dates import long_date
from partnerships.outbox.answers import Outgoing
from partnerships.outbox.hooks import registered_hooks
from partnerships.outbox.reply_addresses import reply_address
from partnerships.people.models import User

REPLY = "Please tell the residents of Mill Lane before the depot closes."


class PartnershipWeek(Company):
    """The week in which a councillor gets a weekly digest, and a manager a daily digest."""

    def play(self) -> list[str]:
        """Play the week from Monday to Friday."""
        cast = self.enter()
        manager, councillor = cast.manager, cast.councillor.person
        self.say(0, 7, f"{councillor.display_name} follows the partnership, weekly on Fridays, without an account.")
        self.say(0, 7, f"{manager.display_name} of the council gets one summary a day.")

        # Monday
        self._change_due_date(cast, 0, 10, days=60, reason="Ground works took longer")
        answer = self._answer_ask(cast, 0, 11)
        self._read_on_site(cast, 0, 13, "exchange.response")
        self._question(cast, 0, 14)

        # Tuesday
        self._morning(
            cast,
            1,
            manager=(f"{cast.trust.name} has asked a question about your ask: {ASK}",),
            manager_not=("has answered", self._change_in_words(30, 60)),
        )
        promise = self._accept(cast, answer, 1, 9)
        self._amend(cast, 1, 14)

        # Wednesday
        self._morning(cast, 2, manager=("Every party signed the terms",), manager_not=("has asked a question",))
        self._change_due_date(cast, 2, 10, days=90, reason="The contractor stopped work")
        self._deliver(cast, promise, 2, 11)

        # Thursday
        self._morning(cast, 3, manager=(self._change_in_words(60, 90),), manager_not=("signed the terms",))
        self._verify(cast, promise, 3, 9)
        self._leave(cast, 3, 10)
        self._read_on_site(cast, 3, 16)

        # Friday
        weekly_emails = self._morning(
            cast,
            4,
            councillor=(
                "Every party signed the terms",
                f"{self._change_in_words(30, 90)}, changed 2 times",
                f"{ASK}: the ask is met",
                f"Left this partnership: {cast.trust.name}",
            ),
            # The digest must not contain other values, names or reasons, or records that are not for stakeholders.
            councillor_not=("Ground works", cast.landlords_lead.display_name, "question", "Ten flats"),
        )
        self._reply(cast, weekly_emails[0])
        return self.lines

    # ---- What happens

    def _change_in_words(self, before: int, after: int) -> str:
        """Return how emails report that the due date changed; the numbers are days after the Monday of the week."""
        return f"{PROMISE}: changed the due date: was {long_date(self.due(before))}, now {long_date(self.due(after))}"

    def _change_due_date(self, cast: Cast, day: int, hour: int, *, days: int, reason: str) -> None:
        """Make the commitment due this many days after the Monday of the week."""
        now = self.at(day, hour)
        commitments.change_due_date(
            commitment=cast.promise, due_on=self.due(days), reason=reason, author=cast.landlords_lead, now=now
        )
        self._say_and_sweep(day, hour, f"{PROMISE} slips to {long_date(self.due(days))}: “{reason}”.")

    def _answer_ask(self, cast: Cast, day: int, hour: int) -> Any:
        response = exchange.respond(
            entry=cast.ask,
            organisation=cast.homes,
            text="Ten flats at Mill Lane.",
            author=cast.landlords_lead,
            now=self.at(day, hour),
        )
        self._say_and_sweep(day, hour, f"{cast.homes.name} answers the ask “{ASK}”.")
        return response

    def _question(self, cast: Cast, day: int, hour: int) -> None:
        exchange.ask_question(
            entry=cast.ask,
            organisation=cast.trust,
            text="From which age?",
            author=cast.trusts_lead,
            now=self.at(day, hour),
        )
        self._say_and_sweep(day, hour, f"{cast.trust.name} has a question about the ask.")

    def _read_on_site(self, cast: Cast, day: int, hour: int, *kinds: str) -> None:
        """Make the manager open these notices and the history of the partnership."""
        now, manager = self.at(day, hour), cast.manager
        items = InboxItem.objects.filter(person=manager, kind__in=kinds).values_list("pk", flat=True)
        digests.mark_items(person=manager, item_ids=list(items), is_read=True, now=now)
        partnership_changes = Change.objects.filter(subject__kind="partnership", subject__record_id=cast.partnership.pk)
        events = list(partnership_changes.values_list("event", flat=True))
        note_events_seen(
            person_id=manager.pk, kind="partnership", record_id=cast.partnership.pk, event_ids=events, now=now
        )
        notices_read = "the answer and " if kinds else ""
        self.say(day, hour, f"{manager.display_name} reads {notices_read}the history of the partnership on the site.")

    def _accept(self, cast: Cast, answer: Any, day: int, hour: int) -> Commitment:
        now = self.at(day, hour)
        exchange.decide_response(response=answer, accept=True, reason="", author=cast.manager, now=now)
        commitment = self.promise(
            text="Ten flats at Mill Lane",
            giver=cast.homes,
            receiver=cast.council,
            givers_lead=cast.landlords_lead,
            receivers_lead=cast.councils_lead,
            partnership=cast.partnership,
            author=cast.councils_lead,
            now=now,
        )
        exchange.link_commitment(entry=cast.ask, commitment=commitment, response=answer, author=cast.manager, now=now)
        self._say_and_sweep(day, hour, f"{cast.council.name} accepts the answer, and both confirm a commitment.")
        return commitment

    def _amend(self, cast: Cast, day: int, hour: int) -> None:
        now = self.at(day, hour)
        proposal = agreements.propose_amendment(
            partnership=cast.partnership,
            organisation=cast.council,
            reason="A target for homes.",
            author=cast.councils_lead,
            now=now,
        )
        self.sign(proposal, cast.councils_lead, now, purpose="Two hundred homes by the rivers.")
        self._say_and_sweep(day, hour, "All three parties sign an amendment of the terms.")

    def _deliver(self, cast: Cast, promise: Commitment, day: int, hour: int) -> None:
        commitments.record_progress(
            commitment=promise, status=CommitmentStatus.DONE, author=cast.landlords_lead, now=self.at(day, hour)
        )
        self._say_and_sweep(day, hour, f"{cast.homes.name} reports the ten flats as delivered.")

    def _verify(self, cast: Cast, promise: Commitment, day: int, hour: int) -> None:
        commitments.verify_delivery(commitment=promise, author=cast.councils_lead, now=self.at(day, hour))
        self._say_and_sweep(day, hour, f"{cast.council.name} verifies the delivery: the ask is met.")

    def _leave(self, cast: Cast, day: int, hour: int) -> None:
        party = cast.partnership.parties.get(organisation=cast.trust)
        agreements.leave_partnership(party=party, reason="A merger.", author=cast.trusts_lead, now=self.at(day, hour))
        self._say_and_sweep(day, hour, f"{cast.trust.name} leaves the partnership.")

    def _say_and_sweep(self, day: int, hour: int, what: str) -> None:
        self.say(day, hour, what)
        self.sweep(self.at(day, hour))

    # ---- What comes

    def _morning(
        self,
        cast: Cast,
        day: int,
        *,
        manager: tuple[str, ...] = (),
        manager_not: tuple[str, ...] = (),
        councillor: tuple[str, ...] = (),
        councillor_not: tuple[str, ...] = (),
    ) -> list[Outgoing]:
        """Send what is due at eight, and check what the manager and the councillor read.

        Each of them must get exactly one email if there are expected texts for them, else no email. Returns the
        councillor's emails.
        """
        emails = self.morning(day)
        self._check_emails(cast.manager, emails, day, expected_texts=manager, forbidden_texts=manager_not)
        return self._check_emails(
            cast.councillor.person, emails, day, expected_texts=councillor, forbidden_texts=councillor_not
        )

    def _check_emails(
        self,
        person: User,
        emails: list[Outgoing],
        day: int,
        *,
        expected_texts: tuple[str, ...],
        forbidden_texts: tuple[str, ...],
    ) -> list[Outgoing]:
        """Quote the emails to a person, check their texts, and return them. Raises `WeekWentWrong`."""
        own_emails = [email for email in emails if email.recipient == person.email]
        for email in own_emails:
            self.say(day, 8, f"EMAIL to {person.display_name}  {parsed(email)['Subject']}")
            for line in text_of(email).splitlines():
                if line.startswith("* "):
                    self.quote(line)

        email_text = " ".join(" ".join(text_of(email) for email in own_emails).split())
        expected_count = 1 if expected_texts else 0
        if len(own_emails) != expected_count:
            raise WeekWentWrong(f"{person.display_name} got {len(own_emails)} emails on day {day}: {email_text}")
        missing_texts = [text for text in expected_texts if text not in email_text]
        present_texts = [text for text in forbidden_texts if text in email_text]
        if missing_texts or present_texts:
            raise WeekWentWrong(
                f"{person.display_name}'s email lacks {missing_texts} or has {present_texts}: {email_text}"
            )
        return own_emails

    def _reply(self, cast: Cast, weekly: Outgoing) -> None:
        """Make the councillor reply and confirm by the link in our email, and make the council approve the comment."""
        councillor, now = cast.councillor.person, self.at(4, 10)
        message = EmailMessage()
        message["From"] = councillor.email
        key = Preference.objects.get(person=councillor).link_key
        message["To"] = reply_address(weekly.key, councillor.pk, key=key)
        message["Subject"] = f"Re: {parsed(weekly)['Subject']}"
        message["Message-ID"] = f"<{weekly.key}@week.example>"
        message.set_content(f"{REPLY}\n\n> {cast.trust.name} left\n")
        # The first hook that accepts an email returns what the email became.
        outcomes = (hooks.received(raw=bytes(message), now=now) for hooks in registered_hooks())
        outcome = next((outcome for outcome in outcomes if outcome), "")
        self.say(4, 10, f"{councillor.display_name} replies to the email: “{REPLY}”")
        incoming = Incoming.objects.filter(person=councillor).first()
        if outcome != "replies" or incoming is None:
            raise WeekWentWrong(f"The reply became {outcome or 'nothing'}.")
        self.send()
        answer = answers.confirm_reply(
            incoming=incoming, plan=cast.plan, text=incoming.text, author=councillor, now=self.at(4, 11)
        )
        self.say(4, 11, "She confirms it by the link in the email that asks her.")
        if isinstance(answer, Answer):
            answers.approve_answer(answer=answer, author=cast.councils_lead, now=self.at(4, 12))
        shown_answer = Answer.objects.visible_to(cast.landlords_lead).filter(text=REPLY).first()
        if shown_answer is None or not shown_answer.is_shown:
            raise WeekWentWrong("The reply was not shown as a comment.")
        self.say(4, 12, f"{cast.council.name} approves it: it is shown as a comment on {cast.plan.title}.")
        digest_count = Delivery.objects.filter(recipient=councillor, kind="digests.digest", status="sent").count()
        self.lines.append(f"{councillor.display_name} received {digest_count} digest in the week.")
