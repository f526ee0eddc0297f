"""Compute the state of a signatory from its decisions on versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, Protocol, TypeVar


class Signatory(Protocol):
    """An organisation that is asked to sign a document."""

    def has_lapsed(self) -> bool:
        """Return whether the deadline has passed."""


class Decision(Protocol):
    """A decision of a signatory on one version: approved, conditional or rejected."""

    @property
    def code(self) -> str:
        """Return the decision: "approved", "conditional" or "rejected"."""

    @property
    def is_conditional(self) -> bool:
        """Return whether the decision is valid only when its condition is met."""

    @property
    def is_condition_met(self) -> bool:
        """Return whether the condition of the decision is met."""

    @property
    def is_rejected(self) -> bool:
        """Return whether the version was rejected."""

    @property
    def version_number(self) -> int:
        """Return the number of the version decided on."""


LABELS: Mapping[str, str] = MappingProxyType(
    {
        "approved": "Approved",
        "met": "Approved, condition met",
        "left": "No longer takes part",
        "conditional": "Condition not met yet",
        "rejected": "Rejected",
        "lapsed": "Lapsed, not decided",
        "again": "Must sign again",
        "waiting": "Not decided yet",
    }
)

S = TypeVar("S", bound=Signatory)
D = TypeVar("D", bound=Decision)


@dataclass(frozen=True)  # without slots: a parametrised generic sets an attribute on its instances
class SigningState(Generic[S, D]):
    """The state of one signatory, for the version that is to be signed now."""

    signatory: S
    #: The signatory's decision that is valid for this version. Only minor versions may have been published since.
    sign_off: D | None
    #: The signatory's last decision that is no longer valid.
    earlier: D | None
    takes_part: bool
    #: Whether the document is waiting for signatures.
    is_awaited: bool

    @property
    def code(self) -> str:
        """Return the code of the state, from `LABELS`."""
        if self.sign_off is not None and self.has_approved:
            return "met" if self.sign_off.is_conditional else "approved"
        if not self.takes_part:
            return "left"
        if self.sign_off is not None:
            return self.sign_off.code
        if self.is_awaited and self.signatory.has_lapsed():
            return "lapsed"
        return "again" if self.earlier else "waiting"

    @property
    def words(self) -> str:
        """Return the state in words."""
        return LABELS[self.code]

    @property
    def has_approved(self) -> bool:
        """Return whether the signatory has approved, and the condition is met if it set one."""
        if self.sign_off is None or self.sign_off.is_rejected:
            return False
        return not self.sign_off.is_conditional or self.sign_off.is_condition_met

    @property
    def is_settled(self) -> bool:
        """Return whether no further action is needed, because the signatory approved or has left."""
        return self.code in ("approved", "met", "left")

    @property
    def must_decide(self) -> bool:
        """Return whether the signatory takes part and has not decided on this version."""
        return self.sign_off is None and self.takes_part

    def may_decide_on(self, version_number: int) -> bool:
        """Return whether the signatory may decide on the newest version.

        A signatory decides once, and again if it rejected an earlier version.
        """
        if not self.takes_part:
            return False
        if self.sign_off is None:
            return True
        return self.sign_off.is_rejected and self.sign_off.version_number < version_number
