-- Finding things by a part of their name, of all kinds at once. Reads names that roll-ups know,
-- open alerts, rules, error groups, and of tasks and records what an index finds: a name that
-- begins so. However many rows there are, none is looked at that is not near.

-- How well a name fits what is searched for, in any case: 3 it is that, 2 it begins so, 1 it is
-- somewhere in it, 0 not at all.
create or replace function monitoring._match(p_name text, p_search text) returns integer
language sql
immutable
return case position(lower(p_search collate "C") in lower(p_name collate "C"))
    when 0 then 0
    when 1 then case when length(p_name) = length(p_search) then 3 else 2 end
    else 1
end;

-- Jobs, queues and components, by names that roll-ups know.
create or replace function monitoring._matching_names(p_search text)
returns table (kind text, name text, place text, seen_at timestamptz, rank integer)
language sql
stable
begin atomic
    select
        n.kind,
        n.name,
        n.place,
        n.seen_at,
        monitoring._match(n.name, p_search) as rank
    from (
        select
            case k.kind when 'tasks' then 'job' else 'queue' end as kind,
            k.name,
            null as place,
            max(k.seen_at) as seen_at
        from monitoring.known_names as k
        where k.kind in ('tasks', 'queues') and monitoring._match(k.name, p_search) > 0
        group by k.kind, k.name
        union all
        select
            'job' as kind,
            j.task_type as name,
            null as place,
            max(j.seen_at) as seen_at
        from (
            select
                e.task_type,
                null::timestamptz as seen_at
            from monitoring.expected_runs as e
            union all
            select
                a.task_type,
                a.started_at as seen_at
            from monitoring.active_tasks as a
        ) as j
        where not exists (
                select from monitoring.known_names as k
                where k.kind = 'tasks' and k.name = j.task_type
            )
        group by j.task_type
        union all
        select
            'component' as kind,
            c.component_name as name,
            c.component_type as place,
            c.checked_at as seen_at
        from monitoring.component_states as c
    ) as n
    where monitoring._match(n.name, p_search) > 0 and not starts_with(n.name, 'pgvigil.');
end;

-- Alerts that fire, and one of that number in any state; rules; groups of errors.
create or replace function monitoring._matching_troubles(p_search text)
returns table (
    kind text, name text, title text, place text, seen_at timestamptz, rank integer
)
language sql
stable
begin atomic
    select
        'alert' as kind,
        a.alert_id::text as name,
        a.summary as title,
        a.severity as place,
        a.last_seen_at as seen_at,
        case when a.alert_id::text = p_search then 3 else 1 end as rank
    from monitoring.raised_alerts as a
    where a.alert_id::text = p_search
        or a.resolved_at = 'infinity'
        and a.status = 'firing'
        and monitoring._match(concat_ws(' ', a.summary, a.fingerprint), p_search) > 0
    union all
    select
        'rule' as kind,
        r.rule_name as name,
        r.rule_name as title,
        r.family as place,
        null as seen_at,
        greatest(
            monitoring._match(r.rule_name, p_search),
            least(monitoring._match(r.description, p_search), 1)
        ) as rank
    from monitoring.alert_rules as r
    where monitoring._match(concat_ws(' ', r.rule_name, r.description), p_search) > 0
    union all
    select
        'error' as kind,
        e.fingerprint as name,
        concat_ws(': ', e.error_type, left(max(e.example), 200)) as title,
        max(e.component) as place,
        max(e.last_seen_at) as seen_at,
        greatest(monitoring._match(e.error_type, p_search), 1) as rank
    from monitoring.error_group_totals as e
    where
        monitoring._match(
            concat_ws(' ', e.error_type, e.component, e.fingerprint, e.example), p_search
        ) > 0
    group by e.fingerprint, e.error_type;
end;

-- Tasks whose name begins so, or nearly: those that come next in the order of names, of which the
-- caller drops what begins otherwise. Walks the beginning of one index in each day.
create or replace function monitoring._tasks_from(p_search text, p_most integer)
returns table (task_id text, task_type text, seen_at timestamptz)
language sql
stable
begin atomic
    (
        select
            a.task_id,
            a.task_type,
            a.started_at as seen_at
        from monitoring.active_tasks as a
        where a.task_id >= p_search
        order by a.task_id
        limit p_most
    )
    union all
    (
        select
            t.task_id,
            t.task_type,
            t.finished_at as seen_at
        from monitoring.finished_tasks as t
        where t.task_id >= p_search
        order by t.task_id
        limit p_most
    )
    union all
    (
        select
            l.task_id,
            l.task_type,
            l.finished_at as seen_at
        from monitoring.late_finished_tasks as l
        where l.task_id >= p_search
        order by l.task_id
        limit p_most
    );
end;

-- Datasets of records, one after the other by an index, of which there are few.
create or replace function monitoring._datasets_of_records() returns setof text
language sql
stable
begin atomic
    with recursive s as (
        (select r.dataset from monitoring.record_states as r order by r.dataset limit 1)
        union all
        select (
            select r.dataset from monitoring.record_states as r
            where r.dataset > s.dataset order by r.dataset limit 1
        )
        from s
        where s.dataset is not null
    ),

    i as (
        (select r.dataset from monitoring.invalid_record_states as r order by r.dataset limit 1)
        union all
        select (
            select r.dataset from monitoring.invalid_record_states as r
            where r.dataset > i.dataset order by r.dataset limit 1
        )
        from i
        where i.dataset is not null
    )

    (select s.dataset from s where s.dataset is not null order by s.dataset limit 200)
    union
    (select i.dataset from i where i.dataset is not null order by i.dataset limit 200);
end;

-- Records whose key begins so, or nearly, in each dataset.
create or replace function monitoring._records_from(p_search text, p_most integer)
returns table (dataset text, record_key text, seen_at timestamptz)
language sql
stable
begin atomic
    select
        d.dataset,
        k.record_key,
        k.seen_at
    from monitoring._datasets_of_records() as d (dataset)
    cross join
        lateral (
            (
                select
                    r.record_key,
                    r.recorded_at as seen_at
                from monitoring.record_states as r
                where r.dataset = d.dataset and r.record_key >= p_search
                order by r.record_key
                limit p_most
            )
            union all
            (
                select
                    i.record_key,
                    i.last_detected_at as seen_at
                from monitoring.invalid_record_states as i
                where i.dataset = d.dataset and i.record_key >= p_search
                order by i.record_key
                limit p_most
            )
        ) as k;
end;

-- Runs and records that begin so, and datasets.
create or replace function monitoring._matching_keys(p_search text, p_most integer)
returns table (kind text, name text, place text, seen_at timestamptz, rank integer)
language sql
stable
begin atomic
    select
        'run' as kind,
        t.task_id as name,
        max(t.task_type) as place,
        max(t.seen_at) as seen_at,
        monitoring._match(t.task_id, p_search) as rank
    from monitoring._tasks_from(p_search, p_most) as t
    where monitoring._match(t.task_id, p_search) >= 2 and not starts_with(t.task_type, 'pgvigil.')
    group by t.task_id
    union all
    select
        'record' as kind,
        r.record_key as name,
        r.dataset as place,
        max(r.seen_at) as seen_at,
        monitoring._match(r.record_key, p_search) as rank
    from monitoring._records_from(p_search, p_most) as r
    where monitoring._match(r.record_key, p_search) >= 2
    group by r.dataset, r.record_key
    union all
    select
        'dataset' as kind,
        d.dataset as name,
        null as place,
        null as seen_at,
        monitoring._match(d.dataset, p_search) as rank
    from monitoring._datasets_of_records() as d (dataset)
    where monitoring._match(d.dataset, p_search) > 0;
end;

create or replace function monitoring.get_search_results(
    p_search text, p_limit integer default 5
)
returns table (
    kind text,
    name text,
    title text,
    place text,
    seen_at timestamptz,
    rank integer
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_custom_plan
as $$
declare
    v_search constant text := left(btrim(p_search), 255);
begin
    if p_limit is null or p_limit not between 1 and 100 then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 1 to 100');
    end if;
    if coalesce(v_search, '') = '' then
        return;
    end if;
    return query
    select f.kind, f.name, f.title, f.place, f.seen_at, f.rank
    from (
        select
            m.*,
            row_number() over (
                partition by m.kind
                order by m.rank desc, m.seen_at desc nulls last, m.name collate "C"
            ) as number
        from (
            select n.kind, n.name, n.name as title, n.place, n.seen_at, n.rank
            from monitoring._matching_names(v_search) n
            union all
            select t.kind, t.name, t.title, t.place, t.seen_at, t.rank
            from monitoring._matching_troubles(v_search) t
            union all
            -- More than is shown: beside what begins so lie others in the order of names.
            select k.kind, k.name, k.name, k.place, k.seen_at, k.rank
            from monitoring._matching_keys(v_search, 8 * p_limit) k
        ) m
    ) f
    where f.number <= p_limit
    order by
        max(f.rank) over (partition by f.kind) desc,
        array_position(
            array[
                'alert', 'job', 'run', 'error', 'queue', 'component', 'dataset', 'record', 'rule'
            ],
            f.kind
        ),
        f.number;
end
$$;

comment on function monitoring.get_search_results(text, integer) is
'What fits a text, in any case, at most p_limit of each kind: jobs, queues, components, error '
'groups, alerts, rules and datasets that have it in their name, and runs and records whose name '
'begins so as it is written.';
