"""The people, organisations and records of the week of a partnership."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership, Status, TermsProposal, TermsVersion
from partnerships.agreements.queries.terms import content_of_proposal, signing_states
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.digests import services as digests
from partnerships.digests.management.weeks.stage import Stage
from partnerships.digests.models import InboxItem, NoticeDelivery, Subscription
from partnerships.exchange import services as exchange
from partnerships.exchange.models import Entry
from partnerships.kit.bank_holidays import Nation
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Kind, Organisation, Role
from partnerships.outbox.groups import CHOOSABLE
from partnerships.people.models import User
from partnerships.plans import services as plans
from partnerships.plans.models import Audience, Plan

TITLE = "Three Rivers Homes Partnership"
PROMISE = "Sixty homes at the old depot"
ASK = "Ten homes for care leavers"


@dataclass
class Cast:
    """The people, organisations and records that appear in the week."""

    council: Organisation
    homes: Organisation
    trust: Organisation
    councils_lead: User
    landlords_lead: User
    trusts_lead: User
    manager: User
    partnership: Partnership
    plan: Plan
    promise: Commitment
    ask: Entry
    councillor: Subscription


class Company(Stage):
    """The part of the week that sets up a partnership of three parties, a councillor and a manager."""

    def enter(self) -> Cast:
        """Set up everything that exists before the week. The emails about it do not count."""
        now = self.at(-3, 9)
        council, homes, trust = (
            organisations.create_organisation(name=name, kind=kind, author=None, now=now)
            for name, kind in (
                ("Three Rivers Council", Kind.COUNCIL),
                ("Depot Homes", Kind.REGISTERED_PROVIDER),
                ("Three Rivers Trust", Kind.CHARITY),
            )
        )
        bea, lou, tess = (
            self.person(name, body, Role.LEAD)
            for name, body in (("Bea Rivers", council), ("Lou Rivers", homes), ("Tess Rivers", trust))
        )
        manager = self.person("Mara Rivers", council, Role.EDITOR)
        partnership = self._partnership(council, bea, ((homes, lou), (trust, tess)), now)
        plan = plans.create_plan(
            owners=[council],
            partnership=partnership,
            title="The old depot",
            kind="delivery",
            audience=Audience.PARTNERSHIP,
            author=bea,
            now=now,
        )
        content = {"about": {"summary": "Sixty homes where buses were kept."}}
        plans.publish_version(plan=plan, author=bea, note="First version", content=content, now=now)
        promise = self.promise(
            text=PROMISE,
            giver=homes,
            receiver=council,
            givers_lead=lou,
            receivers_lead=bea,
            partnership=partnership,
            author=manager,
            now=now,
        )
        commitments.mark_for_stakeholders(commitment=promise, tell=True, author=bea, now=now)
        ask = exchange.create_entry(
            organisation=council,
            direction="ask",
            title=ASK,
            theme="supported_housing",
            audience="partnership",
            partnership=partnership,
            author=manager,
            now=now,
        )
        exchange.share_entry(entry=ask, author=manager, now=now)
        exchange.mark_for_stakeholders(entry=ask, tell=True, author=bea, now=now)
        self.sweep(now)
        self._choose_summary(manager, partnership, now)
        councillor = self._follow(partnership, council, bea, now)
        self.sweep(self.at(-1, 12))
        self.send()
        # The summaries of the week must not contain what happened before the week.
        InboxItem.objects.filter(person__in=self.people).update(due_at=None)
        return Cast(
            council=council,
            homes=homes,
            trust=trust,
            councils_lead=bea,
            landlords_lead=lou,
            trusts_lead=tess,
            manager=manager,
            partnership=partnership,
            plan=plan,
            promise=promise,
            ask=ask,
            councillor=councillor,
        )

    def _partnership(
        self, council: Organisation, lead: User, others: tuple[tuple[Organisation, User], ...], now: dt.datetime
    ) -> Partnership:
        """Create a partnership of the council and the other organisations, with signed terms and a review in a year."""
        partnership = agreements.create_partnership(
            organisation=council, author=lead, title=TITLE, kind="memorandum", purpose="Homes by the rivers.", now=now
        )
        for body, person in others:
            party = agreements.invite_organisation(
                partnership=partnership, organisation=body, role="member", reason="We need them.", author=lead, now=now
            )
            agreements.answer_invitation(party=party, accept=True, reason="", author=person, now=now)
        partnership.refresh_from_db()
        agreements.change_status(
            partnership=partnership, status=Status.DRAFTING, reason="Agreed.", author=lead, now=now
        )
        proposal = TermsProposal.objects.get(partnership=partnership, number=1)
        review = (self.monday + dt.timedelta(days=365)).isoformat()
        self.sign(proposal, lead, now, review_on=review)
        partnership.refresh_from_db()
        return partnership

    def sign(self, proposal: TermsProposal, author: User, now: dt.datetime, **about: Any) -> TermsVersion:
        """Draft the terms, send them for signature, and sign them as a lead of every party."""
        about_value = {**content_of_proposal(proposal)["about"], **about}
        clause = {"title": "Terms", "body": "We meet and decide together."}
        for piece, piece_value in (("about", about_value), ("clauses/terms", clause)):
            agreements.save_terms_piece(
                proposal=proposal, piece=piece, value=piece_value, based_on=None, author=author, now=now
            )
        version = agreements.send_for_signature(
            proposal=proposal,
            request=agreements.SignatureRequest(reason="As we discussed."),
            author=author,
            now=now,
        )
        for state in signing_states(version):
            body = state.signatory.organisation
            person = User.objects.get(memberships__organisation=body, memberships__role=Role.LEAD)
            agreements.sign_terms(
                version=version, organisation=body, person=person, name=person.name, title="Lead", now=now
            )
        return version

    def promise(
        self,
        *,
        text: str,
        giver: Organisation,
        receiver: Organisation,
        givers_lead: User,
        receivers_lead: User,
        partnership: Partnership,
        author: User,
        now: dt.datetime,
    ) -> Commitment:
        """Create a commitment that is due in 30 days, and confirm it for giver and receiver."""
        commitment = commitments.propose_commitment(
            giver=giver,
            receiver=receiver,
            text=text,
            quantity=None,
            unit="",
            owner=givers_lead,
            due_on=self.due(30),
            partnership=partnership,
            author=author,
            now=now,
        )
        for body, person in ((giver, givers_lead), (receiver, receivers_lead)):
            commitment = commitments.confirm_commitment(
                commitment=commitment, organisation=body, author=person, revision=commitment.revision, now=now
            )
        return commitment

    def _choose_summary(self, manager: User, partnership: Partnership, now: dt.datetime) -> None:
        """Make the manager receive all notices about the partnership in one summary a day."""
        digests.choose_ways(
            person=manager, ways=dict.fromkeys(CHOOSABLE, NoticeDelivery.SUMMARY), author=manager, now=now
        )
        digests.subscribe(person=manager, target=partnership, author=manager, now=now)
        self._prefer(manager, "daily", now)

    def _follow(self, partnership: Partnership, council: Organisation, lead: User, now: dt.datetime) -> Subscription:
        """Add a councillor without an account, who confirms and chooses a weekly digest."""
        subscription = digests.add_stakeholder(
            email="una@week.example",
            name="Cllr Una Rivers",
            target=partnership,
            author=lead,
            organisation=council,
            why="you represent the ward",
            now=now,
        )
        self.people.add(subscription.person_id)
        self.send()
        confirmed_subscription = digests.confirm(subscription=subscription, now=now)
        self._prefer(confirmed_subscription.person, "weekly", now)
        return confirmed_subscription

    def _prefer(self, person: User, frequency: str, now: dt.datetime) -> None:
        digests.prefer(
            person=person,
            frequency=frequency,
            hour=8,
            weekday=4,
            working_days_of=Nation.ENGLAND_AND_WALES,
            paused_until=None,
            time_zone="Europe/London",
            author=person,
            now=now,
        )

    def due(self, days: int) -> dt.date:
        """Return the day this many days after the Monday of the week."""
        return self.monday + dt.timedelta(days=days)
