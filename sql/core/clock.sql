-- The one clock, and the check of times that callers give. Reads clock_keys.
--
-- The setting monitoring.now, which anybody may set, counts in sessions of admins only: tests and
-- demonstrations go by it. What rules read is to go by one moment as well, whoever has them
-- evaluated; so the engine sets it with a seal that nobody else can make, that holds for one
-- transaction, and that counts while nothing can be written.

-- What shows that a time was set by our own functions, in this transaction.
create or replace function monitoring._seal_of(p_time text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_key constant bytea := (select k.key from monitoring.clock_keys k);
begin
    return encode(sha256(v_key || sha256(v_key || convert_to(
        concat_ws(' ', p_time, pg_backend_pid(), extract(epoch from transaction_timestamp())), 'UTF8'
    ))), 'hex');
end
$$;

-- A time as our own functions put it into monitoring.now, for what rules read to go by.
create or replace function monitoring._sealed_time(p_at timestamptz) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    -- Read the same whatever the session's way of writing times.
    v_time constant text := to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
begin
    return v_time || ' #' || monitoring._seal_of(v_time);
end
$$;

-- The time that an admin has set, or PV006.
create or replace function monitoring._read_set_time(p_time text) returns timestamptz
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_at timestamptz;
begin
    begin
        v_at := p_time::timestamptz;
    exception
        when data_exception then
            null;
    end;
    if (v_at >= '1970-01-01 00:00+00' and v_at < '10000-01-01 00:00+00') is not true then
        raise exception using
            errcode = 'PV006',
            message = format('monitoring.now is not a time: "%s"', left(p_time, 100)),
            hint = 'Reset it, or set a time from 1970 to 9999 such as 2026-01-15 12:00+00.';
    end if;
    return v_at;
end
$$;

-- The time that monitoring.now says where it counts: in sessions of admins, and for what rules
-- read when our own functions have set it. Null otherwise.
--
-- Called only where the setting is there.
create or replace function monitoring._set_time(p_setting text) returns timestamptz
language plpgsql
stable
strict
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_time constant text := split_part(p_setting, ' #', 1);
begin
    -- The owner is monitoring_admin, or whoever installed where that role is missing.
    if pg_has_role(session_user, current_user, 'member') then
        return monitoring._read_set_time(v_time);
    elsif current_setting('transaction_read_only') = 'on'
        and p_setting = v_time || ' #' || monitoring._seal_of(v_time)
    then
        return v_time::timestamptz;
    end if;
    return null;
end
$$;

create or replace function monitoring.clock() returns timestamptz
language sql
volatile
return coalesce(
    monitoring._set_time(nullif(current_setting('monitoring.now', true), '')), clock_timestamp()
);

comment on function monitoring.clock() is
'The time that everything here goes by: the wall clock; in sessions of members of monitoring_admin '
'the setting monitoring.now, where it is set, so that tests can choose the time.';

-- Milliseconds that go on whatever clock() says, to measure how long our own work takes.
create or replace function monitoring._stopwatch_ms() returns double precision
language sql
volatile
return extract(epoch from clock_timestamp())::double precision * 1000;

-- The time a caller gave, or now, also for what lies before 1970 or more than a day ahead, which
-- is told.
create or replace function monitoring._event_time(p_at timestamptz) returns timestamptz
language sql
volatile
return case
    when p_at is null then monitoring.clock()
    when p_at >= '1970-01-01 00:00:00+00'::timestamptz
        and p_at <= monitoring.clock() + '24 hours'::interval then p_at
    else monitoring._mended_time(p_at)
end;

-- The time an operator gave, or now; refuses what lies before 1970 or more than a day ahead
-- (PV006).
create or replace function monitoring._checked_time(p_at timestamptz) returns timestamptz
language sql
volatile
return case
    when p_at is null then monitoring.clock()
    when p_at >= '1970-01-01 00:00:00+00'::timestamptz
        and p_at <= monitoring.clock() + '24 hours'::interval then p_at
    else monitoring._refuse_time(p_at)
end;

-- When the day before today began, in UTC: older rows go into late tables.
create or replace function monitoring._yesterday() returns timestamptz
language sql
volatile
return date_trunc('day', monitoring.clock(), 'UTC') - '24 hours'::interval;

-- Whether a time is ordinary: of yesterday, today or a day ahead at most; what is older is late.
-- Not inlined, so that it costs only those who give a time.
create or replace function monitoring._is_recent(p_at timestamptz) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_at between monitoring._yesterday() and monitoring.clock() + interval '24 hours';
end
$$;

-- As _is_recent(), for what cannot be ahead by more than clocks differ.
create or replace function monitoring._is_recent_past(p_at timestamptz) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_at between monitoring.clock() - interval '23 hours'
        and monitoring.clock() + interval '1 minute';
end
$$;

-- Whether a clock that went on like this was paused or set ahead: by more than an hour, and than
-- three times what it went on before.
create or replace function monitoring._is_jump(
    p_from timestamptz, p_to timestamptz, p_last_step_ms double precision
)
returns boolean
language sql
stable
-- Those who look once a day see it move by a day each time.
return p_to - p_from > greatest(
    '1 hour'::interval, make_interval(secs => coalesce(p_last_step_ms, 0) * 3 / 1000)
);

-- Until when nothing is removed because the clock has gone on by far more than usual, and by how
-- much; null when it has not, or has gone on evenly for three hours since.
create or replace function monitoring._clean_up_waits_until(
    p_now timestamptz, out p_until timestamptz, out p_step interval
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    select
        case
            when monitoring._is_jump(r.seen_at, p_now, r.last_step_ms) then p_now + interval '3 hours'
            when p_now >= r.moved_at and p_now < r.moved_at + interval '3 hours'
                then r.moved_at + interval '3 hours'
        end,
        case
            when monitoring._is_jump(r.seen_at, p_now, r.last_step_ms) then p_now - r.seen_at
            else r.moved_at - r.moved_from_at
        end
    into p_until, p_step
    from monitoring.clock_readings r;
end
$$;
