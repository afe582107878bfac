-- How the query of an own rule is run: with the rights of monitoring_reader, in a transaction that
-- can only read and is undone, for a limited time. Writes nothing.
--
-- The time limit: a statement cannot set a limit to itself once it runs, so another session cancels
-- it. While a query runs, its session holds the advisory lock (class, deadline in seconds since
-- 2020), which everyone sees in pg_locks. Whoever cancels holds (class, 0) meanwhile, and a query
-- that has ended waits for that: so no cancellation arrives when it is over.

create or replace function monitoring._time_limit_class() returns integer
language sql
immutable
return 1886547561;

comment on function monitoring._time_limit_class() is
'First key of the advisory locks that show until when the queries of rules may run.';

create or replace function monitoring._seconds_since_epoch() returns double precision
language sql
volatile
return monitoring._stopwatch_ms() / 1000 - 1577836800;

comment on function monitoring._seconds_since_epoch() is
'Seconds since the beginning of 2020 UTC by the real time, which an integer holds until 2088.';

create or replace function monitoring._deadline(p_seconds double precision) returns integer
language sql
volatile
return ceil(monitoring._seconds_since_epoch() + p_seconds)::integer;

comment on function monitoring._deadline(double precision) is
'Until when a query may run that begins now, in seconds since 2020.';

-- Belongs to monitoring_reader, see grants.sql; hence it calls nothing but what that role may.
do $$
begin
    if to_regprocedure('monitoring._run_rule_query(text,timestamptz,integer,integer)') is not null
    then
        drop function monitoring._run_rule_query (text, timestamptz, integer, integer);
    end if;
end
$$;

create or replace function monitoring._run_rule_query(
    p_query text, p_moment text, p_deadline integer, p_at_most integer
)
returns jsonb[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
-- The query is the operators' own, and can do no more than what monitoring_reader may.
-- @plpgsql_check_options: security_warnings = off
declare
    v_class constant integer := monitoring._time_limit_class();
    v_row jsonb;
    v_rows jsonb [] := array[]::jsonb [];
    v_is_complete boolean := false;
begin
    begin
        -- All of it is undone with the block. From PostgreSQL 16 on a function cannot be marked as
        -- read-only; set within, nothing can take it back before the block ends.
        perform
            set_config('datestyle', 'ISO, YMD', true),
            set_config('timezone', 'UTC', true),
            set_config('extra_float_digits', '1', true),
            set_config('search_path', 'pg_catalog, monitoring, pg_temp', true);
        perform
            set_config('monitoring.now', p_moment, true),
            set_config('transaction_read_only', 'on', true),
            pg_advisory_xact_lock_shared(v_class, p_deadline);
        -- As a cursor it can only be one select; a comment at its end is ended by the line.
        for v_row in execute format('select to_jsonb(q) from (%s%s) q', p_query, E'\n') loop
            if cardinality(v_rows) = p_at_most then
                raise exception using
                    errcode = 'PV008',
                    message = format('the query returns more than %s rows', p_at_most),
                    hint = 'A row is an alert: return what people can look after.';
            end if;
            v_rows := v_rows || v_row;
        end loop;
        perform pg_advisory_xact_lock_shared(v_class, 0);
        v_is_complete := true;
        raise transaction_rollback;
    exception
        when transaction_rollback then
            if not v_is_complete then
                raise;
            end if;
        when query_canceled then
            perform pg_advisory_xact_lock_shared(v_class, 0);
            raise;
    end;
    return v_rows;
end
$$;

comment on function monitoring._run_rule_query(text, text, integer, integer) is
'Rows of a query as objects, with clock() standing at a time that _sealed_time() gave. It can only '
'read what monitoring_reader may read, and whatever it does besides is undone.';

create or replace function monitoring._rule_fingerprint(p_row jsonb) returns text
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_fingerprint text := p_row ->> 'fingerprint';
begin
    if length(v_fingerprint) > 255 then
        return left(v_fingerprint, 100) || '... ' || md5(v_fingerprint);
    end if;
    return monitoring._short_name(v_fingerprint);
end
$$;

comment on function monitoring._rule_fingerprint(jsonb) is
'Fingerprint of a row that a rule''s query returned: of a long one its beginning and a checksum.';

create or replace function monitoring._rule_labels(p_row jsonb) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_labels jsonb := coalesce(nullif(p_row -> 'labels', 'null'), '{}');
begin
    if jsonb_typeof(v_labels) <> 'object' then
        perform monitoring._refuse_json('labels', v_labels::text, 'an object of texts');
    end if;
    return (
        select coalesce(jsonb_object_agg(c.key, left(c.value, 1000)), '{}')
        from jsonb_each_text(
            p_row - array['fingerprint', 'value', 'severity', 'threshold', 'labels', 'summary']
            || v_labels
        ) c
        where c.value is not null
    );
end
$$;

comment on function monitoring._rule_labels(jsonb) is
'Labels of a row that a rule''s query returned: its labels, and each column that means nothing '
'else.';

create or replace function monitoring._rule_finding(p_rule_name text, p_unit text, p_row jsonb)
returns monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_finding monitoring.finding;
begin
    v_finding.fingerprint := monitoring._checked_name(
        'fingerprint', monitoring._rule_fingerprint(p_row)
    );
    -- Not a number is nothing that was measured.
    v_finding.value := nullif((p_row ->> 'value')::double precision, 'NaN');
    v_finding.threshold := nullif((p_row ->> 'threshold')::double precision, 'NaN');
    if p_row ->> 'severity' is not null then
        v_finding.severity := monitoring._checked_severity(p_row ->> 'severity');
    end if;
    v_finding.labels := monitoring._rule_labels(p_row);
    v_finding.summary := monitoring._capped_text(
        coalesce(
            p_row ->> 'summary',
            format('%s: %s', p_rule_name, v_finding.fingerprint)
                || coalesce(': ' || v_finding.value::text || coalesce(' ' || p_unit, ''), '')
        ),
        500
    );
    return v_finding;
end
$$;

comment on function monitoring._rule_finding(text, text, jsonb) is
'What a row is that the query of a rule returned, or PV001 to PV005.';

create or replace function monitoring._find_by_query(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_row jsonb;
begin
    foreach v_row in array monitoring._run_rule_query(
        p_rule.query, monitoring._sealed_time(p_now),
        monitoring._deadline(p_rule.time_limit_seconds), 1000
    )
    loop
        return next monitoring._rule_finding(p_rule.rule_name, p_rule.unit, v_row);
    end loop;
end
$$;

comment on function monitoring._find_by_query(monitoring.alert_rules, timestamptz) is
'What the query of an own rule finds as of a given time.';

create or replace function monitoring._explain_by_query(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules;
begin
    select r.* into v_rule
    from monitoring.alert_rules r
    where r.rule_name = p_alert.rule_name and r.query is not null;
    if not found then
        return;
    end if;
    return query
    select 'query', p_now, q.found
    from unnest(
        monitoring._run_rule_query(
            v_rule.query, monitoring._sealed_time(p_now),
            monitoring._deadline(v_rule.time_limit_seconds), 1000
        )
    ) with ordinality q (found, position)
    where monitoring._rule_fingerprint(q.found) = p_alert.fingerprint
    order by q.position
    limit p_limit;
end
$$;

comment on function monitoring._explain_by_query(
    monitoring.raised_alerts, timestamptz, integer
) is
'What the query of an own rule returns for an alert as of a given time.';

create or replace function monitoring._cancel_session(p_pid integer) returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return pg_cancel_backend(p_pid);
exception
    when insufficient_privilege then
        raise warning 'an alert rule runs too long and was not cancelled: %', sqlerrm
            using hint = 'Let all runners log in as the same role, or grant them pg_signal_backend.';
        return false;
end
$$;

comment on function monitoring._cancel_session(integer) is
'Cancels what a session is at; false, with a warning, when the caller may not.';

create or replace function monitoring.cancel_overdue_rules() returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_class constant integer := monitoring._time_limit_class();
    v_now constant integer := floor(monitoring._seconds_since_epoch())::integer;
    v_pid integer;
    v_cancelled integer := 0;
begin
    begin
        perform pg_advisory_xact_lock(v_class, 0);
        for v_pid in
            select distinct l.pid
            from pg_locks l
            where l.locktype = 'advisory'
                and l.objsubid = 2
                and l.granted
                and l.classid::bigint = v_class
                and l.objid::bigint between 1 and v_now
                and l.pid <> pg_backend_pid()
                and l.database = (
                    select d.oid from pg_database d where d.datname = current_database()
                )
        loop
            v_cancelled := v_cancelled + monitoring._cancel_session(v_pid)::integer;
        end loop;
        -- A cancellation stays sent. The lock must not outlast it, whatever the caller goes on with.
        raise transaction_rollback;
    exception
        when transaction_rollback then
            null;
    end;
    return v_cancelled;
end
$$;

comment on function monitoring.cancel_overdue_rules() is
'Cancels the queries of own rules that take longer than their time limit and returns how many.';
