"""One migration for the tests of `migrate`."""
