"""The followers of a plan in `make try-hosts`, the people who save, and the counts at the end."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter, defaultdict
from typing import Any

from benchmarks.digests_world import ROOT, Mailbox, make_plan, make_stakeholders, publish
from benchmarks.hosts_people import Seen

#: Seconds after the last fault in which all emails must be sent.
MAX_SECONDS = 900


class Followers:
    """People who get a digest of each version of a plan."""

    def __init__(self, count: int, box: Mailbox) -> None:
        import django

        django.setup()
        from django.utils import timezone

        now = timezone.now()
        self.count, self.box, self.versions = count, box, 1
        self.owner, self.lead, self.plan = make_plan(now)
        make_stakeholders(self.plan, self.owner, self.lead, count, now)

    def waiting(self) -> int:
        """Return how many people have not been sent the newest version."""
        from partnerships.digests.models import DeliveryItem

        items_sent = DeliveryItem.objects.filter(plan=self.plan, to_number=self.versions, delivery__status="sent")
        return self.count - items_sent.count()

    def keep_busy(self) -> int:
        """Publish a version if few digests are still to be sent, and return how many are."""
        # Nobody is sent the first version, because it is older than the subscriptions.
        waiting_count = self.waiting() if self.versions > 1 else 0
        if waiting_count < self.count / 4:
            self.versions += 1
            publish(self.plan, self.lead, self.versions)
            expected_count = len(self.box.taken()) + min(20, self.count // 10)
            until = time.monotonic() + 30
            while len(self.box.taken()) < expected_count and time.monotonic() < until:
                time.sleep(0.1)
            waiting_count = self.waiting()
        return waiting_count

    def people_who_save(self, count: int) -> list[tuple[dict[str, str], str, str]]:
        """Return people of the demonstration with the organisations of a commitment, email and password."""
        from partnerships.commitments.queries import partners_of
        from partnerships.organisations.models import EDITING_ROLES, Organisation
        from partnerships.people.models import User

        password = json.loads((ROOT / "partnerships/transfer/demo.json").read_text())["demo_password"]
        editors = []
        for person in User.objects.exclude(password__startswith="!").filter(is_superuser=False).order_by("pk"):
            organisation = Organisation.objects.of_person(person, *EDITING_ROLES).first()
            partner = partners_of(person).exclude(pk=organisation.pk).first() if organisation else None
            if organisation and partner:
                editors.append(({"giver": str(organisation.pk), "receiver": str(partner.pk)}, person.email, password))
        return editors[:count]

    def count_digests(self) -> dict[str, Any]:
        """Wait until every digest is sent, and compare the database with the emails of the mail server."""
        from django.db import Error, connection

        from partnerships.digests.models import DeliveryItem
        from partnerships.outbox.models import Email

        began, waiting_count = time.monotonic(), -1
        while waiting_count and time.monotonic() - began < MAX_SECONDS:
            time.sleep(1)
            try:
                waiting_count = self.waiting() + Email.objects.filter(status__in=["queued", "sending"]).count()
            except Error:
                connection.close()
        seconds = time.monotonic() - began
        time.sleep(1)  # the mail server writes its log a little later
        ranges: dict[int, list[tuple[int, int]]] = defaultdict(list)
        items = DeliveryItem.objects.filter(plan=self.plan, delivery__status="sent").order_by("from_number", "pk")
        for person, first, last in items.values_list("delivery__recipient", "from_number", "to_number"):
            ranges[person].append((first, last))
        lost = twice = 0
        for spans in ranges.values():
            at = 1
            for first, last in spans:
                lost += first > at
                twice += first < at
                at = last
            lost += at < self.versions
        sent_emails = dict(Email.objects.filter(status="sent").values_list("message_id", "address"))
        taken = Counter((identifier, address) for _, identifier, address, _ in self.box.taken())
        received_ids = {identifier for identifier, _ in taken}
        lost += self.count - len(ranges)
        lost += sum(one not in received_ids for one in sent_emails)
        return {
            "versions": self.versions,
            "digests": sum(len(spans) for spans in ranges.values()),
            "emails": len(sent_emails),
            "emails_not_sent": dict(Counter(Email.objects.exclude(status="sent").values_list("status", flat=True))),
            "digests_lost": lost,
            "digests_twice": twice,
            "unknown_emails": sum(identifier not in sent_emails for identifier in received_ids),
            "repeats": sum(times - 1 for times in taken.values()),
            "most_repeats_of_one": max(taken.values(), default=1) - 1,
            "settled_after_seconds": round(seconds, 1),
        }


def count_saves(seen: Seen) -> dict[str, int]:
    """Compare the commitments that were confirmed to people with those in the database."""
    from partnerships.commitments.models import Commitment

    saved_texts = Counter(Commitment.objects.filter(text__startswith="Trial of hosts").values_list("text", flat=True))
    if not seen.confirmed:
        sys.exit("Nobody could save anything.")
    return {
        "saves_confirmed": len(seen.confirmed),
        "saves_lost": sum(text not in saved_texts for text in seen.confirmed),
        "saves_twice": sum(times > 1 for times in saved_texts.values()),
        "saves_kept_unconfirmed": len(set(saved_texts) - seen.confirmed),
        "forms_sent_again": seen.sent_again,
    }
