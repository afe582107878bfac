-- What is new in a span: what had not been there before. Reads error groups,
-- releases, names and roll-ups.

-- Task types that failed in a span and not in the week before it, though they ran then (failing),
-- and those that ran in it for the first time (task type).
create or replace function monitoring._news_of_tasks(p_from timestamptz, p_to timestamptz)
returns table (kind text, task_type text, failed bigint)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    with ended as materialized (
        select
            c.name,
            coalesce(
                sum(c.row_count) filter (where monitoring._is_failure(c.label)), 0
            )::bigint as failed
        from monitoring._counts_between('tasks', p_from, p_to) c
        where not starts_with(c.name, 'pgvigil.')
        group by c.name
    ),

    before as materialized (
        select b.name, bool_or(monitoring._is_failure(b.label)) as has_failed
        from monitoring._counts_between('tasks', p_from - interval '168 hours', p_from) b
        group by b.name
    )

    select case when b.name is null then 'task type' else 'failing' end, e.name, e.failed
    from ended e
    left join before b on b.name = e.name
    where (e.failed > 0 and not b.has_failed)
        or (
            b.name is null
            and not exists (
                select from monitoring.known_names k
                where k.kind = 'tasks' and k.name = e.name and k.first_seen_at < p_from
            )
        );
end
$$;

create or replace function monitoring.get_news(
    p_from timestamptz default null, p_to timestamptz default null
)
returns table (
    kind text,
    name text,
    severity text,
    happened_at timestamptz,
    times bigint,
    detail text,
    fingerprint text
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
as $$
declare
    v_to timestamptz := coalesce(monitoring._checked_moment('to', p_to), monitoring.clock());
    v_from timestamptz := coalesce(
        monitoring._checked_moment('from', p_from), v_to - interval '24 hours'
    );
begin
    return query
    select n.*
    from (
        select
            t.kind, t.task_type as name, null::text as severity, null::timestamptz as happened_at,
            nullif(t.failed, 0) as times, null::text as detail, null::text as fingerprint
        from monitoring._news_of_tasks(v_from, v_to) t
        union all
        select
            'release', r.component, null, r.released_at, null,
            concat(r.version, ', before it ' || r.previous_version), null
        from monitoring.get_releases(null, v_from, v_to) r
        union all
        select
            'error', g.error_type, g.severity, g.first_seen_at, g.occurrences, g.example,
            g.fingerprint
        from monitoring.error_groups g
        where g.first_seen_at >= v_from
            and g.first_seen_at < v_to
            and g.status not in ('resolved', 'muted')
            and g.fingerprint <> '(other)'
    ) n
    order by
        array_position(array['failing', 'release', 'error', 'task type'], n.kind),
        monitoring._severity_rank(n.severity) desc,
        n.times desc,
        n.name,
        n.fingerprint;
end
$$;

comment on function monitoring.get_news(timestamptz, timestamptz) is
'What is new in a span (the last 24 hours when left out): task types that fail and did not in the '
'week before, releases, error groups first seen, task types first seen.';
