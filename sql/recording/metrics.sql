-- Recording measured values, singly and by the thousand. Writes metric_samples.

call monitoring._ship_partitioned_table('metric_samples', 'metric_name', 'recorded_at');
call monitoring._ship_retention('metric_samples', '7 days');

-- Does the work of record_performance_metric.
create or replace function monitoring._record_metric(
    p_metric_name text,
    p_metric_type text,
    p_value double precision,
    p_unit text,
    p_component text,
    p_tags jsonb,
    p_task_id text,
    p_recorded_at timestamptz
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_recorded_at timestamptz := coalesce(p_recorded_at, monitoring.clock());
    v_sample_id bigint;
begin
    if (
        least(
            p_metric_name collate "C", coalesce(p_metric_type, ''), p_unit, p_component, p_task_id
        ) >= '!'
        and octet_length(concat(p_metric_name, p_metric_type, p_unit, p_component, p_task_id)) <= 255
        and monitoring._is_printable(
            concat(p_metric_name, p_metric_type, p_unit, p_component, p_task_id)
        )
        and abs(p_value) <= '1e100'
        and monitoring._has_partition('metric_samples', v_recorded_at)
        and monitoring._is_small_object(p_tags)
        and (p_recorded_at is null or monitoring._is_recent(p_recorded_at))
    ) is not true then
        p_metric_name := monitoring._mended_name('metric_name', p_metric_name);
        p_metric_type := monitoring._mended_name('metric_type', coalesce(p_metric_type, 'gauge'));
        p_value := monitoring._mended_value(p_value);
        p_unit := monitoring._mended_optional_name('unit', p_unit);
        p_component := monitoring._mended_optional_name('component', p_component);
        p_task_id := monitoring._mended_optional_name('task_id', p_task_id);
        p_tags := monitoring._mended_object('tags', p_tags);
        v_recorded_at := monitoring._event_time(p_recorded_at);
        if p_value is null then
            return null;
        end if;
        if monitoring._is_late('metric_samples', v_recorded_at) then
            insert into monitoring.late_metric_samples (
                metric_name, recorded_at, metric_type, value, unit, component, task_id, tags
            )
            values (
                p_metric_name, v_recorded_at, p_metric_type, p_value, p_unit, p_component,
                p_task_id, p_tags
            )
            returning sample_id into v_sample_id;
            return v_sample_id;
        end if;
    end if;
    insert into monitoring.metric_samples (
        metric_name, recorded_at, metric_type, value, unit, component, task_id, tags
    )
    values (
        p_metric_name, v_recorded_at, p_metric_type, p_value, p_unit, p_component, p_task_id, p_tags
    )
    returning sample_id into v_sample_id;
    return v_sample_id;
end
$$;

create or replace function monitoring.record_performance_metric(
    p_metric_name text,
    p_metric_type text,
    p_value double precision,
    p_unit text default null,
    p_component text default null,
    p_tags jsonb default null,
    p_task_id text default null,
    p_recorded_at timestamptz default null
)
returns bigint
language sql
volatile
return monitoring._record_metric(
    coalesce(p_metric_name, ''), p_metric_type, p_value, p_unit, p_component, p_tags, p_task_id,
    p_recorded_at
);

comment on function monitoring.record_performance_metric(
    text, text, double precision, text, text, jsonb, text, timestamptz
) is
'Records one measured value, up to 1e100 in size, in the given unit, with tags (object) where '
'given, and returns its sample_id; what is not a number is not recorded and gives null. The type '
'is gauge when null; gauge, counter and timer are usual.';

-- An array of samples as rows, each repaired; one that is older than p_since is refused as a
-- missing partition is.
create or replace function monitoring._told_metric_samples(p_rows jsonb, p_since timestamptz)
returns table (
    sample_id bigint,
    metric_name text,
    recorded_at timestamptz,
    metric_type text,
    value double precision,
    unit text,
    component text,
    task_id text,
    tags jsonb
)
language sql
stable -- a stricter mark than its body's keeps a function from being inlined
begin atomic
    select
        coalesce(
            monitoring._mended_own_id('sample_id', r.sample_id),
            nextval('monitoring.metric_samples_sample_id_seq')
        ) as sample_id,
        case
            when r.has_plain_names then r.metric_name
            else monitoring._mended_name('metric_name', r.metric_name)
        end as metric_name,
        monitoring._recent_time(r.recorded_at, p_since) as recorded_at,
        case
            when r.has_plain_names then coalesce(r.metric_type, 'gauge')
            else monitoring._mended_name('metric_type', coalesce(r.metric_type, 'gauge'))
        end as metric_type,
        v.value,
        case
            when r.has_plain_names then r.unit
            else monitoring._mended_optional_name('unit', r.unit)
        end as unit,
        case
            when r.has_plain_names then r.component
            else monitoring._mended_optional_name('component', r.component)
        end as component,
        case
            when r.has_plain_names then r.task_id
            else monitoring._mended_optional_name('task_id', r.task_id)
        end as task_id,
        monitoring._mended_object('tags', r.tags) as tags
    from (
        -- All names of a row are looked at at once; the offset lets that be done but once.
        select
            t.*,
            least(
                coalesce(t.metric_name, '') collate "C", t.metric_type, t.unit, t.component,
                t.task_id
            ) >= '!'
            and octet_length(
                concat(t.metric_name, t.metric_type, t.unit, t.component, t.task_id)
            ) <= 255
            and monitoring._is_printable(
                concat(t.metric_name, t.metric_type, t.unit, t.component, t.task_id)
            ) as has_plain_names
        from jsonb_to_recordset(p_rows) as t (
                sample_id bigint,
                metric_name text,
                recorded_at timestamptz,
                metric_type text,
                value double precision,
                unit text,
                component text,
                task_id text,
                tags jsonb
            )
        offset 0 -- noqa: AM09
    ) as r
    cross join lateral (select monitoring._mended_value(r.value) as value) as v
    where v.value is not null;
end;

-- Inserts an array of samples; those already there are passed over, and a late one is refused as
-- a missing partition is.
create or replace function monitoring._insert_metric_samples(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_since timestamptz := monitoring._yesterday();
    v_written bigint;
begin
    if p_rows @? '$[*].sample_id' then
        insert into monitoring.metric_samples (
            sample_id, metric_name, recorded_at, metric_type, value, unit, component,
            task_id, tags
        )
        select r.* from monitoring._told_metric_samples(p_rows, v_since) r
        on conflict do nothing;
    else
        -- No row can be there already; not looking takes a third off the insert.
        insert into monitoring.metric_samples (
            sample_id, metric_name, recorded_at, metric_type, value, unit, component,
            task_id, tags
        )
        select r.* from monitoring._told_metric_samples(p_rows, v_since) r;
    end if;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;

-- Inserts an array of samples into the late table; those already there are passed over.
create or replace function monitoring._insert_late_metric_samples(p_rows jsonb) returns bigint
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- Each row is looked up by its key, whatever the planner thinks.
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
declare
    v_written bigint;
begin
    insert into monitoring.late_metric_samples (
        sample_id, metric_name, recorded_at, metric_type, value, unit, component,
        task_id, tags
    )
    select r.*
    from (
        -- Each row is made up once, before it is looked for.
        select x.* from monitoring._told_metric_samples(p_rows, '1970-01-01 00:00+00') x offset 0
    ) r
    -- Apart: of a view of both, all days would be asked.
    where not exists (
        select from monitoring.metric_samples t
        where t.metric_name = r.metric_name
            and t.recorded_at = r.recorded_at
            and t.sample_id = r.sample_id
    )
    and not exists (
        select from monitoring.late_metric_samples t
        where t.metric_name = r.metric_name
            and t.recorded_at = r.recorded_at
            and t.sample_id = r.sample_id
    )
    on conflict do nothing;
    get diagnostics v_written = row_count;
    return v_written;
end
$$;

create or replace function monitoring.record_metrics(p_metrics jsonb) returns bigint
language sql
volatile
return monitoring._record_rows(
    'metric_samples', 'performance_monitoring', 'recorded_at', p_metrics
);

comment on function monitoring.record_metrics(jsonb) is
'Records an array of measured values, keys as the columns of performance_monitoring (metric_name '
'and value needed), bad rows left out. Returns how many were new: a row that carries its '
'own, negative sample_id is written once.';

create or replace function monitoring.record_metrics(p_metrics text) returns bigint
language sql
volatile
return monitoring._record_rows(
    'metric_samples', 'performance_monitoring', 'recorded_at', p_metrics
);

comment on function monitoring.record_metrics(text) is
'The same for JSON that is a plain text, as drivers send it; what JSON cannot hold is left out.';
