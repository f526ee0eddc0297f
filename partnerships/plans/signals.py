"""The one sanctioned signal: a version was published. Sent inside the transaction; receivers act after commit."""

from django.dispatch import Signal

#: Arguments: `version`, the new `Version`.
version_published = Signal()
