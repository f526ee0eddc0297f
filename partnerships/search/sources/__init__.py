"""Everything that search finds, by source.

How to add one: docs/how-to/add-a-kind-to-search.md.
"""
