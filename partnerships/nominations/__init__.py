"""Nominations agreements between councils and providers, and what was let under them."""
