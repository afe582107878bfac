-- Making what an adopted system needs: functions over its relations, and the views of its runs and
-- queues, all for readers. Called by adopt.sql, which says whose rights count.

-- The roles that may read what adopt() makes, as a list for statements.
create or replace function monitoring._reading_roles() returns text
language sql
stable
return (
    select string_agg(quote_ident(r.rolname), ', ' order by r.rolname)
    from pg_roles as r
    where r.rolname in ('monitoring_reader', 'monitoring_operator')
);

-- Whether the text of an adapter is a body in PL/pgSQL rather than a query.
create or replace function monitoring._is_body(p_text text) returns boolean
language sql
immutable
return p_text ~* '^(declare|begin)[[:space:]]';

-- Makes a function, for readers, of a query or a body over {schema}.
create or replace function monitoring._make_adopted_function(
    p_name text, p_parameters text, p_columns text, p_query text, p_schema text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- Names are checked or quoted, and the body is a literal:
-- @plpgsql_check_options: security_warnings = off
declare
    v_query constant text := replace(p_query, '{schema}', quote_ident(p_schema));
begin
    execute format(
        'create or replace function monitoring.%I(%s) returns table (%s) '
        'language plpgsql stable '
        'set search_path = pg_catalog, pg_temp '
        -- Planned for the times that are asked for: of millions only what is new is looked at.
        'set plan_cache_mode = force_custom_plan set jit = off as %L',
        p_name, p_parameters, p_columns,
        concat('#variable_conflict use_column', chr(10), case
            when monitoring._is_body(v_query) then v_query
            else format(E'begin\nreturn query\n%s;\nend', v_query)
        end)
    );
    execute format('revoke all on function monitoring.%I from public', p_name);
    execute format(
        'grant execute on function monitoring.%I to %s', p_name, monitoring._reading_roles()
    );
end
$$;

-- Makes a view, for readers, with a comment.
create or replace function monitoring._make_adopted_view(
    p_name text, p_query text, p_comment text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- Names are checked, and values in the query quoted:
-- @plpgsql_check_options: security_warnings = off
begin
    execute format('create or replace view monitoring.%I as %s', p_name, p_query);
    execute format('comment on view monitoring.%I is %L', p_name, p_comment);
    execute format('grant select on monitoring.%I to %s', p_name, monitoring._reading_roles());
end
$$;

-- Makes the view of the runs of an adopted system.
create or replace function monitoring._make_adopted_runs(
    p_name text, p_adapter monitoring.adapters, p_schema text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._make_adopted_function(
        format('_adopted_%s_runs', p_name), 'p_since timestamptz, p_known text[], p_most integer',
        'run_id text, queue text, task_type text, status text, started_at timestamptz, '
        'finished_at timestamptz, attempt bigint, max_attempts bigint, error_message text',
        format(
            'select q.run_id::text, q.queue::text, q.task_type::text, q.status::text, '
            'q.started_at::timestamptz, q.finished_at::timestamptz, q.attempt::bigint, '
            'q.max_attempts::bigint, left(q.error_message::text, 2000) '
            'from (%s) as q order by q.finished_at nulls first limit p_most',
            p_adapter.runs
        ),
        p_schema
    );
    perform monitoring._make_adopted_view(
        format('v_adopted_%s_runs', p_name),
        format(
            'select r.* from monitoring.%I(monitoring._adopted_since(%L), '
            'monitoring._adopted_running(%2$L), monitoring._most_adopted_runs()) as r',
            format('_adopted_%s_runs', p_name), p_name
        ),
        format('Runs of %s in schema %s that run, or have ended since they were last read.',
            p_adapter.adapter_name, p_schema)
    );
end
$$;

-- Query for what was done by each queue of an adopted system in all: what it says itself, or what
-- had been done at the last reading and the runs that have ended since.
create or replace function monitoring._adopted_queues_query(
    p_name text, p_adapter monitoring.adapters
)
returns text
language sql
stable
return format(
    $query$
    with depths as materialized (
        select d.* from monitoring.%1$I(monitoring.clock()) as d
    ),

    totals as (select t.* from monitoring._adopted_totals(%2$L) as t),

    ended as (
        %3$s
    )

    select
        n.queue,
        -- What a system cannot tell of a queue is not nothing.
        case when d.queue is null then 0 else d.pending end as pending,
        case when d.queue is null then 0 else d.processing end as processing,
        coalesce(d.completed, coalesce(t.completed, 0) + coalesce(e.completed, 0)) as completed,
        coalesce(d.failed, coalesce(t.failed, 0) + coalesce(e.failed, 0)) as failed,
        d.oldest_ready_at
    from (
        select d.queue from depths as d
        union
        select t.queue from totals as t
        union
        select e.queue from ended as e
    ) as n
    left join depths as d on d.queue = n.queue
    left join totals as t on t.queue = n.queue
    left join ended as e on e.queue = n.queue
    $query$,
    format('_adopted_%s_depths', p_name),
    p_name || '_queues',
    case
        when p_adapter.runs is null
            then 'select null::text as queue, 0::bigint as completed, 0::bigint as failed '
                'where false'
        else format(
                $query$
        select
            r.queue,
            count(*) filter (where r.meaning = 'completed') as completed,
            count(*) filter (
                where r.meaning = 'failed' and coalesce(r.attempt >= r.max_attempts, true)
            ) as failed
        from (
            select
                a.queue, a.attempt, a.max_attempts,
                %2$L::jsonb ->> monitoring._status_code(a.status) as meaning
            from monitoring._adopted_span(%3$L) as w
            cross join lateral monitoring.%1$I(w.since, '{}', null) as a
            where a.finished_at > w.since and a.finished_at <= w.until
        ) as r
        where r.queue is not null
        group by r.queue
                $query$,
                format('_adopted_%s_runs', p_name), p_adapter.statuses, p_name || '_queues'
            )
    end
);

-- Makes the view of the queues of an adopted system.
create or replace function monitoring._make_adopted_queues(
    p_name text, p_adapter monitoring.adapters, p_schema text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._make_adopted_function(
        format('_adopted_%s_depths', p_name), 'p_now timestamptz',
        'queue text, pending bigint, processing bigint, completed bigint, failed bigint, '
        'oldest_ready_at timestamptz',
        case
            when monitoring._is_body(p_adapter.depths) then p_adapter.depths
            else format(
                'select q.queue::text, q.pending::bigint, q.processing::bigint, '
                'q.completed::bigint, q.failed::bigint, q.oldest_ready_at::timestamptz '
                'from (%s) as q', p_adapter.depths
            )
        end,
        p_schema
    );
    perform monitoring._make_adopted_view(
        format('v_adopted_%s_queues', p_name), monitoring._adopted_queues_query(p_name, p_adapter),
        format('Depths of the queues of %s in schema %s, and what they have done since they were '
            'adopted.', p_adapter.adapter_name, p_schema)
    );
end
$$;
