"""Forms of nominations returns."""

from partnerships.nominations.forms.returns import DecideForm, SendForm, StartForm, TableForm, UploadForm

__all__ = ["DecideForm", "SendForm", "StartForm", "TableForm", "UploadForm"]
