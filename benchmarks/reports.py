"""Measure every report and dashboard at the size of England and ten times it.

For each size, the benchmark fills a separate database (benchmarks/country.py), and adds published figures and the areas
that organisations serve. It requests the page of every report as three people, and measures queries, milliseconds (p50,
p95), processor time of Python and of PostgreSQL, and bytes of HTML. The last line of the output is one JSON object.

    make bench-reports                                  1 and 10 times England
    make bench-reports ARGS="--times 1 --keep"          keeps the filled database and uses it again
    make bench-reports ARGS="--times 10 --keep --who lead --only 'Homes pipeline' --statements 5"
                                                        one report of one reader, with its slowest statements
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.country import fill
from benchmarks.databases import OWN, kept_database, prepare_pages
from benchmarks.pages import Figures, measure

#: Limit of a report, in milliseconds.
LIMIT = 1_000
_WHO = ["lead", "authority", "editor"]
#: SQL that gives each council one district and each other organisation three, and adds eleven years of figures for 300
#: districts.
_PLACES = """
INSERT INTO organisations_areaserved (organisation_id, area_id, source)
SELECT o.id, (SELECT min(id) FROM organisations_area) + (o.id * 7 + place * 31) % 300, ''
  FROM organisations_organisation o, generate_series(1, 3) place WHERE place = 1 OR o.kind <> 'council'
ON CONFLICT DO NOTHING;
INSERT INTO housing_figures_dataset (series, released_on, publisher, licence, file_name, sha256, imported_at)
SELECT series, current_date - 60, 'A ministry', 'OGL', series, md5(series), now()
  FROM unnest(ARRAY['delivery-test', 'net-additions', 'affordable-supply', 'waiting-lists', 'requirements']) series;
INSERT INTO housing_figures_figure (dataset_id, row, code, name, area_id, measure, first_year, last_year, value, words,
    status, is_joint, plan, plan_key)
SELECT d.id, row_number() OVER (), a.code, a.name, a.id, m.measure, y, y + m.years, 100 + (a.id * y) % 900, '',
       'published', false, CASE m.series WHEN 'requirements' THEN 'Plan of ' || a.name ELSE '' END, ''
  FROM organisations_area a, (VALUES
    ('delivery-test', 'required_total', 3, 2022), ('delivery-test', 'delivered_total', 3, 2022),
    ('net-additions', 'net_additions', 1, 2014), ('affordable-supply', 'affordable_starts', 1, 2014),
    ('affordable-supply', 'affordable_completions', 1, 2014), ('waiting-lists', 'waiting_list', 0, 2025),
    ('requirements', 'requirement_a_year', 20, 2024)
  ) m(series, measure, years, first), generate_series(m.first, 2024 + (m.years = 0)::int) y, housing_figures_dataset d
 WHERE d.series = m.series AND a.kind = 'district';
"""


def addresses_of(person: Any) -> dict[str, str]:
    """Return the addresses of one person's reports and dashboards by name, and of the widest reports with a filter."""
    from django.urls import reverse

    from partnerships.agreements.models import Party
    from partnerships.organisations.models import Organisation
    from partnerships.reports.registry import all_reports

    addresses = {one.title: reverse("reports:report", args=[one.slug]) for one in all_reports()}
    area = 1  # the first district
    addresses["Homes pipeline since a day"] = f"{addresses['Homes pipeline']}?since=2026-03-01"
    addresses["Homes pipeline of a tenure"] = f"{addresses['Homes pipeline']}?tenure=social_rent"
    addresses["Coverage of a theme"] = f"{addresses['Coverage of council areas']}?theme=homelessness&what=partnership"
    addresses["Need and supply of an area"] = f"{addresses['Need and supply']}?area={area}"
    addresses["Dashboard of the network"] = reverse("reports:dashboard")
    own_organisation = Organisation.objects.of_person(person).order_by("pk").first()
    if own_organisation is not None:
        party = Party.objects.accepted().filter(organisation=own_organisation).order_by("pk").first()
        addresses["Network around a body"] = f"{addresses['Network report']}?around={own_organisation.pk}"
        addresses["Dashboard of an organisation"] = reverse(
            "reports:organisation-dashboard", args=[own_organisation.pk]
        )
        if party is not None:
            addresses["Dashboard of a partnership"] = reverse(
                "reports:partnership-dashboard", args=[party.partnership_id]
            )
    # A dashboard fetches each of its reports with a later request. Without JavaScript, it computes all of them.
    whole_dashboards = {
        f"{name}, whole": f"{page}?whole=1" for name, page in addresses.items() if name.startswith("Dashboard")
    }
    return addresses | whole_dashboards


def figures_at(times: float, wanted: argparse.Namespace) -> dict[str, dict[str, Figures]]:
    """Fill the database, and measure every report for every person."""
    name = f"bench_reports_{times:g}".replace(".", "_")
    with kept_database(name, keep=wanted.keep) as database:
        prepare_pages(database.url)
        from django.core.management import call_command
        from django.db import connection, connections
        from django.test import Client

        from partnerships.people.models import User

        if not database.is_filled:
            print(f"{times:g} times England: tables", flush=True)
            call_command("migrate", verbosity=0)
            fill(times, without=("followers", "changes"))  # no report reads these
            began = time.monotonic()
            with connection.cursor() as cursor:
                cursor.execute(_PLACES)
                cursor.execute("VACUUM ANALYZE")
            print(f"  places: {time.monotonic() - began:.1f} s", flush=True)
            database.mark_filled()
        figures_by_report: dict[str, dict[str, Figures]] = {}
        for name in wanted.who:
            person = User.objects.get(email=f"{name}@country.example")
            client = Client(raise_request_exception=False)
            client.force_login(person)
            figures_by_report[name] = {}
            for page, url in addresses_of(person).items():
                if wanted.only and page not in wanted.only:
                    continue
                figures = measure(client, url, wanted.rounds, wanted.statements)
                if figures is None:
                    continue
                figures_by_report[name][page] = figures
                print(
                    f"  {times:g}x {name:12}{page:38}{figures.queries:4} queries {figures.p50_ms:9.1f} ms, p95"
                    f"{figures.p95_ms:9.1f} {figures.python_ms:9.1f} + {figures.postgres_ms:.1f} ms CPU"
                    f"{figures.bytes / 1024:8.0f} KB{'' if figures.p95_ms <= LIMIT else '  OVER THE LIMIT'}",
                    flush=True,
                )
        connections.close_all()
    return figures_by_report


def main() -> int:
    """Measure each size in a separate process, and print a table and the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, nargs="*", default=[1, 10], help="sizes, in times England")
    parser.add_argument("--rounds", type=int, default=5, help="requests of each page (5)")
    parser.add_argument("--only", nargs="*", default=[], help="names of pages")
    parser.add_argument("--who", nargs="*", default=_WHO, choices=_WHO, help="people who ask for them")
    parser.add_argument("--statements", type=int, default=0, help="show this many of a page's slowest statements")
    parser.add_argument("--keep", action="store_true", help="keep the filled databases and use them again")
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not OWN:
        parser.error("DATABASE_URL is not set: start this with make bench-reports")
    if options.one is not None:
        found = figures_at(options.one, options)
        print(json.dumps({who: {page: asdict(one) for page, one in pages.items()} for who, pages in found.items()}))
        return 0
    sizes: dict[str, Any] = {}
    for times in options.times:
        command = [sys.executable, __file__, *sys.argv[1:], "--one", str(times)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        last = ""
        for line in process.stdout or ():
            last = line
            if not line.startswith("{"):
                print(line, end="", flush=True)
        if process.wait():
            return 1
        sizes[f"{times:g}"] = json.loads(last)
    print(json.dumps({"reports": sizes}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
