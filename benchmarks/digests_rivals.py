"""What the digest is measured against: a plain smtplib loop, and a Celery task per 250 messages with Django's mail.

python benchmarks/digests_rivals.py loop --port 2626 --messages messages.pickle      prints seconds and processor time
as JSON
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("rival", choices=["loop"])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--messages", type=Path, required=True)
    options = parser.parse_args()
    print(json.dumps(loop(options.port, options.messages)))
else:
    import django
    from celery import Celery
    from celery.signals import worker_process_init

    app = Celery("rivals")
    app.conf.update(broker_url=os.environ.get("REDIS_URL", ""), task_ignore_result=True, worker_prefetch_multiplier=1)
    app.conf.task_default_queue = "rivals"

    @worker_process_init.connect
    def _ready(**kwargs: object) -> None:
        django.setup()

    @app.task(name="rivals.send_chunk")
    def send_chunk(people: list[int], plan: int, from_number: int, to_number: int) -> None:
        """Read, render and send 250 messages the way Django's documentation shows."""
        from django.core.mail import EmailMultiAlternatives, get_connection
        from django.template.loader import render_to_string

        from partnerships.digests.composing import read_news
        from partnerships.digests.emails import _style, inline
        from partnerships.people.models import User

        news, _, _ = read_news(plan_id=plan, from_number=from_number, to_number=to_number, reading_class="outside")
        with get_connection() as connection:
            for person in User.objects.filter(pk__in=people):
                words = {"news": news, "link": f"http://localhost/read/{person.pk}/", "name": person.name, "css": ""}
                words |= {"heading": news.count_in_words, "stop": f"http://localhost/stop/{person.pk}/"}
                words["blocks"] = render_to_string("emails/digests/_block.txt", words)
                html_blocks = render_to_string("emails/digests/_block.html", words)
                letter = EmailMultiAlternatives(
                    subject=f"{news.count_in_words} in {news.title}",
                    body=render_to_string("emails/digests/digest.txt", words),
                    to=[person.email],
                    connection=connection,
                    headers={"Message-ID": f"<rival-{person.pk}-{to_number}@ground.example>"},
                )
                words |= {"css": _style(), "blocks": html_blocks}
                letter.attach_alternative(inline(render_to_string("emails/digests/digest.html", words)), "text/html")
                letter.send()
