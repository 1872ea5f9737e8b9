"""The page of a loan: its figures as they are, and what happened to it, step by step in words."""
