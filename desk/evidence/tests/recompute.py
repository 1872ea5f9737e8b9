"""What an auditor recomputes from the JSON of a loan's evidence, with Python's standard library and nothing else."""

import hashlib
import json
from decimal import ROUND_FLOOR, Context, Decimal
from itertools import pairwise

EXACT = Context(prec=120)
LAST_DECIMAL = Decimal("1e-24")


def read(body):
    return json.loads(body)


def hash_of(value):
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def hashes_fit(document):
    return document["sha256"] == {name: hash_of(document[name]) for name in ("evidence", "quotes")}


def curve_of(document, name):
    """The curve of a recorded quote, named `market:reference`, as pairs of quantity and unit price."""
    (quote,) = (one for one in document["quotes"]["recorded"] if f"{one['market']}:{one['reference']}" == name)
    return pairs(quote["sell"])


def pairs(curve):
    return [(Decimal(quantity), Decimal(price)) for quantity, price in curve]


def price_on(curve, quantity):
    """Flat below the first level, linear between two, rounded down to 24 decimals; None beyond the last."""
    if quantity <= curve[0][0]:
        return curve[0][1]
    for (less, dear), (more, cheap) in pairwise(curve):
        if quantity <= more:
            step = EXACT.divide(EXACT.multiply(cheap - dear, quantity - less), more - less)
            return EXACT.add(dear, step).quantize(LAST_DECIMAL, rounding=ROUND_FLOOR, context=EXACT)
    return None


def best_price(document):
    """The best price of the claim, from the curves of the quotes that counted, as the claim has them."""
    counted = [quote for quote in document["evidence"]["liquidation"]["claim"]["quotes"] if not quote["suspect"]]
    prices = [price_on(pairs(one["curve"]), Decimal(one["quantity"])) for one in counted]
    assert [None if one["price"] is None else Decimal(one["price"]) for one in counted] == prices
    return max(price for price in prices if price is not None)


def ltv(owed, units, price):
    return EXACT.divide(owed, EXACT.multiply(units, price))


def reaches(ltv_of_terms, owed, units, price):
    """Whether LTV is at or above it, without rounding."""
    return owed >= EXACT.multiply(EXACT.multiply(ltv_of_terms, units), price)


def terms(document, version):
    (found,) = (one for one in document["evidence"]["terms"]["versions"] if one["version"] == version)
    return {name: Decimal(found[name]) for name in found if name.endswith("Ltv")}


def row_at(document, table, row, last):
    """A row as it was after the step numbered `last` of the timeline."""
    values = {}
    for step in document["evidence"]["timeline"][: last + 1]:
        if (step["table"], step["row"]) == (table, row):
            values |= step["values"]
    return values


def first_step(document, **wanted):
    """The number of the first step with these values, such as table="loan", status="active"."""
    for number, step in enumerate(document["evidence"]["timeline"]):
        if all({**step["values"], **step}.get(name) == value for name, value in wanted.items()):
            return number
    raise AssertionError(f"no step has {wanted}")


def claim(document):
    """The price, LTV and liquidation LTV of the claim, and what was owed and pledged by the timeline then."""
    before = row_at(document, "loan", document["evidence"]["loan"]["id"], first_step(document, status="liquidating"))
    owed, units, price = Decimal(before["outstandingBalance"]), Decimal(before["collateral"]), best_price(document)
    line = terms(document, before["terms"])["liquidationLtv"]
    return {
        "owed": owed, "units": units, "price": price, "ltv": ltv(owed, units, price),
        "in_breach": reaches(line, owed, units, price),
    }  # fmt: skip


def sale(document):
    """What was sold, from the orders that were filled, against what was owed and pledged at the claim."""
    claimed = claim(document)
    filled = [one for one in document["evidence"]["liquidation"]["orders"] if one["status"] == "filled"]
    sold, proceeds = (sum((Decimal(one[name]) for one in filled), Decimal(0)) for name in ("unitsTraded", "proceeds"))
    return {
        "collateralSold": sold, "proceeds": proceeds, "surplus": max(Decimal(0), proceeds - claimed["owed"]),
        "shortfall": max(Decimal(0), claimed["owed"] - proceeds), "collateralLeft": claimed["units"] - sold,
    }  # fmt: skip


def posted(document):
    return sum((Decimal(posting["amount"]) for posting in document["evidence"]["postings"]), Decimal(0))


def without_cause(document):
    """The steps that do not say what was done, by whom, and what set it off."""
    asked = ("action", "correlationId", "actor", "sessionUser")
    return [step for step in document["evidence"]["timeline"] if not all(step["cause"][name] for name in asked)]


def steps(document):
    """What was done, step by step: the table and the action, those that follow each other alike only once."""
    found = [(step["table"], step["cause"]["action"]) for step in document["evidence"]["timeline"]]
    return [one for before, one in pairwise([None, *found]) if one != before]
