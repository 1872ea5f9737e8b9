"""Stress test and price at risk: what the book would be at other prices."""
