"""Who may call each service of digests."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from partnerships.agreements.models import Post
from partnerships.agreements.services import create_post
from partnerships.digests import services
from partnerships.digests.event_kinds import EventKind
from partnerships.digests.models import RoleRule, Subscription
from partnerships.people.models import User
from tests.support.rights import ADMINISTRATOR, EDITORS, EVERYBODY, LEAD, OWN, PARTNER_EDITORS, Row
from tests.world import World

STAKEHOLDER = frozenset({"stakeholder"})


def _sols(world: World) -> Subscription:
    """Return Sol's subscription, which Larkhaven added and Sol confirmed."""
    subscription: Subscription = world.things["digest_confirmed"]
    return subscription


def _waiting(world: World) -> Subscription:
    """Return a subscription that Larkhaven asked about weeks ago, and that nobody has confirmed."""
    return services.add_stakeholder(
        email="tenant@panel.example",
        name="",
        target=world.things["digest_plan"],
        author=world.amina,
        organisation=world.larkhaven,
        now=world.now,
    )


def _paused(world: World) -> Subscription:
    """Pause Sol's subscription and return it."""
    services.pause(subscription=_sols(world), author=world.sol, now=timezone.now())
    return _sols(world)


def _subscribe(target: str, person_name: str = "") -> Any:
    """Return a call that makes the author, or the named person of the world, follow a record."""

    def call(world: World, author: User, _: Any) -> object:
        return services.subscribe(
            person=getattr(world, person_name) if person_name else author,
            target=world.things[target],
            author=author,
            now=timezone.now(),
        )

    return call


def _add(service: Any, **person: Any) -> Any:
    """Return a call of a service that adds a stakeholder of Larkhaven to the plan."""
    return lambda world, author, _: service(
        target=world.things["digest_plan"], author=author, organisation=world.larkhaven, now=timezone.now(), **person
    )


def _prefer(world: World, author: User, _: Any) -> object:
    """Change Sol's preferences."""
    return services.prefer(
        person=world.sol,
        frequency="weekly",
        hour=9,
        weekday=2,
        working_days_of="england-and-wales",
        paused_until=None,
        time_zone="Europe/London",
        author=author,
        now=timezone.now(),
    )


def _ways(world: World, author: User, _: Any) -> None:
    """Change how Sol gets notices about asks."""
    services.choose_ways(person=world.sol, ways={"asks": "inbox"}, author=author, now=timezone.now())


def _choices(world: World, author: User, _: Any) -> object:
    """Save Sol's preferences and ways together, as the page of choices does."""
    return services.save_choices(
        person=world.sol,
        preferences={
            "frequency": "weekly",
            "hour": 9,
            "weekday": 2,
            "working_days_of": "england-and-wales",
            "paused_until": None,
            "time_zone": "Europe/London",
        },
        ways={"asks": "off"},
        lead_times=None,
        for_everything=False,
        author=author,
        now=timezone.now(),
    )


def _rule(world: World) -> RoleRule:
    """Subscribe everyone who must sign the plan, and return the rule."""
    return services.set_role_rule(target=world.things["digest_plan"], author=world.amina, now=timezone.now())


def _post(world: World) -> Post:
    """Create a finance post of Larkhaven."""
    return create_post(organisation=world.larkhaven, role="finance", author=world.amina, now=timezone.now())


ROWS = (
    # Sol has no account, and asks on the plan's public page instead.
    Row("digests.subscribe", _subscribe("digest_public"), EVERYBODY - STAKEHOLDER, situation="to a public plan"),
    Row(
        "digests.subscribe",
        _subscribe("digest_plan"),
        OWN | PARTNER_EDITORS | {"observer"},
        situation="to a plan of the partnership",
    ),
    Row("digests.subscribe", _subscribe("digest_public", "vera"), frozenset({"viewer"}), situation="for Vera"),
    Row("digests.add_stakeholder", _add(services.add_stakeholder, email="tenant@panel.example", name=""), EDITORS),
    Row(
        "digests.add_confirmed_subscription",
        lambda world, author, _: services.add_confirmed_subscription(
            person=world.oscar,
            target=world.things["digest_plan"],
            author=author,
            organisation=world.larkhaven,
            now=timezone.now(),
        ),
        EDITORS,
    ),
    Row(
        "digests.ask_again",
        lambda world, author, asked: services.ask_again(subscription=asked, author=author, now=timezone.now()),
        EDITORS,
        prepare=_waiting,
    ),
    Row(
        "digests.correct_address",
        lambda world, author, asked: services.correct_address(
            subscription=asked, email="tenants@panel.example", author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_waiting,
    ),
    Row(
        "digests.correct_address",
        lambda world, author, asked: services.correct_address(
            subscription=asked, email=asked.person.email, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_waiting,
        situation="to the one that we have",
        result="UnableToSubscribe: We already have this address. Enter the new address.",
    ),
    Row(
        "digests.set_hears",
        lambda world, author, sols: services.set_hears(
            subscription=sols, hears="dates", author=author, now=timezone.now()
        ),
        STAKEHOLDER,
        prepare=_sols,
    ),
    Row(
        "digests.set_frequency",
        lambda world, author, sols: services.set_frequency(
            subscription=sols, frequency="weekly", author=author, now=timezone.now()
        ),
        STAKEHOLDER,
        prepare=_sols,
    ),
    Row(
        "digests.pause",
        lambda world, author, sols: services.pause(subscription=sols, author=author, now=timezone.now()),
        STAKEHOLDER,
        prepare=_sols,
    ),
    Row(
        "digests.resume",
        lambda world, author, sols: services.resume(subscription=sols, author=author, now=timezone.now()),
        STAKEHOLDER,
        prepare=_paused,
    ),
    Row(
        "digests.stop",
        lambda world, author, sols: services.stop(
            subscriptions=[sols], author=author, reason="Asked for.", now=timezone.now()
        ),
        EDITORS | STAKEHOLDER,
        prepare=_sols,
    ),
    Row(
        "digests.stop_everything",
        lambda world, author, _: services.stop_everything(
            person=world.sol, author=author, reason="Asked for.", now=timezone.now()
        ),
        STAKEHOLDER | ADMINISTRATOR,
    ),
    Row(
        "digests.renew_links",
        lambda world, author, _: services.renew_links(person=world.sol, author=author, now=timezone.now()),
        STAKEHOLDER | ADMINISTRATOR,
    ),
    Row("digests.prefer", _prefer, STAKEHOLDER),
    Row("digests.choose_ways", _ways, STAKEHOLDER),
    Row("digests.save_choices", _choices, STAKEHOLDER),
    Row(
        "digests.end_pause",
        lambda world, author, _: services.end_pause(person=world.sol, author=author, now=timezone.now()),
        STAKEHOLDER,
    ),
    Row(
        "digests.set_role_rule",
        lambda world, author, _: services.set_role_rule(
            target=world.things["digest_plan"], author=author, now=timezone.now()
        ),
        LEAD,
        situation="for a plan",
    ),
    Row(
        "digests.set_role_rule",
        lambda world, author, _: services.set_role_rule(target=world.partnership, author=author, now=timezone.now()),
        LEAD,
        situation="for a partnership",
    ),
    Row(
        "digests.end_role_rule",
        lambda world, author, rule: services.end_role_rule(
            rule=rule, author=author, reason="Asked for.", now=timezone.now()
        ),
        LEAD,
        prepare=_rule,
    ),
    Row(
        "digests.send_again",
        lambda world, author, _: services.send_again(
            delivery=world.things["digest_delivery"], author=author, reason="It was lost.", now=timezone.now()
        ),
        LEAD | ADMINISTRATOR,
    ),
    Row(
        "digests.record_look",
        lambda world, author, _: services.record_look(
            person=world.sol,
            administrator=author,
            event=EventKind.NEXT_DIGEST_VIEWED,
            kind="person",
            number=world.sol.pk,
            reason="He asked.",
            now=timezone.now(),
        ),
        ADMINISTRATOR,
    ),
    Row(
        "digests.follow_for_post",
        lambda world, author, post: services.follow_for_post(
            post=post, target=world.partnership, author=author, now=timezone.now()
        ),
        EDITORS,
        prepare=_post,
    ),
)

_OWN = "acts for the person alone, whom a link in an email or the sign-in identifies"
_INSIDE = "part of another service, inside its transaction"
WITHOUT_A_PERSON = {
    "digests.read_mailbox": "called by the clock",
    "digests.read_new_mail": "called by the clock",
    "digests.ask_post_contacts": "called by the clock",
    "digests.journal_links": "called by services that checked",
    "digests.journal_way": "writes the journal's line for a service that checked the right",
    "digests.mark_items": _OWN,
    "digests.journal_matches": "writes the journal's line for a service that checked the right",
    "digests.journal_refusal": "writes the journal's line for a service that checked the right",
    "digests.person_identity": "only names a person for a line of the journal",
    "digests.allow_questions": _OWN,
    "digests.ask_again_for_person": _OWN,
    "digests.ask_for": "a visitor's wish about a public plan; the owner of the address answers",
    "digests.ask_to_move": _OWN,
    "digests.confirm": _OWN,
    "digests.confirm_with_others": _OWN,
    "digests.end_subscriptions": _INSIDE,
    "digests.give_up_asking": "called by the sender for an email that may not leave",
    "digests.keep_refusal_of": "follows allauth's proof of the new address",
    "digests.refused_emails": "reads only",
    "digests.hide_new_address": "follows allauth's proof of the new address",
    "digests.mark_confirmed": _INSIDE,
    "digests.may_be_emailed": "reads only",
    "digests.last_stop": "reads only",
    "digests.read_undo": "reads only",
    "digests.record_event": _INSIDE,
    "digests.refuse_questions": _OWN,
    "digests.remind": _OWN,
    "digests.send_links": "a visitor's wish; the email goes to the owner of the address",
    "digests.stop_all": _OWN,
    "digests.stop_chosen": _OWN,
    "digests.stop_email": _OWN,
    "digests.undo_stop": _OWN,
    "digests.undo_token": "reads only",
    "digests.withdraw_refusal": _INSIDE,
}
