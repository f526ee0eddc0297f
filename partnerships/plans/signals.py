"""The signal that a version was published, sent inside the transaction.

Receivers act after commit.
"""

from django.dispatch import Signal

#: Arguments: `version`, the new `Version`.
version_published = Signal()
