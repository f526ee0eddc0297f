"""Figures for plans: comparing, opening and publishing plans of 20, 200 and 2,000 sites.

Each site has 8 lines of homes, each plan 60 sections of 400 words. Everything stands against the plain cost of the same
plan in the same run: reading its JSON from PostgreSQL and writing it back, interleaved, medians. Comparing is measured
for a usual edit (a tenth of the sites, five sections) and for the worst (everything changed). The last line is one JSON
object with the figures. All rows are rolled back.

    make bench-plans
    make bench-plans ARGS="--sites 20 200"      quicker
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "housing.settings")
os.environ.setdefault("DATABASE_ROLE", "owner")

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 - after setup
from django.template.loader import render_to_string  # noqa: E402 - after setup
from django.utils import timezone  # noqa: E402 - after setup

from partnerships.organisations.models import Kind, Organisation  # noqa: E402 - after setup
from partnerships.people.models import User  # noqa: E402 - after setup
from partnerships.plans import presenting, services  # noqa: E402 - after setup
from partnerships.plans.changes import changes, homes_totals, summary  # noqa: E402 - after setup
from partnerships.plans.content import TENURES, normalise  # noqa: E402 - after setup
from partnerships.plans.models import Version  # noqa: E402 - after setup

LINES, SECTIONS, WORDS = 8, 60, 400
STEMS, ENDINGS = ("har", "est", "mor", "len", "quay"), ("bour", "uary", "ing", "t", "s")
VOCABULARY = [stem + ending for stem in STEMS for ending in ENDINGS]


def a_plan(sites: int, chance: random.Random) -> dict[str, Any]:
    """A plan of so many sites."""
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
    """The plan with a share of its sites and so many sections changed."""
    other = copy.deepcopy(plan)
    for site in other["sites"][: max(1, int(len(other["sites"]) * share))]:
        site["forecast_completion"] = "2036-12"
        for homes in site["homes"]:
            homes["count"] += 5
    for section in other["sections"][:sections]:
        words = section["body"].split()
        words[10::40] = ["changed"] * len(words[10::40])
        section["body"] = " ".join(words)
    return other


def median_of(times: int, work: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Milliseconds of each piece of work, the pieces taking turns; each is done once before."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(times + 1):
        for name, do in work.items():
            start = time.perf_counter()
            do()
            if turn:
                taken[name].append((time.perf_counter() - start) * 1000)
    return {name: statistics.median(values) for name, values in taken.items()}


def measure(sites: int, times: int, author: User, owner: Organisation) -> dict[str, float]:
    """The figures of one size, in milliseconds and as multiples of reading and writing the JSON."""
    chance = random.Random(sites)
    plan_content = a_plan(sites, chance)
    usual = edited(plan_content, share=0.1, sections=5)
    worst = edited(plan_content, share=1, sections=SECTIONS)
    plan = services.create_plan(
        owners=[owner],
        partnership=None,
        title="Measured",
        kind="delivery",
        audience="network",
        author=author,
        now=timezone.now(),
        content=plan_content,
    )
    services.publish_version(plan=plan, author=author, note="Measured.", now=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS plain (id serial PRIMARY KEY, content jsonb)")
    version = plan.versions.get(number=1)
    flip = [plan_content, usual]

    def plain() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT content::text FROM plans_version WHERE id = %s", [version.pk])
            content = json.loads(cursor.fetchone()[0])
            cursor.execute("INSERT INTO plain (content) VALUES (%s)", [json.dumps(content)])

    def opening() -> None:
        found = Version.objects.visible_to(author).select_related("plan").filter(plan=plan).order_by("-number").first()
        content, prose = found.content, found.prose
        presenting.sections(content, prose)
        presenting.sites(content, prose)
        presenting.milestones(content, prose, timezone.localdate())
        homes_totals(content, content)

    def opening_page() -> None:
        found = plan.versions.get(number=1)
        content, prose = found.content, found.prose
        render_to_string(
            "plans/_body.html",
            {
                "plan": plan,
                "about": content["about"],
                "sections": presenting.sections(content, prose),
                "sites": presenting.sites(content, prose),
                "milestones": presenting.milestones(content, prose, timezone.localdate()),
                "totals": homes_totals(content, content),
            },
        )

    def publishing() -> None:
        flip.reverse()
        services.publish_version(plan=plan, author=author, note="Measured.", now=timezone.now(), content=flip[0])

    def comparing(other: dict[str, Any]) -> Callable[[], object]:
        return lambda: (summary(changes(plan_content, other)), homes_totals(plan_content, other))

    taken = median_of(
        times,
        {
            "plain": plain,
            "compare": comparing(usual),
            "compare_worst": comparing(worst),
            "compare_words": lambda: presenting.comparison(plan_content, usual),
            "open": opening,
            "open_html": opening_page,
            "publish": publishing,
        },
    )
    size = float(len(json.dumps(plan_content)))
    figures: dict[str, float] = {"bytes": size, "plain_ms": round(taken["plain"], 2)}
    for name, value in taken.items():
        if name != "plain":
            figures[f"{name}_ms"] = round(value, 2)
            figures[f"{name}_ratio"] = round(value / taken["plain"], 2)
    return figures


def main() -> None:
    """Measure every size and print the table, then the figures as one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, nargs="+", default=[20, 200, 2000], help="sizes of plan to measure")
    parser.add_argument("--times", type=int, default=7, help="how often each is done; the median counts")
    asked = parser.parse_args()
    results: dict[str, dict[str, float]] = {}
    with transaction.atomic():
        author = User.objects.create_user("bench@commonground.example", name="Bench", account_since=timezone.now())
        owner = Organisation.objects.create(name="Bench Homes", kind=Kind.REGISTERED_PROVIDER)
        for sites in asked.sites:
            results[str(sites)] = measure(sites, asked.times, author, owner)
        transaction.set_rollback(True)
    names = ["compare", "compare_worst", "compare_words", "open", "open_html", "publish"]
    print(f"{'sites':>6} {'KB':>7} {'read+write':>11} " + " ".join(f"{name:>22}" for name in names))
    for sites, row in results.items():
        cells = " ".join(f"{row[f'{name}_ms']:>12.1f} ms {row[f'{name}_ratio']:>5.2f}×" for name in names)
        print(f"{sites:>6} {row['bytes'] / 1024:>7.0f} {row['plain_ms']:>8.1f} ms {cells}")
    base = "reading the plan's JSON and writing it back"
    print(json.dumps({"benchmark": "plans", "ratios_to": base, "sites": results}))


if __name__ == "__main__":
    main()
