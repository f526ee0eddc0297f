"""Other ways of sending emails, for comparison with digests.

- a plain smtplib loop
- the same loop, but it composes each email from templates when it sends it, as a first version of an application would
- a Celery task for every 250 emails with Django's mail, with and without a stored delivery for each
- django-post-office, a package that only this benchmark uses

    python benchmarks/digests_rivals.py loop --port 2626 --messages messages.pickle     prints seconds and CPU as JSON
    python benchmarks/digests_rivals.py compose --port 2626 --partnership 7             the loop that composes each
    python benchmarks/digests_rivals.py limit --port 2626 --messages messages.pickle    the same emails, at full speed
    celery -A benchmarks.digests_rivals worker                                          the worker for the Celery task
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import smtplib
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")


def loop(port: int, messages: Path) -> dict[str, float]:
    """Send finished emails over one connection, one after another."""
    with messages.open("rb") as file:
        ready: list[tuple[str, bytes]] = pickle.load(file)
    began, processor = time.time(), time.process_time()
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for address, data in ready:
            smtp.sendmail("digests@ground.example", [address], data)
    return {"seconds": time.time() - began, "cpu": time.process_time() - processor, "began": began}


def compose(port: int, partnership: int) -> dict[str, float]:
    """Send the newest change of a partnership to its followers over one connection, composing each email.

    The loop has less to do than our digests. It stores nothing, checks no rights, summarises the change once for all
    followers, and inlines no styles.
    """
    import django

    django.setup()
    from django.core.mail import EmailMultiAlternatives, get_connection
    from django.template.loader import render_to_string
    from django.utils import timezone

    from partnerships.activity.models import Change, Subject
    from partnerships.digests.emails.changes import read_section
    from partnerships.digests.emails.links import Purpose, make_all, minute_of, page_prefix
    from partnerships.digests.emails.styling import style
    from partnerships.digests.emails.wording import wording_of
    from partnerships.digests.models import Preference, Subscription

    began, processor, now = time.time(), time.process_time(), timezone.now()
    subject = Subject.objects.get(kind="partnership", record_id=partnership)
    newest = Change.objects.select_related("event").get(subject=subject, number=subject.last_number)
    section = read_section(subject, [newest.event], stakeholder=True, now=now)
    wording = wording_of([section], 0)
    followers = Subscription.objects.filter(partnership=partnership, status="confirmed")
    keys = dict(Preference.objects.values_list("person", "link_key"))
    backend = "django.core.mail.backends.smtp.EmailBackend"
    with get_connection(backend, host="127.0.0.1", port=port) as connection:
        for one in followers.select_related("person", "added_for", "partnership").order_by("pk"):
            person, one.named = one.person, True
            stop, preferences, view = make_all(
                (Purpose.STOP, Purpose.PREFERENCES, Purpose.READ),
                person_id=person.pk,
                link_key=keys[person.pk],
                record_id=one.pk,
                minute=minute_of(now),
            )
            context: dict[str, Any] = {
                "name": person.name,
                "heading": wording.heading,
                "lead": wording.lead,
                "because": one.because,
                "how_often": "You get digests at once.",
                "preferences": f"{page_prefix('digests:preferences')}{preferences}/",
                "view": f"{page_prefix('digests:view')}{view}/",
                "stop": f"{page_prefix('digests:stop')}{stop}/",
                "css": style(),
                "section": section,
                "link": f"{page_prefix('digests:view')}{view}/",
                "action": "View in your browser",
                "has_button": True,
            }
            text, html = (
                render_to_string(
                    f"emails/digests/digest.{side}",
                    context | {"blocks": render_to_string(f"emails/digests/_changes.{side}", context)},
                )
                for side in ("txt", "html")
            )
            email = EmailMultiAlternatives(wording.subject, text, to=[person.email], connection=connection)
            email.attach_alternative(html, "text/html")
            email.send()
    return {"seconds": time.time() - began, "cpu": time.process_time() - processor, "began": began}


def limit(port: int, messages: Path, processes: int) -> None:
    """Send finished emails with our SMTP client from several processes, which is the most that this machine can do."""
    import django

    django.setup()
    from django.conf import settings

    from partnerships.outbox.answers import Outgoing
    from partnerships.outbox.smtp import SmtpSender

    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    with messages.open("rb") as file:
        ready: list[tuple[str, bytes]] = pickle.load(file)
    children = []
    for place in range(processes):
        child = os.fork()
        if not child:
            sender = SmtpSender()
            outgoing = (
                Outgoing(number, "digests@ground.example", address, data)
                for number, (address, data) in enumerate(ready[place::processes])
            )
            sent_count = sum(1 for _ in sender.send(outgoing))
            sender.close()
            os._exit(0 if sent_count == len(ready[place::processes]) else 1)
        children.append(child)
    if any(os.waitpid(child, 0)[1] for child in children):
        raise SystemExit("Not all were sent.")


def render(person: Any, news: Any) -> tuple[str, str, str]:
    """Return the subject, text and HTML for a person, rendered as in Django's documentation."""
    from django.template.loader import render_to_string

    from partnerships.digests.emails.styling import inline, style

    context = {"news": news, "link": f"http://localhost/read/{person.pk}/", "name": person.name, "css": ""}
    context |= {"heading": news.count_in_words, "stop": f"http://localhost/stop/{person.pk}/"}
    text = render_to_string("emails/digests/digest.txt", context | {"blocks": _block("txt", context)})
    html = render_to_string("emails/digests/digest.html", context | {"blocks": _block("html", context), "css": style()})
    return f"{news.count_in_words} in {news.title}", text, inline(html)


def _block(kind: str, context: dict[str, Any]) -> str:
    from django.template.loader import render_to_string

    rendered: str = render_to_string(f"emails/digests/_block.{kind}", context)
    return rendered


def post_office(do: str, plan: int, number: int, count: int) -> None:
    """Use django-post-office to create its tables, queue emails for `count` followers, or send them."""
    import django

    django.setup()
    if do == "migrate":
        from django.core.management import call_command

        call_command("migrate", "post_office", verbosity=0)
        return
    from post_office import mail

    if do == "send":
        mail.send_queued(processes=2)
        return
    from partnerships.digests.emails.reading import read_news
    from partnerships.people.models import User

    news, _, _ = read_news(plan_id=plan, from_number=number - 1, to_number=number, reading_class="outside")
    emails = []
    for person in User.objects.filter(subscriptions__plan=plan).order_by("subscriptions__pk")[:count]:
        subject, text, html = render(person, news)
        emails.append(
            {
                "recipients": [person.email],
                "sender": "digests@ground.example",
                "subject": subject,
                "message": text,
                "html_message": html,
                "priority": "medium",
            }
        )
    mail.send_many(emails)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rival", choices=["loop", "compose", "limit", "post_office"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--messages", type=Path)
    parser.add_argument("--do", choices=["migrate", "queue", "send"], default="send")
    parser.add_argument("--partnership", type=int, default=0)
    parser.add_argument("--plan", type=int, default=0)
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    if options.rival == "loop":
        print(json.dumps(loop(options.port, options.messages)))
    elif options.rival == "compose":
        print(json.dumps(compose(options.port, options.partnership)))
    elif options.rival == "limit":
        limit(options.port, options.messages, options.processes)
    else:
        post_office(options.do, options.plan, options.number, options.count)
else:
    import django
    from celery import Celery
    from celery.signals import worker_process_init

    # This must not become the current app, because tasks that this process publishes are for our own workers.
    app = Celery("rivals", set_as_current=False)
    app.conf.update(broker_url=os.environ.get("REDIS_URL", ""), task_ignore_result=True, worker_prefetch_multiplier=1)
    app.conf.task_default_queue = "rivals"

    @worker_process_init.connect
    def _ready(**kwargs: object) -> None:
        django.setup()

    @app.task(name="rivals.send_chunk")
    def send_chunk(people: list[int], plan: int, from_number: int, to_number: int, with_rows: bool) -> None:
        """Render and send 250 emails as in Django's documentation.

        With `with_rows`, deliveries are created in bulk, and each one is marked when its email is sent. Without these
        rows, a crash would send up to 250 emails again.
        """
        from django.core.mail import EmailMultiAlternatives, get_connection
        from django.utils import timezone

        from partnerships.digests.emails.reading import read_news
        from partnerships.digests.models import DeliveryItem
        from partnerships.outbox.models import Email, EmailStatus, Lane
        from partnerships.people.models import User

        news, _, _ = read_news(plan_id=plan, from_number=from_number, to_number=to_number, reading_class="outside")
        readers = User.objects.in_bulk(people)
        now = timezone.now()
        rows: list[Email] = []
        if with_rows:
            rows = Email.objects.bulk_create(
                Email(
                    person_id=person.pk,
                    lane=Lane.DIGEST,
                    kind="digests.digest",
                    status=EmailStatus.SENDING,
                    message_id=f"<rival-{person.pk}-{to_number}-{now.timestamp()}@ground.example>",
                    address=person.email,
                    available_at=now,
                    created_at=now,
                )
                for person in readers.values()
            )
            DeliveryItem.objects.bulk_create(
                DeliveryItem(
                    delivery_id=row.pk,
                    plan_id=plan,
                    from_number=from_number,
                    to_number=to_number,
                    reading_class="outside",
                    left_out="Sent by the benchmark.",
                )
                for row in rows
            )
        of_person = {row.person_id: row for row in rows}
        with get_connection() as connection:
            for person in readers.values():
                subject, text, html = render(person, news)
                row = of_person.get(person.pk)
                email = EmailMultiAlternatives(
                    subject=subject,
                    body=text,
                    to=[person.email],
                    connection=connection,
                    headers={"Message-ID": row.message_id if row else f"<rival-{person.pk}@ground.example>"},
                )
                email.attach_alternative(html, "text/html")
                email.send()
                if row is not None:
                    row.subject, row.status, row.settled_at = subject, EmailStatus.SENT, timezone.now()
                    row.save(update_fields=["subject", "status", "settled_at"])
