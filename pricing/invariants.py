"""I14 of the guard over prices as SQL; `liquidation/invariants.py` runs it."""

from typing import Final

# Every row but the migration's, which is the first, has an approval of its own, and every approval its row. The two
# people are shortened as `approvals.people.both` does it.
_CHANGED_BY_TWO = """
    WITH changed AS (
        SELECT mode, jump, agreement, dispute, changed_by FROM pricing_priceguard
        WHERE id > (SELECT min(id) FROM pricing_priceguard)
    ), approved AS (
        SELECT arguments ->> 'mode', (arguments ->> 'jump')::numeric, (arguments ->> 'agreement')::numeric,
            (arguments ->> 'dispute')::numeric, left(asked_by_name || ' and ' || decided_by_name, 150)
        FROM approvals_approval WHERE outcome = 'executed' AND action = 'pricing.change_guard'
    )
    SELECT mode || ' by ' || changed_by || ' not approved' FROM (TABLE changed EXCEPT ALL TABLE approved) AS alone
    UNION ALL
    SELECT mode || ' by ' || changed_by || ' not changed' FROM (TABLE approved EXCEPT ALL TABLE changed)
        AS undone (mode, jump, agreement, dispute, changed_by)
"""

#: Name, promise, and the query that selects the key of every row that breaks it.
GUARDS: Final = (
    ("I14f", "every guard over prices but the first was approved with these figures, once", _CHANGED_BY_TWO),
)
