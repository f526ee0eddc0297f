"""Turn contributions into promises, and their transactions into progress reports."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal

from partnerships.commitments.quantities import quantity_words
from partnerships.commitments.services.registers import RegisterProgress, RegisterPromise
from partnerships.developer_agreements.models import DeveloperAgreement
from partnerships.developer_agreements.services import giver_name_for, promise_description
from partnerships.kit.dates import long_date
from partnerships.kit.moments import beginning_of
from partnerships.organisations.models import Organisation
from partnerships.transfer.reading.accounts import FileAccounts, RowAccounts
from partnerships.transfer.reading.agreement_rows import Agreement, Movement, Promise

_PENNY = Decimal("0.01")
#: The day of a transaction without a date, whose report comes before all others.
_UNDATED = dt.date(1970, 1, 1)


def register_promise(
    promise: Promise,
    *,
    receiver: Organisation,
    agreement: DeveloperAgreement | None,
    agreement_row: Agreement | None,
    as_of: dt.date,
    accounts: FileAccounts,
) -> RegisterPromise:
    """Return a contribution as a promise to `receiver`, with its transactions as progress.

    A contribution of £19,242 and 17 homes becomes a promise of £19,242, and its text mentions the 17 homes. The report
    gets a remark about each figure that is only in the text.
    """

    def remark(text: str) -> None:
        if not promise.is_recalled:
            accounts.contributions.remark(promise.row, text)

    quantity, unit = _quantity_and_unit(promise)
    qualifier = ""
    if promise.amount and promise.units:
        homes = _figure(promise.units, "homes")
        qualifier = f", for {homes}"
        remark(
            f"{homes} as well as {_figure(promise.amount, unit)}. Only the sum is counted, but the text keeps the "
            "homes.",
        )

    application = ""
    agreed_on = promise.agreed_on
    if agreement_row:
        application = agreement_row.application
        agreed_on = agreed_on or agreement_row.agreed_on
    elif agreement:
        application = agreement.planning_application
        agreed_on = agreed_on or agreement.agreed_on
    progress = _progress(promise.movements, unit, as_of, accounts.transactions)
    description = promise_description(
        promise.purpose, qualifier=qualifier, agreement=agreement, application=application
    )
    withdrawn = _withdrawn(promise.ended_on, as_of)
    if withdrawn:
        remark(f"{_lower_first(withdrawn)}: kept as cancelled.")
    return RegisterPromise(
        reference=promise.key[:200],
        text=f"{description}{f'. {promise.notes}' if promise.notes else ''}"[:2000],
        receiver=receiver,
        giver_name=giver_name_for(application),
        agreed_at=beginning_of(agreed_on or as_of),
        quantity=quantity,
        unit=unit,
        done=bool(quantity and progress and progress[-1].delivered >= quantity),
        withdrawn=f"{withdrawn}." if withdrawn else "",
        progress=progress,
    )


def _quantity_and_unit(promise: Promise) -> tuple[Decimal | None, str]:
    """Return the quantity and unit of a contribution. Money is preferred to homes. Without either, None and ""."""
    if promise.amount:
        return promise.amount.quantize(_PENNY), "pounds"
    if promise.units:
        return promise.units.quantize(_PENNY), "homes"
    return None, ""


def _progress(
    movements: tuple[Movement, ...], unit: str, as_of: dt.date, account: RowAccounts
) -> tuple[RegisterProgress, ...]:
    """Return a progress report for each transaction, with the total delivered up to the transaction.

    The note of a report mentions every figure. Figures in another unit than the promise's, and those of withdrawn
    transactions, are not added up, and the import's report gets a remark about them.
    """
    sums: Counter[str] = Counter()
    reports: list[RegisterProgress] = []
    for movement in movements:
        withdrawn = _withdrawn(movement.ended_on, as_of)
        counted_figures: list[str] = []
        other_figures: list[str] = []
        for value, kind in ((movement.amount, "pounds"), (movement.units, "homes")):
            if not value:
                continue
            if kind == unit and not withdrawn:
                sums[movement.status] += value  # type: ignore[assignment]  # a counter of decimals
                counted_figures.append(_figure(value, kind))
            else:
                other_figures.append(_figure(value, kind))
        if other_figures and not movement.is_recalled:
            figures = " and ".join(other_figures)
            account.remark(
                movement.row, f"{figures} kept in the text but not counted, because {_reason(unit, withdrawn)}."
            )
        elif withdrawn and not movement.is_recalled:
            account.remark(movement.row, f"{_lower_first(withdrawn)}.")

        note = _note(movement, counted_figures, other_figures, withdrawn)
        reports.append(RegisterProgress(beginning_of(movement.on or _UNDATED), _total_received(sums), note))
    return tuple(reports)


def _total_received(sums: Counter[str]) -> Decimal:
    """Return the money or homes that must have been received by now, from the sums by status.

    Money that was allocated, spent, transferred or returned must have been received, even if no row says so.
    """
    passed_out = Decimal(sums["spent"] + sums["transferred"] + sums["returned"])
    return max(Decimal(sums["received"]), Decimal(sums["allocated"]), passed_out)


def _note(movement: Movement, counted_figures: list[str], other_figures: list[str], withdrawn: str) -> str:
    """Return the text of a progress report, such as `Received: 2 homes; £300.00 not counted.`"""
    figures = [*counted_figures, f"{' and '.join(other_figures)} not counted"] if other_figures else counted_figures
    status = (movement.status or "status not given").capitalize()
    note = f"{status}: {'; '.join(figures)}." if figures else f"{status}."
    note = f"{note} {movement.notes}" if movement.notes else note
    return f"{note} {withdrawn}." if withdrawn else note


def _withdrawn(ended_on: dt.date | None, as_of: dt.date) -> str:
    """Return the sentence that the platform withdrew a record, without its full stop, or "" if it did not."""
    return f"Withdrawn from the register on {long_date(ended_on)}" if ended_on and ended_on <= as_of else ""


def _lower_first(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"


def _figure(value: Decimal, unit: str) -> str:
    """Return a sum with pence, such as `£19,242.00`, or a number of homes, such as `17 homes`."""
    return f"£{value:,.2f}" if unit == "pounds" else quantity_words(value, unit)


def _reason(unit: str, withdrawn: str) -> str:
    """Return the reason, in words, why a figure is not counted."""
    if withdrawn:
        return f"it was {_lower_first(withdrawn)}"
    if unit:
        return f"the promise counts {'money' if unit == 'pounds' else 'homes'}"
    return "the promise names neither a sum nor homes"
