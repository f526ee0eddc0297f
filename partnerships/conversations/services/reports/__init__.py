"""Services of progress reports: set up, open, write, submit, decide, remind."""

from partnerships.conversations.services.reports.deciding import UnableToDecideReport, accept_report, return_report
from partnerships.conversations.services.reports.opening import open_due_reports
from partnerships.conversations.services.reports.reminding import remind_of_reports
from partnerships.conversations.services.reports.setting_up import (
    UnableToSetUpReporting,
    end_reporting,
    set_up_reporting,
)
from partnerships.conversations.services.reports.writing import (
    UnableToSaveReport,
    UnableToSubmitReport,
    save_report,
    submit_report,
)

__all__ = [
    "UnableToDecideReport",
    "UnableToSaveReport",
    "UnableToSetUpReporting",
    "UnableToSubmitReport",
    "accept_report",
    "end_reporting",
    "open_due_reports",
    "remind_of_reports",
    "return_report",
    "save_report",
    "set_up_reporting",
    "submit_report",
]
