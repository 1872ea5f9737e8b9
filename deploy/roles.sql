-- The two roles of the service's database:
--
--   coruscant_owner  owns the database and everything in it, and runs `manage.py migrate`;
--   coruscant        is the service: it owns nothing. `migrate` grants it what it needs on each table
--                    (coruscant/deploy/privileges.py), and nothing more.
--
-- Run it as an administrator in the service's database, before the first migrate and whenever this file has changed:
--
--   psql --no-psqlrc --set=ON_ERROR_STOP=1 --single-transaction --dbname=coruscant --file=deploy/roles.sql
--
-- The administrator is a superuser, or owns the database and may create roles, as those of managed databases do.
-- It may be repeated. Tables of another owner become coruscant_owner's: then the service can only read until the next
-- migrate. No password is set here: use \password, or what your PostgreSQL takes instead.

DO $roles$
DECLARE
    name text;
    statement text;
BEGIN
    FOREACH name IN ARRAY ARRAY['coruscant_owner', 'coruscant'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', name);
        ELSIF EXISTS (
            SELECT FROM pg_roles WHERE rolname = name AND (rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls)
        ) THEN
            EXECUTE format('ALTER ROLE %I NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS', name);
        END IF;
    END LOOP;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'coruscant' AND rolcreatedb) THEN
        ALTER ROLE coruscant NOCREATEDB;
    END IF;
    IF pg_has_role('coruscant', 'coruscant_owner', 'MEMBER') THEN
        RAISE EXCEPTION 'coruscant is a member of coruscant_owner, and so owns its tables: revoke that';
    END IF;

    -- An administrator who is no superuser has to be a member, to give anything to the owner.
    IF NOT pg_has_role(current_user, 'coruscant_owner', 'SET') THEN
        GRANT coruscant_owner TO CURRENT_USER;
    END IF;

    FOR statement IN
        SELECT format('ALTER %s %s OWNER TO coruscant_owner', found.kind, found.name)
        FROM (
            SELECT oid, 'pg_class'::regclass AS catalog, relowner AS owner, oid::regclass::text AS name,
                   CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS kind
            FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')
            UNION ALL
            SELECT oid, 'pg_proc'::regclass, proowner, oid::regprocedure::text, 'FUNCTION'
            FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        ) AS found
        WHERE found.owner <> 'coruscant_owner'::regrole
          -- Not a column's sequence, which goes with its table, nor what belongs to an extension.
          AND NOT EXISTS (
              SELECT FROM pg_depend
              WHERE classid = found.catalog AND objid = found.oid AND deptype IN ('a', 'i', 'e')
          )
    LOOP
        EXECUTE statement;
    END LOOP;

    name := current_database();
    EXECUTE format('REVOKE CREATE, TEMPORARY ON DATABASE %I FROM PUBLIC', name);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO coruscant', name);
    GRANT USAGE, CREATE ON SCHEMA public TO coruscant_owner;
    IF EXISTS (SELECT FROM pg_database WHERE datname = name AND datdba <> 'coruscant_owner'::regrole) THEN
        EXECUTE format('ALTER DATABASE %I OWNER TO coruscant_owner', name);
    END IF;
END
$roles$;

REVOKE ALL ON SCHEMA public FROM coruscant;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO coruscant;

-- Until migrate grants the rest, tables may be read: those of later releases, too.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO coruscant;
ALTER DEFAULT PRIVILEGES FOR ROLE coruscant_owner IN SCHEMA public REVOKE ALL ON TABLES FROM coruscant;
ALTER DEFAULT PRIVILEGES FOR ROLE coruscant_owner IN SCHEMA public REVOKE ALL ON SEQUENCES FROM coruscant;
ALTER DEFAULT PRIVILEGES FOR ROLE coruscant_owner IN SCHEMA public GRANT SELECT ON TABLES TO coruscant;
