"""Simulated weeks: what people receive, and why."""
