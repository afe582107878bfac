-- Rules that users make. Writes alert_rules, and through functions thresholds and what became of
-- rules.

-- Raises PV008 for a query that cannot be run, or returns what no alert can be made of.
create or replace function monitoring._refuse_rule_query(p_problem text, p_hint text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    raise exception using
        errcode = 'PV008', message = format('the query %s', p_problem), hint = p_hint;
end
$$;

-- What would be right, by the SQLSTATE and message of the error that a rule's query ended with.
create or replace function monitoring._rule_query_hint(p_sqlstate text, p_message text)
returns text
language sql
immutable
return case
    -- A rule that sees some rows only would be silent about the others.
    when p_sqlstate = '42501' and p_message ~ 'row-level security'
        then 'The table hides rows from monitoring_reader. Let its owner make a view of it, and '
            || 'grant select on that; or: alter role monitoring_reader bypassrls.'
    when p_sqlstate = '42501'
        then 'Own rules run with the rights of monitoring_reader and cannot call what writes; let '
            || 'it read your tables: grant select on ... to monitoring_reader.'
    when p_sqlstate ~ '^25' then 'A rule can only read.'
    when p_sqlstate in ('42P01', '3F000', '42883')
        then 'Name what is not in schema monitoring with its schema; of pgvigil itself there are '
            || 'views and get_... functions to read.'
    when p_sqlstate in ('42601', '42P11', '0A000')
        then 'Give one select that returns a row for each alert.'
    else 'Run the query by itself to see what is wrong with it.'
end;

-- Rows of a rule's query as of now, or PV008 with what would be right.
create or replace function monitoring._try_rule_query(
    p_query text, p_deadline integer, p_at_most integer
)
returns jsonb[]
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return monitoring._limited_rule_query(
        p_query, monitoring.clock(), p_deadline, p_at_most, 'rule_query'
    );
exception
    when query_canceled then
        raise exception using
            errcode = 'PV008',
            message = 'the query takes longer than its time limit',
            hint = 'Let it read less, such as the last hour, or give p_time_limit.';
    when others then
        if sqlstate ~ '^PV' then
            raise;
        end if;
        raise exception using
            errcode = 'PV008',
            message = format('the query cannot be run: %s', sqlerrm),
            hint = monitoring._rule_query_hint(sqlstate, sqlerrm);
end
$$;

-- Columns that a rule's query returns, as an object of types by name.
create or replace function monitoring._rule_query_types(p_query text, p_deadline integer)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_empty constant text := format(
        'select %%s from (select) as one left join (select * from (%s%s) as q limit 0) as q on true',
        replace(p_query, '%', '%%'), E'\n'
    );
    v_columns text [];
begin
    v_columns := array(
        select k.name
        from jsonb_object_keys(
            (monitoring._try_rule_query(format(v_empty, 'q.*'), p_deadline, 1))[1]
        ) k (name)
    );
    if cardinality(v_columns) = 0 then
        return '{}'::jsonb;
    end if;
    return (monitoring._try_rule_query(
        format(v_empty, (
            select string_agg(format('pg_typeof(q.%1$I)::text as %1$I', c.name), ', ')
            from unnest(v_columns) c (name)
        )),
        p_deadline, 1
    ))[1];
end
$$;

-- Raises PV008 when a rule's query returns a column as another type than those allowed.
create or replace function monitoring._check_rule_column(
    p_types jsonb, p_column text, p_allowed text[], p_wanted text
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_type text := p_types ->> p_column;
begin
    if v_type <> all (p_allowed) then
        perform monitoring._refuse_rule_query(
            format('returns column "%s" as %s', p_column, v_type),
            format('Return %s as %s.', p_column, p_wanted)
        );
    end if;
end
$$;

-- Raises PV008 unless alerts can be made of what a query returns, given its columns' types.
create or replace function monitoring._check_rule_columns(p_types jsonb, p_has_thresholds boolean)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_numbers constant text [] := array[
        'smallint', 'integer', 'bigint', 'real', 'double precision', 'numeric'
    ];
    v_texts constant text [] := array['text', 'character varying', 'character', 'name'];
begin
    if not p_types ? 'fingerprint' then
        perform monitoring._refuse_rule_query(
            'returns no column "fingerprint"',
            'Return as fingerprint what was found, such as the name of a customer; besides it value '
            'or severity, and if you like threshold, labels, summary.'
        );
    end if;
    if not p_types ?| array['value', 'severity'] then
        perform monitoring._refuse_rule_query(
            'returns neither column "value" nor column "severity"',
            'Return as value what is compared with the thresholds, or severity itself.'
        );
    end if;
    if not p_has_thresholds and not p_types ? 'severity' then
        perform monitoring._refuse_rule_query(
            'returns no column "severity" and the rule has no thresholds',
            'Give thresholds such as {"high": 10}, or return severity: low, medium, high, critical.'
        );
    end if;
    perform monitoring._check_rule_column(p_types, 'value', v_numbers,
        'a number; of an interval take extract(epoch from ...)');
    perform monitoring._check_rule_column(p_types, 'threshold', v_numbers, 'a number');
    perform monitoring._check_rule_column(p_types, 'severity', v_texts,
        'a text: low, medium, high or critical');
    perform monitoring._check_rule_column(p_types, 'summary', v_texts, 'a text');
    perform monitoring._check_rule_column(p_types, 'labels', array['jsonb', 'json'],
        'a jsonb object of texts');
end
$$;

-- The query without a semicolon at its end, after it was run once, or PV008.
create or replace function monitoring._checked_rule_query(
    p_query text, p_has_thresholds boolean, p_time_limit_seconds double precision
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_query constant text := regexp_replace(p_query, '[[:space:];]+$', '');
    v_deadline constant integer := monitoring._deadline(p_time_limit_seconds);
    v_row jsonb;
begin
    if v_query is null or v_query !~ '[^[:space:]]' or length(v_query) > 65536 then
        perform monitoring._refuse_rule_query(
            case
                when length(v_query) > 65536
                    then format('is too long: %s characters', length(v_query))
                else 'is missing'
            end,
            'Give a select of at most 65,536 characters that returns a row for each alert.'
        );
    end if;
    perform monitoring._check_rule_columns(
        monitoring._rule_query_types(v_query, v_deadline), p_has_thresholds
    );
    foreach v_row in array monitoring._try_rule_query(v_query, v_deadline, 1000) loop
        perform monitoring._rule_finding('', null, v_row);
    end loop;
    return v_query;
end
$$;

-- Raises PV001 to PV003 unless a rule can be made under that name.
create or replace function monitoring._check_new_rule_name(p_rule_name text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_family text;
begin
    perform monitoring._checked_name('rule_name', p_rule_name);
    select r.family into v_family from monitoring.alert_rules r where r.rule_name = p_rule_name;
    if found then
        raise exception using
            errcode = 'PV003',
            message = format('there is %s rule "%s" already',
                case v_family when 'own' then 'an own' else 'a built-in' end, p_rule_name),
            hint = case v_family
                when 'own' then 'Remove it first with remove_alert_rule(), or take another name.'
                else 'Take another name; a built-in rule is changed with change_alert_rule() and '
                    'set_alert_thresholds().'
            end;
    end if;
end
$$;

create or replace function monitoring.create_alert_rule(
    p_rule_name text,
    p_query text,
    p_thresholds jsonb default null,
    p_description text default null,
    p_comparison text default '>',
    p_for interval default '0',
    p_keep_firing_for interval default '0',
    p_for_evaluations integer default 1,
    p_no_data text default 'ok',
    p_on_error text default 'keep',
    p_time_limit interval default '10 seconds',
    p_unit text default null
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_settings constant jsonb := jsonb_build_object(
        'comparison', p_comparison,
        'no_data', p_no_data,
        'on_error', p_on_error,
        'for_seconds', date_part('epoch', p_for),
        'for_evaluations', p_for_evaluations,
        'keep_firing_seconds', date_part('epoch', p_keep_firing_for),
        'time_limit_seconds', date_part('epoch', p_time_limit)
    );
begin
    perform monitoring._check_new_rule_name(p_rule_name);
    perform monitoring._checked_setting(s.key, s.value) from jsonb_each(v_settings) s;
    if nullif(p_thresholds, 'null') is not null then
        perform monitoring._checked_thresholds(p_thresholds, p_comparison);
    end if;
    insert into monitoring.alert_rules (
        rule_name, family, query, decided, changed_by, changed_at
    )
    values (
        p_rule_name,
        'own',
        monitoring._checked_rule_query(
            p_query, nullif(p_thresholds, 'null') is not null, date_part('epoch', p_time_limit)
        ),
        v_settings || jsonb_strip_nulls(jsonb_build_object(
            'description', monitoring._capped_text(p_description, 8000),
            'unit', monitoring._capped_text(p_unit, 255)
        )),
        session_user,
        monitoring.clock()
    );
    perform monitoring._note_rule_change(p_rule_name, null);
    perform monitoring.set_alert_thresholds(p_rule_name, p_thresholds);
end
$$;

comment on function monitoring.create_alert_rule(
    text, text, jsonb, text, text, interval, interval, integer, text, text, interval, text
) is
'Makes an alert rule of a query, which is run once to check it; docs/own-rules.md says what it '
'returns. It can only read, with the rights of monitoring_reader.';

-- Removes a rule with all that belongs to it.
create or replace function monitoring._forget_rule(p_rule_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_old constant jsonb := monitoring._whole_rule_config(monitoring._found_rule(p_rule_name));
begin
    delete from monitoring.alert_rules where rule_name = p_rule_name;
    delete from monitoring.alert_thresholds where rule_name = p_rule_name;
    delete from monitoring.alert_rule_states where rule_name = p_rule_name;
    delete from monitoring.alert_inhibitions where p_rule_name in (source_rule, target_rule);
    perform monitoring._note_rule_change(p_rule_name, v_old);
end
$$;

create or replace function monitoring.remove_alert_rule(p_rule_name text) returns boolean
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_family text;
begin
    perform monitoring._lock_alerts();
    select r.family into v_family from monitoring.alert_rules r where r.rule_name = p_rule_name;
    if not found then
        return false;
    end if;
    if v_family <> 'own' then
        raise exception using
            errcode = 'PV003',
            message = format('rule "%s" is built in and cannot be removed', p_rule_name),
            hint = format('Disable it: select disable_alert_rule(%L).', p_rule_name);
    end if;
    perform monitoring._forget_rule(p_rule_name);
    return true;
end
$$;

comment on function monitoring.remove_alert_rule(text) is
'Removes an own rule with its thresholds and inhibitions, and returns whether there was one; its '
'open alerts resolve at the next evaluation.';
