"""A world with a marked word in every private field, and its readers.

Readers follow docs/rights.md.
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
from tests.recommendations.reports import recommended, report_of, says
from tests.support.access import WHO
from tests.support.terms import agree_terms
from tests.world import World, make_world

OWN = ("viewer", "editor", "lead")
DRAFTERS = ("editor", "lead")
PARTNERS = (*OWN, "partner")
#: Administrators see titles of records, not their content.
REGISTERS = ("administrator",)
#: What names and words of the world have in tests, always the same. Worlds in one database need marks of their own.
MARK = "4e7d2b"


@dataclass
class Planted:
    """The world, its words and their readers.

    `addresses` are pages that no link leads to.
    """

    world: World
    mark: str
    readers: dict[str, frozenset[str]] = field(default_factory=dict)
    addresses: dict[str, list[str]] = field(default_factory=dict)
    emails: list[Any] = field(default_factory=list)
    #: Words in emails to addresses that no persona reads.
    in_emails: dict[str, list[str]] = field(default_factory=dict)

    def word(self, name: str, *readers: str) -> str:
        """A new word that only these personas may read."""
        # The last character keeps one word from being the beginning of another.
        word = f"zq{self.mark}{name.replace(' ', '')}z"
        self.readers[word] = frozenset(readers)
        return word

    def foreign(self, persona: str) -> list[str]:
        """Every word that the persona must never see."""
        return sorted(word for word, readers in self.readers.items() if persona not in readers)

    @property
    def people(self) -> dict[str, Any]:
        """The person of each persona."""
        return {persona: getattr(self.world, name) for persona, name in WHO.items()} | {"stakeholder": self.world.sol}


def plant(mark: str = MARK, *, begin: Callable[[Planted], None] | None = None) -> Planted:
    """Create everything, through the services that people use.

    `begin` is called with the small world, before anything private is in it.
    """
    planted = Planted(make_world(mark=mark), mark)
    if begin is not None:
        begin(planted)
    for sow in (
        _partnership,
        _posts,
        _plans,
        _entries,
        _commitments,
        _conversations,
        _reports,
        _recommendations,
        _people,
        _addresses,
        _other_side,
    ):
        sow(planted, planted.world, timezone.now())
    return planted


def _partnership(p: Planted, w: World, now: dt.datetime) -> None:
    asked = invite_organisation(
        partnership=w.partnership,
        organisation=w.tidewater,
        role="member",
        reason="We need them.",
        author=w.amina,
        now=now,
    )
    edit_settings(
        partnership=w.partnership,
        author=w.amina,
        now=now,
        title=p.word("partnership title", *PARTNERS, *REGISTERS),
        reason=p.word("settings reason", *PARTNERS),
    )
    remove_party(party=asked, reason=p.word("withdrawn", *PARTNERS), author=w.amina, now=now)
    agree_terms(
        w.partnership,
        w.amina,
        now=now,
        text=p.word("terms", *PARTNERS),
        purpose=p.word("purpose", *PARTNERS),
        meeting_frequency=p.word("meets", *PARTNERS),
        reports_to=p.word("reports to", *PARTNERS),
        liabilities=p.word("liabilities", *PARTNERS),
    )
    name = p.word("document file", *PARTNERS, *REGISTERS)
    add_document(
        partnership=w.partnership,
        title=p.word("document", *PARTNERS, *REGISTERS),
        file=ContentFile(f"{p.word('document text', *PARTNERS)}\n".encode(), name=f"{name}.txt"),
        organisation=w.larkhaven,
        author=w.amina,
        now=now,
    )


def _posts(p: Planted, w: World, now: dt.datetime) -> None:
    """A contact without an account in the partnership, and the one before."""
    post = create_post(
        organisation=w.larkhaven,
        partnership=w.partnership,
        role="nominations",
        title=p.word("post title", *PARTNERS, *REGISTERS),
        author=w.amina,
        now=now,
    )
    former = fill_post(
        post=post,
        contact=Contact(name=p.word("former contact", *OWN), phone=p.word("former phone", *OWN)),
        reason=p.word("post reason", *PARTNERS),
        author=w.amina,
        now=now,
    )
    address = p.word("contact address", *PARTNERS, *REGISTERS)
    contact = Contact(
        name=p.word("contact", *PARTNERS),
        email=f"{address}@contact.example",
        phone=p.word("contact phone", *PARTNERS),
        working_days=p.word("working days", *PARTNERS),
        note=p.word("contact note", *PARTNERS),
    )
    fill_post(post=post, contact=contact, reason=former.reason, author=w.amina, now=now)
    # The email that says what is held about them.
    p.in_emails[contact.email] = [address, contact.name, post.title, w.partnership.title]


def _content(p: Planted, name: str, readers: Iterable[str], inside: Iterable[str]) -> dict[str, Any]:
    """The content of a plan: words for all its readers, and for insiders."""
    mine, theirs = tuple(readers), tuple(inside)
    return {
        "about": {"title": p.word(f"{name} title", *mine, *REGISTERS), "summary": p.word(f"{name} summary", *mine)},
        "outcomes": [p.word(f"{name} outcome", *mine)],
        "sections": [
            {"key": "vision", "title": "Vision", "body": p.word(f"{name} section", *mine)},
            {
                "key": "inside",
                "title": p.word(f"{name} restricted title", *theirs),
                "body": p.word(f"{name} restricted", *theirs),
                "restricted": True,
            },
        ],
        "sites": [
            {
                "key": "quay",
                "name": p.word(f"{name} site", *mine),
                "lat": 50.85,
                "lng": -1.18,
                "homes": [{"tenure": "social_rent", "bedrooms": 2, "year": "2027-28", "count": 120}],
            },
            {
                "key": "secret",
                "name": p.word(f"{name} confidential", *theirs),
                "notes": p.word(f"{name} confidential notes", *theirs),
                "confidential": True,
                "homes": [{"tenure": "shared_ownership", "count": 30}],
            },
        ],
        "milestones": [
            {"key": "start", "name": p.word(f"{name} milestone", *mine), "forecast": "2027-04", "site": "quay"},
            {"key": "hidden", "name": p.word(f"{name} hidden step", *theirs), "forecast": "2027-09", "site": "secret"},
        ],
        "risks": [{"key": "slip", "title": p.word(f"{name} risk", *mine), "likelihood": 3, "impact": 4}],
    }


def _plan(p: Planted, w: World, name: str, audience: str, readers: Iterable[str], inside: Iterable[str]) -> Plan:
    content = _content(p, name, readers, inside)
    return plans.create_plan(
        owners=[w.larkhaven],
        partnership=w.partnership,
        title=content["about"]["title"],
        kind="delivery",
        audience=audience,
        author=w.amina,
        now=timezone.now(),
        content=content,
    )


def _publish(plan: Plan, w: World, note: str) -> None:
    plans.publish_version(plan=plan, author=w.amina, note=note, now=timezone.now())
    plan.refresh_from_db()


def _save_summary(plan: Plan, w: World, summary: str) -> None:
    plans.save_piece(
        plan=plan,
        piece="about",
        value={"title": plan.title, "summary": summary},
        based_on=None,
        author=w.amina,
        now=timezone.now(),
    )


def _plans(p: Planted, w: World, now: dt.datetime) -> None:
    shared = (*DRAFTERS, "shared")
    everybody = (*PARTNERS, "stranger", "left", "shared", "share_ended", "administrator", "stakeholder")
    kept = _plan(p, w, "kept", "partnership", (*PARTNERS, "stakeholder"), PARTNERS)
    _publish(kept, w, p.word("kept note", *PARTNERS, "stakeholder"))
    wide = _plan(p, w, "wide", "network", everybody, PARTNERS)
    _publish(wide, w, "For everybody.")
    for plan, name in ((kept, "kept"), (wide, "wide")):
        plans.add_comment(
            plan=plan, version_number=0, text=p.word(f"{name} draft comment", *DRAFTERS), author=w.eddie, now=now
        )
    plans.add_comment(plan=kept, version_number=1, text=p.word("kept comment", *PARTNERS), author=w.ben, now=now)
    drafted = _plan(p, w, "drafted", "partnership", shared, DRAFTERS)
    for person, persona in ((w.nadia, "shared"), (w.oscar, "share_ended")):
        plans.share_draft(
            plan=drafted,
            email=person.email,
            may_comment=True,
            message=p.word(f"message {persona}", *DRAFTERS, persona),
            ends_on=None,
            author=w.amina,
            now=now,
        )
    # The email was written while the share was valid.
    p.in_emails[w.oscar.email] = [drafted.title]
    Share.objects.filter(plan=drafted, person=w.oscar).update(ends_on=timezone.localdate() - dt.timedelta(days=1))
    plans.ask_for_access(
        partnership=w.partnership,
        about=p.word("asked about", *PARTNERS),
        message=p.word("asked message", *PARTNERS),
        author=w.ben,
        now=now,
    )
    plans.offer_ownership(
        plan=kept,
        organisation=w.westmarch,
        offered_for=w.larkhaven,
        hands_over=False,
        message=p.word("offer message", "lead", "partner"),
        author=w.amina,
        now=now,
    )
    asked = digests.add_stakeholder(
        email=w.sol.email, name="Sol", target=kept, author=w.amina, organisation=w.larkhaven, now=now
    )
    digests.confirm(subscription=asked, now=now)
    _save_summary(kept, w, p.word("kept second", *PARTNERS, "stakeholder"))
    _publish(kept, w, p.word("second note", *PARTNERS, "stakeholder"))
    for plan, name in ((kept, "kept"), (wide, "wide")):
        _save_summary(plan, w, p.word(f"{name} next", *DRAFTERS))


def _entries(p: Planted, w: World, now: dt.datetime) -> None:
    def ask(name: str, readers: Iterable[str], **given: Any) -> Any:
        return exchange.create_entry(
            organisation=w.larkhaven,
            direction="ask",
            title=p.word(f"{name} ask", *readers),
            statement=p.word(f"{name} statement", *readers),
            rationale=p.word(f"{name} rationale", *readers),
            conditions=p.word(f"{name} conditions", *readers),
            site=p.word(f"{name} place", *readers),
            private_note=p.word(f"{name} private", *OWN),
            theme="land",
            quantity=60,
            unit="homes",
            author=w.amina,
            now=now,
            **given,
        )

    ask("drafted", OWN, audience="network")
    named = ask("named", (*OWN, "stranger"), audience="named", addressees=[w.tidewater])
    held = ask("held", PARTNERS, audience="partnership", partnership=w.partnership)
    for entry in (named, held):
        exchange.share_entry(entry=entry, author=w.amina, now=now)
    exchange.respond(
        entry=held,
        organisation=w.westmarch,
        text=p.word("response", *PARTNERS),
        quantity=20,
        author=w.ben,
        now=now,
    )
    exchange.ask_question(
        entry=held, organisation=w.westmarch, text=p.word("question", *PARTNERS), author=w.ben, now=now
    )
    lists.save_view(person=w.amina, kind="asks", name=p.word("view", "lead"), state={}, now=now)


def _commitments(p: Planted, w: World, now: dt.datetime) -> None:
    def promise(name: str, receiver: Any, readers: Iterable[str], **given: Any) -> Commitment:
        return commitments.propose_commitment(
            giver=w.larkhaven,
            receiver=receiver,
            text=p.word(name, *readers),
            quantity=None,
            unit="",
            owner=w.eddie,
            due_on=timezone.localdate() + dt.timedelta(days=30),
            author=w.amina,
            now=now,
            **given,
        )

    promise("given to tidewater", w.tidewater, (*OWN, "stranger"), partnership=None)
    kept = promise("given in partnership", w.westmarch, PARTNERS, partnership=w.partnership)
    drain(seconds=120)  # while it still waits for its receiver
    for organisation, lead in ((w.larkhaven, w.amina), (w.westmarch, w.ben)):
        kept = commitments.confirm_commitment(
            commitment=kept, organisation=organisation, author=lead, revision=kept.revision, now=now
        )
    commitments.record_progress(
        commitment=kept,
        status="blocked",
        note_text=p.word("progress", *PARTNERS),
        blocker=p.word("blocker", *PARTNERS),
        author=w.eddie,
        now=now,
    )
    commitments.attach_evidence(
        commitment=kept,
        file=ContentFile(p.word("evidence text", *PARTNERS).encode(), name=f"{p.word('evidence', *PARTNERS)}.txt"),
        author=w.eddie,
        now=now,
    )
    commitments.change_due_date(
        commitment=kept,
        due_on=timezone.localdate() + dt.timedelta(days=60),
        reason=p.word("slipped", *PARTNERS),
        author=w.eddie,
        now=now,
    )


def _conversations(p: Planted, w: World, now: dt.datetime) -> None:
    def said(name: str, readers: Iterable[str]) -> dict[str, Any]:
        return {
            "subject": p.word(f"{name} subject", *readers),
            "said": p.word(f"{name} said", *readers),
            "attendees": [
                AttendeeInput(w.larkhaven, w.amina),
                AttendeeInput(
                    w.westmarch, name=p.word(f"{name} guest", *readers), job_title=p.word(f"{name} job", *readers)
                ),
            ],
            "points": [PointInput(w.larkhaven, PointKind.OBSTACLE, p.word(f"{name} obstacle", *readers))],
            "next_steps": [
                NextStepInput(w.larkhaven, p.word(f"{name} step", *readers), talks.days_ago(-7), w.eddie),
            ],
        }

    first = talks.draft(w, **said("unshown", OWN))
    second = talks.circulated(w, **said("shown", PARTNERS))
    for conversation, name in ((first, "unshown"), (second, "shown")):
        conversations.write_private_note(
            conversation=conversation,
            organisation=w.larkhaven,
            text=p.word(f"{name} private note", *OWN),
            author=w.eddie,
            now=now,
        )
    conversations.suggest_correction(
        conversation=second,
        organisation=w.westmarch,
        text=p.word("correction", *PARTNERS),
        author=w.ben,
        now=now,
    )


def _reports(p: Planted, w: World, now: dt.datetime) -> None:
    """A report that is not submitted, one that is, and a note of the journal."""
    reports.set_up(w)
    own, theirs = (Report.objects.get(party=w.party(body)) for body in (w.larkhaven, w.westmarch))
    reports.write(own, w.eddie, p.word("unsent report", *OWN))
    reports.submit(theirs, w.ben, p.word("sent report", *PARTNERS))
    conversations.write_journal_note(
        organisation=w.larkhaven,
        partnership=w.partnership,
        dated_on=talks.days_ago(2),
        text=p.word("journal", *OWN),
        author=w.eddie,
        now=timezone.now(),
    )


def _recommendations(p: Planted, w: World, now: dt.datetime) -> None:
    made = recommended(w, source=report_of(w, f"Review {p.mark}"))
    response = says(made, w.larkhaven, w.eddie, note=p.word("response note", *OWN))
    add_evidence(
        response=response,
        kind="partnership",
        record=w.partnership.pk,
        words=p.word("evidence of response", *PARTNERS),
        author=w.eddie,
        now=now,
    )
    adoption = propose_adoption(
        recommendation=made,
        partnership=w.partnership,
        why=p.word("why adopted", *PARTNERS),
        author=w.eddie,
        now=now,
    )
    drop_adoption(adoption=adoption, reason=p.word("why dropped", *PARTNERS), author=w.ben, now=now)


def _people(p: Planted, w: World, now: dt.datetime) -> None:
    # The inviting organisation and administrators may know who is invited; only the reader may know the email's words.
    invited, message = p.word("invited", *OWN, "administrator"), p.word("invitation message")
    organisations.invite_member(
        organisation=w.larkhaven,
        email=f"{invited}@larkhaven.example",
        role="viewer",
        name="Ina Vited",
        message=message,
        author=w.amina,
        now=now,
    )
    p.in_emails[f"{invited}@larkhaven.example"] = [invited, message]
    create_invitation(person=w.sol, invited_by=w.amina, message=p.word("second message"), now=now)
    address, name = p.word("stakeholder", *OWN, "administrator"), p.word("stakeholder name", *OWN, "administrator")
    p.in_emails[f"{address}@council.example"] = [address, name]
    digests.add_stakeholder(
        email=f"{address}@council.example",
        name=name,
        target=w.larkhaven,
        author=w.amina,
        organisation=w.larkhaven,
        now=now,
    )
    # The person finds the reason in their data export.
    reason = p.word("view reason", "administrator", "viewer")
    begin_view_as(administrator=w.dee, person=w.vera, reason=reason, now=now - dt.timedelta(days=1))
    key = Preference.objects.get(person=w.sol).link_key
    token = make(Purpose.PREFERENCES, person_id=w.sol.pk, link_key=key, record_id=0, minute=minute_of(now))
    p.addresses["stakeholder"] = [f"/digests/preferences/{token}/"]


def _addresses(p: Planted, w: World, now: dt.datetime) -> None:
    """The addresses entered by each organisation.

    Of colleagues, and of stakeholders with and without a name, confirmed or not.
    """
    plan_of = {plan.audience: plan for plan in Plan.objects.filter(title__contains=p.mark, current_number__gt=0)}
    bodies = (
        (w.larkhaven, w.amina, plan_of["partnership"], OWN, (w.amina, w.eddie, w.vera)),
        (w.westmarch, w.ben, plan_of["partnership"], ("partner",), (w.ben,)),
        (w.tidewater, w.chidi, plan_of["network"], ("stranger",), (w.chidi,)),
        (w.riverside, w.nadia, plan_of["network"], ("shared", "share_ended"), (w.nadia, w.oscar)),
    )
    for place, (organisation, author, plan, readers, colleagues) in enumerate(bodies):
        for person in colleagues:
            p.readers[person.email] = frozenset((*readers, "administrator"))
        for kind, name, says_yes in (("waiting", "", False), ("nameless", "", True), ("named", "Una Known", True)):
            address = f"{p.word(f'address {kind} {place}', *readers, 'administrator')}@panel{place}.example"
            p.in_emails[address] = [address.partition("@")[0], plan.title]  # what they are asked about
            asked = digests.add_stakeholder(
                email=address, name=name, target=plan, author=author, organisation=organisation, now=now
            )
            if says_yes:
                digests.confirm(subscription=asked, now=now)


def _other_side(p: Planted, w: World, now: dt.datetime) -> None:
    """Records of a competitor in another partnership, for nobody of the first."""
    agree_terms(w.other_partnership, w.chidi, now=now, purpose=p.word("other purpose", "stranger"))
    entry = exchange.create_entry(
        organisation=w.tidewater,
        direction="offer",
        title=p.word("other offer", "stranger"),
        statement=p.word("other statement", "stranger"),
        private_note=p.word("other private", "stranger"),
        theme="land",
        audience="partnership",
        partnership=w.other_partnership,
        author=w.chidi,
        now=now,
    )
    # Hana's organisation is in that partnership: it gets an email about the offer.
    p.in_emails[w.hana.email] = [entry.title]
    exchange.share_entry(entry=entry, author=w.chidi, now=now)
    content = _content(p, "other", ("stranger",), ("stranger",))
    plan = plans.create_plan(
        owners=[w.tidewater],
        partnership=w.other_partnership,
        title=content["about"]["title"],
        kind="delivery",
        audience="partnership",
        author=w.chidi,
        now=now,
        content=content,
    )
    plans.publish_version(plan=plan, author=w.chidi, note=p.word("other note", "stranger"), now=now)


def guessed(planted: Planted, *, one_of: int | None = None) -> list[str]:
    """Addresses of planted records by number, for every page with a number.

    They are guessed, or kept from earlier. With `one_of`, one record a page, another for each number, instead of all.
    """
    numbers: dict[str, list[int]] = {
        "agreements": [planted.world.partnership.pk, planted.world.other_partnership.pk],
        "commitments": _numbers(Commitment, text__contains=planted.mark),
        "conversations": _numbers(Conversation, subject__contains=planted.mark),
        "exchange": _numbers(Entry, title__contains=planted.mark),
        "organisations": _numbers(Organisation, name__endswith=planted.mark),
        "plans": _numbers(Plan, title__contains=planted.mark),
    }
    found = []
    for name, parameters in named_patterns():
        namespace = name.partition(":")[0]
        if namespace == "web":
            namespace = "agreements" if ":partnership" in name else "organisations"
        if parameters == {"pk"}:
            of_room = numbers.get(namespace, [])
            if one_of is not None and of_room:
                of_room = [of_room[one_of % len(of_room)]]
            found += [reverse(name, kwargs={"pk": number}) for number in of_room]
    return found


def _numbers(model: type[Model], **fits: str) -> list[int]:
    return list(model._default_manager.filter(**fits).order_by("pk").values_list("pk", flat=True))


def named_patterns(resolver: URLResolver | None = None, namespace: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every URL name of ours with the names of its parameters."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            if pattern.namespace != "admin":
                yield from named_patterns(pattern, f"{pattern.namespace}:" if pattern.namespace else namespace)
        elif isinstance(pattern, URLPattern) and pattern.name and namespace:
            yield f"{namespace}{pattern.name}", set(pattern.pattern.regex.groupindex)


#: Pages that search records, to which a hidden word must be like nonsense.
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
    """Where administrators search: lists, and autocompletes of forms."""
    found = ["/admin/"]
    for model, options in admin.site._registry.items():
        label, name = model._meta.app_label, model._meta.model_name
        found.append(reverse(f"admin:{label}_{name}_changelist"))
        found += [
            f"/admin/autocomplete/?app_label={label}&model_name={name}&field_name={one}&term=zq"
            for one in options.autocomplete_fields
        ]
        if hasattr(model, "pgh_event_model"):
            newest = model._default_manager.order_by("-pk").values_list("pk", flat=True)[:1]
            found += [reverse(f"admin:{label}_{name}_history", args=[number]) for number in newest]
    return found


def finders_of_administration() -> list[str]:
    """The lists of Django admin with a search."""
    return [
        f"{reverse(f'admin:{model._meta.app_label}_{model._meta.model_name}_changelist')}?q={{}}"
        for model, options in admin.site._registry.items()
        if options.search_fields
    ]
