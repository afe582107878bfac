-- Runs of programs that watch records, which are finished tasks. Writes finished_tasks,
-- active_tasks, program_runs and errors.

-- The type of the tasks that runs over a dataset are.
create or replace function monitoring._type_of_program_run(p_dataset text) returns text
language sql
stable
return monitoring._fitted_name(monitoring._printable_name('records.' || p_dataset));

-- The name of a run that was given none: the same run told again has the same, and is told once.
create or replace function monitoring._name_of_program_run(
    p_dataset text, p_target_date date, p_run_mode text, p_finished_at timestamptz
)
returns text
language sql
stable
return monitoring._fitted_name(monitoring._printable_name(format(
    '%s/%s/%s/%s', p_dataset, p_target_date, p_run_mode,
    to_char(p_finished_at at time zone 'UTC', 'YYYYMMDD"T"HH24MISSUS')
)));

-- Completes the running task of a program run, or records one that has ended, and returns it.
create or replace function monitoring._end_program_run(
    p_dataset text,
    p_task_id text,
    p_status text,
    p_stats jsonb,
    p_metadata jsonb,
    p_execution_time interval,
    p_finished_at timestamptz
)
returns monitoring._all_finished_tasks
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task monitoring._all_finished_tasks;
begin
    if exists (select from monitoring.active_tasks a where a.task_id = p_task_id) then
        perform monitoring._complete_task(
            p_task_id, p_status, null, null, p_stats, p_metadata, p_finished_at
        );
    else
        perform monitoring._record_rows(
            'finished_tasks', 'processing_metrics', 'end_time',
            jsonb_build_array(jsonb_build_object(
                'task_id', p_task_id, 'task_type', monitoring._type_of_program_run(p_dataset),
                'status', p_status, 'start_time', p_finished_at - p_execution_time,
                'end_time', p_finished_at, 'counters', p_stats, 'metadata', p_metadata
            ))
        );
    end if;
    select t.* into v_task
    from monitoring._all_finished_tasks t
    where t.task_id = p_task_id and t.finished_at >= p_finished_at
    order by t.finished_at, t.attempt desc
    limit 1;
    return v_task;
end
$$;

-- Does the work of log_program_execution.
create or replace function monitoring._log_program_execution(
    p_dataset text,
    p_target_date date,
    p_stats jsonb,
    p_execution_time interval,
    p_run_mode text,
    p_task_id text,
    p_finished_at timestamptz,
    p_status text,
    p_error_message text
)
returns text
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_dataset text := monitoring._mended_key('dataset', p_dataset);
    v_run_mode text := monitoring._mended_name('run_mode', p_run_mode);
    v_status text := monitoring._mended_end_status(p_status);
    v_finished_at timestamptz := monitoring._event_time(p_finished_at);
    v_message text := monitoring._capped_text(nullif(p_error_message, ''), 4000);
    v_task_id text;
    v_task monitoring._all_finished_tasks;
begin
    p_target_date := monitoring._mended_date(
        'target_date', p_target_date, 'the day that the run looked at',
        (v_finished_at at time zone monitoring._time_zone_of(v_dataset))::date
    );
    if p_execution_time < interval '0' or p_execution_time > interval '100 years' then
        perform monitoring._tell_repair(
            'execution_time',
            monitoring._fault_of_number(
                'execution_time', p_execution_time::text, 'a length of time from 0 up'
            ),
            'left out'
        );
        p_execution_time := null;
    end if;
    v_task_id := coalesce(
        monitoring._mended_optional_name('task_id', p_task_id),
        monitoring._name_of_program_run(v_dataset, p_target_date, v_run_mode, v_finished_at)
    );
    v_task := monitoring._end_program_run(
        v_dataset, v_task_id, v_status, monitoring._mended_numbers('stats', p_stats),
        jsonb_strip_nulls(jsonb_build_object(
            'dataset', v_dataset, 'target_date', p_target_date, 'run_mode', v_run_mode,
            'error_message', v_message
        )),
        p_execution_time, v_finished_at
    );
    insert into monitoring.program_runs (
        dataset, target_date, finished_at, task_id, attempt, run_mode, status, started_at
    )
    values (
        v_dataset, p_target_date, v_task.finished_at, v_task.task_id, v_task.attempt, v_run_mode,
        v_task.status, v_task.started_at
    )
    on conflict do nothing;
    if found and v_message is not null and v_status in ('failed', 'timeout') then
        perform monitoring._record_error(
            v_task_id, 'records.run_' || v_status, 'high', p_error_message,
            monitoring._type_of_program_run(v_dataset),
            jsonb_build_object('dataset', v_dataset, 'target_date', p_target_date), null, null,
            v_finished_at
        );
    end if;
    return v_task_id;
end
$$;

-- A day; another one, and told of, when it is missing, before 1970 or years ahead.
create or replace function monitoring._mended_date(
    p_what text, p_date date, p_wanted text, p_else date
)
returns date
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if monitoring._is_possible_date(p_date) then
        return p_date;
    end if;
    perform monitoring._tell_repair(
        p_what, monitoring._fault_of_json(p_what, coalesce(p_date::text, 'null'), p_wanted),
        'recorded as ' || to_char(p_else, 'YYYY-MM-DD')
    );
    return p_else;
end
$$;

-- A number of seconds as an interval; null, and told of, unless from 0 to 1e9.
create or replace function monitoring._seconds(p_seconds double precision) returns interval
language sql
volatile
return make_interval(secs => case
    when p_seconds is null or p_seconds between 0 and 1e9 then p_seconds
    else monitoring._mend_length('execution_time', p_seconds::text)
end);

-- A length of time that is written as text; null, and told of, when it is none.
create or replace function monitoring._mended_interval(p_what text, p_value text) returns interval
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    return p_value::interval;
exception
    when data_exception then
        perform monitoring._tell_repair(
            p_what,
            monitoring._fault_of_number(p_what, p_value, 'a length of time such as 90 seconds'),
            'left out'
        );
        return null;
end
$$;

-- The row of processing_log of a run that ended at a time or, as its task had begun later, soon
-- after; null when there is none.
create or replace function monitoring._program_run(
    p_dataset text, p_target_date date, p_task_id text, p_finished_at timestamptz
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select to_jsonb(l) from monitoring.processing_log l
        where l.dataset = p_dataset and l.target_date = p_target_date and l.task_id = p_task_id
            and l.finished_at >= p_finished_at
        order by l.finished_at
        limit 1
    );
end
$$;

create or replace function monitoring.log_program_execution(
    p_dataset text,
    p_target_date date,
    p_stats jsonb,
    p_execution_time interval,
    p_run_mode text default 'full',
    p_task_id text default null,
    p_finished_at timestamptz default null,
    p_status text default 'completed',
    p_error_message text default null,
    p_is_dry_run boolean default false
)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_finished_at timestamptz := coalesce(p_finished_at, monitoring.clock());
    v_task_id text;
    v_row jsonb;
    v_is_new boolean;
begin
    if p_is_dry_run is not true then
        return monitoring._log_program_execution(
            p_dataset, p_target_date, p_stats, p_execution_time, p_run_mode, p_task_id,
            p_finished_at, p_status, p_error_message
        );
    end if;
    begin
        v_task_id := monitoring._log_program_execution(
            p_dataset, p_target_date, p_stats, p_execution_time, p_run_mode, p_task_id,
            v_finished_at, p_status, p_error_message
        );
        v_row := monitoring._program_run(p_dataset, p_target_date, v_task_id, v_finished_at);
        -- Takes back all that was written; none of our refusals is of this class.
        raise exception 'dry run';
    exception
        when raise_exception then null;
    end;
    v_is_new := monitoring._program_run(p_dataset, p_target_date, v_task_id, v_finished_at) is null;
    return (jsonb_build_object('is_dry_run', true, 'is_new', v_is_new) || v_row)::text;
end
$$;

comment on function monitoring.log_program_execution(
    text, date, jsonb, interval, text, text, timestamptz, text, text, boolean
) is
'Records a run of a program over a day of a dataset with its statistics, a finished task of type '
'records.DATASET; with the name of a running task it completes that one. Returns the task_id, in a '
'dry run the row of processing_log that there would be and whether it is new, as JSON.';

create or replace function monitoring.log_program_execution(
    p_dataset text,
    p_target_date date,
    p_stats jsonb,
    p_execution_time double precision,
    p_run_mode text default 'full',
    p_task_id text default null,
    p_finished_at timestamptz default null,
    p_status text default 'completed',
    p_error_message text default null,
    p_is_dry_run boolean default false
)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return monitoring.log_program_execution(
        p_dataset, p_target_date, p_stats, monitoring._seconds(p_execution_time), p_run_mode,
        p_task_id, p_finished_at, p_status, p_error_message, p_is_dry_run
    );
end
$$;

comment on function monitoring.log_program_execution(
    text, date, jsonb, double precision, text, text, timestamptz, text, text, boolean
) is
'The same with the execution time as a number of seconds.';

create or replace function monitoring.log_program_execution(
    p_dataset text,
    p_target_date date,
    p_stats jsonb,
    p_execution_time text default null,
    p_run_mode text default 'full',
    p_task_id text default null,
    p_finished_at timestamptz default null,
    p_status text default 'completed',
    p_error_message text default null,
    p_is_dry_run boolean default false
)
returns text
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
begin
    return monitoring.log_program_execution(
        p_dataset, p_target_date, p_stats,
        monitoring._mended_interval('execution_time', p_execution_time), p_run_mode, p_task_id,
        p_finished_at, p_status, p_error_message, p_is_dry_run
    );
end
$$;

comment on function monitoring.log_program_execution(
    text, date, jsonb, text, text, text, timestamptz, text, text, boolean
) is
'The same with the execution time as a text, such as 90 seconds, or left out.';

call monitoring._ship_retention('program_runs', '30 days');
