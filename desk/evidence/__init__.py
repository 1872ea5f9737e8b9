"""The evidence of a loan: everything the books hold about it, as one JSON document (docs/evidence.md)."""
