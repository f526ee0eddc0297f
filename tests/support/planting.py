"""Plant a marked word in every private field of the test world, with the personas that may read it.

The readers follow docs/rights.md. `tests/test_crawl.py` then looks for the words on pages of other personas.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.core.files.base import ContentFile
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from partnerships.agreements.services import (
    Contact,
    add_document,
    create_post,
    edit_settings,
    fill_post,
    invite_organisation,
    remove_party,
)
from partnerships.commitments import services as commitments
from partnerships.commitments.models import Commitment
from partnerships.conversations import services as conversations
from partnerships.conversations.models import Conversation, PointKind, Report
from partnerships.conversations.services import AttendeeInput, NextStepInput, PointInput
from partnerships.digests import services as digests
from partnerships.digests.emails.links import Purpose, make, minute_of
from partnerships.digests.models import Preference
from partnerships.exchange import services as exchange
from partnerships.exchange.models import Entry
from partnerships.lists import services as lists
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Organisation
from partnerships.outbox.draining import drain
from partnerships.people.services import create_invitation
from partnerships.people.view_as import begin_view_as
from partnerships.plans import services as plans
from partnerships.plans.models import Plan, Share
from partnerships.recommendations.services import add_evidence, drop_adoption, propose_adoption
from tests.conversations import reports, talks
from tests.recommendations.reports import answer_recommendation, make_recommendation, report_of
from tests.support.access import WHO
from tests.support.terms import agree_terms
from tests.world import World, make_world

OWN = ("viewer", "editor", "lead")
DRAFTERS = ("editor", "lead")
PARTNERS = (*OWN, "partner")
#: Administrators see the titles of records, not their content.
REGISTERS = ("administrator",)
#: A part of every name and word of the world. Tests always use this mark; several worlds in one database need others.
MARK = "4e7d2b"


@dataclass
class Planted:
    """The world, its planted words, and the personas that may read each."""

    world: World
    mark: str
    readers: dict[str, frozenset[str]] = field(default_factory=dict)
    #: For each persona, addresses of pages without links to them.
    addresses: dict[str, list[str]] = field(default_factory=dict)
    emails: list[Any] = field(default_factory=list)
    #: For each email address that no persona reads, the words that emails to it may contain.
    in_emails: dict[str, list[str]] = field(default_factory=dict)

    def word(self, name: str, *readers: str) -> str:
        """Return a new word that only these personas may read."""
        # The last character ensures that no word is the beginning of another.
        word = f"zq{self.mark}{name.replace(' ', '')}z"
        self.readers[word] = frozenset(readers)
        return word

    def foreign(self, persona: str) -> list[str]:
        """Return every word that this persona must never see."""
        return sorted(word for word, readers in self.readers.items() if persona not in readers)

    @property
    def people(self) -> dict[str, Any]:
        """The person of each persona."""
        return {persona: getattr(self.world, name) for persona, name in WHO.items()} | {"stakeholder": self.world.sol}


def plant(mark: str = MARK, *, begin: Callable[[Planted], None] | None = None) -> Planted:
    """Create the world and plant all words, through the services that people use.

    `begin` is called with the small world, before it has anything private.
    """
    planted = Planted(make_world(mark=mark), mark)
    if begin is not None:
        begin(planted)
    for plant_part in (
        _plant_partnership,
        _plant_posts,
        _plant_plans,
        _plant_entries,
        _plant_commitments,
        _plant_conversations,
        _plant_reports,
        _plant_recommendations,
        _plant_people,
        _plant_addresses,
        _plant_other_side,
    ):
        plant_part(planted, planted.world, timezone.now())
    return planted


def _plant_partnership(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in the settings, the terms and a document of the partnership."""
    invited_party = invite_organisation(
        partnership=world.partnership,
        organisation=world.tidewater,
        role="member",
        reason="We need them.",
        author=world.amina,
        now=now,
    )
    edit_settings(
        partnership=world.partnership,
        author=world.amina,
        now=now,
        title=planted.word("partnership title", *PARTNERS, *REGISTERS),
        reason=planted.word("settings reason", *PARTNERS),
    )
    remove_party(party=invited_party, reason=planted.word("withdrawn", *PARTNERS), author=world.amina, now=now)
    agree_terms(
        world.partnership,
        world.amina,
        now=now,
        text=planted.word("terms", *PARTNERS),
        purpose=planted.word("purpose", *PARTNERS),
        meeting_frequency=planted.word("meets", *PARTNERS),
        reports_to=planted.word("reports to", *PARTNERS),
        liabilities=planted.word("liabilities", *PARTNERS),
    )
    name = planted.word("document file", *PARTNERS, *REGISTERS)
    add_document(
        partnership=world.partnership,
        title=planted.word("document", *PARTNERS, *REGISTERS),
        file=ContentFile(f"{planted.word('document text', *PARTNERS)}\n".encode(), name=f"{name}.txt"),
        organisation=world.larkhaven,
        author=world.amina,
        now=now,
    )


def _plant_posts(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant a contact without an account in a post of the partnership, and the contact who held the post before."""
    post = create_post(
        organisation=world.larkhaven,
        partnership=world.partnership,
        role="nominations",
        title=planted.word("post title", *PARTNERS, *REGISTERS),
        author=world.amina,
        now=now,
    )
    former = fill_post(
        post=post,
        contact=Contact(name=planted.word("former contact", *OWN), phone=planted.word("former phone", *OWN)),
        reason=planted.word("post reason", *PARTNERS),
        author=world.amina,
        now=now,
    )
    address = planted.word("contact address", *PARTNERS, *REGISTERS)
    contact = Contact(
        name=planted.word("contact", *PARTNERS),
        email=f"{address}@contact.example",
        phone=planted.word("contact phone", *PARTNERS),
        working_days=planted.word("working days", *PARTNERS),
        note=planted.word("contact note", *PARTNERS),
    )
    fill_post(post=post, contact=contact, reason=former.reason, author=world.amina, now=now)
    # This contact gets an email that says which data is stored about them.
    planted.in_emails[contact.email] = [address, contact.name, post.title, world.partnership.title]


def _content(planted: Planted, name: str, readers: Iterable[str], inside: Iterable[str]) -> dict[str, Any]:
    """Return the content of a plan, with words for all its `readers`, and words only for those `inside`."""
    all_readers, insiders = tuple(readers), tuple(inside)
    return {
        "about": {
            "title": planted.word(f"{name} title", *all_readers, *REGISTERS),
            "summary": planted.word(f"{name} summary", *all_readers),
        },
        "outcomes": [planted.word(f"{name} outcome", *all_readers)],
        "sections": [
            {"key": "vision", "title": "Vision", "body": planted.word(f"{name} section", *all_readers)},
            {
                "key": "inside",
                "title": planted.word(f"{name} restricted title", *insiders),
                "body": planted.word(f"{name} restricted", *insiders),
                "restricted": True,
            },
        ],
        "sites": [
            {
                "key": "quay",
                "name": planted.word(f"{name} site", *all_readers),
                "lat": 50.85,
                "lng": -1.18,
                "homes": [{"tenure": "social_rent", "bedrooms": 2, "year": "2027-28", "count": 120}],
            },
            {
                "key": "secret",
                "name": planted.word(f"{name} confidential", *insiders),
                "notes": planted.word(f"{name} confidential notes", *insiders),
                "confidential": True,
                "homes": [{"tenure": "shared_ownership", "count": 30}],
            },
        ],
        "milestones": [
            {
                "key": "start",
                "name": planted.word(f"{name} milestone", *all_readers),
                "forecast": "2027-04",
                "site": "quay",
            },
            {
                "key": "hidden",
                "name": planted.word(f"{name} hidden step", *insiders),
                "forecast": "2027-09",
                "site": "secret",
            },
        ],
        "risks": [{"key": "slip", "title": planted.word(f"{name} risk", *all_readers), "likelihood": 3, "impact": 4}],
    }


def _plan(
    planted: Planted, world: World, name: str, audience: str, readers: Iterable[str], inside: Iterable[str]
) -> Plan:
    """Create a plan of Larkhaven in the partnership, with words in its content."""
    content = _content(planted, name, readers, inside)
    return plans.create_plan(
        owners=[world.larkhaven],
        partnership=world.partnership,
        title=content["about"]["title"],
        kind="delivery",
        audience=audience,
        author=world.amina,
        now=timezone.now(),
        content=content,
    )


def _publish(plan: Plan, world: World, note: str) -> None:
    """Publish the plan as Amina."""
    plans.publish_version(plan=plan, author=world.amina, note=note, now=timezone.now())
    plan.refresh_from_db()


def _save_summary(plan: Plan, world: World, summary: str) -> None:
    """Save a summary in the plan's draft."""
    plans.save_piece(
        plan=plan,
        piece="about",
        value={"title": plan.title, "summary": summary},
        based_on=None,
        author=world.amina,
        now=timezone.now(),
    )


def _plant_plans(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in plans for the partnership, for the network and without a version, and in what belongs to them."""
    draft_readers = (*DRAFTERS, "shared")
    everybody = (*PARTNERS, "stranger", "left", "shared", "share_ended", "administrator", "stakeholder")
    partnership_plan = _plan(planted, world, "kept", "partnership", (*PARTNERS, "stakeholder"), PARTNERS)
    _publish(partnership_plan, world, planted.word("kept note", *PARTNERS, "stakeholder"))
    network_plan = _plan(planted, world, "wide", "network", everybody, PARTNERS)
    _publish(network_plan, world, "For everybody.")
    for plan, name in ((partnership_plan, "kept"), (network_plan, "wide")):
        plans.add_comment(
            plan=plan,
            version_number=0,
            text=planted.word(f"{name} draft comment", *DRAFTERS),
            author=world.eddie,
            now=now,
        )
    plans.add_comment(
        plan=partnership_plan, version_number=1, text=planted.word("kept comment", *PARTNERS), author=world.ben, now=now
    )
    unpublished_plan = _plan(planted, world, "drafted", "partnership", draft_readers, DRAFTERS)
    for person, persona in ((world.nadia, "shared"), (world.oscar, "share_ended")):
        plans.share_draft(
            plan=unpublished_plan,
            email=person.email,
            may_comment=True,
            message=planted.word(f"message {persona}", *DRAFTERS, persona),
            ends_on=None,
            author=world.amina,
            now=now,
        )
    # The email was written while the share was valid.
    planted.in_emails[world.oscar.email] = [unpublished_plan.title]
    Share.objects.filter(plan=unpublished_plan, person=world.oscar).update(
        ends_on=timezone.localdate() - dt.timedelta(days=1)
    )
    plans.ask_for_access(
        partnership=world.partnership,
        about=planted.word("asked about", *PARTNERS),
        message=planted.word("asked message", *PARTNERS),
        author=world.ben,
        now=now,
    )
    plans.offer_ownership(
        plan=partnership_plan,
        organisation=world.westmarch,
        offered_for=world.larkhaven,
        hands_over=False,
        message=planted.word("offer message", "lead", "partner"),
        author=world.amina,
        now=now,
    )
    subscription = digests.add_stakeholder(
        email=world.sol.email,
        name="Sol",
        target=partnership_plan,
        author=world.amina,
        organisation=world.larkhaven,
        now=now,
    )
    digests.confirm(subscription=subscription, now=now)
    _save_summary(partnership_plan, world, planted.word("kept second", *PARTNERS, "stakeholder"))
    _publish(partnership_plan, world, planted.word("second note", *PARTNERS, "stakeholder"))
    for plan, name in ((partnership_plan, "kept"), (network_plan, "wide")):
        _save_summary(plan, world, planted.word(f"{name} next", *DRAFTERS))


def _plant_entries(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in asks for different audiences, with a response and a question."""

    def ask(name: str, readers: Iterable[str], **audience_arguments: Any) -> Any:
        return exchange.create_entry(
            organisation=world.larkhaven,
            direction="ask",
            title=planted.word(f"{name} ask", *readers),
            statement=planted.word(f"{name} statement", *readers),
            rationale=planted.word(f"{name} rationale", *readers),
            conditions=planted.word(f"{name} conditions", *readers),
            site=planted.word(f"{name} place", *readers),
            private_note=planted.word(f"{name} private", *OWN),
            theme="land",
            quantity=60,
            unit="homes",
            author=world.amina,
            now=now,
            **audience_arguments,
        )

    ask("drafted", OWN, audience="network")
    ask_by_name = ask("named", (*OWN, "stranger"), audience="named", addressees=[world.tidewater])
    partnership_ask = ask("held", PARTNERS, audience="partnership", partnership=world.partnership)
    for entry in (ask_by_name, partnership_ask):
        exchange.share_entry(entry=entry, author=world.amina, now=now)
    exchange.respond(
        entry=partnership_ask,
        organisation=world.westmarch,
        text=planted.word("response", *PARTNERS),
        quantity=20,
        author=world.ben,
        now=now,
    )
    exchange.ask_question(
        entry=partnership_ask,
        organisation=world.westmarch,
        text=planted.word("question", *PARTNERS),
        author=world.ben,
        now=now,
    )
    lists.save_view(person=world.amina, kind="asks", name=planted.word("view", "lead"), state={}, now=now)


def _plant_commitments(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in commitments within and outside the partnership."""

    def promise(name: str, receiver: Any, readers: Iterable[str], **other_arguments: Any) -> Commitment:
        return commitments.propose_commitment(
            giver=world.larkhaven,
            receiver=receiver,
            text=planted.word(name, *readers),
            quantity=None,
            unit="",
            owner=world.eddie,
            due_on=timezone.localdate() + dt.timedelta(days=30),
            author=world.amina,
            now=now,
            **other_arguments,
        )

    promise("given to tidewater", world.tidewater, (*OWN, "stranger"), partnership=None)
    commitment = promise("given in partnership", world.westmarch, PARTNERS, partnership=world.partnership)
    drain(seconds=120)  # send the email now, while the commitment is still waiting for its receiver
    for organisation, lead in ((world.larkhaven, world.amina), (world.westmarch, world.ben)):
        commitment = commitments.confirm_commitment(
            commitment=commitment, organisation=organisation, author=lead, revision=commitment.revision, now=now
        )
    commitments.record_progress(
        commitment=commitment,
        status="blocked",
        note_text=planted.word("progress", *PARTNERS),
        blocker=planted.word("blocker", *PARTNERS),
        author=world.eddie,
        now=now,
    )
    commitments.attach_evidence(
        commitment=commitment,
        file=ContentFile(
            planted.word("evidence text", *PARTNERS).encode(), name=f"{planted.word('evidence', *PARTNERS)}.txt"
        ),
        author=world.eddie,
        now=now,
    )
    commitments.change_due_date(
        commitment=commitment,
        due_on=timezone.localdate() + dt.timedelta(days=60),
        reason=planted.word("slipped", *PARTNERS),
        author=world.eddie,
        now=now,
    )


def _plant_conversations(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in a draft of a conversation and in one that was circulated."""

    def record_with_words(name: str, readers: Iterable[str]) -> dict[str, Any]:
        return {
            "subject": planted.word(f"{name} subject", *readers),
            "said": planted.word(f"{name} said", *readers),
            "attendees": [
                AttendeeInput(world.larkhaven, world.amina),
                AttendeeInput(
                    world.westmarch,
                    name=planted.word(f"{name} guest", *readers),
                    job_title=planted.word(f"{name} job", *readers),
                ),
            ],
            "points": [PointInput(world.larkhaven, PointKind.OBSTACLE, planted.word(f"{name} obstacle", *readers))],
            "next_steps": [
                NextStepInput(world.larkhaven, planted.word(f"{name} step", *readers), talks.days_ago(-7), world.eddie),
            ],
        }

    first = talks.draft(world, **record_with_words("unshown", OWN))
    second = talks.circulated(world, **record_with_words("shown", PARTNERS))
    for conversation, name in ((first, "unshown"), (second, "shown")):
        conversations.write_private_note(
            conversation=conversation,
            organisation=world.larkhaven,
            text=planted.word(f"{name} private note", *OWN),
            author=world.eddie,
            now=now,
        )
    conversations.suggest_correction(
        conversation=second,
        organisation=world.westmarch,
        text=planted.word("correction", *PARTNERS),
        author=world.ben,
        now=now,
    )


def _plant_reports(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant a report that is not submitted, one that is submitted, and a note of the journal."""
    reports.set_up(world)
    larkhavens, westmarchs = (
        Report.objects.get(party=world.party(body)) for body in (world.larkhaven, world.westmarch)
    )
    reports.write(larkhavens, world.eddie, planted.word("unsent report", *OWN))
    reports.submit(westmarchs, world.ben, planted.word("sent report", *PARTNERS))
    conversations.write_journal_note(
        organisation=world.larkhaven,
        partnership=world.partnership,
        dated_on=talks.days_ago(2),
        text=planted.word("journal", *OWN),
        author=world.eddie,
        now=timezone.now(),
    )


def _plant_recommendations(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in a response to a recommendation, its evidence, and its adoption."""
    recommendation = make_recommendation(world, source=report_of(world, f"Review {planted.mark}"))
    response = answer_recommendation(
        recommendation, world.larkhaven, world.eddie, note=planted.word("response note", *OWN)
    )
    add_evidence(
        response=response,
        kind="partnership",
        record=world.partnership.pk,
        words=planted.word("evidence of response", *PARTNERS),
        author=world.eddie,
        now=now,
    )
    adoption = propose_adoption(
        recommendation=recommendation,
        partnership=world.partnership,
        why=planted.word("why adopted", *PARTNERS),
        author=world.eddie,
        now=now,
    )
    drop_adoption(adoption=adoption, reason=planted.word("why dropped", *PARTNERS), author=world.ben, now=now)


def _plant_people(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant words in invitations and other records about people."""
    # The inviting organisation and administrators may see who is invited. Only the recipient may read the email's
    # words.
    invited, message = planted.word("invited", *OWN, "administrator"), planted.word("invitation message")
    organisations.invite_member(
        organisation=world.larkhaven,
        email=f"{invited}@larkhaven.example",
        role="viewer",
        name="Ina Vited",
        message=message,
        author=world.amina,
        now=now,
    )
    planted.in_emails[f"{invited}@larkhaven.example"] = [invited, message]
    create_invitation(person=world.sol, invited_by=world.amina, message=planted.word("second message"), now=now)
    address, name = (
        planted.word("stakeholder", *OWN, "administrator"),
        planted.word("stakeholder name", *OWN, "administrator"),
    )
    planted.in_emails[f"{address}@council.example"] = [address, name]
    digests.add_stakeholder(
        email=f"{address}@council.example",
        name=name,
        target=world.larkhaven,
        author=world.amina,
        organisation=world.larkhaven,
        now=now,
    )
    # The person can read the reason in their data export.
    reason = planted.word("view reason", "administrator", "viewer")
    begin_view_as(administrator=world.dee, person=world.vera, reason=reason, now=now - dt.timedelta(days=1))
    key = Preference.objects.get(person=world.sol).link_key
    token = make(Purpose.PREFERENCES, person_id=world.sol.pk, link_key=key, record_id=0, minute=minute_of(now))
    planted.addresses["stakeholder"] = [f"/digests/preferences/{token}/"]


def _plant_addresses(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant email addresses that each organisation entered: of its colleagues, and of stakeholders.

    The stakeholders have a name or none, and have confirmed or not.
    """
    plan_by_audience = {
        plan.audience: plan for plan in Plan.objects.filter(title__contains=planted.mark, current_number__gt=0)
    }
    bodies = (
        (world.larkhaven, world.amina, plan_by_audience["partnership"], OWN, (world.amina, world.eddie, world.vera)),
        (world.westmarch, world.ben, plan_by_audience["partnership"], ("partner",), (world.ben,)),
        (world.tidewater, world.chidi, plan_by_audience["network"], ("stranger",), (world.chidi,)),
        (
            world.riverside,
            world.nadia,
            plan_by_audience["network"],
            ("shared", "share_ended"),
            (world.nadia, world.oscar),
        ),
    )
    for number, (organisation, author, plan, readers, colleagues) in enumerate(bodies):
        for person in colleagues:
            planted.readers[person.email] = frozenset((*readers, "administrator"))
        for kind, name, is_confirmed in (("waiting", "", False), ("nameless", "", True), ("named", "Una Known", True)):
            address = f"{planted.word(f'address {kind} {number}', *readers, 'administrator')}@panel{number}.example"
            planted.in_emails[address] = [address.partition("@")[0], plan.title]  # the email asks about this plan
            subscription = digests.add_stakeholder(
                email=address, name=name, target=plan, author=author, organisation=organisation, now=now
            )
            if is_confirmed:
                digests.confirm(subscription=subscription, now=now)


def _plant_other_side(planted: Planted, world: World, now: dt.datetime) -> None:
    """Plant records of a competitor in another partnership, which nobody of the first partnership may read."""
    agree_terms(world.other_partnership, world.chidi, now=now, purpose=planted.word("other purpose", "stranger"))
    entry = exchange.create_entry(
        organisation=world.tidewater,
        direction="offer",
        title=planted.word("other offer", "stranger"),
        statement=planted.word("other statement", "stranger"),
        private_note=planted.word("other private", "stranger"),
        theme="land",
        audience="partnership",
        partnership=world.other_partnership,
        author=world.chidi,
        now=now,
    )
    # Hana's organisation is in that partnership: it gets an email about the offer.
    planted.in_emails[world.hana.email] = [entry.title]
    exchange.share_entry(entry=entry, author=world.chidi, now=now)
    content = _content(planted, "other", ("stranger",), ("stranger",))
    plan = plans.create_plan(
        owners=[world.tidewater],
        partnership=world.other_partnership,
        title=content["about"]["title"],
        kind="delivery",
        audience="partnership",
        author=world.chidi,
        now=now,
        content=content,
    )
    plans.publish_version(plan=plan, author=world.chidi, note=planted.word("other note", "stranger"), now=now)


def guessable_addresses(planted: Planted, *, one_of: int | None = None) -> list[str]:
    """Return the address of every page with an id, for every planted record: anybody may guess these addresses.

    With `one_of`, each page gets only one record: the one at this index, modulo the number of records.
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
