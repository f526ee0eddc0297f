"""The rules of terms, as pure functions that are tested without a database."""
