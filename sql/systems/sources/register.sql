-- What people say about sources. With whose rights they are read: foreign_code.sql. What a source
-- tells is believed: only members of the owner of this schema register one.
-- Writes run_sources, and clears what belongs to a source that is removed.

-- Raises PV007 unless there is a source of that name.
create or replace function monitoring._check_run_source(p_source_name text) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    if not exists (
        select from monitoring.run_sources s where s.source_name = p_source_name
    ) then
        raise exception using
            errcode = 'PV007',
            message = format('there is no source %s',
                coalesce('"' || left(p_source_name, 100) || '"', 'null')),
            hint = 'Take the name from v_run_sources, or call register_run_source() first.';
    end if;
end
$$;

-- The name of a relation with its schema, quoted where need be, or query:NAME; PV007 when there
-- is none.
create or replace function monitoring._checked_source_relation(p_relation text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_parts text [];
    v_name text;
begin
    perform monitoring._checked_name('relation', p_relation);
    if starts_with(p_relation, 'query:') then
        perform monitoring._found_source_query(substr(p_relation, 7));
        return p_relation;
    end if;
    begin
        v_parts := parse_ident(p_relation);
    exception
        when invalid_parameter_value then
            v_parts := '{}';
    end;
    if cardinality(v_parts) = 2 then
        v_name := format('%I.%I', v_parts[1], v_parts[2]);
    end if;
    if not exists (
        select from pg_class c
        inner join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = v_parts[1] and c.relname = v_parts[2] and cardinality(v_parts) = 2
            and c.relkind in ('r', 'p', 'v', 'm', 'f')
    ) then
        raise exception using
            errcode = 'PV007',
            message = format('there is no relation %s', left(p_relation, 100)),
            hint = 'Name a table, view or foreign table that exists, with its schema, such as '
                'billing.runs.';
    end if;
    return v_name;
end
$$;

-- Raises PV003 or PV005 unless an object names the columns that a source needs, and no others.
create or replace function monitoring._check_source_columns(p_columns jsonb, p_task_type text)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_known text [] := array(select f.field from monitoring._source_fields() f);
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
create or replace function monitoring._checked_source_statuses(p_statuses jsonb) returns jsonb
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
            'a JSON object such as {"RN": "running", "CP": "completed", "ER": "failed"}');
    end if;
    select s.key, s.value #>> '{}' as meaning into v_bad
    from jsonb_each(p_statuses) s
    where (s.value #>> '{}' in ('pending', 'running', 'completed', 'failed', 'cancelled')) is not true
    order by s.key limit 1;
    if found then
        perform monitoring._refuse_choice('meaning of status ' || left(v_bad.key, 40), v_bad.meaning,
            array['pending', 'running', 'completed', 'failed', 'cancelled']);
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

-- Raises PV007, with what to grant, unless sources can be read from a relation.
create or replace function monitoring._check_source_rights(p_relation text, p_columns text[])
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_reader oid;
    v_relation oid;
    v_schema oid;
begin
    if starts_with(p_relation, 'query:') then
        return; -- its rows are ours
    end if;
    select p.proowner into v_reader from pg_proc p
    where p.oid = 'monitoring.sync_run_source(text)'::regprocedure;
    select c.oid, n.oid into v_relation, v_schema
    from pg_class c
    inner join pg_namespace n on n.oid = c.relnamespace
    where format('%I.%I', n.nspname, c.relname) = p_relation;
    -- Either will do, but where code of others runs it must be the one without our rights.
    if not monitoring._reads_as_reader(p_relation, p_columns)
        and not monitoring._may_read(v_reader, v_relation, p_columns)
    then
        raise exception using
            errcode = 'PV007',
            message = format('%s may not read %s', pg_get_userbyid(v_reader), p_relation),
            hint = format(
                'Grant it: grant usage on schema %1$s to %3$I; grant select on %2$s to %3$I;',
                v_schema::regnamespace, p_relation, pg_get_userbyid(v_reader)
            );
    end if;
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
    p_failed_severity text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_source monitoring.run_sources;
begin
    perform monitoring._check_source_name(p_source_name, false);
    v_source.source_name := p_source_name;
    v_source.task_type := monitoring._checked_optional_name('task_type', p_task_type);
    v_source.relation_name := monitoring._checked_source_relation(p_relation);
    perform monitoring._check_source_columns(p_columns, v_source.task_type);
    v_source.columns := p_columns;
    v_source.statuses := monitoring._checked_source_statuses(p_statuses);
    perform monitoring._check_time_zone(p_time_zone);
    v_source.time_zone := p_time_zone;
    v_source.look_back_days := monitoring._checked_look_back(p_look_back);
    if (p_work in ('type', 'run')) is not true then
        perform monitoring._refuse_choice('work', p_work, array['type', 'run']);
    end if;
    v_source.work := p_work;
    if p_failed_severity not in ('low', 'medium', 'high', 'critical') then
        perform monitoring._refuse_choice('failed_severity', p_failed_severity,
            array['low', 'medium', 'high', 'critical']);
    end if;
    v_source.failed_severity := p_failed_severity;
    perform monitoring._check_source_rights(
        v_source.relation_name, array(select c.value from jsonb_each_text(p_columns) c)
    );
    -- Says which column is not there.
    perform from monitoring._source_columns(v_source);
    -- Other times of the same runs must not look like runs begun anew.
    update monitoring.run_source_runs k
    set started_at = null
    from monitoring.run_sources s
    where s.source_name = p_source_name
        and k.source_name = p_source_name
        and (s.relation_name, s.columns, s.time_zone)
        is distinct from (v_source.relation_name, v_source.columns, v_source.time_zone);
    insert into monitoring.run_sources as s (
        source_name, relation_name, columns, statuses, task_type, time_zone, look_back_days,
        work, failed_severity, changed_by, changed_at
    )
    values (
        v_source.source_name, v_source.relation_name, v_source.columns, v_source.statuses,
        v_source.task_type, v_source.time_zone, v_source.look_back_days,
        v_source.work, v_source.failed_severity,
        coalesce(p_by, session_user), monitoring.clock()
    )
    on conflict (source_name) do update
        set
            relation_name = excluded.relation_name,
            columns = excluded.columns,
            statuses = excluded.statuses,
            task_type = excluded.task_type,
            time_zone = excluded.time_zone,
            look_back_days = excluded.look_back_days,
            work = excluded.work,
            failed_severity = excluded.failed_severity,
            changed_by = excluded.changed_by,
            changed_at = excluded.changed_at;
end
$$;

comment on function monitoring.register_run_source(
    text, text, jsonb, jsonb, text, text, interval, text, text, text
) is
'Tells in which relation another system keeps its runs, which columns they have and what their '
'status codes mean; calling it again changes that. docs/sources.md says what may be said.';

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
    where p.table_name = 'run_source_runs' and p.category = '';
    -- What was seen must be remembered for as long as it can be seen again.
    if (p_look_back between interval '1 hour' and coalesce(v_keep, interval '366 days'))
        is not true
    then
        perform monitoring._refuse_number('look_back', p_look_back::text, format(
            'an interval from 1 hour to %s, for which run_source_runs is kept',
            coalesce(v_keep, interval '366 days')
        ));
    end if;
    return date_part('epoch', p_look_back) / 86400;
end
$$;

create or replace function monitoring.enable_run_source(
    p_source_name text, p_is_enabled boolean default true
)
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._check_run_source(p_source_name);
    update monitoring.run_sources s
    set is_enabled = coalesce(p_is_enabled, true)
    where s.source_name = p_source_name;
end
$$;

comment on function monitoring.enable_run_source(text, boolean) is
'Reads a source, or no longer; its running tasks stay as they are meanwhile.';

create or replace function monitoring.remove_run_source(p_source_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := monitoring.clock();
begin
    perform monitoring._check_run_source(p_source_name);
    -- Whoever reads it now is waited for, or would remember runs of no source.
    perform monitoring._guard('run source ' || p_source_name);
    perform monitoring._close_lost_runs(
        array_agg(p_source_name || ':' || k.run_id), array_agg(v_now), 'its source was removed'
    )
    from monitoring.run_source_runs k
    where k.source_name = p_source_name and k.ended_at = 'infinity';
    delete from monitoring.run_source_runs where source_name = p_source_name;
    update monitoring.run_source_troubles
    set ended_at = greatest(v_now, begun_at)
    where source_name = p_source_name and ended_at = 'infinity';
    delete from monitoring.run_sources where source_name = p_source_name;
end
$$;

comment on function monitoring.remove_run_source(text) is
'Forgets a source; what it has told stays in history, and what was running ends as lost.';
