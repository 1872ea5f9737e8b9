"""I12 as SQL: terms belong to the loan. `invariants.py` runs it. Products of numeric are exact in PostgreSQL."""

from typing import Final

#: Name, promise, and the query that selects the key of every row that breaks it.
TERMS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "I12",
        "each activation and margin call fits the loan's terms at its price, if that was kept, each notice its LTV",
        """
    SELECT activated.loan_id FROM (
        SELECT *, lag(status) OVER (PARTITION BY id ORDER BY history_id) AS before FROM loans_historicalloan
    ) AS activated JOIN loans_loanterms terms ON terms.version = activated.terms_id
    WHERE activated.before = 'new' AND activated.status = 'active' AND activated.activation_price IS NOT NULL
    AND activated.outstanding_balance > terms.activation_ltv * activated.collateral * activated.activation_price
    UNION ALL
    SELECT loan.loan_id FROM loans_margincall call JOIN loans_loan loan ON loan.id = call.loan_id
    JOIN loans_loanterms terms ON terms.version = call.terms_id
    WHERE call.outstanding_balance < terms.margin_call_ltv * call.collateral * call.price
    OR NOT EXISTS (SELECT FROM loans_historicalloan h WHERE h.id = call.loan_id AND h.terms_id = call.terms_id)
    UNION ALL
    SELECT loan.loan_id FROM loans_marginnotice notice JOIN loans_loan loan ON loan.id = notice.loan_id
    WHERE notice.outstanding_balance < notice.notice_ltv * notice.collateral * notice.price
""",
    ),
    (
        "I12b",
        "each claim fits the loan's terms at its price, unless it adopted a trade that a market states",
        """
        SELECT q.id FROM liquidation_liquidation q JOIN loans_loan l ON l.id = q.loan_id
        JOIN loans_loanterms t ON t.version = q.terms_id
        WHERE q.terms_id <> l.terms_id
           OR (q.balance_at_claim < t.liquidation_ltv * q.collateral_at_claim * q.price AND NOT EXISTS (
                SELECT FROM liquidation_historicalliquidation h WHERE h.id = q.id
                AND h.history_type = '+' AND h.history_change_reason LIKE 'adopt %'))
        """,
    ),
    (
        "I12c",
        "a loan was opened under the terms that were valid then",
        """
    SELECT opened.loan_id FROM loans_historicalloan opened
    WHERE opened.history_type = '+' AND opened.terms_id IS DISTINCT FROM (
        SELECT max(version) FROM loans_loanterms WHERE valid_from IS NULL OR valid_from <= opened.created_at)
""",
    ),
    (
        "I12d",
        "a loan gets other terms only by a move that two people agreed to, and only while it is new or active",
        """
        SELECT loan_id FROM (
            SELECT *, lag(terms_id) OVER (PARTITION BY id ORDER BY history_id) AS before FROM loans_historicalloan
        ) AS step
        WHERE before <> terms_id AND (status NOT IN ('new', 'active') OR NOT EXISTS (
            SELECT FROM approvals_approval a WHERE a.outcome = 'executed' AND a.action = 'liquidation.move_loans'
            AND (a.arguments ->> 'of')::bigint = before AND (a.arguments ->> 'to')::bigint = terms_id
            AND (a.arguments ->> 'up_to')::bigint >= step.id))
        """,
    ),
    (
        "I14d",
        "all terms but the first were made by two people",
        """
    SELECT terms.version FROM loans_loanterms terms WHERE terms.version > 1 AND NOT EXISTS (
        SELECT FROM approvals_approval a WHERE a.outcome = 'executed' AND a.action = 'loans.make_terms'
        AND (a.arguments ->> 'activation_ltv')::numeric = terms.activation_ltv
        AND (a.arguments ->> 'margin_call_ltv')::numeric = terms.margin_call_ltv
        AND (a.arguments ->> 'margin_call_clear_ltv')::numeric = terms.margin_call_clear_ltv
        AND (a.arguments ->> 'liquidation_ltv')::numeric = terms.liquidation_ltv)
""",
    ),
)
