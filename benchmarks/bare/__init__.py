"""The yardstick of the API: a Django project whose views make one insert, or read one page, and nothing else."""

#: The table of the inserts. The measurement creates it.
TABLE = (
    "CREATE TABLE benchmark_posting (id bigserial PRIMARY KEY, request_id text, loan_id text, amount numeric(44, 24))"
)
