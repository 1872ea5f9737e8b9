"""The risk of the whole book: loans counted by debt per unit, kept as snapshots, and read at any price."""
