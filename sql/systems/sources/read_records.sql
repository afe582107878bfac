-- Reading a source of records, and recording what changed.
-- Writes record_states and status_changes, and what resolving and troubles write.

-- Expression for the faults that the rows in rows_read have, as an array of troubles, each with the
-- number of its rows and one of them.
create or replace function monitoring._bad_records() returns text
language sql
stable
-- One trouble a fault, however many rows have it.
return $query$
(
    select coalesce(jsonb_agg(jsonb_build_object(
        'trouble', 'bad_row', 'subject', f.fault, 'rows', f.rows,
        'message', f.fault || ' (rows: ' || f.rows || coalesce(', such as ' || f.example, '') || ')'
    ) order by f.fault), '[]')
    from (
        select b.fault, count(*) as rows, left(min(b.record_key), 100) as example
        from rows_read b
        where b.fault is not null
        group by b.fault
    ) f
) as troubles$query$;

-- Query for those in rows_read that are not bad, without a time as of when the source began to be
-- read, and of those that have become valid by AUTO_RESOLVE unless they say by what; of a complete
-- one, known records with bad rows, and those told since, as they are known.
create or replace function monitoring._told_records_query(
    p_is_complete boolean, p_read_since timestamptz, p_resolved text[]
)
returns text
language sql
stable
return format(
    'select b.record_key, b.status, coalesce(b.effective_at, %L) as effective_at, b.actor,'
    ' %s as change_source, b.details'
    ' from rows_read b'
    -- Written so that the planner expects it to hold for most.
    ' where case when b.fault is null then 1 else 0 end <> 0',
    -- A row that says no time was so when it was read, which may have been early.
    p_read_since,
    case
        when p_resolved = '{}' then 'b.change_source'
        else format(
                'coalesce(b.change_source, case when b.record_key = any (%L::text[])'
                ' then ''AUTO_RESOLVE'' end)',
                p_resolved
            )
    end
)
|| case
    -- Of a bad row nothing is known but that it is there: such a record is not gone.
    when p_is_complete
        then ' union all'
            ' select k.record_key, k.status, k.effective_at, null, k.change_source, null'
            ' from monitoring.record_states k'
            ' where k.dataset = $1 and k.record_key in ('
            '    select b.record_key from rows_read b where b.fault is not null'
            '    except select b.record_key from rows_read b where b.fault is null'
            ' )'
    else ''
end
|| case
    -- Nor is one that somebody told of after its place in the rows had been read.
    when p_is_complete and p_read_since is not null
        then format(
                ' union all'
                ' select k.record_key, k.status, k.effective_at, null, k.change_source, null'
                ' from monitoring.record_states k'
                ' where k.dataset = $1 and k.recorded_at >= %L::timestamptz'
                ' and exists (select from rows_read b)'
                ' and not exists (select from rows_read b where b.record_key = k.record_key)',
                p_read_since
            )
    else ''
end;

-- Resolves what is open of records that were found to be gone just now; returns of how many.
create or replace function monitoring._resolve_gone_records(
    p_source monitoring.sources, p_task_id text, p_now timestamptz
)
returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_dataset constant text := p_source.settings ->> 'dataset';
    v_keys text [];
begin
    v_keys := array(
        select distinct i.record_key
        from monitoring.invalid_record_states i
        inner join monitoring.record_states k
            on k.dataset = i.dataset and k.record_key = i.record_key
        where i.dataset = v_dataset and i.resolved_at = 'infinity'
            and k.status is null and k.recorded_at = p_now
        order by i.record_key
    );
    if v_keys = '{}' then
        return 0::bigint;
    end if;
    perform monitoring._resolve_invalid_records(
        v_dataset, null, jsonb_build_object('keys', v_keys), 'gone',
        'source ' || p_source.source_name, format('no longer in source %s', p_source.source_name),
        p_now, p_task_id => p_task_id
    );
    return cardinality(v_keys)::bigint;
end
$$;

-- Forgets which records are to be read again, now that a source was read: those whose status that
-- has changed, and where all of it was read those that had become valid before.
create or replace function monitoring._forget_records_to_read(
    p_source monitoring.sources, p_all_since timestamptz, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from monitoring.records_to_read r
    where r.source_name = p_source.source_name
        and (
            r.resolved_at <= p_all_since
            or exists (
                select from monitoring.record_states k
                where k.dataset = p_source.settings ->> 'dataset'
                    and k.record_key = r.record_key and k.recorded_at = p_now
            )
        );
end
$$;

-- Compares the rows of a source, or those of some records, with the current statuses, and records
-- what changed unless it is a dry run.
create or replace function monitoring._read_record_source(
    p_source monitoring.sources,
    p_target_date date,
    p_change_source text,
    p_task_id text,
    p_now timestamptz,
    p_is_dry_run boolean,
    p_keys text[] default null
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- A key must not depend on how the session of whoever asks writes values.
set datestyle = 'ISO'
set extra_float_digits = 1
-- Rows that a policy hides are not rows that are not there.
set row_security = off
as $$
-- The query comes from our own functions, which quote what is in it, and make its columns:
-- @plpgsql_check_options: security_warnings = off, other_warnings = off
declare
    v_kept constant text [] := monitoring._kept_by_session();
    v_rows text := monitoring._query_of_records(p_source, p_target_date, p_now, p_keys);
    v_is_all constant boolean := p_target_date is null and p_keys is null;
    v_is_complete boolean;
    v_read_since timestamptz;
    v_counts record;
    v_found jsonb;
    v_troubles jsonb;
    v_bad bigint;
    v_resolved bigint;
begin
    -- Rows of a query were read over a while; those of a relation are read at once.
    select l.started_at into v_read_since from monitoring.source_loads l
    where starts_with(p_source.relation_name, 'query:')
        and l.load_id = monitoring._load_to_read(p_source.relation_name);
    -- Of a day's records, or of some, the others are not missing.
    v_is_complete := (p_source.settings ->> 'is_complete')::boolean
        and p_keys is null and (p_target_date is null or not p_source.columns ? 'target_date');
    -- The rows are read once, whoever looks at them.
    execute monitoring._status_change_statement(
        monitoring._told_records_query(
            v_is_complete, v_read_since,
            array(
                select r.record_key from monitoring.records_to_read r
                where r.source_name = p_source.source_name
            )
        ),
        p_is_dry_run, p_now,
        format('rows_read as materialized (%s)', v_rows), monitoring._bad_records()
    )
    into v_counts
    using p_source.settings ->> 'dataset',
        coalesce(p_change_source, p_source.settings ->> 'change_source'), p_now,
        p_source.source_name, p_task_id, v_is_complete;
    perform monitoring._leave_session_as(v_kept);
    v_troubles := to_jsonb(v_counts) -> 'troubles';
    v_found := to_jsonb(v_counts) - 'troubles';
    v_bad := (select coalesce(sum((b.value ->> 'rows')::bigint), 0)::bigint
        from jsonb_array_elements(v_troubles) b);
    if v_is_complete and (v_found ->> 'compared')::bigint = 0 then
        raise exception using
            errcode = 'PV007',
            message = format('%s has no rows, though it always holds all records',
                p_source.relation_name),
            hint = 'Nothing was changed. Register it without p_is_complete if it may be empty.';
    end if;
    if not p_is_dry_run then
        if (v_found ->> 'gone')::bigint > 0 then
            v_resolved := monitoring._resolve_gone_records(p_source, p_task_id, p_now);
        end if;
        perform monitoring._forget_records_to_read(
            p_source, case when v_is_all then coalesce(v_read_since, p_now) end, p_now
        );
        -- A part of the rows does not show that the trouble with others is over.
        if v_is_all then
            perform monitoring._end_troubles(p_source.source_name, v_troubles, p_now);
        end if;
        if v_troubles <> '[]' then
            perform monitoring._tell_troubles(p_source.source_name, v_troubles, p_now);
        end if;
    end if;
    return jsonb_build_object('source', p_source.source_name) || v_found
        || jsonb_build_object('bad', v_bad, 'resolved', coalesce(v_resolved, 0));
end
$$;
