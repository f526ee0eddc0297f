"""Import a file of housing figures as a new dataset. Older datasets do not change."""

from __future__ import annotations

import datetime as dt
from collections import Counter

from partnerships.housing_figures.measures import Series
from partnerships.housing_figures.models import Dataset, Figure
from partnerships.housing_figures.services import Release, add_corrected, save_dataset
from partnerships.kit.dates import long_date
from partnerships.kit.text import counted
from partnerships.transfer.event_kinds import EventKind
from partnerships.transfer.models import ImportRun
from partnerships.transfer.reading.housing_figures import READERS, FigureList
from partnerships.transfer.reading.housing_figures.figures import PublishedFigure
from partnerships.transfer.reading.housing_figures.readers import LICENCE, PUBLISHER
from partnerships.transfer.reading.list_file import ListFile
from partnerships.transfer.reading.problems import UnableToRead, refuse_file
from partnerships.transfer.reading.tables import read_sheets
from partnerships.transfer.reporting import Report
from partnerships.transfer.services.dating import date_of_list
from partnerships.transfer.services.directory import RunningImport
from partnerships.transfer.services.files import ImportRequest
from partnerships.transfer.services.housing_figures.area_finder import AreaFinder
from partnerships.transfer.services.outcomes import refuse_unusable
from partnerships.transfer.services.refusals import refuse_file_with_row

_REMEDY = (
    "If a council with this code has ended, add it to the directory with the code, its area and its succession. "
    "Otherwise correct the code."
)


def apply_housing_figures(import_request: ImportRequest, *, series: Series) -> ImportRun:
    """Import a file of figures inside the caller's transaction, and return the run.

    Rows are set aside if no area in the directory has their code. A file of another day, or another file of the same
    day, becomes a dataset of its own. Raises `UnableToRead` if the file is refused.
    """
    file = import_request.files[0]
    sheets = read_sheets(file.data, file.name)
    figure_list = READERS[series].read(sheets, import_request.known_headings(0, sheets))
    list_file = figure_list.list_file
    refuse_unusable(list_file, all_or_nothing=import_request.choices.all_or_nothing)

    report = Report()
    corrected_dataset = _latest_dataset(series) if list_file.is_corrected else None
    day = _settle_date(list_file, series, corrected_dataset, import_request, report)
    run = import_request.start(series.value, day, report=report, list_file=list_file)
    for remark in list_file.remarks:
        report.remark(remark)
    with report.timed(), refuse_file_with_row(run):
        _save(figure_list, series, corrected_dataset, import_request, run)
    report.account_for(list_file)
    return import_request.finish(import_request.new_run(run.register, day), run, EventKind.HOUSING_FIGURES_IMPORTED)


def _latest_dataset(series: Series) -> Dataset:
    """Return the latest dataset of a series, to which corrected rows belong. Raises `UnableToRead` without one."""
    latest_dataset = Dataset.objects.filter(series=series).order_by("-released_on", "-pk").first()
    if latest_dataset is None:
        raise refuse_file("these rows come from a file that was not imported.", "Import that file first.")
    return latest_dataset


def _settle_date(
    list_file: ListFile,
    series: Series,
    corrected_dataset: Dataset | None,
    import_request: ImportRequest,
    report: Report,
) -> dt.date:
    """Return the day on which the figures were released."""
    same_file = Dataset.objects.filter(series=series, sha256=import_request.digest).order_by("-pk").first()
    if corrected_dataset is not None:
        date_in_name: dt.date | None = corrected_dataset.released_on
    else:
        # The date of publication in a table is more exact than the month in a file's name.
        date_in_name = list_file.true_on or import_request.named_date
    return date_of_list(
        chosen_date=import_request.choices.as_of,
        date_in_name=date_in_name,
        date_in_rows=same_file.released_on if same_file else None,
        now=import_request.now,
        report=report,
    )


def _save(
    figure_list: FigureList,
    series: Series,
    corrected_dataset: Dataset | None,
    import_request: ImportRequest,
    run: RunningImport,
) -> None:
    """Save the figures as a dataset, or add corrected rows to the dataset of the original file."""
    figures = _figures_with_areas(figure_list, run)
    if corrected_dataset is not None:
        dataset = corrected_dataset
        new_codes = add_corrected(dataset=dataset, figures=figures, author=run.author, now=run.now)
    else:
        release = Release(
            series=series,
            released_on=run.as_of,
            publisher=import_request.choices.publisher or PUBLISHER,
            licence=LICENCE,
            file_name=import_request.names[0],
            sha256=import_request.digest,
        )
        dataset, new_codes = save_dataset(release=release, figures=figures, author=run.author, now=run.now)

    count_by_code = Counter(figure.code for figure in figures)
    name_by_code = {figure.code: figure.name for figure in figures}
    for code, count in count_by_code.items():
        if code in new_codes:
            run.report.count("created", f"{name_by_code[code] or code} ({code}): {counted(count, 'figure')}")
        else:
            run.report.count("left_alone")
    _remark_on_other_releases(dataset, series, run)


def _figures_with_areas(figure_list: FigureList, run: RunningImport) -> list[Figure]:
    """Return the figures with their areas, which the caller saves. Rows of unknown codes are set aside.

    Raises `UnableToRead` if no code is known, because the councils were probably not imported yet, or if rows must not
    be set aside one by one.
    """
    finder = AreaFinder()
    unknown_code_by_row: dict[int, str] = {}
    figures: list[Figure] = []
    for figure in figure_list.figures:
        area_id = finder.find(figure.code)
        if area_id is None:
            unknown_code_by_row[figure.row] = figure.code
        else:
            figures.append(_unsaved_figure(figure, area_id))

    rows_set_aside = [
        figure_list.row_set_aside(row, f"no area or organisation in the directory has the code {code}.", _REMEDY)
        for row, code in unknown_code_by_row.items()
    ]
    if rows_set_aside and (not figures or not run.sets_bad_rows_aside):
        raise UnableToRead([problem for row in rows_set_aside for problem in row.problems])
    for row_set_aside in rows_set_aside:
        run.set_aside(row_set_aside)
    return figures


def _unsaved_figure(figure: PublishedFigure, area_id: int) -> Figure:
    """Return a figure of the file as a row of the database, which the caller saves."""
    return Figure(
        row=figure.row,
        code=figure.code,
        name=figure.name[:200],
        area_id=area_id,
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


def _remark_on_other_releases(dataset: Dataset, series: Series, run: RunningImport) -> None:
    """Add remarks on which release pages show, and on how many figures differ from the previous release."""
    other_datasets = Dataset.objects.filter(series=series).exclude(pk=dataset.pk)
    newer_dataset = other_datasets.filter(released_on__gt=dataset.released_on).order_by("released_on").first()
    older_dataset = other_datasets.filter(released_on__lte=dataset.released_on).order_by("-released_on", "-pk").first()
    if newer_dataset is not None:
        run.report.remark(
            f"This release is dated {long_date(dataset.released_on)}. Pages show the newer release of "
            f"{long_date(newer_dataset.released_on)}."
        )

    if older_dataset is not None:
        older_values, values = _values_by_key(older_dataset), _values_by_key(dataset)
        shared_keys = older_values.keys() & values.keys()
        different_count = sum(older_values[key] != values[key] for key in shared_keys)
        run.report.remark(
            f"{different_count:,} of {len(shared_keys):,} figures differ from those of the release of "
            f"{long_date(older_dataset.released_on)}, which is kept."
        )


def _values_by_key(dataset: Dataset) -> dict[tuple[object, ...], object]:
    """Return the values and texts of a dataset by area, measure, plan and years.

    Several figures may have the same key, such as the parts of a sum.
    """
    rows = dataset.figures.values_list("code", "measure", "plan_key", "first_year", "last_year", "value", "words")
    values_by_key: dict[tuple[object, ...], list[object]] = {}
    for *key, value, words in rows:
        values_by_key.setdefault(tuple(key), []).append((value, words))
    return {key: sorted(map(str, values)) for key, values in values_by_key.items()}
