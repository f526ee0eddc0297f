"""Names of national park authorities by their Wikidata numbers.

Plans and agreements identify these authorities only by number. Sources: the name beside the number in local-plan.csv,
or the web address of the authority's documents in developer-agreement.csv.
"""

from __future__ import annotations

NATIONAL_PARKS = {
    "Q4972284": "Broads Authority",
    "Q5225646": "Dartmoor National Park Authority",
    "Q72617158": "New Forest National Park Authority",
}
