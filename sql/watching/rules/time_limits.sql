-- For how long the queries of own rules, and the reading of sources, may go on. Writes sequences,
-- which others see at once.
--
-- The time limit: a statement cannot set a limit to itself once it runs, so another session cancels
-- it. While a query runs, its session has one of a few slots: a guard that no other session has,
-- and a sequence of the same name, set to the deadline (seconds since 2020, 31 bits), whether it
-- was cancelled already (1 bit) and the process id (31 bits). Only our own code can lock the one or
-- set the other, and who has set a sequence shows by its lock on it. Whoever cancels has the guard
-- "SLOT end" meanwhile, and a query that has ended waits for that: so no cancellation arrives when
-- it is over. The query of a rule that goes on for ten seconds more is ended with its session.

-- Seconds since the beginning of 2020 UTC by the real time, which an integer holds until 2088.
create or replace function monitoring._seconds_since_epoch() returns double precision
language sql
volatile
return monitoring._stopwatch_ms() / 1000 - 1577836800;

-- Until when a query may run that begins now, in seconds since 2020.
create or replace function monitoring._deadline(p_seconds double precision) returns integer
language sql
volatile
return ceil(monitoring._seconds_since_epoch() + p_seconds)::integer;

-- Tells everybody until when this session may run a query, and returns the slot that says so;
-- null where nothing can be said.
create or replace function monitoring._begin_time_limit(p_slots text, p_deadline integer)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_slot text;
begin
    -- Where nothing can be written the session's own statement_timeout must do.
    if pg_is_in_recovery() or current_setting('transaction_read_only')::boolean then
        return null;
    end if;
    select g.guard_name into v_slot
    from monitoring.guards g
    where g.guard_name ~ ('^' || p_slots || '_[0-9]+$')
    order by g.guard_name
    limit 1
    for no key update skip locked;
    if v_slot is null then
        raise warning 'the query of a rule or source runs without a time limit: too many run at once';
        return null;
    end if;
    perform setval(
        format('monitoring.%I', v_slot)::regclass, (p_deadline::bigint << 32) | pg_backend_pid()
    );
    return v_slot;
end
$$;

-- Says that a query has ended, after which nobody cancels it any more; raises 57014 when
-- somebody did meanwhile.
create or replace function monitoring._end_time_limit(p_slot text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_told boolean := p_slot is null;
    v_is_cancelled boolean := false;
begin
    while not v_is_told loop
        begin
            perform monitoring._guard(p_slot || ' end');
            perform setval(format('monitoring.%I', p_slot)::regclass, 0);
            -- Gives the guard back; the next query in this slot may have to be cancelled.
            raise transaction_rollback;
        exception
            when transaction_rollback then
                v_is_told := true;
            when query_canceled then
                v_is_cancelled := true;
        end;
    end loop;
    if v_is_cancelled then
        raise query_canceled using message = 'canceling statement due to user request';
    end if;
end
$$;

-- Cancels what a session is at, or ends the session; false, with a warning, when the caller may
-- not.
create or replace function monitoring._end_session(p_pid integer, p_is_final boolean)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_is_final then
        raise warning 'the query of a rule or source goes on though it was cancelled: session % is ended', p_pid;
        return pg_terminate_backend(p_pid);
    end if;
    return pg_cancel_backend(p_pid);
exception
    when insufficient_privilege then
        raise warning 'the query of a rule or source runs too long and was not cancelled: %', sqlerrm
            using hint = 'Let all runners log in as the same role, or grant them pg_signal_backend.';
        return false;
end
$$;

-- Cancels the query of the rule in a slot when its time is over, or ends the session when it
-- went on after that; returns whether it did.
create or replace function monitoring._cancel_overdue_rule(p_slot text) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_sequence constant regclass := format('monitoring.%I', p_slot)::regclass;
    v_now constant bigint := floor(monitoring._seconds_since_epoch())::bigint;
    v_cancelled_bit constant bigint := 2147483648;
    v_value bigint;
    v_pid integer;
    v_is_done boolean := false;
begin
    perform from monitoring.guards g where g.guard_name = p_slot || ' end'
    for no key update skip locked;
    if found then
        v_value := coalesce(pg_sequence_last_value(v_sequence), 0);
        v_pid := (v_value & (v_cancelled_bit - 1))::integer;
        -- What a session that is gone has left behind is no deadline.
        if v_value >> 32 between 1 and v_now and v_pid <> pg_backend_pid() and exists (
            select from pg_locks l
            where l.pid = v_pid and l.locktype = 'relation' and l.relation = v_sequence
                and l.mode = 'RowExclusiveLock' and l.granted
                and l.database = (
                    select d.oid from pg_database d where d.datname = current_database()
                )
        ) then
            v_is_done := monitoring._end_session(
                v_pid,
                v_value & v_cancelled_bit <> 0 and v_value >> 32 <= v_now - 10
                -- With the session all would go that was read of other sources.
                and not starts_with(p_slot, 'source_')
            );
            if v_value & v_cancelled_bit = 0 then
                -- The ten seconds count from the first cancellation.
                perform setval(v_sequence, (v_now << 32) | v_cancelled_bit | v_pid);
            end if;
        end if;
    end if;
    -- A cancellation stays sent. The guard must not outlast it, whatever the caller goes on with.
    raise transaction_rollback;
exception
    when transaction_rollback then
        return v_is_done;
end
$$;

-- Cancels the queries of own rules, and the reading of sources, that take longer than their time
-- limit and returns how many; the session of a rule that goes on for 10 seconds more is terminated.
create or replace function monitoring._cancel_overdue_rules() returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select count(*) filter (where monitoring._cancel_overdue_rule(g.guard_name))::integer
        from monitoring.guards g
        where g.guard_name ~ '^(rule_query|explanation|source)_[0-9]+$'
    );
end
$$;
