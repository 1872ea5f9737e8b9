"""The evidence of a loan as a document: its bytes are the same for the same books, and carry their hash."""

from dataclasses import dataclass
from typing import Any

from desk.evidence import books, quotes
from desk.evidence.assemble import assemble
from desk.evidence.canonical import canonical, sha256
from desk.one_instant import one_instant


@dataclass(frozen=True, slots=True)
class Document:
    """The document, and the bytes that the command prints and the admin's button downloads."""

    content: dict[str, Any]

    @property
    def body(self) -> bytes:
        """Canonical JSON in one line."""
        return canonical(self.content) + b"\n"


def evidence_of(loan_id: str) -> Document:
    """Everything the books hold about a loan, as of one instant.

    `evidence` rests on rows that are never removed, `quotes` on those that are, and `sha256` has the hash of either.
    Nothing in it says when it was made, so it can be made again. Raises LoanNotFound. Locks and writes nothing.
    """
    with one_instant():
        evidence = assemble(books.read(loan_id))
        recorded = quotes.on_record(evidence)
    hashes = {"evidence": sha256(evidence), "quotes": sha256(recorded)}
    return Document({"evidence": evidence, "quotes": recorded, "sha256": hashes})
