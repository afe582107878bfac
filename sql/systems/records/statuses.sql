-- Recording changes of status that programs tell. Writes record_states and status_changes.

call monitoring._ship_partitioned_table('status_changes', 'dataset', 'recorded_at');
call monitoring._ship_retention('status_changes', '30 days');

-- Query that reads records for _status_change_statement and refuses bad ones, made of
-- expressions for their array, whose length the planner sees, and for the actor of those that
-- name none.
create or replace function monitoring._status_records_query(p_rows text, p_actor text)
returns text
language sql
stable
return format(
    $query$
    select
        monitoring._key_of_row(r.value) as record_key,
        case
            when r.value -> 'status' <> 'null'
                then monitoring._checked_name('status', r.value ->> 'status')
            when r.value ? 'status' then null
            else monitoring._refuse_name('status', null)
        end as status,
        case
            when r.value ->> 'effective_at' is not null
                then monitoring._checked_time((r.value ->> 'effective_at')::timestamptz)
        end as effective_at,
        monitoring._checked_optional_name('actor', coalesce(r.value ->> 'actor', %2$s)) as actor,
        case
            when r.value ->> 'change_source' is not null
                then monitoring._checked_change_source(r.value ->> 'change_source')
        end as change_source,
        monitoring._checked_object('details', r.value -> 'details') as details
    from unnest(%1$s) as r (value)$query$,
    p_rows, p_actor
);

-- Compares the statuses that a program tells with those that are known, and writes what differs.
create or replace function monitoring._apply_told_statuses(
    p_dataset text, p_records jsonb, p_change_source text, p_actor text, p_task_id text,
    p_is_dry_run boolean
)
returns monitoring.status_counts
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- The statement returns what the type has:
-- @plpgsql_check_options: other_warnings = off
declare
    v_now timestamptz := monitoring.clock();
    v_counts monitoring.status_counts;
begin
    execute monitoring._status_change_statement(
        monitoring._status_records_query('$7', '$8'), p_is_dry_run, v_now
    )
    into v_counts
    using p_dataset, p_change_source, v_now, null::text, p_task_id, false,
        array(select jsonb_array_elements(p_records)), p_actor;
    return v_counts;
end
$$;

-- Does the work of track_status_changes for records that a program names.
create or replace function monitoring._track_status_changes(
    p_dataset text, p_records jsonb, p_change_source text, p_actor text, p_task_id text,
    p_is_dry_run boolean
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_hint text;
    v_dataset text := monitoring._mended_key('dataset', p_dataset);
    v_change_source text := monitoring._mended_change_source(p_change_source);
    v_query text := monitoring._status_records_query('array[$1 -> 0]', quote_nullable(p_actor));
    v_records jsonb := monitoring._given_records(p_records, array[
        'record_key', 'status', 'effective_at', 'actor', 'change_source', 'details'
    ]);
begin
    p_actor := monitoring._mended_optional_name('actor', p_actor);
    p_task_id := monitoring._mended_optional_name('task_id', p_task_id);
    for v_reading in 1 .. 2 loop
        begin
            return monitoring._told_counts(
                v_dataset,
                to_jsonb(monitoring._apply_told_statuses(
                    v_dataset, v_records, v_change_source, p_actor, p_task_id, p_is_dry_run
                )),
                p_is_dry_run
            );
        exception
            when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV003'
                or sqlstate 'PV005' or sqlstate 'PV006' then
                    if monitoring._is_strict() then
                        perform monitoring._name_bad_record(v_query, v_records);
                    end if;
                    if v_reading = 2 or monitoring._is_strict() then
                        raise;
                    end if;
                    v_records := monitoring._readable_records(
                        v_query, v_records, array['record_key', 'status']
                    );
        end;
    end loop;
    return null;
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV003'
        or sqlstate 'PV004' or sqlstate 'PV005' or sqlstate 'PV006' or sqlstate 'PV007' then
            get stacked diagnostics v_hint = pg_exception_hint;
            perform monitoring._tell_refusal('track_status_changes', sqlstate, sqlerrm, v_hint);
            return null;
end
$$;

-- What a caller is told of the counts; a dry run shows the first changes as well.
create or replace function monitoring._told_counts(
    p_dataset text, p_counts jsonb, p_is_dry_run boolean
)
returns jsonb
language sql
stable
return jsonb_build_object('dataset', p_dataset) || (p_counts - 'sample')
|| case
    when p_is_dry_run
        then jsonb_build_object(
                'is_dry_run', true,
                'sample', coalesce(nullif(p_counts -> 'sample', 'null'), '[]')
            )
    else '{}'
end;

-- Does the work of track_status_changes for a day: reads every source of the dataset, or names
-- those of queries, which a client loads itself.
create or replace function monitoring._track_statuses_of_day(
    p_dataset text, p_target_date date, p_change_source text, p_task_id text, p_is_dry_run boolean,
    p_without_queries boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_hint text;
    v_source_name text;
    v_query_name text;
    v_sources jsonb;
    v_counts jsonb;
begin
    perform monitoring._checked_name('dataset', p_dataset);
    perform monitoring._checked_date('target_date', p_target_date);
    if p_target_date is null then
        perform monitoring._refuse_json('records', 'null',
            'a JSON array of objects, or as the date whose records sources are asked for');
    end if;
    for v_source_name, v_query_name in
        select s.source_name, substring(s.relation_name from '^query:(.*)$')
        from monitoring.sources s
        where s.kind = 'record' and s.settings ->> 'dataset' = p_dataset and s.is_enabled
        order by s.source_name
    loop
        if p_without_queries and v_query_name is not null then
            v_sources := coalesce(v_sources, '[]')
                || jsonb_build_object('source', v_source_name, 'query', v_query_name);
            continue;
        end if;
        begin
            v_sources := coalesce(v_sources, '[]')
                || monitoring.track_all_status_changes_from_source(
                    p_source_name => v_source_name, p_target_date => p_target_date,
                    p_change_source => p_change_source, p_task_id => p_task_id,
                    p_is_dry_run => p_is_dry_run
                );
        exception
            when sqlstate 'PV010' then
                -- The others are read all the same.
                get stacked diagnostics v_hint = pg_exception_hint;
                perform monitoring._tell_repair(
                    'track_status_changes', array[sqlstate, sqlerrm, v_hint],
                    format('source "%s" was left out', v_source_name)
                );
                v_sources := coalesce(v_sources, '[]')
                    || jsonb_build_object('source', v_source_name, 'error', sqlerrm);
        end;
    end loop;
    if v_sources is null then
        perform monitoring._refuse_unknown(
            'record source of dataset', p_dataset,
            'Register one with register_record_source, or give the records themselves.'
        );
    end if;
    select jsonb_object_agg(c.name, c.records) into v_counts
    from (
        select e.key as name, sum(e.value::bigint) as records
        from jsonb_array_elements(v_sources) s, jsonb_each(s.value) e
        where e.key in ('compared', 'unchanged', 'new', 'changed', 'gone', 'late', 'repeated')
            and jsonb_typeof(e.value) = 'number'
        group by e.key
    ) c;
    return jsonb_build_object('dataset', p_dataset, 'target_date', p_target_date)
        || coalesce(v_counts, '{}') || jsonb_build_object('sources', v_sources);
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV003'
        or sqlstate 'PV004' or sqlstate 'PV005' or sqlstate 'PV006' or sqlstate 'PV007' then
            get stacked diagnostics v_hint = pg_exception_hint;
            perform monitoring._tell_refusal('track_status_changes', sqlstate, sqlerrm, v_hint);
            return null;
end
$$;

-- Does the work of track_status_changes for a text, which is JSON or a date.
create or replace function monitoring._track_told_statuses(
    p_dataset text, p_records text, p_change_source text, p_actor text, p_task_id text,
    p_is_dry_run boolean
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_hint text;
    v_records jsonb;
    v_date date;
begin
    if p_records ~ '^[[:space:]]*[[{"]' then
        begin
            v_records := p_records::jsonb;
        exception
            when data_exception then
                v_records := monitoring._parsed_array(p_records);
                if v_records is null then
                    perform monitoring._refuse_json('records', p_records, 'valid JSON');
                end if;
        end;
        return monitoring._track_status_changes(
            p_dataset, v_records, coalesce(p_change_source, 'MONITOR'), p_actor, p_task_id,
            p_is_dry_run
        );
    end if;
    begin
        v_date := p_records::date;
    exception
        when data_exception then
            perform monitoring._refuse_json('records', p_records,
                'a JSON array of objects, or as a date such as 2026-01-15');
    end;
    return monitoring._track_statuses_of_day(
        p_dataset, v_date, p_change_source, p_task_id, p_is_dry_run
    );
exception
    when data_exception or sqlstate 'PV001' or sqlstate 'PV002' or sqlstate 'PV003'
        or sqlstate 'PV004' or sqlstate 'PV005' or sqlstate 'PV006' or sqlstate 'PV007' then
            get stacked diagnostics v_hint = pg_exception_hint;
            perform monitoring._tell_refusal('track_status_changes', sqlstate, sqlerrm, v_hint);
            return null;
end
$$;

create or replace function monitoring.track_status_changes(
    p_dataset text,
    p_records jsonb,
    p_change_source text default 'MONITOR',
    p_actor text default null,
    p_task_id text default null,
    p_is_dry_run boolean default false
)
returns jsonb
language sql
volatile
return monitoring._track_status_changes(
    coalesce(p_dataset, ''), p_records, p_change_source, p_actor, p_task_id,
    coalesce(p_is_dry_run, false)
);

comment on function monitoring.track_status_changes(text, jsonb, text, text, text, boolean) is
'Compares an array of records (record_key, status, and optionally effective_at, actor, '
'change_source, details) with their current statuses and records what differs; a status of null '
'means gone. Returns an object of counts, in a dry run of what would be, with a sample.';

create or replace function monitoring.track_status_changes(
    p_dataset text,
    p_target_date date,
    p_change_source text default null,
    p_task_id text default null,
    p_is_dry_run boolean default false,
    p_without_queries boolean default false
)
returns jsonb
language sql
volatile
return monitoring._track_statuses_of_day(
    coalesce(p_dataset, ''), p_target_date, p_change_source, p_task_id,
    coalesce(p_is_dry_run, false), coalesce(p_without_queries, false)
);

comment on function monitoring.track_status_changes(text, date, text, text, boolean, boolean) is
'Reads the records of a day from every source of the dataset, with the change source of each '
'source unless one is given; or names those of queries, for clients that load them. Returns the '
'counts of all, and of each.';

create or replace function monitoring.track_status_changes(
    p_dataset text,
    p_records text,
    p_change_source text default null,
    p_actor text default null,
    p_task_id text default null,
    p_is_dry_run boolean default false
)
returns jsonb
language sql
volatile
return monitoring._track_told_statuses(
    coalesce(p_dataset, ''), p_records, p_change_source, p_actor, p_task_id,
    coalesce(p_is_dry_run, false)
);

comment on function monitoring.track_status_changes(text, text, text, text, text, boolean) is
'Takes a plain literal: JSON for the records themselves, or the date of those that sources have.';

-- Whoever forgot a status would take it for new when it is read again: statuses
-- outlive their history.
call monitoring._ship_retention('record_states', '1 year');
