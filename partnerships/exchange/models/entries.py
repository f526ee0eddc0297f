"""Asks and offers, the organisations that they ask, and who may read and answer them."""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING

import pghistory
import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Upper

from partnerships.agreements.models import Partnership, Party, PartyRole
from partnerships.commitments.quantities import quantity_words
from partnerships.exchange.models.routes import IS_SHARED, PRESENT_ROUTES, ROUTES
from partnerships.exchange.models.words import (
    FINAL_STATUSES,
    UNANSWERED_STATUSES,
    Audience,
    Direction,
    Status,
    status_in_words,
)
from partnerships.kit.addresses import page_address
from partnerships.kit.vocabularies import VocabularyField
from partnerships.organisations.audience import EDITORS, readers_of, visible_to
from partnerships.organisations.models import EDITING_ROLES, Area, Membership, Organisation
from partnerships.people.models import User

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser


class EntryQuerySet(models.QuerySet["Entry"]):
    """Filters for entries by reader, by editor, by who may answer, and by status."""

    def visible_to(self, user: User | AnonymousUser) -> EntryQuerySet:
        """Return the entries that the person may read."""
        return self.filter(visible_to(Entry, ROUTES, user))

    def followed_by(self, user: User | AnonymousUser) -> EntryQuerySet:
        """Return the entries that the person may read now, without those of partnerships that their party left."""
        return self.filter(visible_to(Entry, PRESENT_ROUTES, user))

    def editable_by(self, user: User | AnonymousUser) -> EntryQuerySet:
        """Return the entries of organisations where the person is an editor or lead."""
        return self.filter(visible_to(Entry, EDITORS, user))

    def of_person(self, user: User | AnonymousUser) -> EntryQuerySet:
        """Return the entries of organisations for which the person acts, in any role."""
        return self.filter(organisation__in=Organisation.objects.of_person(user))

    def answerable_by(self, user: User | AnonymousUser) -> EntryQuerySet:
        """Return the open entries that ask an organisation where the person is an editor or lead."""
        own_memberships = Membership.objects.current().of_person(user, *EDITING_ROLES)
        return self.filter(self._asks_members(own_memberships) | self._open_to_network(own_memberships), is_open=True)

    def asking_organisations_of(self, user: User | AnonymousUser) -> EntryQuerySet:
        """Return the entries that ask an organisation of the person, by name or as a party.

        Entries for the whole network are left out, because no particular organisation has to answer them.
        """
        return self.filter(self._asks_members(Membership.objects.current().of_person(user)), IS_SHARED)

    @staticmethod
    def _asks_members(memberships: models.QuerySet[Membership]) -> Q:
        """Return the condition that an entry asks an organisation of these memberships, and is not its own."""
        organisations = memberships.values("organisation")
        addressees = Addressee.objects.filter(organisation__in=organisations)
        other_addressees = addressees.exclude(organisation=F("entry__organisation"))
        asks_by_name = Q(audience=Audience.NAMED, pk__in=other_addressees.values("entry"))

        parties = Party.objects.accepted().exclude(role=PartyRole.OBSERVER).filter(organisation__in=organisations)
        parties_asked = parties.filter(partnership=OuterRef("partnership"))
        parties_asked = parties_asked.exclude(organisation=OuterRef("organisation"))
        # `Exists` is enough, but with `partnership__in` PostgreSQL starts from the few partnerships of the person.
        asks_as_party = Q(
            Exists(parties_asked), audience=Audience.PARTNERSHIP, partnership__in=parties.values("partnership")
        )
        return asks_by_name | asks_as_party

    @staticmethod
    def _open_to_network(memberships: models.QuerySet[Membership]) -> Q:
        """Return the condition that an entry of another organisation than these is for the whole network."""
        return Q(Exists(memberships.exclude(organisation=OuterRef("organisation"))), audience=Audience.NETWORK)

    def unanswered(self) -> EntryQuerySet:
        """Return the shared entries without an answer."""
        return self.filter(status__in=UNANSWERED_STATUSES, answered_at=None)

    def live(self) -> EntryQuerySet:
        """Return the shared entries whose status is not final."""
        return self.exclude(status__in=[Status.DRAFT, *FINAL_STATUSES])

    def for_listing(self) -> EntryQuerySet:
        """Return entries with the related rows that a card shows, in two queries. Long texts are not fetched."""
        return (
            self.select_related("organisation")
            .defer("words", "reach", "rationale", "conditions", "private_note", "reason")
            .prefetch_related(models.Prefetch("areas", queryset=Area.objects.only("name").order_by("name", "pk")))
        )


@pghistory.track(exclude=["words", "reach", "matched_at", "reminded_at", "told_at", "key"])
class Entry(models.Model):
    """An ask or an offer.

    * Ask: draft → shared → acknowledged → accepted, part-accepted or declined (with a reason) → committed → met.
    * Offer: draft → shared → taken up → committed → delivered.
    * Standing offer, of skills and resources that are always available: draft → shared, however often it is accepted.

    Each can also lapse after its closing date, or be withdrawn with a reason. Matching finds an entry by the keys in
    `reach`, which the module `reach.py` makes.
    """

    # What is asked or offered. `words`, at the end, is the index of title and statement for keywords.
    direction = models.CharField(max_length=5, choices=Direction)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="entries")
    title = models.CharField(max_length=200)
    statement = models.TextField(blank=True)
    rationale = models.TextField(blank=True)
    theme = VocabularyField(vocabulary="exchange.Theme", max_length=20)
    quantity = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    unit = VocabularyField(vocabulary="commitments.Unit", max_length=10, blank=True)
    agreed_quantity = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))

    # Where and when.
    areas = models.ManyToManyField(Area, blank=True, related_name="entries")
    site = models.CharField(max_length=200, blank=True)
    available_from = models.DateField("needed or available from", null=True, blank=True)
    available_until = models.DateField("needed or available until", null=True, blank=True)
    closes_on = models.DateField(
        "closing date", null=True, blank=True, help_text="The ask or offer lapses after this date."
    )

    # Terms, and what only the organisation itself reads.
    conditions = models.TextField(blank=True)
    private_note = models.TextField(blank=True, help_text="Only your organisation can read this.")
    standing = models.BooleanField("standing offer", default=False)

    # Who may read it; for an audience of parties, `partnership` is set.
    audience = models.CharField(max_length=12, choices=Audience)
    partnership = models.ForeignKey(
        Partnership, on_delete=models.PROTECT, null=True, blank=True, related_name="entries"
    )

    # How far it has got.
    status = models.CharField(max_length=14, choices=Status, default=Status.DRAFT)
    reason = models.TextField(blank=True, help_text="Why the ask or offer was agreed, declined or withdrawn.")
    #: Whether the entry can be answered: its status allows answers, and some of its quantity is left.
    is_open = models.BooleanField(default=False)
    tells_stakeholders = models.BooleanField(
        "tell stakeholders",
        default=False,
        help_text="We tell stakeholders without an account the title, date and status of the ask or offer.",
    )

    # `revision` rises with each change, so that a form for an older text is refused.
    revision = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField(help_text="When the text of the ask or offer last changed.")
    shared_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True, help_text="When the ask or offer was first answered.")
    closed_at = models.DateTimeField(null=True, blank=True)

    # The work of tasks: reminders, first emails and matching.
    reminded_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="When we emailed the organisations that were asked."
    )
    #: When matching last looked for matches of the entry; None if matching is due.
    matched_at = models.DateTimeField(null=True, blank=True)

    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    reach = ArrayField(models.IntegerField(), default=list, editable=False)
    words = models.GeneratedField(
        expression=SearchVector("title", "statement", config="english"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name = "ask or offer"
        verbose_name_plural = "asks and offers"
        constraints = [
            models.CheckConstraint(
                condition=Q(available_until=None)
                | Q(available_from=None)
                | Q(available_until__gte=F("available_from")),
                name="entry_availability_in_order",
                violation_error_message="The end date must not be before the start date.",
            ),
            models.CheckConstraint(
                condition=~Q(audience=Audience.PARTNERSHIP) | Q(partnership__isnull=False),
                name="partnership_entry_has_partnership",
                violation_error_message="Choose the partnership to share this ask or offer with.",
            ),
            models.CheckConstraint(
                condition=~Q(audience=Audience.NETWORK) | Q(partnership__isnull=True),
                name="network_entry_has_no_partnership",
                violation_error_message="An ask or offer for the whole network cannot belong to a partnership.",
            ),
            models.CheckConstraint(
                condition=Q(quantity=None) | Q(quantity__gt=0),
                name="entry_quantity_positive",
                violation_error_message="The quantity must be more than 0.",
            ),
            models.CheckConstraint(
                condition=Q(quantity=None) | ~Q(unit=""),
                name="entry_quantity_has_unit",
                violation_error_message="Choose a unit for the quantity.",
            ),
            models.CheckConstraint(
                condition=Q(standing=False) | Q(direction=Direction.OFFER),
                name="only_offers_are_standing",
                violation_error_message="Only an offer can be a standing offer.",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.DRAFT) | Q(shared_at__isnull=False) | Q(status=Status.WITHDRAWN),
                name="shared_entry_has_time",
            ),
            models.CheckConstraint(
                condition=Q(is_open=False) | ~Q(status__in=[Status.DRAFT, *FINAL_STATUSES]),
                name="open_entry_is_not_draft_or_over",
            ),
        ]
        indexes = [
            # In the order of the pages. The board shows open entries unless the reader chooses a status.
            models.Index(fields=["direction", "-shared_at", "-id"], name="entry_board", condition=Q(is_open=True)),
            models.Index(
                fields=["direction", "theme", "-shared_at", "-id"], name="entry_board_theme", condition=Q(is_open=True)
            ),
            models.Index(fields=["-shared_at", "-id"], name="entry_list"),
            GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="entry_title_words"),
            GinIndex(OpClass(Upper("statement"), name="gin_trgm_ops"), name="entry_statement_words"),
            models.Index(fields=["organisation", "-shared_at", "-id"], name="entry_organisation"),
            models.Index(fields=["partnership", "-shared_at", "-id"], name="entry_partnership"),
            # A covering index: My work searches thousands of entries, and so needs no rows of the table.
            models.Index(
                fields=["partnership"],
                include=["id", "organisation", "title", "shared_at", "closes_on", "status"],
                condition=Q(is_open=True, standing=False, audience=Audience.PARTNERSHIP, shared_at__isnull=False),
                name="entry_to_answer",
            ),
            # Which organisations asked others through a partnership is found from this index alone.
            models.Index(
                fields=["partnership", "organisation"],
                condition=Q(direction=Direction.ASK, audience=Audience.PARTNERSHIP, shared_at__isnull=False),
                name="entry_partnership_askers",
            ),
            models.Index(
                fields=["closes_on"], name="entry_closing", condition=Q(is_open=True, closes_on__isnull=False)
            ),
            models.Index(fields=["shared_at"], name="entry_to_match", condition=Q(is_open=True, matched_at=None)),
            models.Index(
                fields=["shared_at"],
                name="entry_to_notify",
                condition=Q(is_open=True, told_at=None, audience__in=[Audience.NAMED, Audience.PARTNERSHIP]),
            ),
            # One partial index for each direction, so that a search for offers reads no asks.
            *(
                GinIndex(fields=["reach"], name=name, fastupdate=False, condition=Q(direction=direction, is_open=True))
                for direction, name in ((Direction.ASK, "entry_reach_asks"), (Direction.OFFER, "entry_reach_offers"))
            ),
            GinIndex(fields=["words"], name="entry_words"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="count_network_entries",
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf("status", "is_open", "audience", "theme", "direction", "shared_at")
                | pgtrigger.Delete,
                when=pgtrigger.After,
                # The trigger only inserts rows and never updates one, so that writers do not wait for each other.
                # `fold_counts` adds up the rows every half hour.
                func="""
                    IF TG_OP <> 'INSERT' AND OLD.audience = 'network' AND OLD.shared_at IS NOT NULL THEN
                        INSERT INTO exchange_entrycount (direction, theme, status, is_open, number)
                        VALUES (OLD.direction, OLD.theme, OLD.status, OLD.is_open, -1);
                    END IF;
                    IF TG_OP <> 'DELETE' AND NEW.audience = 'network' AND NEW.shared_at IS NOT NULL THEN
                        INSERT INTO exchange_entrycount (direction, theme, status, is_open, number)
                        VALUES (NEW.direction, NEW.theme, NEW.status, NEW.is_open, 1);
                    END IF;
                    RETURN NULL;
                """,
            )
        ]

    def __str__(self) -> str:
        # Without the title: administrators see this text, and may not read what partners wrote.
        return f"{self.get_direction_display()} {self.pk}"

    def get_absolute_url(self) -> str:
        """Return the URL of the entry's page."""
        return page_address("exchange:detail", self.pk)

    @property
    def is_ask(self) -> bool:
        """Return whether this is an ask; otherwise it is an offer."""
        return self.direction == Direction.ASK

    @property
    def noun(self) -> str:
        """Return `ask` or `offer`, for use in a sentence."""
        return "ask" if self.is_ask else "offer"

    @property
    def is_draft(self) -> bool:
        """Return whether this is a draft, which only its organisation can see."""
        return self.status == Status.DRAFT

    @property
    def is_over(self) -> bool:
        """Return whether the status is final."""
        return self.status in FINAL_STATUSES

    @property
    def is_unanswered(self) -> bool:
        """Return whether the entry is shared and has no answer yet."""
        return self.status in UNANSWERED_STATUSES and self.answered_at is None

    @property
    def status_words(self) -> str:
        """Return the status as readers see it: "Answered" once an organisation has answered."""
        return status_in_words(self.status, self.answered_at, standing=self.standing)

    @property
    def waiting_since(self) -> dt.datetime | None:
        """Return when the entry was shared if it still has no answer; None if it needs none."""
        return self.shared_at if self.is_unanswered and not self.standing else None

    @property
    def is_for_partnership(self) -> bool:
        """Return whether the entry asks all parties of its partnership."""
        return self.audience == Audience.PARTNERSHIP

    @property
    def is_for_network(self) -> bool:
        """Return whether everyone who can sign in may read the entry."""
        return self.audience == Audience.NETWORK

    @property
    def quantity_left(self) -> Decimal | None:
        """Return the quantity that is not agreed yet; None if the entry has no quantity."""
        return None if self.quantity is None else max(self.quantity - self.agreed_quantity, Decimal(0))

    @property
    def amount(self) -> str:
        """Return the quantity as text, such as `60 homes` or `£250,000`; "" if the entry has no quantity."""
        return self.in_words(self.quantity)

    @property
    def amount_left(self) -> str:
        """Return the quantity that is not agreed yet as text, such as `20 homes`."""
        return self.in_words(self.quantity_left)

    def in_words(self, quantity: Decimal | None) -> str:
        """Return a quantity with this entry's unit, such as `20 homes`."""
        return quantity_words(quantity, self.unit)


@pghistory.track(pghistory.InsertEvent(), pghistory.DeleteEvent(), obj_field=None)
class EntryArea(Entry.areas.through):  # type: ignore[name-defined,misc]  # made by Django
    """The link between an entry and one of its areas. The proxy lets pghistory record changes of the links."""

    class Meta:
        proxy = True


@pghistory.track()
class Addressee(models.Model):
    """An organisation that an entry asks by name."""

    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="addressees")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="addressed")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "organisation"], name="unique_addressee_per_entry")]

    def __str__(self) -> str:
        return f"{self.entry_id} to {self.organisation_id}"


def entry_readers(entry: Entry) -> models.QuerySet[User]:
    """Return the people who may read an entry."""
    return readers_of(Entry, ROUTES, entry)
