-- Who may do what only one session may do at a time: rows of a table that nobody but our own code
-- can lock. (Advisory locks are numbers that every session of the database can take.)
--
-- A row is locked until the transaction ends. Lock order, so that nobody waits in a circle:
--   job NAME, then cleanup or import of pg_cron runs
--   source query NAME, reading of NAME
--   dataset NAME, products NUMBER, summary NUMBER
--   configuration, evaluations, rule_query_N, alerts
--   partitions
-- Whoever only tries waits for nothing and may try in any order.

-- Waits until no other session has this guard, and has it until the transaction ends.
create or replace function monitoring._guard(p_guard_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    loop
        perform from monitoring.guards g where g.guard_name = p_guard_name for no key update;
        exit when found;
        -- Waits for whoever is making it just now.
        insert into monitoring.guards (guard_name) values (p_guard_name) on conflict do nothing;
    end loop;
end
$$;

-- Waits until no other session has the guard of a thing that programs name, or of one of the few
-- others that share it.
create or replace function monitoring._guard_one_of_many(p_kind text, p_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    -- Names that programs give are without number; their guards are not.
    perform monitoring._guard(format('%s %s', p_kind, hashtext(p_name) & 255));
end
$$;

-- Has a guard until the transaction ends, or returns false at once when another session has it.
create or replace function monitoring._try_guard(p_guard_name text) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Whoever is making the row at this moment has the guard as well.
set lock_timeout = '1ms'
as $$
begin
    perform from monitoring.guards g where g.guard_name = p_guard_name
    for no key update skip locked;
    if found then
        return true;
    end if;
    insert into monitoring.guards (guard_name) values (p_guard_name) on conflict do nothing;
    if not found then
        return false;
    end if;
    perform from monitoring.guards g where g.guard_name = p_guard_name for no key update;
    return true;
exception
    when lock_not_available then
        return false;
end
$$;
