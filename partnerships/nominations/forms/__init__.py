"""Forms of nominations returns."""

from partnerships.nominations.forms.returns import (
    DecideForm,
    ReopenForm,
    SendForm,
    StartForm,
    SupplementForm,
    UploadForm,
)

__all__ = ["DecideForm", "ReopenForm", "SendForm", "StartForm", "SupplementForm", "UploadForm"]
