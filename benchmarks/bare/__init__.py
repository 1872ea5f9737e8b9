"""The yardstick of the API: a Django project whose views make one insert, or read one page, and nothing else."""

#: The table of the inserts. The measurement creates it, for the service's role.
TABLE = """
    CREATE TABLE benchmark_posting (id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, request_id text, loan_id text,
        amount numeric(44, 24));
    GRANT INSERT ON benchmark_posting TO coruscant;
"""
