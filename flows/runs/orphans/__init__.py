"""Finding and ending what runs without a living parent."""

from flows.runs.orphans.found import Orphan
from flows.runs.orphans.reconcile import Reconciliation, reconcile

__all__ = ["Orphan", "Reconciliation", "reconcile"]
