"""The signal that a version was published. It is sent inside the transaction, and receivers act after the commit."""

from django.dispatch import Signal

#: Arguments: `version`, the new `Version`.
version_published = Signal()
