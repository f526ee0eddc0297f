"""Measure comparing, opening and publishing plans of 20, 200 and 2,000 sites.

Each site has 8 lines of homes, and each plan has 60 sections of 400 words. Every figure is a median, measured in turns.
It is compared with the plain cost of the same plan, which is reading its JSON from PostgreSQL and writing it back.

    compare        changes and totals of a usual edit (a tenth of the sites, five sections)
    compare worst  the same when everything changed
    compare shown  the usual edit with its texts, as a page shows it
    compare page   the whole request: signed in, with session, rights and HTML
    open           finding the plan for its reader and preparing a page of its sites and the totals
    open page      the whole request for the plan's page
    open paper     the same for the print view, which has every site
    publish        publishing a usual edit from the draft
    publish import publishing the same content from an import, which also checks it

Then each target is printed, met or missed. The last line of the output is a JSON object with the figures. All rows are
rolled back.

    make bench-plans
    make bench-plans ARGS="--sites 20 200"      quicker
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
os.environ.setdefault("DATABASE_ROLE", "owner")

import django

django.setup()

from django.conf import settings  # noqa: E402 - after setup
from django.core.management import call_command  # noqa: E402 - after setup
from django.db import connection, transaction  # noqa: E402 - after setup
from django.http import QueryDict  # noqa: E402 - after setup
from django.test import Client  # noqa: E402 - after setup
from django.urls import reverse  # noqa: E402 - after setup
from django.utils import timezone  # noqa: E402 - after setup

from partnerships.organisations.models import Kind, Membership, Organisation  # noqa: E402 - after setup
from partnerships.people.models import User  # noqa: E402 - after setup
from partnerships.plans import services  # noqa: E402 - after setup
from partnerships.plans.changes import changes_between, homes_totals, summary  # noqa: E402 - after setup
from partnerships.plans.comparisons import compare_plan_contents  # noqa: E402 - after setup
from partnerships.plans.content import TENURES, normalise  # noqa: E402 - after setup
from partnerships.plans.models import Draft, Plan, ReadingClass  # noqa: E402 - after setup
from partnerships.plans.queries import newest_version_for  # noqa: E402 - after setup
from partnerships.plans.views.whole import reading_context  # noqa: E402 - after setup

LINES, SECTIONS, WORDS = 8, 60, 400
WORK = (
    "compare",
    "compare_worst",
    "compare_shown",
    "compare_page",
    "open",
    "open_page",
    "open_paper",
    "publish",
    "publish_import",
)
#: Limits as multiples of the plain cost. No figure may grow faster than the plan.
AIMS = {"compare": 5, "compare_worst": 5, "compare_shown": 5, "compare_page": 5, "open": 3, "open_page": 3}
STEMS, ENDINGS = ("har", "est", "mor", "len", "quay"), ("bour", "uary", "ing", "t", "s")
VOCABULARY = [stem + ending for stem in STEMS for ending in ENDINGS]


def a_plan(sites: int, chance: random.Random) -> dict[str, Any]:
    """Return the content of a plan with this many sites."""
    tenures = list(TENURES)
    return normalise(
        {
            "about": {"title": f"Plan of {sites} sites", "summary": "Measured."},
            "sections": [
                {
                    "key": f"section-{number}",
                    "title": f"Section {number}",
                    "body": " ".join(chance.choices(VOCABULARY, k=WORDS)),
                }
                for number in range(SECTIONS)
            ],
            "sites": [
                {
                    "key": f"site-{number}",
                    "name": f"Site {number}",
                    "reference": f"S{number}",
                    "planning_authority": f"Borough {number % 12}",
                    "forecast_completion": f"20{27 + number % 9}-06",
                    "homes": [
                        {"tenure": tenure, "bedrooms": line % 5, "year": "2027-28", "count": chance.randint(1, 90)}
                        for line, tenure in enumerate(tenures[:LINES])
                    ],
                }
                for number in range(sites)
            ],
            "milestones": [{"name": f"Milestone {number}", "forecast": "2028-01"} for number in range(20)],
        }
    )


def edited(plan: dict[str, Any], *, share: float, sections: int) -> dict[str, Any]:
    """Return the plan with a share of its sites and a number of sections changed."""
    plan_copy = copy.deepcopy(plan)
    for site in plan_copy["sites"][: max(1, int(len(plan_copy["sites"]) * share))]:
        site["forecast_completion"] = "2036-12"
        for homes in site["homes"]:
            homes["count"] += 5
    for section in plan_copy["sections"][:sections]:
        words = section["body"].split()
        words[10::40] = ["changed"] * len(words[10::40])
        section["body"] = " ".join(words)
    return plan_copy


Work = Callable[[], object]


def median_of(times: int, work: dict[str, Work | tuple[Work, Work]]) -> dict[str, float]:
    """Return the median milliseconds of each piece of work.

    All pieces are done in turns, after a warm-up. If a piece is a pair of functions, the first one is preparation and
    is not measured.
    """
    times_by_name: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(times + 1):
        for name, piece in work.items():
            before, do = piece if isinstance(piece, tuple) else (None, piece)
            if before is not None:
                before()
            start = time.perf_counter()
            do()
            if turn:
                times_by_name[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(values) for name, values in times_by_name.items()}


def _published(content: dict[str, Any], author: User, owner: Organisation) -> Plan:
    """Return a plan with one published version."""
    plan = services.create_plan(
        owners=[owner],
        partnership=None,
        title="Measured",
        kind="delivery",
        audience="network",
        author=author,
        now=timezone.now(),
        content=content,
    )
    services.publish_version(plan=plan, author=author, note="Measured.", now=timezone.now())
    return plan


def measure(sites: int, times: int, author: User, owner: Organisation) -> dict[str, float]:
    """Return the figures of one size, in milliseconds and as multiples of the plain cost."""
    chance = random.Random(sites)
    plan_content = a_plan(sites, chance)
    usual = edited(plan_content, share=0.1, sections=5)
    worst = edited(plan_content, share=1, sections=SECTIONS)
    plan, compared = _published(plan_content, author, owner), _published(plan_content, author, owner)
    services.publish_version(plan=compared, author=author, note="Measured.", now=timezone.now(), content=usual)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS plain (id serial PRIMARY KEY, content jsonb)")
    version = plan.versions.get(number=1)
    flip = [plan_content, usual]

    def plain() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT content::text FROM plans_version WHERE id = %s", [version.pk])
            content = json.loads(cursor.fetchone()[0])
            cursor.execute("INSERT INTO plain (content) VALUES (%s)", [json.dumps(content)])

    client = Client()
    client.force_login(author)

    def opening() -> None:
        newest_version = newest_version_for(author, plan)
        assert newest_version is not None
        reading_context(ReadingClass.INSIDE, newest_version.content, newest_version.html, QueryDict())

    def asking(address: str) -> Work:
        def ask() -> None:
            response = client.get(address)
            assert response.status_code == 200, response.status_code

        return ask

    def drafting() -> None:
        flip.reverse()
        Draft.objects.filter(plan=plan).update(content=flip[0])

    def publishing() -> None:
        services.publish_version(plan=plan, author=author, note="Measured.", now=timezone.now())

    def importing() -> None:
        flip.reverse()
        services.publish_version(plan=plan, author=author, note="Measured.", now=timezone.now(), content=flip[0])

    def comparing(other: dict[str, Any]) -> Work:
        return lambda: (summary(changes_between(plan_content, other)), homes_totals(plan_content, other))

    medians = median_of(
        times,
        {
            "plain": plain,
            "compare": comparing(usual),
            "compare_worst": comparing(worst),
            "compare_shown": lambda: compare_plan_contents(plan_content, usual),
            "compare_page": asking(reverse("plans:compare", args=[compared.pk]) + "?from=1&to=2"),
            "open": opening,
            "open_page": asking(reverse("plans:detail", args=[plan.pk])),
            "open_paper": asking(reverse("plans:paper", args=[plan.pk, 1])),
            "publish": (drafting, publishing),
            "publish_import": importing,
        },
    )
    size = float(len(json.dumps(plan_content)))
    figures: dict[str, float] = {"bytes": size, "plain_ms": round(medians["plain"], 2)}
    for name, value in medians.items():
        if name != "plain":
            figures[f"{name}_ms"] = round(value, 2)
            figures[f"{name}_ratio"] = round(value / medians["plain"], 2)
    return figures


def growths(results: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return how much longer the largest plan takes than the smallest, divided by how much larger it is."""
    sizes = list(results.values())
    small, large = min(sizes, key=lambda row: row["bytes"]), max(sizes, key=lambda row: row["bytes"])
    larger = large["bytes"] / small["bytes"]
    return {name: round(large[f"{name}_ms"] / small[f"{name}_ms"] / larger, 2) for name in WORK}


def verdicts(results: dict[str, dict[str, float]], growth: dict[str, float]) -> Iterator[str]:
    """Return a line for each target, which says that it is met, or which sizes missed it."""
    for name, aim in AIMS.items():
        label = name.replace("_", " ")
        missed = [
            f"{sites} sites {row[f'{name}_ratio']:.2f}×" for sites, row in results.items() if row[f"{name}_ratio"] > aim
        ]
        yield f"{label}: at most {aim}× {'MISSED by ' + ', '.join(missed) if missed else 'met'}"
        yield f"{label}: grows no faster than the plan, {growth[name]:.2f} {'MISSED' if growth[name] > 1 else 'met'}"


def main() -> None:
    """Measure every size, print a table, and print the figures as JSON on the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, nargs="+", default=[20, 200, 2000], help="sizes of plan to measure")
    parser.add_argument("--times", type=int, default=7, help="how often each is measured")
    options = parser.parse_args()
    call_command("migrate", verbosity=0, interactive=False)
    results: dict[str, dict[str, float]] = {}
    with transaction.atomic():
        logging.disable(logging.INFO)
        settings.ALLOWED_HOSTS = ["testserver"]
        author = User.objects.create_user("bench@commonground.example", name="Bench", account_since=timezone.now())
        owner = Organisation.objects.create(name="Bench Homes", kind=Kind.REGISTERED_PROVIDER)
        Membership.objects.create(
            person=author,
            organisation=owner,
            role="lead",
            starts_on=timezone.localdate(),
            accepted_at=timezone.now(),
        )
        for sites in options.sites:
            results[str(sites)] = measure(sites, options.times, author, owner)
        transaction.set_rollback(True)
    print(f"{'':>16}" + "".join(f"{sites + ' sites':>22}" for sites in results))
    print(f"{'size':>16}" + "".join(f"{row['bytes'] / 1024:>19.0f} KB" for row in results.values()))
    print(f"{'read and write':>16}" + "".join(f"{row['plain_ms']:>19.1f} ms" for row in results.values()))
    for name in WORK:
        cells = "".join(f"{row[f'{name}_ms']:>12.1f} ms {row[f'{name}_ratio']:>5.2f}×" for row in results.values())
        print(f"{name.replace('_', ' '):>16}{cells}")
    growth = growths(results)
    for words in verdicts(results, growth) if len(results) > 1 else ():
        print(words)
    base = "reading the plan's JSON and writing it back"
    print(json.dumps({"benchmark": "plans", "ratios_to": base, "sites": results, "growth": growth}))


if __name__ == "__main__":
    main()
