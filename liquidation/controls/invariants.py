"""I11 and I14 of controls as SQL; `liquidation/invariants.py` runs them."""

from typing import Final

#: What was claimed or activated while a pause held. What two people adopted is no price's doing.
_NOT_IN_A_PAUSE = """
    SELECT 'liquidation ' || q.id FROM liquidation_liquidation q JOIN controls_control c
        ON c.kind = 'pause_claims' AND q.claimed_at >= c.began_at AND q.claimed_at < c.until
    WHERE NOT EXISTS (
        SELECT FROM liquidation_historicalliquidation h
        WHERE h.id = q.id AND h.history_type = '+' AND h.history_change_reason LIKE 'adopt %')
    UNION ALL
    SELECT 'loan ' || l.id FROM loans_loan l JOIN controls_control c
        ON c.kind = 'pause_activations' AND l.activated_at >= c.began_at AND l.activated_at < c.until
    WHERE NOT EXISTS (
        SELECT FROM loans_historicalloan h
        WHERE h.id = l.id AND h.activated_at = l.activated_at AND h.history_change_reason LIKE 'adopt %')
"""

#: Claims by a quote of a market whose prices were set aside when that price began.
_NOT_SET_ASIDE = """
    SELECT 'liquidation ' || q.id FROM liquidation_liquidation q
    CROSS JOIN LATERAL jsonb_array_elements(q.evidence) AS quote JOIN controls_control c
        ON c.kind = 'set_aside' AND c.market = quote ->> 'market'
        AND q.price_at >= c.began_at AND q.price_at < c.until
    WHERE NOT starts_with(quote ->> 'reference', 'statement ')
"""

#: Controls of two people without an approval of the same kind, market and length, the reverse, and those that were
#: extended or ended by fewer than two.
_PULLED_BY_TWO = """
    WITH pulled AS (
        SELECT kind, market, round(extract(epoch FROM until - began_at) / 60)::text
        FROM controls_historicalcontrol WHERE history_type = '+' AND two_people
    ), approved AS (
        SELECT coalesce(arguments ->> 'kind', 'set_aside'), arguments ->> 'market', arguments ->> 'minutes'
        FROM approvals_approval WHERE outcome = 'executed' AND action IN ('controls.pull', 'liquidation.set_aside')
    )
    SELECT kind || ' not approved' FROM (TABLE pulled EXCEPT ALL TABLE approved) AS alone
    UNION ALL
    SELECT kind || ' not pulled' FROM (TABLE approved EXCEPT ALL TABLE pulled) AS undone (kind, market, minutes)
    UNION ALL
    SELECT 'control ' || id FROM (
        SELECT id, until, lag(until) OVER (PARTITION BY id ORDER BY history_id) AS before
        FROM controls_historicalcontrol
    ) AS steps
    WHERE before <> until AND NOT EXISTS (
        SELECT FROM approvals_approval a WHERE a.outcome = 'executed' AND a.arguments ->> 'control_id' = steps.id::text
        AND a.action = CASE WHEN until < before THEN 'controls.end' ELSE 'controls.extend' END)
"""

#: Name, promise, and the query that selects the key of every row that breaks it.
CONTROLS: Final = (
    ("I11", "nothing was claimed or activated in a pause", _NOT_IN_A_PAUSE),
    ("I11b", "nothing was claimed by a market whose prices were set aside then", _NOT_SET_ASIDE),
    ("I14e", "controls were pulled, extended and ended by as many as that takes", _PULLED_BY_TWO),
)
