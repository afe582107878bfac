-- Past products of records, runs of programs and daily summaries. Writes products_of_records,
-- program_runs, daily_summaries, and finished_tasks for the runs.

-- Inserts an array of products of records; one that is known since a later time stays as it is.
create or replace function monitoring._load_past_products(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_written bigint;
begin
    insert into monitoring.products_of_records as p (
        dataset, record_key, product, quantity, amount, details, first_seen_at, changed_at, task_id
    )
    select distinct on (r.dataset, r.record_key, r.product)
        monitoring._checked_name('dataset', r.dataset),
        monitoring._checked_name('record_key', r.record_key),
        monitoring._checked_name('product', r.product),
        r.quantity,
        r.amount,
        monitoring._capped_json(r.details),
        monitoring._checked_time(coalesce(r.first_seen_at, r.changed_at)),
        monitoring._checked_time(r.changed_at),
        monitoring._checked_optional_name('task_id', r.task_id)
    from jsonb_to_recordset(p_rows) as r (
            dataset text,
            record_key text,
            product text,
            quantity double precision,
            amount numeric,
            details jsonb,
            first_seen_at timestamptz,
            changed_at timestamptz,
            task_id text
        )
    order by r.dataset, r.record_key, r.product, r.changed_at desc
    on conflict (dataset, record_key, product) do update
        set
            quantity = excluded.quantity,
            amount = excluded.amount,
            details = excluded.details,
            first_seen_at = least(p.first_seen_at, excluded.first_seen_at),
            changed_at = excluded.changed_at,
            task_id = excluded.task_id
        where p.changed_at < excluded.changed_at;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;

-- An array of runs of programs as rows, each checked; one without a name gets the name that
-- log_program_execution() would have given it.
create or replace function monitoring._told_program_runs(p_rows jsonb)
returns table (
    dataset text,
    target_date date,
    run_mode text,
    status text,
    started_at timestamptz,
    finished_at timestamptz,
    task_id text,
    statistics jsonb,
    error_message text
)
language sql
volatile
begin atomic
    select distinct
        n.dataset,
        n.target_date,
        n.run_mode,
        monitoring._mended_end_status(coalesce(r.status, 'completed')) as status,
        coalesce(
            r.started_at,
            n.finished_at - make_interval(
                secs => monitoring._mended_length('execution_seconds', r.execution_seconds)
            )
        ) as started_at,
        n.finished_at,
        coalesce(
            monitoring._checked_optional_name('task_id', r.task_id),
            monitoring._name_of_program_run(n.dataset, n.target_date, n.run_mode, n.finished_at)
        ) as task_id,
        monitoring._mended_numbers('statistics', r.statistics) as statistics,
        monitoring._capped_text(r.error_message, 4000) as error_message
    from jsonb_to_recordset(p_rows) as r (
            dataset text,
            target_date date,
            run_mode text,
            status text,
            started_at timestamptz,
            finished_at timestamptz,
            execution_seconds double precision,
            task_id text,
            statistics jsonb,
            error_message text
        )
    cross join
        lateral (
            select
                monitoring._checked_name('dataset', r.dataset) as dataset,
                monitoring._checked_name('run_mode', coalesce(r.run_mode, 'full')) as run_mode,
                monitoring._checked_time(r.finished_at) as finished_at,
                monitoring._checked_date(
                    'target_date',
                    coalesce(
                        r.target_date,
                        (r.finished_at at time zone monitoring._time_zone_of(r.dataset))::date
                    )
                ) as target_date
        ) as n;
end;

-- The tasks that runs of programs are, as rows for their insert function, but for those that are
-- here.
create or replace function monitoring._tasks_of_program_runs(p_runs jsonb) returns jsonb
language sql
volatile
return monitoring._unknown_tasks(coalesce(
    (
        select
            jsonb_agg(jsonb_build_object(
                'task_id', r.task_id,
                'task_type', monitoring._type_of_program_run(r.dataset),
                'status', r.status,
                'start_time', r.started_at,
                'end_time', r.finished_at,
                'counters', r.statistics,
                'metadata', jsonb_strip_nulls(jsonb_build_object(
                    'dataset', r.dataset, 'target_date', r.target_date, 'run_mode', r.run_mode,
                    'error_message', r.error_message
                ))
            ))
        from monitoring._told_program_runs(p_runs) as r
    ),
    '[]'
));

-- Inserts an array of past runs of programs, and returns how many were new.
create or replace function monitoring._load_past_program_runs(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_written bigint;
begin
    perform monitoring._insert_rows(
        'finished_tasks', 'end_time', monitoring._tasks_of_program_runs(p_rows)
    );
    insert into monitoring.program_runs (
        dataset, target_date, finished_at, task_id, attempt, run_mode, status, started_at
    )
    select
        r.dataset, r.target_date, r.finished_at, r.task_id, t.attempt, r.run_mode, t.status,
        t.started_at
    from monitoring._told_program_runs(p_rows) r
    cross join lateral (
        select f.*
        from monitoring._all_finished_tasks f
        where f.task_id = r.task_id and f.finished_at = r.finished_at
        order by f.attempt desc
        limit 1
    ) t
    on conflict do nothing;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;

-- Inserts an array of daily summaries; a day that has one keeps it.
create or replace function monitoring._load_past_summaries(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_written bigint;
begin
    insert into monitoring.daily_summaries (
        dataset, target_date, runs, records_queried, valid_records, invalid_records, records_stored,
        alerts_sent, invalid_opened, invalid_resolved, invalid_open, invalid_by_type, status_changes,
        status_changes_by_source, products, updated_at
    )
    select
        monitoring._checked_name('dataset', r.dataset),
        monitoring._checked_date('target_date', r.target_date),
        coalesce(monitoring._checked_size('runs', r.runs), 0),
        coalesce(monitoring._checked_size('records_queried', r.records_queried), 0),
        coalesce(monitoring._checked_size('valid_records', r.valid_records), 0),
        coalesce(monitoring._checked_size('invalid_records', r.invalid_records), 0),
        coalesce(monitoring._checked_size('records_stored', r.records_stored), 0),
        coalesce(monitoring._checked_size('alerts_sent', r.alerts_sent), 0),
        coalesce(monitoring._checked_size('invalid_opened', r.invalid_opened), 0),
        coalesce(monitoring._checked_size('invalid_resolved', r.invalid_resolved), 0),
        coalesce(monitoring._checked_size('invalid_open', r.invalid_open), 0),
        coalesce(monitoring._mended_numbers('invalid_by_type', r.invalid_by_type), '{}'),
        coalesce(monitoring._checked_size('status_changes', r.status_changes), 0),
        coalesce(
            monitoring._mended_numbers('status_changes_by_source', r.status_changes_by_source), '{}'
        ),
        coalesce(monitoring._checked_size('products', r.products), 0),
        monitoring._checked_time(r.updated_at)
    from jsonb_populate_recordset(null::monitoring.daily_summaries, p_rows) r
    on conflict do nothing;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;
