"""A simulated week of plans: three plans, five publishers, a pause, a bounce and lost access.

It uses the real services with a simulated clock. The emails are collected instead of sent.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from partnerships.agreements import services as agreements
from partnerships.agreements.models import Partnership
from partnerships.digests import services
from partnerships.digests.management.weeks.stage import Stage, WeekWentWrong, parsed, text_of
from partnerships.digests.models import Delivery, Subscription
from partnerships.kit.bank_holidays import Nation
from partnerships.organisations import services as organisations
from partnerships.organisations.models import Kind, Organisation, Role
from partnerships.outbox.bounces import note_bounce
from partnerships.outbox.models import Bounce
from partnerships.people.models import User
from partnerships.plans.models import Audience, Plan
from partnerships.plans.services import create_plan, publish_version

#: A changed number of homes, as an email states it.
_CHANGE = re.compile(r"Homes, Social Rent at ([A-Z][a-z]+(?: [A-Z][a-z]+)?): (was \d+, now \d+)")


@dataclass
class _Cast:
    """The people, organisations and plans of the simulated week."""

    lead: User
    publishers: list[User]
    organisation: Organisation
    partner: Organisation
    partnership: Partnership
    plans: list[Plan]
    stakeholder: Subscription


class PlansWeek(Stage):
    """A stakeholder follows a partnership, and gets digests about its plans."""

    def play(self) -> list[str]:
        """Simulate the whole week, and return lines about it."""
        cast = self._enter()
        person = cast.stakeholder.person
        quay, mill, fields = cast.plans
        anna, bilal, cora, dev, elsie = cast.publishers
        self.say(0, 7, f"{person.display_name} confirmed, and gets digests daily at 08:00 on working days.")

        # Monday
        self._publish(0, 9, quay, 100, anna, "Fewer homes after the survey")
        self._publish(0, 10, quay, 96, bilal, "Four more made way for the square")
        self._publish(0, 15, mill, 40, cora, "First costed scheme")

        # Tuesday
        self._morning(1, "Quayside: was 120, now 96", "Old Mill: was 120, now 40")
        self._publish(1, 11, fields, 75, dev, "Access agreed")
        self._act(
            1, 12, "pauses until Friday", lambda now: self._prefer(person, self.monday + dt.timedelta(days=4), now)
        )

        # Wednesday and Thursday: no emails during the pause
        self._morning(2)
        self._publish(2, 9, quay, 104, elsie, "Eight came back")
        self._morning(3)
        self._publish(3, 14, mill, 44, anna, "A corner plot joined")
        self._act(
            3,
            15,
            f"{cast.organisation.name} leaves the partnership and may no longer read “{mill.title}”",
            lambda now: self._leave(cast, now),
        )

        # Friday and Saturday
        self._morning(4, "Quayside: was 96, now 104", "North Fields: was 120, now 75")
        self._publish(4, 11, mill, 50, cora, "Six more by the mill pond")
        self._publish(4, 12, quay, 110, bilal, "Six on the corner")
        self._act(4, 13, "Friday's email comes back: the address no longer exists", self._bounce)
        self._publish(5, 9, quay, 112, anna, "Two flats over the shop")

        # The next Monday
        self._morning(7)
        self.say(7, 9, "Nothing more is sent to this address until an administrator releases it.")

        digests = self.digests(self.collector.emails)
        received = [digest for digest in digests if digest.recipient == person.email]
        if len(received) != len(digests):
            raise WeekWentWrong("Somebody else got an email.")
        self.lines.append(
            f"{person.display_name} received {len(received)} emails in the week, one of them asking to confirm."
        )
        return self.lines

    # ---- The cast

    def _enter(self) -> _Cast:
        """Create the people and organisations, three plans and one confirmed stakeholder."""
        now = self.at(-3, 9)
        homes = organisations.create_organisation(
            name="Week Homes", kind=Kind.REGISTERED_PROVIDER, author=None, now=now
        )
        council = organisations.create_organisation(
            name="Week Borough Council", kind=Kind.COUNCIL, author=None, now=now
        )
        lead = self.person("Lea Week", homes, Role.LEAD)
        publishers = [
            self.person(name, council, Role.LEAD)
            for name in ("Anna Week", "Bilal Week", "Cora Week", "Dev Week", "Elsie Week")
        ]
        partnership = self._partnership(council, publishers[0], homes, lead, now)
        plans = [
            self._plan(title, audience, council, partnership, publishers[0], now)
            for title, audience in (
                ("Quayside", Audience.PUBLIC),
                ("Old Mill", Audience.PARTNERSHIP),
                ("North Fields", Audience.NETWORK),
            )
        ]
        self.sweep(now)
        return _Cast(
            lead=lead,
            publishers=publishers,
            organisation=homes,
            partner=council,
            partnership=partnership,
            plans=plans,
            stakeholder=self._follow(partnership, homes, lead, now),
        )

    def _partnership(
        self, council: Organisation, author: User, homes: Organisation, lead: User, now: dt.datetime
    ) -> Partnership:
        """Create a partnership of the council, which the homes' lead joins."""
        partnership = agreements.create_partnership(
            organisation=council,
            author=author,
            title="Week Partnership",
            kind="memorandum",
            purpose="To be played.",
            now=now,
        )
        party = agreements.invite_organisation(
            partnership=partnership,
            organisation=homes,
            role="member",
            reason="We need them.",
            author=author,
            now=now,
        )
        agreements.answer_invitation(party=party, accept=True, reason="", author=lead, now=now)
        return partnership

    def _follow(self, partnership: Partnership, homes: Organisation, lead: User, now: dt.datetime) -> Subscription:
        """Add a stakeholder without an account, who confirms and chooses a daily digest."""
        subscription = services.add_stakeholder(
            email="sam@week.example",
            name="Sam Stakeholder",
            target=partnership,
            author=lead,
            organisation=homes,
            why="you chair the tenant panel",
            now=now,
        )
        self.people.add(subscription.person_id)
        self.send()
        confirmed_subscription = services.confirm(subscription=subscription, now=now)
        self._prefer(confirmed_subscription.person, None, now)
        return confirmed_subscription

    def _plan(
        self, title: str, audience: str, owner: Organisation, partnership: Partnership, author: User, now: dt.datetime
    ) -> Plan:
        plan = create_plan(
            owners=[owner],
            partnership=partnership,
            title=title,
            kind="delivery",
            audience=audience,
            author=author,
            now=now,
        )
        publish_version(plan=plan, author=author, note="First version", content=_content(title, 120), now=now)
        return plan

    # ---- What happens

    def _publish(self, day: int, hour: int, plan: Plan, homes: int, author: User, note: str) -> None:
        """Publish a version of the plan with this number of homes."""
        now = self.at(day, hour)
        publish_version(plan=plan, author=author, note=note, content=_content(plan.title, homes), now=now)
        self.sweep(now)
        self.say(day, hour, f"{author.display_name} publishes {plan.title} with {homes} homes: “{note}”.")

    def _act(self, day: int, hour: int, action: str, change: Callable[[dt.datetime], None]) -> None:
        """Call `change` with the time of this hour, and add a line that names the action."""
        change(self.at(day, hour))
        self.say(day, hour, f"* {action}.")

    def _prefer(self, person: User, paused_until: dt.date | None, now: dt.datetime) -> None:
        """Choose daily digests at eight, and a pause if there is one."""
        services.prefer(
            person=person,
            frequency="daily",
            hour=8,
            weekday=0,
            working_days_of=Nation.ENGLAND_AND_WALES,
            paused_until=paused_until,
            time_zone="Europe/London",
            author=person,
            now=now,
        )

    def _leave(self, cast: _Cast, now: dt.datetime) -> None:
        party = cast.partnership.parties.get(organisation=cast.organisation)
        agreements.leave_partnership(party=party, reason="A merger.", author=cast.lead, now=now)

    def _bounce(self, now: dt.datetime) -> None:
        """Record that the last email to the stakeholder bounced permanently."""
        last_email = Delivery.objects.filter(recipient__email="sam@week.example", status="sent").order_by("-pk").first()
        if last_email is not None:
            note_bounce(
                kind=Bounce.Kind.HARD,
                address=last_email.address,
                text="5.1.1 no such person",
                message_id=last_email.message_id,
                now=now,
            )

    def _morning(self, day: int, *expected: str) -> None:
        """Send the emails that are due at eight, and check that they report exactly these changes."""
        reported_changes: list[str] = []
        sent = self.morning(day)
        for email in sent:
            self.say(day, 8, f"EMAIL  {parsed(email)['Subject']}")
            text = text_of(email)
            for line in text.splitlines():
                if line.startswith(("* ", "You are receiving this email because", "“")):
                    self.quote(line)
            reported_changes += [f"{place}: {change}" for place, change in _CHANGE.findall(" ".join(text.split()))]
        if sorted(reported_changes) != sorted(expected) or len(sent) > 1:
            raise WeekWentWrong(f"The email on day {day} said {reported_changes} instead of {list(expected)}.")


def _content(title: str, homes: int) -> dict[str, Any]:
    return {
        "about": {"summary": f"Homes at {title}."},
        "sites": [{"key": "site", "name": title, "homes": [{"tenure": "social_rent", "count": homes}]}],
    }
