"""Fixtures that hold the product to the same numbers as the Python implementations."""
