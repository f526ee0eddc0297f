"""Importing a file of a series: each release is a dataset, and older ones stay."""

from __future__ import annotations

from collections import Counter

from partnerships.housing_figures.measures import Series
from partnerships.housing_figures.models import Dataset, Figure
from partnerships.housing_figures.services import add_corrected, save_dataset
from partnerships.kit.dates import long_date
from partnerships.kit.text import counted
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.housing_figures import READERS, FigureList
from partnerships.transfer.reading.housing_figures.readers import LICENCE, PUBLISHER
from partnerships.transfer.reading.problems import UnableToRead, unable
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.dating import settled_date
from partnerships.transfer.services.directory import Import
from partnerships.transfer.services.files import Given
from partnerships.transfer.services.housing_figures.places import Places
from partnerships.transfer.services.outcomes import refuse_unusable
from partnerships.transfer.services.refusals import refuse_file_with_row

_REMEDY = (
    "If a council with this code has ended, add it to the directory with the code, its area and its succession. "
    "Otherwise correct the code."
)


def apply_housing_figures(given: Given, *, series: Series) -> ImportRun:
    """Import a file of figures inside the caller's transaction; the run.

    Rows whose code means no area of the directory are set aside. A file of another day, or another file of the same
    day, becomes a dataset of its own. Raises `UnableToRead`.
    """
    file = given.files[0]
    sheets = read_sheets(file.data, file.name)
    figures_read = READERS[series].read(sheets, given.known(0, sheets))
    refuse_unusable(figures_read.list_file, all_or_nothing=given.choices.all_or_nothing)
    report = Report()
    latest = Dataset.objects.filter(series=series).order_by("-released_on", "-pk").first()
    if figures_read.list_file.is_corrected and latest is None:
        raise unable("its rows come from a file that was not imported.", "Import that file first.")
    corrects = latest if figures_read.list_file.is_corrected else None
    again = Dataset.objects.filter(series=series, sha256=given.digest).order_by("-pk").first()
    day = settled_date(
        given=given.choices.as_of,
        # What a table says of its publication is more exact than the month in a file's name.
        named=corrects.released_on if corrects else figures_read.list_file.true_on or given.named_date,
        said=again.released_on if again else None,
        now=given.now,
        report=report,
    )
    run = given.start(series.value, day, report=report, list_file=figures_read.list_file)
    for line in figures_read.list_file.remarks:
        report.remark(line)
    with report.timed(), refuse_file_with_row(run):
        _keep(figures_read, series, corrects, given, run)
    report.account_for(figures_read.list_file)
    return given.finish(given.new_run(run.register, day), run, EventKind.HOUSING_FIGURES_IMPORTED)


def _keep(figure_list: FigureList, series: Series, corrects: Dataset | None, given: Given, run: Import) -> None:
    """Keep the figures as a dataset, or add corrected rows to the one they correct."""
    figures = _placed(figure_list, run)
    if corrects is not None:
        dataset, new = corrects, add_corrected(dataset=corrects, figures=figures, author=run.author, now=run.now)
    else:
        dataset, new = save_dataset(
            series=series,
            released_on=run.as_of,
            publisher=given.choices.publisher or PUBLISHER,
            licence=LICENCE,
            file_name=given.names[0],
            sha256=given.digest,
            figures=figures,
            author=run.author,
            now=run.now,
        )
    count_by_code = Counter(figure.code for figure in figures)
    names = {figure.code: figure.name for figure in figures}
    for code, count in count_by_code.items():
        if code in new:
            run.report.count("created", f"{names[code] or code} ({code}): {counted(count, 'figure')}")
        else:
            run.report.count("left_alone")
    _remark_on_others(dataset, series, run)


def _placed(figure_list: FigureList, run: Import) -> list[Figure]:
    """Return the figures with their areas; rows of unknown codes are set aside."""
    places = Places()
    unknown: dict[int, str] = {}
    figures: list[Figure] = []
    for figure in figure_list.figures:
        area = places.find(figure.code)
        if area is None:
            unknown[figure.row] = figure.code
            continue
        figures.append(
            Figure(
                row=figure.row,
                code=figure.code,
                name=figure.name[:200],
                area_id=area,
                measure=figure.measure,
                first_year=figure.first_year,
                last_year=figure.last_year,
                value=figure.value,
                words=figure.words,
                status=figure.status,
                is_joint=figure.is_joint,
                plan=figure.plan[:300],
                plan_key=figure.plan_key,
                adopted_on=figure.adopted_on,
            )
        )
    aside = [
        figure_list.row_set_aside(row, f"no area or organisation in the directory has the code {code}.", _REMEDY)
        for row, code in unknown.items()
    ]
    if aside and (not figures or not run.rows_stand_alone):
        raise UnableToRead([problem for row in aside for problem in row.problems])
    for row in aside:
        run.set_aside(row)
    return figures


def _remark_on_others(dataset: Dataset, series: Series, run: Import) -> None:
    """Say which release pages show, and how many figures an earlier release had otherwise."""
    other_datasets = Dataset.objects.filter(series=series).exclude(pk=dataset.pk)
    newer = other_datasets.filter(released_on__gt=dataset.released_on).order_by("released_on").first()
    older = other_datasets.filter(released_on__lte=dataset.released_on).order_by("-released_on", "-pk").first()
    if newer is not None:
        run.report.remark(
            f"This release is of {long_date(dataset.released_on)}. Pages show the newer release of "
            f"{long_date(newer.released_on)}."
        )
    if older is not None:
        then, now = _values(older), _values(dataset)
        shared = then.keys() & now.keys()
        differ = sum(then[key] != now[key] for key in shared)
        run.report.remark(
            f"{differ:,} of {len(shared):,} figures differ from those of the release of "
            f"{long_date(older.released_on)}, which is kept."
        )


def _values(dataset: Dataset) -> dict[tuple[object, ...], object]:
    rows = dataset.figures.values_list("code", "measure", "plan_key", "first_year", "last_year", "value", "words")
    values_by_key: dict[tuple[object, ...], list[object]] = {}
    for *key, value, words in rows:
        values_by_key.setdefault(tuple(key), []).append((value, words))
    return {key: sorted(map(str, values)) for key, values in values_by_key.items()}
