-- What is to be seen to before history is loaded: days without a partition, and rows that retention
-- would remove at once. Makes partitions.

-- When rows of history happened, as retention sees it, and which policy they go by; those whose
-- time cannot be read are left out.
create or replace function monitoring._times_of_history(p_kind text, p_rows jsonb)
returns table (table_name text, category text, happened_at timestamptz)
language sql
stable
begin atomic
    select
        k.table_name,
        coalesce(
            case p_kind
                when 'errors' then r.value ->> 'severity'
                when 'tasks' then r.value ->> 'task_type'
                when 'logs' then r.value ->> 'level'
            end,
            ''
        ) as category,
        (monitoring._told_time(
            case
                when p_kind = 'statuses' and r.value ->> 'recorded_at' is null
                    then r.value -> 'effective_at'
                else r.value -> k.time_column
            end
        ) #>> '{}')::timestamptz as happened_at
    from jsonb_array_elements(p_rows) as r
    inner join
        (
            values
            ('tasks', 'finished_tasks', 'end_time'),
            ('errors', 'errors', 'occurred_at'),
            ('metrics', 'metric_samples', 'recorded_at'),
            ('logs', 'log_lines', 'logged_at'),
            ('health', 'health_probes', 'checked_at'),
            ('queues', 'queue_samples', 'recorded_at'),
            ('records', 'invalid_record_states', 'resolved_at'),
            ('statuses', 'status_changes', 'recorded_at'),
            ('products', 'products_of_records', 'changed_at'),
            ('runs', 'finished_tasks', 'finished_at'),
            ('summaries', 'daily_summaries', 'target_date')
        ) as k (kind, table_name, time_column)
        on k.kind = p_kind
    where jsonb_typeof(r.value) = 'object';
end;

-- Makes those of some days' partitions that a table lacks, and returns how many it made.
create or replace function monitoring._make_days(p_table text, p_days date[]) returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_days is null then
        return 0;
    end if;
    perform monitoring._lock_partitions();
    return (
        select count(*) filter (where monitoring._make_partition(p_table, d.day))::integer
        from unnest(p_days) d (day)
    );
end
$$;

create or replace function monitoring.prepare_history(p_kind text, p_rows jsonb) returns jsonb
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_now timestamptz := monitoring.clock();
    v_table text;
    v_days date [];
    v_expired jsonb;
begin
    perform monitoring._view_of_history(p_kind);
    if (jsonb_typeof(p_rows) = 'array') is not true then
        perform monitoring._refuse_json(
            'rows', coalesce(p_rows::text, 'null'), 'a JSON array of objects, one a row'
        );
    end if;
    with told as materialized (
        select
            h.table_name, h.happened_at, c.category,
            coalesce(h.happened_at < monitoring._kept_from(c.keep, v_now), false) as is_expired
        from monitoring._times_of_history(p_kind, p_rows) h
        left join lateral (
            select p.category, p.keep
            from monitoring.retention_policies p
            where p.table_name = h.table_name and p.category in (
                -- Levels are told in any case.
                h.category, upper(h.category collate "C"), ''
            )
            order by p.category desc
            limit 1
        ) c on true
        where h.happened_at is not null
    )
    select
        (select min(t.table_name) from told t),
        (
            select array_agg(distinct (t.happened_at at time zone 'UTC')::date)
            from told t
            where not t.is_expired
                -- What is not late goes into the day itself, where it would not be seen that the
                -- same is late already.
                and t.happened_at >= '1970-01-01 00:00+00'
                and t.happened_at < monitoring._yesterday()
                and exists (
                    select from monitoring.partitioned_tables o where o.table_name = t.table_name
                )
                and not monitoring._has_place(t.table_name, t.happened_at)
        ),
        (
            select coalesce(jsonb_agg(to_jsonb(e) order by e.category), '[]')
            from (
                select t.table_name, t.category, count(*) as rows
                from told t
                where t.is_expired
                group by t.table_name, t.category
            ) e
        )
    into v_table, v_days, v_expired;
    return jsonb_build_object(
        'partitions', monitoring._make_days(v_table, v_days[1:100]), 'expired', v_expired
    );
end
$$;

comment on function monitoring.prepare_history(text, jsonb) is
'Makes the partitions that an array of rows for load_history() lacks, of 100 days at most, and '
'returns how many it made, and how many rows are older than their retention, which the next '
'clean-up removes: {"partitions": 3, "expired": [{"table_name", "category", "rows"}]}.';
