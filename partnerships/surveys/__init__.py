"""Anonymous surveys of partnerships: rounds, sealed answers and published results."""
