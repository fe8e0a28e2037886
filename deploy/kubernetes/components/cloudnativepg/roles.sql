-- Runs once, as superuser in a service's new database: the two roles beside its owner, how long each may take, and who
-- may enter. Passwords and the right to log in are CloudNativePG's to give, rights on tables the migrations'.
DO $roles$
DECLARE
    service constant text := current_database();
    duty record;
BEGIN
    FOR duty IN
        SELECT service || '_' || name AS role, statement, lock, idle
        FROM (VALUES
            ('owner', '0', '2s', '5min'),
            ('runtime', '30s', '2s', '30s'),
            ('worker', '2min', '5s', '1min')
        ) AS duties(name, statement, lock, idle)
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = duty.role) THEN
            EXECUTE format('CREATE ROLE %I', duty.role);
        END IF;
        EXECUTE format('ALTER ROLE %I SET statement_timeout = %L', duty.role, duty.statement);
        EXECUTE format('ALTER ROLE %I SET lock_timeout = %L', duty.role, duty.lock);
        EXECUTE format('ALTER ROLE %I SET idle_in_transaction_session_timeout = %L', duty.role, duty.idle);
    END LOOP;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', service);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I, %I', service, service || '_runtime', service || '_worker');
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO pg_monitor', service); -- the operator's exporter is a member
    EXECUTE format('ALTER SCHEMA public OWNER TO %I', service || '_owner');
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I, %I', service || '_runtime', service || '_worker');
END
$roles$;
