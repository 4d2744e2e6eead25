"""Measuring: seeded data, hand-written SQL to compare with, and what a request costs."""
