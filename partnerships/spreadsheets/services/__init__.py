"""Services that upload, preview and import partners' spreadsheets."""

from partnerships.spreadsheets.services.applying import UnableToApply, discard_upload, import_upload, preview_upload
from partnerships.spreadsheets.services.headings import UnableToConfirm, confirm_headings, heading_proposals
from partnerships.spreadsheets.services.jobs import ask_to_import, process_waiting_uploads
from partnerships.spreadsheets.services.uploading import upload_spreadsheet

__all__ = [
    "UnableToApply",
    "UnableToConfirm",
    "ask_to_import",
    "confirm_headings",
    "discard_upload",
    "heading_proposals",
    "import_upload",
    "preview_upload",
    "process_waiting_uploads",
    "upload_spreadsheet",
]
