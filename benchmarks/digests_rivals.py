"""What the digest is measured against: a plain smtplib loop, a Celery task per 250 messages with Django's mail (with a
stored delivery each, as ours have, and without), and django-post-office (a package that only this benchmark wants).

python benchmarks/digests_rivals.py loop --port 2626 --messages messages.pickle      prints seconds and processor time
as JSON
python benchmarks/digests_rivals.py limit --port 2626 --messages messages.pickle     the same bytes, as fast as they go
celery -A benchmarks.digests_rivals worker                                           the other rival's worker
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
    """Send ready bytes over one connection, one after another."""
    with messages.open("rb") as file:
        ready: list[tuple[str, bytes]] = pickle.load(file)
    began, processor = time.time(), time.process_time()
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        for address, data in ready:
            smtp.sendmail("digests@ground.example", [address], data)
    return {"seconds": time.time() - began, "cpu": time.process_time() - processor, "began": began}


def limit(port: int, messages: Path, processes: int) -> None:
    """Send ready bytes by our own SMTP dialogue from so many processes, and do nothing else: what no way of composing
    and storing can pass on this machine."""
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
            office = SmtpSender()
            outgoing = (
                Outgoing(number, "digests@ground.example", address, data, has_no_dots=True)
                for number, (address, data) in enumerate(ready[place::processes])
            )
            taken = sum(1 for _ in office.send(outgoing))
            office.close()
            os._exit(0 if taken == len(ready[place::processes]) else 1)
        children.append(child)
    if any(os.waitpid(child, 0)[1] for child in children):
        raise SystemExit("Not all were sent.")


def render(person: Any, news: Any) -> tuple[str, str, str]:
    """Subject, text and HTML for one person the way Django's documentation shows: templates for each message."""
    from django.template.loader import render_to_string

    from partnerships.digests.emails.rendering import inline, style

    words = {"news": news, "link": f"http://localhost/read/{person.pk}/", "name": person.name, "css": ""}
    words |= {"heading": news.count_in_words, "stop": f"http://localhost/stop/{person.pk}/"}
    text = render_to_string("emails/digests/digest.txt", words | {"blocks": _block("txt", words)})
    html = render_to_string("emails/digests/digest.html", words | {"blocks": _block("html", words), "css": style()})
    return f"{news.count_in_words} in {news.title}", text, inline(html)


def _block(side: str, words: dict[str, Any]) -> str:
    from django.template.loader import render_to_string

    rendered: str = render_to_string(f"emails/digests/_block.{side}", words)
    return rendered


def post_office(do: str, plan: int, number: int, count: int) -> None:
    """django-post-office: make its tables, queue letters for the first so many followers, or send what is queued."""
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
    letters = []
    for person in User.objects.filter(subscriptions__plan=plan).order_by("subscriptions__pk")[:count]:
        subject, text, html = render(person, news)
        letters.append(
            {
                "recipients": [person.email],
                "sender": "digests@ground.example",
                "subject": subject,
                "message": text,
                "html_message": html,
                "priority": "medium",
            }
        )
    mail.send_many(letters)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rival", choices=["loop", "limit", "post_office"])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--messages", type=Path)
    parser.add_argument("--do", choices=["migrate", "queue", "send"], default="send")
    parser.add_argument("--plan", type=int, default=0)
    parser.add_argument("--number", type=int, default=0)
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    if options.rival == "loop":
        print(json.dumps(loop(options.port, options.messages)))
    elif options.rival == "limit":
        limit(options.port, options.messages, options.processes)
    else:
        post_office(options.do, options.plan, options.number, options.count)
else:
    import django
    from celery import Celery
    from celery.signals import worker_process_init

    # Not the current application: what this process publishes is for our own workers.
    app = Celery("rivals", set_as_current=False)
    app.conf.update(broker_url=os.environ.get("REDIS_URL", ""), task_ignore_result=True, worker_prefetch_multiplier=1)
    app.conf.task_default_queue = "rivals"

    @worker_process_init.connect
    def _ready(**kwargs: object) -> None:
        django.setup()

    @app.task(name="rivals.send_chunk")
    def send_chunk(people: list[int], plan: int, from_number: int, to_number: int, with_rows: bool) -> None:
        """Read, render and send 250 messages the way Django's documentation shows; `with_rows` stores a delivery for
        each, made for all of them in one go, and says of each that it was sent as soon as it was: else a crash sends
        up to 250 of them again."""
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
                    left_out="It is a rival's.",
                )
                for row in rows
            )
        of_person = {row.person_id: row for row in rows}
        with get_connection() as connection:
            for person in readers.values():
                subject, text, html = render(person, news)
                row = of_person.get(person.pk)
                letter = EmailMultiAlternatives(
                    subject=subject,
                    body=text,
                    to=[person.email],
                    connection=connection,
                    headers={"Message-ID": row.message_id if row else f"<rival-{person.pk}@ground.example>"},
                )
                letter.attach_alternative(html, "text/html")
                letter.send()
                if row is not None:
                    row.subject, row.status, row.settled_at = subject, EmailStatus.SENT, timezone.now()
                    row.save(update_fields=["subject", "status", "settled_at"])
