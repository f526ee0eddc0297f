"""Numbers of changes that were reported before a restore are not used again."""

from __future__ import annotations

from django.utils import timezone

from partnerships.activity.models import Change, Subject
from partnerships.digests import services
from partnerships.digests.models import SubjectWatermark
from partnerships.digests.planning.choosing import reconcile
from partnerships.digests.services.outbox_hooks import DigestHooks
from partnerships.plans.models import Plan
from tests.commitments.promises import propose
from tests.digests.conftest import PostOffice, play, publish, text_of
from tests.world import World


def test_a_change_after_a_restore_is_told_even_if_the_journal_is_applied_again(
    world: World, office: PostOffice
) -> None:
    services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    subject = Subject.objects.get(kind="partnership", record_id=world.partnership.pk)
    restored_number = subject.last_number
    reported_fact = [
        "partnership",
        world.partnership.pk,
        restored_number + 3,
    ]  # three changes since the backup, in one digest
    lines = [{"kind": "digests.digest", "person": world.ben.pk, "told": [reported_fact]}]

    DigestHooks().delivered_before(lines=lines, now=timezone.now())
    propose(world)
    DigestHooks().delivered_before(lines=lines, now=timezone.now())
    play(office)

    new_numbers = Change.objects.filter(subject=subject, number__gt=restored_number).values_list("number", flat=True)
    [email] = office.to(world.ben)
    assert min(new_numbers) == restored_number + 4
    assert "Sixty modular homes" in text_of(email)
    assert SubjectWatermark.objects.get(recipient=world.ben, subject=subject).number == max(new_numbers)


def test_followers_who_miss_nothing_are_made_no_digest_after_a_restore(world: World, office: PostOffice) -> None:
    for person in (world.ben, world.eddie):
        services.subscribe(person=person, target=world.partnership, author=person, now=timezone.now())
    subject = Subject.objects.get(kind="partnership", record_id=world.partnership.pk)
    reported_fact = ["partnership", world.partnership.pk, subject.last_number + 3]
    lines = [{"kind": "digests.digest", "person": world.ben.pk, "told": [reported_fact]}]

    DigestHooks().delivered_before(lines=lines, now=timezone.now())
    reconcile(now=timezone.now())
    waiting_count = SubjectWatermark.objects.filter(subject=subject, due_at__isnull=False).count()
    propose(world)
    play(office)

    assert waiting_count == 0
    assert "Sixty modular homes" in text_of(office.to(world.eddie)[-1])


def test_numbers_of_other_subjects_stay_without_gaps(world: World) -> None:
    services.subscribe(person=world.ben, target=world.partnership, author=world.ben, now=timezone.now())
    propose(world)  # the partnership has a change with number 1 after this, even if it had none before
    numbers_before = dict(Subject.objects.values_list("pk", "last_number"))
    lines = [{"kind": "digests.digest", "person": world.ben.pk, "told": [["partnership", world.partnership.pk, 1]]}]

    DigestHooks().delivered_before(lines=lines, now=timezone.now())

    assert dict(Subject.objects.values_list("pk", "last_number")) == numbers_before


def test_a_version_after_a_restore_is_told_even_if_the_journal_is_applied_again(
    world: World, plan: Plan, office: PostOffice
) -> None:
    services.subscribe(person=world.ben, target=plan, author=world.ben, now=timezone.now())
    reported_fact = [plan.pk, plan.current_number + 1]  # a version since the backup
    lines = [
        {"kind": "digests.digest", "person": world.ben.pk, "at": timezone.now().isoformat(), "told": [reported_fact]}
    ]

    DigestHooks().delivered_before(lines=lines, now=timezone.now())
    publish(plan, 96, author=world.amina)
    DigestHooks().delivered_before(lines=lines, now=timezone.now())
    play(office)

    [email] = office.to(world.ben)
    assert "was 120, now 96" in " ".join(text_of(email).split())
