-- Reading a source of queues and recording how deep they are. Writes queue_samples, told_queues of
-- sources, and what troubles.sql writes.

-- Query for the items of a source of queues, as numbers by queue and status; all names in it were
-- looked up.
create or replace function monitoring._items_query(
    p_source monitoring.sources, p_now timestamptz, p_rows text
)
returns text
language sql
stable
return (
    select
        format(
            $query$
            select q.queue, monitoring._status_code(q.status) as status_code, count(*) as items,
                count(*) filter (where q.ready_at > %1$L) as items_to_come,
                min(q.ready_at) as oldest_at, min(q.fault) as fault
            from (select %2$s, nullif(concat_ws('; ', %3$s), '') as fault from %4$s s offset 0) q
            group by q.queue, monitoring._status_code(q.status)
            $query$,
            p_now,
            string_agg(format('%s as %I', c.conversion, c.field), ', '),
            string_agg(c.fault, ', '),
            p_rows
        )
    from monitoring._source_columns(p_source) as c
    where c.field in ('queue', 'status', 'ready_at')
);

-- Query for the rows of a source that has figures about queues; all names in it were looked up.
create or replace function monitoring._figures_query(p_source monitoring.sources, p_rows text)
returns text
language sql
stable
return (
    select
        format(
            'select %s, nullif(concat_ws(''; '', %s), '''') as fault from %s s',
            string_agg(format('%s as %I', c.conversion, c.field), ', '),
            string_agg(c.fault, ', '),
            p_rows
        )
    from monitoring._source_columns(p_source) as c
    where c.field not in ('status', 'ready_at')
);

-- What a source of queues has, as an array of objects: numbers of items by queue and status_code,
-- or figures by queue.
create or replace function monitoring._rows_of_queues(
    p_source monitoring.sources, p_now timestamptz
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
-- A queue must not depend on how the session of whoever asks writes values.
set datestyle = 'ISO'
set extra_float_digits = 1
-- Rows that a policy hides are not rows that are not there.
set row_security = off
as $$
-- The query is ours, with what is in it quoted:
-- @plpgsql_check_options: security_warnings = off
declare
    v_most constant integer := 10000;
    v_kept constant text [] := monitoring._kept_by_session();
    v_columns constant text [] := array(select c.value from jsonb_each_text(p_source.columns) c);
    v_fields text [] := array[
        'queue', 'status_code', 'items', 'items_to_come', 'oldest_at', 'fault'
    ];
    v_types text [] := array['text', 'text', 'bigint', 'bigint', 'timestamptz', 'text'];
    v_query text := monitoring._relation_rows(p_source.relation_name, v_columns);
    v_clock constant text := coalesce(current_setting('monitoring.now', true), '');
    v_rows jsonb;
begin
    if p_source.columns ? 'pending' then
        v_fields := array[
            'queue', 'pending', 'processing', 'completed', 'failed', 'oldest_ready_at', 'fault'
        ];
        v_types := array[
            'text', 'bigint', 'bigint', 'bigint', 'bigint', 'timestamptz', 'text'
        ];
        v_query := monitoring._figures_query(p_source, v_query);
    else
        v_query := monitoring._items_query(p_source, p_now, v_query);
    end if;
    v_query := format('select * from (%s) l limit %s', v_query, v_most + 1);
    if monitoring._is_read_without_rights(p_source.relation_name, v_columns) then
        v_query := monitoring._query_as_reader(v_query, v_fields, v_types);
    end if;
    -- Views of ours go by the moment that their samples are of.
    perform set_config('monitoring.now', monitoring._sealed_time(p_now), true);
    execute format('select coalesce(jsonb_agg(to_jsonb(r)), ''[]'') from (%s) r', v_query)
    into v_rows;
    perform set_config('monitoring.now', v_clock, true);
    perform monitoring._leave_session_as(v_kept);
    if jsonb_array_length(v_rows) > v_most then
        perform monitoring._refuse_number('number of queues and statuses', 'more than ' || v_most,
            'no more than that: register a view that has fewer');
    end if;
    return v_rows;
end
$$;

-- Each row that a source of queues has with the queue it is of, what its status means, and what is
-- wrong with it, in a sentence; null when nothing is.
create or replace function monitoring._judged_queues(p_source monitoring.sources, p_rows jsonb)
returns table (queue_name text, meaning text, status_code text, fault text, figures jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_prefix constant text := p_source.settings ->> 'queue_name';
    v_has_queue constant boolean := p_source.columns ? 'queue';
    v_has_status constant boolean := p_source.columns ? 'status';
    v_has_figures constant boolean := p_source.columns ? 'pending';
begin
    return query
    select
        n.name,
        case
            when v_has_status then p_source.statuses ->> (r.value ->> 'status_code')
            else 'pending'
        end,
        r.value ->> 'status_code',
        nullif(concat_ws(
            '; ',
            case when n.name is null then 'has no queue, or one with too long a name' end,
            r.value ->> 'fault',
            case
                when v_has_figures and r.value ->> 'pending' is null
                    then 'does not say how many items wait'
                when least(
                    (r.value ->> 'pending')::bigint, (r.value ->> 'processing')::bigint,
                    (r.value ->> 'completed')::bigint, (r.value ->> 'failed')::bigint
                ) < 0
                    then 'has a negative number'
            end
        ), ''),
        r.value
    from jsonb_array_elements(p_rows) r
    cross join lateral (
        select case
            when not v_has_queue then coalesce(v_prefix, p_source.source_name)
            when btrim(r.value ->> 'queue') <> ''
                and length(concat_ws(':', v_prefix, btrim(r.value ->> 'queue'))) <= 255
                then concat_ws(':', v_prefix, btrim(r.value ->> 'queue'))
        end as name
    ) n;
end
$$;

-- The rows of a source of queues of which nothing can be made, as an array of troubles.
create or replace function monitoring._troubles_of_queues(
    p_source monitoring.sources, p_rows jsonb
)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_agg(
            jsonb_build_object(
                'trouble', t.trouble, 'subject', left(t.subject, 255), 'message', t.message
            )
            order by t.trouble, t.subject
        ), '[]')
        from (
            select 'bad_row' as trouble, r.fault as subject,
                format('%s (rows: %s, such as of queue %s)', r.fault, count(*),
                    coalesce(left(min(r.queue_name), 100), '(without a name)')) as message
            from monitoring._judged_queues(p_source, p_rows) r
            where r.fault is not null
            group by r.fault
            union all
            -- A code that nobody explained is one trouble, however many items have it.
            select 'unknown_status', r.status_code,
                format(
                    'nobody has said what status "%s" means (items that have it: %s, such as of '
                    'queue %s)',
                    left(r.status_code, 40), sum((r.figures ->> 'items')::bigint),
                    coalesce(left(min(r.queue_name), 100), '(without a name)')
                )
            from monitoring._judged_queues(p_source, p_rows) r
            where r.meaning is null
            group by r.status_code
        ) t
    );
end
$$;

-- How deep the queues of a source are. One that had rows the last time and has none now is empty,
-- as is the only queue of a table of items without any.
create or replace function monitoring._depths_of_queues(
    p_source monitoring.sources, p_rows jsonb, p_now timestamptz
)
returns table (
    queue_name text,
    pending bigint,
    processing bigint,
    completed bigint,
    failed bigint,
    oldest_ready_seconds double precision
)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with rows as (
        select r.queue_name as name, r.meaning,
            -- An item whose time means nothing waits all the same.
            r.fault is null or r.figures ? 'items' as is_usable,
            coalesce(
                (r.figures ->> 'pending')::bigint,
                (r.figures ->> 'items')::bigint - (r.figures ->> 'items_to_come')::bigint
            ) as pending,
            (r.figures ->> 'items')::bigint as items,
            (r.figures ->> 'processing')::bigint as processing,
            (r.figures ->> 'completed')::bigint as completed,
            (r.figures ->> 'failed')::bigint as failed,
            coalesce(
                r.figures ->> 'oldest_ready_at', r.figures ->> 'oldest_at'
            )::timestamptz as oldest_at
        from monitoring._judged_queues(p_source, p_rows) r
        where r.queue_name is not null
    ),
    expected as (
        select t.name from unnest(p_source.told_queues) t (name)
        union
        select coalesce(p_source.settings ->> 'queue_name', p_source.source_name)
        where not p_source.columns ? 'queue'
    )
    select
        r.name,
        coalesce(sum(r.pending) filter (where r.meaning = 'pending'), 0)::bigint,
        coalesce(sum(coalesce(
            r.processing, case r.meaning when 'processing' then r.items end)), 0)::bigint,
        coalesce(sum(coalesce(
            r.completed, case r.meaning when 'completed' then r.items end)), 0)::bigint,
        coalesce(sum(coalesce(
            r.failed, case r.meaning when 'failed' then r.items end)), 0)::bigint,
        max(date_part('epoch', p_now - r.oldest_at)) filter (
            where r.meaning = 'pending' and r.oldest_at <= p_now
        )
    from rows r
    where r.is_usable
    group by r.name
    union all
    select e.name, 0, 0, 0, 0, null
    from expected e
    -- One with a row of which nothing can be made is not empty.
    where not exists (select from rows r where r.name = e.name);
end
$$;

-- Reads a source of queues and records how deep they are; raises when it cannot be read.
create or replace function monitoring._read_queue_source(
    p_source monitoring.sources, p_now timestamptz
)
returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rows jsonb := monitoring._rows_of_queues(p_source, p_now);
    v_troubles jsonb := monitoring._troubles_of_queues(p_source, v_rows);
    v_result jsonb;
begin
    if p_source.columns ? 'pending' and not p_source.columns ? 'queue' and v_rows = '[]' then
        raise exception using
            errcode = 'PV007',
            message = format('%s has no row', p_source.relation_name),
            hint = 'Without a column that names the queue it has a row, even when nothing waits.';
    end if;
    with recorded as (
        select d.*, monitoring._record_queue(
            d.queue_name, d.pending, d.processing, d.completed, d.failed, d.oldest_ready_seconds,
            p_now
        ) as sample_id
        from monitoring._depths_of_queues(p_source, v_rows, p_now) d
    )
    select jsonb_build_object(
        'source', p_source.source_name, 'queues', count(r.sample_id),
        'pending', coalesce(sum(r.pending), 0), 'processing', coalesce(sum(r.processing), 0),
        'completed', coalesce(sum(r.completed), 0), 'failed', coalesce(sum(r.failed), 0),
        'bad', jsonb_array_length(v_troubles)
    )
    into v_result
    from recorded r;
    update monitoring.sources s
    set told_queues = array(
        select distinct r.queue_name from monitoring._judged_queues(p_source, v_rows) r
        where r.queue_name is not null and p_source.columns ? 'queue'
        order by 1
    )
    where s.source_name = p_source.source_name;
    perform monitoring._end_troubles(p_source.source_name, v_troubles, p_now);
    if v_troubles <> '[]' then
        perform monitoring._tell_troubles(p_source.source_name, v_troubles, p_now);
    end if;
    return v_result;
end
$$;
