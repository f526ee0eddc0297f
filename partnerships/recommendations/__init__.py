"""Recommendations of published reports, and what organisations and partnerships do about them."""
