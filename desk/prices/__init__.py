"""The page of prices: what each market says, what of it counts, and what was missing or not believed."""
