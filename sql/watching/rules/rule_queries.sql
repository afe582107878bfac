-- How the query of an own rule is run: with the rights of monitoring_reader, in a transaction that
-- can only read and is undone. Writes nothing. For how long: time_limits.sql; what becomes of the
-- session: core/sessions.sql.

-- Rows of a query as objects, with clock() standing at a time that _sealed_time() gave. It can
-- only read what monitoring_reader may read, and whatever it does besides is undone.
--
-- Belongs to monitoring_reader, see grants.sql; hence it calls nothing but what that role may. Each
-- of the readers may alter it, though not replace it: so it runs nothing before it has seen that it
-- has no other rights, and up to there whatever it names is named with its schema.
create or replace function monitoring._run_rule_query(
    p_query text, p_moment text, p_at_most integer, p_role text
)
returns jsonb[]
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
-- The query is the operators' own, and can do no more than what monitoring_reader may.
-- @plpgsql_check_options: security_warnings = off
begin
    if current_user::pg_catalog.text operator(pg_catalog.<>) p_role::pg_catalog.text then
        raise insufficient_privilege using
            message = 'the queries of rules run as another role than they should',
            hint = 'Somebody has altered monitoring._run_rule_query(): run pgvigil migrate --reload.';
    end if;
    declare
        v_row pg_catalog.jsonb;
        v_rows pg_catalog.jsonb [] := array[]::pg_catalog.jsonb [];
        v_is_complete pg_catalog.bool := false;
    begin
        -- All of it is undone with the block. From PostgreSQL 16 on a function cannot be marked as
        -- read-only; set within, nothing can take it back before the block ends.
        perform
            set_config('datestyle', 'ISO, YMD', true),
            set_config('timezone', 'UTC', true),
            set_config('extra_float_digits', '1', true),
            set_config('search_path', 'pg_catalog, monitoring, pg_temp', true),
            -- Rows that a policy hides are not rows that are not there: PostgreSQL raises instead.
            set_config('row_security', 'off', true);
        perform
            set_config('monitoring.now', p_moment, true),
            set_config('transaction_read_only', 'on', true);
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
        v_is_complete := true;
        raise transaction_rollback;
    exception
        when transaction_rollback then
            if not v_is_complete then
                raise;
            end if;
            return v_rows;
    end;
end
$$;

-- Fingerprint of a row that a rule's query returned: of a long one its beginning and a checksum.
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

-- Labels of a row that a rule's query returned: its labels, and each column that means nothing
-- else.
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

-- What a row is that the query of a rule returned, or PV001 to PV005.
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

-- What the query of an own rule finds as of a given time.
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
    foreach v_row in array monitoring._limited_rule_query(
        p_rule.query, p_now, monitoring._deadline(p_rule.time_limit_seconds), 1000, 'rule_query'
    )
    loop
        return next monitoring._rule_finding(p_rule.rule_name, p_rule.unit, v_row);
    end loop;
end
$$;

-- What the query of an own rule returns for an alert as of a given time.
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
        monitoring._limited_rule_query(
            v_rule.query, p_now, monitoring._deadline(v_rule.time_limit_seconds), 1000,
            'explanation'
        )
    ) with ordinality q (found, position)
    where monitoring._rule_fingerprint(q.found) = p_alert.fingerprint
    order by q.position
    limit p_limit;
end
$$;

-- Rows of a rule's query as objects; it is cancelled at its deadline, and its session is left as
-- it was found.
create or replace function monitoring._limited_rule_query(
    p_query text, p_now timestamptz, p_deadline integer, p_at_most integer, p_slots text
)
returns jsonb[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_found constant text [] := monitoring._kept_by_session();
    v_slot constant text := monitoring._begin_time_limit(p_slots, p_deadline);
    v_rows jsonb [];
begin
    begin
        begin
            v_rows := monitoring._run_rule_query(
                p_query, monitoring._sealed_time(p_now), p_at_most,
                (
                    select pg_get_userbyid(p.proowner)::text from pg_proc p
                    where p.oid = 'monitoring._run_rule_query(text,text,integer,text)'::regprocedure
                )
            );
        exception
            when query_canceled or assert_failure or others then
                perform monitoring._end_time_limit(v_slot);
                raise;
        end;
        perform monitoring._end_time_limit(v_slot);
    exception
        when query_canceled or assert_failure or others then
            perform monitoring._leave_session_as(v_found);
            raise;
    end;
    perform monitoring._leave_session_as(v_found);
    return v_rows;
end
$$;
