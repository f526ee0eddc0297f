"""Services of partners' spreadsheets: upload, preview, import, export."""

from partnerships.spreadsheets.services.applying import UnableToApply, discard_upload, import_upload, preview_upload
from partnerships.spreadsheets.services.headings import UnableToConfirm, confirm_headings, proposals_for
from partnerships.spreadsheets.services.jobs import ask_to_import, work_on_uploads
from partnerships.spreadsheets.services.uploading import upload_spreadsheet

__all__ = [
    "UnableToApply",
    "UnableToConfirm",
    "ask_to_import",
    "confirm_headings",
    "discard_upload",
    "import_upload",
    "preview_upload",
    "proposals_for",
    "upload_spreadsheet",
    "work_on_uploads",
]
