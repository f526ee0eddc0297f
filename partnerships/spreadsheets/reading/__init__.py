"""Reads the rows of partners' spreadsheets; the engine is `transfer.reading`."""
