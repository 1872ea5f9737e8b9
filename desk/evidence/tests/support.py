"""The evidence as whoever got the file has it."""

import json
from pathlib import Path

from jsonschema import Draft202012Validator

from desk.evidence.document import evidence_of
from desk.evidence.tests import recompute

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "evidence.schema.json").read_text())


def document_of(loan_id):
    """The document, read from its bytes: it fits the schema, and its hashes fit."""
    found = recompute.read(evidence_of(loan_id).body)
    Draft202012Validator(SCHEMA).validate(found)
    assert recompute.hashes_fit(found)
    return found
