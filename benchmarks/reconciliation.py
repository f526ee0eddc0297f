"""Measure how often the reconciliation service answers correctly, and how fast.

The benchmark loads England's directory into a separate database. It then asks for every name in the published files,
without its number, as at the date of the file. Names that several organisations had on that day are listed, but not
counted. The last line of the output is a JSON object.

    make bench-reconciliation ARGS="--data ../shared/data --import"

With `--import`, the published lists are imported first, as in an installation that is kept up to date.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.databases import BenchmarkDatabase, kept_database, prepare_pages

#: The folder of published files, next to the checkout.
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
#: The register, file and date of each list, in the order of docs/importing.md.
LISTS = (
    ("councils", "councils/uk_local_authorities.csv", dt.date(2025, 7, 10)),
    ("providers", "providers/rsh_registered_providers_2023-02.json", dt.date(2023, 2, 28)),
    ("providers", "providers/social_housing_provider_register_2017-10.tsv", dt.date(2017, 10, 4)),
    ("leps", "leps/lad_to_lep_2020-04.xlsx", dt.date(2020, 4, 30)),
    ("leps", "leps/lep_names_codes_2021-04.json", dt.date(2021, 4, 30)),
)


def columns() -> list[Any]:
    """Return every column of a published file with names, and the column with their numbers."""
    from partnerships.organisations.models import Scheme
    from tests.reconciliation.first_answers import Column

    gss, key, rsh = Scheme.GSS, Scheme.LOCAL_AUTHORITY, Scheme.RSH
    day = dt.date
    authorities = "councils/uk_local_authorities.csv"
    districts = "councils/lad_to_combined_authority_2025-05.csv"
    return [
        Column(authorities, "official-name", "local-authority-code", key, day(2025, 7, 10), "end-date"),
        Column(authorities, "nice-name", "local-authority-code", key, day(2025, 7, 10), "end-date"),
        Column("councils/planning_data_organisation_2025-02.csv", "name", "reference", key, None),
        Column("councils/lookup_name_to_registry.csv", "la-name", "local-authority-code", key, None),
        Column("councils/la_changes_2018_2025.csv", "oldnm", "oldcd", gss, None, "start"),
        Column("councils/la_changes_2018_2025.csv", "newnm", "newcd", gss, None),
        Column(districts, "LAD25NM", "LAD25CD", gss, day(2025, 5, 31)),
        Column(districts, "CAUTH25NM", "CAUTH25CD", gss, day(2025, 5, 31)),
        Column("leps/lad_to_lep_2020-04.xlsx", "LANM", "LACD", gss, day(2020, 4, 30)),
        Column("leps/lad_to_lep_2020-04.xlsx", "ERNM", "ERCD", Scheme.LEP, day(2020, 4, 30)),
        Column("leps/lep_names_codes_2021-04.json", "name", "code", Scheme.LEP, day(2021, 4, 30)),
        Column(LISTS[1][1], "organisation_name", "registration_number", rsh, day(2023, 2, 28)),
        Column(LISTS[2][1], "name", "social-housing-provider-eng", rsh, day(2017, 10, 4)),
        Column(
            "providers/rsh_tenant_satisfaction_measures_2023-24.xlsx",
            "Landlord name",
            "Landlord code",
            rsh,
            day(2024, 3, 31),
        ),
        Column("housing/housing_delivery_test_2023.ods", "Area Name", "ONS Code", gss, day(2023, 3, 31)),
        Column(
            "housing/live_table_122_net_additional_dwellings_2025-11.ods",
            "Authority data",
            "Current ONS code",
            gss,
            None,
        ),
        Column("plans/local_plan_housing_requirements_2025-03.csv", "name", "planning_authority", key, None),
        Column("plans/pins_local_plan_progress_2019-10.csv", "Local Council", "LPA ONS Code", gss, day(2019, 10, 31)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--import", action="store_true", dest="imports", help="Import the published lists first.")
    parser.add_argument("--keep", action="store_true", help="Keep the database for another run.")
    options = parser.parse_args()
    with kept_database("reconciliation", keep=options.keep) as database:
        prepare_pages(database.url)
        print(json.dumps(_measured(options.data, database, imports=options.imports)))


def _measured(data: Path, database: BenchmarkDatabase, *, imports: bool) -> dict[str, Any]:
    from django.core.management import call_command
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from partnerships.reconciliation.queries import find_candidates
    from partnerships.reconciliation.questions import Question
    from tests.reconciliation.first_answers import files_below

    if not database.is_filled:
        call_command("migrate", verbosity=0)
        call_command("load_directory", verbosity=0)
        for register, file, day in LISTS if imports else ():
            call_command("import_register", register, str(data / file), as_of=day)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        database.mark_filled()
    asked = first = certain = 0
    wrongly = []
    for column, score in files_below(data, columns()):
        asked, first, certain = asked + score.asked, first + score.first, certain + score.certain
        wrongly += score.certainly_wrong
        print(
            f"{column.file}, {column.name}: {score.first} of {score.asked} first ({score.share:.1%}), "
            f"{score.certain} certain, {len(score.ambiguous)} ambiguous, {score.unknown} not in the directory"
        )
        for said in score.wrong:
            print(f"    wrong: {said}")
        if score.ambiguous:
            print(f"    ambiguous: {'; '.join(score.ambiguous)}")
    names = ["Barnet", "Bromfrd Housing", "London Borough of Camden", "Shepway District Council", "Cornwall"] * 2
    batch = [Question(text=f"{name} {number if number > 4 else ''}") for number, name in enumerate(names)]
    times = []
    with CaptureQueriesContext(connection) as captured:
        find_candidates(batch)
    for _ in range(50):
        began = time.perf_counter()
        find_candidates(batch)
        times.append((time.perf_counter() - began) * 1000)
    return {
        "asked": asked,
        "first": first,
        "share": round(first / max(asked, 1), 4),
        "certain": certain,
        "certain_and_wrong": wrongly,
        "queries_for_ten": len(captured),
        "median_ms_for_ten": round(statistics.median(times), 1),
    }


if __name__ == "__main__":
    main()
