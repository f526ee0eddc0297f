"""National park authorities that plans and agreements name by their Wikidata number alone.

Each was taken from a published file: the name beside the number in local-plan.csv, or the address of the authority's
own
documents in developer-agreement.csv.
"""

from __future__ import annotations

NATIONAL_PARKS = {
    "Q4972284": "Broads Authority",
    "Q5225646": "Dartmoor National Park Authority",
    "Q72617158": "New Forest National Park Authority",
}
