"""Accounts, signing in, second factors, personal data and retention."""
