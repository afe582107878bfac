-- What people say about sources of runs. Writes sources and source_runs.

-- Raises PV003 or PV005 unless an object names the columns that a source of runs needs, and no
-- others.
create or replace function monitoring._check_run_columns(p_columns jsonb, p_task_type text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_known text [] := array(select f.field from monitoring._run_fields() f);
    v_bad text;
begin
    if p_columns is null or jsonb_typeof(p_columns) <> 'object' then
        perform monitoring._refuse_json('columns', coalesce(p_columns::text, 'null'),
            'a JSON object such as {"run_id": "id", "status": "state"}');
    end if;
    select k.key into v_bad from jsonb_object_keys(p_columns) k (key)
    where k.key <> all (v_known) order by k.key limit 1;
    if v_bad is not null then
        perform monitoring._refuse_choice('key of columns', v_bad, v_known);
    end if;
    select c.key into v_bad from jsonb_each(p_columns) c
    where jsonb_typeof(c.value) <> 'string' order by c.key limit 1;
    if v_bad is not null then
        perform monitoring._refuse_json('columns.' || v_bad, (p_columns -> v_bad)::text,
            'the name of a column');
    end if;
    if not p_columns ?& array['run_id', 'status', 'started_at']
        or not p_columns ?| array['finished_at', 'updated_at']
        or not (p_columns ? 'task_type' or p_task_type is not null)
    then
        perform monitoring._refuse_json('columns', p_columns::text,
            'an object with run_id, status and started_at, with finished_at or updated_at, and '
            'with task_type unless p_task_type is given');
    end if;
end
$$;

-- What status codes mean, codes in upper case and without blanks; PV003 or PV005 when that is
-- not clear.
create or replace function monitoring._checked_meanings(
    p_statuses jsonb, p_meanings text[], p_example text
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_bad record;
    v_statuses jsonb;
begin
    if p_statuses is null or jsonb_typeof(p_statuses) <> 'object' or p_statuses = '{}' then
        perform monitoring._refuse_json('statuses', coalesce(p_statuses::text, 'null'),
            'a JSON object such as ' || p_example);
    end if;
    select s.key, s.value #>> '{}' as meaning into v_bad
    from jsonb_each(p_statuses) s
    where (s.value #>> '{}' = any (p_meanings)) is not true
    order by s.key limit 1;
    if found then
        perform monitoring._refuse_choice('meaning of status ' || left(v_bad.key, 40), v_bad.meaning,
            p_meanings);
    end if;
    select monitoring._status_code(s.key) as key into v_bad
    from jsonb_each_text(p_statuses) s
    group by monitoring._status_code(s.key) having count(distinct s.value) > 1
    limit 1;
    if found then
        perform monitoring._refuse_json('statuses', p_statuses::text,
            format('an object that says once what "%s" means; case and blanks do not count',
                v_bad.key));
    end if;
    select jsonb_object_agg(monitoring._status_code(s.key), s.value) into v_statuses
    from jsonb_each(p_statuses) s;
    return v_statuses;
end
$$;

-- Days of an interval, or PV004 when runs would be forgotten while they can still be read.
create or replace function monitoring._checked_look_back(p_look_back interval)
returns double precision
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_keep interval;
begin
    select p.keep into v_keep from monitoring.retention_policies p
    where p.table_name = 'source_runs' and p.category = '';
    -- What was seen must be remembered for as long as it can be seen again.
    if (p_look_back between interval '1 hour' and coalesce(v_keep, interval '366 days'))
        is not true
    then
        perform monitoring._refuse_number('look_back', p_look_back::text, format(
            'an interval from 1 hour to %s, for which source_runs is kept',
            coalesce(v_keep, interval '366 days')
        ));
    end if;
    return date_part('epoch', p_look_back) / 86400;
end
$$;

create or replace function monitoring.register_run_source(
    p_source_name text,
    p_relation text,
    p_columns jsonb,
    p_statuses jsonb,
    p_task_type text default null,
    p_time_zone text default 'UTC',
    p_look_back interval default '7 days',
    p_by text default null,
    p_work text default 'type',
    p_failed_severity text default null,
    p_every interval default '15 minutes',
    p_timeout interval default '10 minutes'
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_source monitoring.sources;
begin
    v_source := monitoring._new_source(
        p_source_name, 'run', p_relation, p_columns, p_time_zone, p_every, p_timeout, p_by
    );
    perform monitoring._checked_optional_name('task_type', p_task_type);
    perform monitoring._check_run_columns(p_columns, nullif(p_task_type, ''));
    if (p_work in ('type', 'run')) is not true then
        perform monitoring._refuse_choice('work', p_work, array['type', 'run']);
    end if;
    if p_failed_severity not in ('low', 'medium', 'high', 'critical') then
        perform monitoring._refuse_choice('failed_severity', p_failed_severity,
            array['low', 'medium', 'high', 'critical']);
    end if;
    v_source.statuses := monitoring._checked_meanings(
        p_statuses, array['pending', 'running', 'completed', 'failed', 'cancelled'],
        '{"RN": "running", "CP": "completed", "ER": "failed"}'
    );
    v_source.settings := jsonb_strip_nulls(jsonb_build_object(
        'task_type', nullif(p_task_type, ''), 'work', p_work,
        'look_back_days', monitoring._checked_look_back(p_look_back),
        'failed_severity', p_failed_severity
    ));
    -- Other times of the same runs must not look like runs begun anew.
    update monitoring.source_runs k
    set started_at = null
    from monitoring.sources s
    where s.source_name = p_source_name
        and k.source_name = p_source_name
        and (s.relation_name, s.columns, s.time_zone)
        is distinct from (v_source.relation_name, v_source.columns, v_source.time_zone);
    perform monitoring._put_source(
        v_source, array(select c.value from jsonb_each_text(p_columns) c order by c.key)
    );
end
$$;

comment on function monitoring.register_run_source(
    text, text, jsonb, jsonb, text, text, interval, text, text, text, interval, interval
) is
'Registers the relation, or query:NAME, in which another system keeps its runs, which columns '
'they have and what their status codes mean; calling it again changes that. docs/sources.md lists '
'the settings.';
