"""A week of a partnership: a councillor without an account, and a manager.

The councillor gets one email a week and replies to it. The manager gets one summary a day, without what she has read on
the site.
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

REPLY = "Please tell the residents of Mill Lane before the depot closes."


class PartnershipWeek(Company):
    """A week in which a councillor gets a weekly digest, and a manager a daily one."""

    def play(self) -> list[str]:
        """Play the week from Monday to Friday."""
        cast_ = self.enter()
        manager, councillor = cast_.manager, cast_.councillor.person
        self.say(0, 7, f"{councillor.display_name} follows the partnership, weekly on Fridays, without an account.")
        self.say(0, 7, f"{manager.display_name} of the council gets one summary a day.")
        self._move(cast_, 0, 10, 60, "Ground works took longer")
        answer = self._answer_ask(cast_, 0, 11)
        self._read_on_site(cast_, 0, 13, "exchange.response")
        self._question(cast_, 0, 14)
        self._morning(
            cast_,
            1,
            manager=(f"{cast_.trust.name} has a question: {ASK}",),
            manager_not=("Answered", self._moved(30, 60)),
        )
        promise = self._accept(cast_, answer, 1, 9)
        self._amend(cast_, 1, 14)
        self._morning(cast_, 2, manager=("Every party signed the terms",), manager_not=("has a question",))
        self._move(cast_, 2, 10, 90, "The contractor stopped work")
        self._deliver(cast_, promise, 2, 11)
        self._morning(cast_, 3, manager=(self._moved(60, 90),), manager_not=("signed the terms",))
        self._verify(cast_, promise, 3, 9)
        self._leave(cast_, 3, 10)
        self._read_on_site(cast_, 3, 16)
        weekly = self._morning(
            cast_,
            4,
            councillor=(
                "Every party signed the terms",
                f"{self._moved(30, 90)}, 2 moves",
                f"{ASK}: the ask is met",
                f"Left this partnership: {cast_.trust.name}",
            ),
            # No other values, names or reasons, and nothing of what is not marked.
            councillor_not=("Ground works", cast_.landlords_lead.display_name, "question", "Ten flats"),
        )
        self._reply(cast_, weekly[0])
        return self.lines

    # ---- What happens

    def _moved(self, before: int, after: int) -> str:
        return f"{PROMISE}: changed the due date: was {long_date(self.due(before))}, now {long_date(self.due(after))}"

    def _move(self, cast_: Cast, day: int, hour: int, days: int, reason: str) -> None:
        now = self.at(day, hour)
        commitments.change_due_date(
            commitment=cast_.promise, due_on=self.due(days), reason=reason, author=cast_.landlords_lead, now=now
        )
        self._say_and_sweep(day, hour, f"{PROMISE} slips to {long_date(self.due(days))}: “{reason}”.")

    def _answer_ask(self, cast_: Cast, day: int, hour: int) -> Any:
        response = exchange.respond(
            entry=cast_.ask,
            organisation=cast_.homes,
            text="Ten flats at Mill Lane.",
            author=cast_.landlords_lead,
            now=self.at(day, hour),
        )
        self._say_and_sweep(day, hour, f"{cast_.homes.name} answers the ask “{ASK}”.")
        return response

    def _question(self, cast_: Cast, day: int, hour: int) -> None:
        exchange.ask_question(
            entry=cast_.ask,
            organisation=cast_.trust,
            text="From which age?",
            author=cast_.trusts_lead,
            now=self.at(day, hour),
        )
        self._say_and_sweep(day, hour, f"{cast_.trust.name} has a question about the ask.")

    def _read_on_site(self, cast_: Cast, day: int, hour: int, *kinds: str) -> None:
        """Let the manager open these notices, and the history of the partnership."""
        now, manager = self.at(day, hour), cast_.manager
        items = InboxItem.objects.filter(person=manager, kind__in=kinds).values_list("pk", flat=True)
        digests.mark_items(person=manager, items=list(items), is_read=True, now=now)
        of_partnership = Change.objects.filter(subject__kind="partnership", subject__record_id=cast_.partnership.pk)
        events = list(of_partnership.values_list("event", flat=True))
        note_events_seen(
            person_id=manager.pk, kind="partnership", record_id=cast_.partnership.pk, events=events, now=now
        )
        read = "the answer and " if kinds else ""
        self.say(day, hour, f"{manager.display_name} reads {read}the history of the partnership on the site.")

    def _accept(self, cast_: Cast, answer: Any, day: int, hour: int) -> Commitment:
        now = self.at(day, hour)
        exchange.decide_response(response=answer, accept=True, reason="", author=cast_.manager, now=now)
        commitment = self.promise(
            cast_.homes,
            cast_.council,
            cast_.councils_lead,
            cast_.landlords_lead,
            cast_.councils_lead,
            cast_.partnership,
            "Ten flats at Mill Lane",
            now,
        )
        exchange.link_commitment(entry=cast_.ask, commitment=commitment, response=answer, author=cast_.manager, now=now)
        self._say_and_sweep(day, hour, f"{cast_.council.name} accepts the answer, and both confirm a commitment.")
        return commitment

    def _amend(self, cast_: Cast, day: int, hour: int) -> None:
        now = self.at(day, hour)
        proposal = agreements.propose_amendment(
            partnership=cast_.partnership,
            organisation=cast_.council,
            reason="A target for homes.",
            author=cast_.councils_lead,
            now=now,
        )
        self.sign(proposal, cast_.councils_lead, now, purpose="Two hundred homes by the rivers.")
        self._say_and_sweep(day, hour, "All three parties sign an amendment of the terms.")

    def _deliver(self, cast_: Cast, promise: Commitment, day: int, hour: int) -> None:
        commitments.record_progress(
            commitment=promise, status=CommitmentStatus.DONE, author=cast_.landlords_lead, now=self.at(day, hour)
        )
        self._say_and_sweep(day, hour, f"{cast_.homes.name} reports the ten flats as delivered.")

    def _verify(self, cast_: Cast, promise: Commitment, day: int, hour: int) -> None:
        commitments.verify_delivery(commitment=promise, author=cast_.councils_lead, now=self.at(day, hour))
        self._say_and_sweep(day, hour, f"{cast_.council.name} verifies the delivery: the ask is met.")

    def _leave(self, cast_: Cast, day: int, hour: int) -> None:
        party = cast_.partnership.parties.get(organisation=cast_.trust)
        agreements.leave_partnership(party=party, reason="A merger.", author=cast_.trusts_lead, now=self.at(day, hour))
        self._say_and_sweep(day, hour, f"{cast_.trust.name} leaves the partnership.")

    def _say_and_sweep(self, day: int, hour: int, what: str) -> None:
        self.say(day, hour, what)
        self.sweep(self.at(day, hour))

    # ---- What comes

    def _morning(
        self,
        cast_: Cast,
        day: int,
        *,
        manager: tuple[str, ...] = (),
        manager_not: tuple[str, ...] = (),
        councillor: tuple[str, ...] = (),
        councillor_not: tuple[str, ...] = (),
    ) -> list[Outgoing]:
        """Send what is due at eight, and check what each of the two reads.

        Returns the councillor's emails.
        """
        sent = self.morning(day)
        both = (cast_.manager, manager, manager_not), (cast_.councillor.person, councillor, councillor_not)
        for person, wanted, unwanted in both:
            own_emails = [email for email in sent if email.recipient == person.email]
            for email in own_emails:
                self.say(day, 8, f"EMAIL to {person.display_name}  {parsed(email)['Subject']}")
                for line in text_of(email).splitlines():
                    if line.startswith("* "):
                        self.quote(line)
            said = " ".join(" ".join(text_of(email) for email in own_emails).split())
            if len(own_emails) != bool(wanted):
                raise WeekWentWrong(f"{person.display_name} got {len(own_emails)} emails on day {day}: {said}")
            missing = [words for words in wanted if words not in said]
            too_much = [words for words in unwanted if words in said]
            if missing or too_much:
                raise WeekWentWrong(f"{person.display_name}'s email lacks {missing} or has {too_much}: {said}")
        return [email for email in sent if email.recipient == cast_.councillor.person.email]

    def _reply(self, cast_: Cast, weekly: Outgoing) -> None:
        """Let her reply and confirm by the link in our email, and let the council approve."""
        councillor, now = cast_.councillor.person, self.at(4, 10)
        message = EmailMessage()
        message["From"] = councillor.email
        key = Preference.objects.get(person=councillor).link_key
        message["To"] = reply_address(weekly.key, councillor.pk, key=key)
        message["Subject"] = f"Re: {parsed(weekly)['Subject']}"
        message["Message-ID"] = f"<{weekly.key}@week.example>"
        message.set_content(f"{REPLY}\n\n> {cast_.trust.name} left\n")
        # The first hook that knows what to do with an email names what it became.
        outcomes = (hooks.received(raw=bytes(message), now=now) for hooks in registered_hooks())
        outcome = next((outcome for outcome in outcomes if outcome), "")
        self.say(4, 10, f"{councillor.display_name} replies to the email: “{REPLY}”")
        incoming = Incoming.objects.filter(person=councillor).first()
        if outcome != "replies" or incoming is None:
            raise WeekWentWrong(f"The reply became {outcome or 'nothing'}.")
        self.send()
        answer = answers.confirm_reply(
            incoming=incoming, plan=cast_.plan, text=incoming.text, author=councillor, now=self.at(4, 11)
        )
        self.say(4, 11, "She confirms it by the link in the email that asks her.")
        if isinstance(answer, Answer):
            answers.approve_answer(answer=answer, author=cast_.councils_lead, now=self.at(4, 12))
        shown_answer = Answer.objects.visible_to(cast_.landlords_lead).filter(text=REPLY).first()
        if shown_answer is None or not shown_answer.is_shown:
            raise WeekWentWrong("The reply does not stand as a comment.")
        self.say(4, 12, f"{cast_.council.name} approves it: it stands as a comment on {cast_.plan.title}.")
        digest_count = Delivery.objects.filter(recipient=councillor, kind="digests.digest", status="sent").count()
        self.lines.append(f"{councillor.display_name} received {digest_count} digest in the week.")
