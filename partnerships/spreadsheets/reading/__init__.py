"""Reads the rows of partners' spreadsheets.

The engine is `transfer.reading`.
"""
