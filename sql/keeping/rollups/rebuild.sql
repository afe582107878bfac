-- Making roll-ups anew from the rows, for whole days. Rows that no roll-up has taken yet are left
-- to the next one, so that this neither loses nor doubles any.

-- Seconds in each state of health by hour and day within whole days, from checks that roll-ups
-- have taken.
create or replace function monitoring._count_uptime(p_from timestamptz, p_to timestamptz)
returns table (
    source text,
    name text,
    label text,
    component text,
    resolution text,
    bucket_at timestamptz,
    seconds double precision
)
language sql
stable
begin atomic
    with checks as not materialized (
        select
            p.component_name,
            p.component_type,
            p.checked_at,
            p.probe_id,
            p.status
        from monitoring._uptime_checks(0, '{}') as p
        where not p.is_new
    ),

    windows as materialized (
        select
            c.component_name,
            c.component_type,
            coalesce((
                select max(b.checked_at) from checks as b
                where
                    b.component_name = c.component_name
                    and b.component_type = c.component_type
                    and b.checked_at < p_from
            ), p_from) as from_at,
            coalesce((
                select min(a.checked_at) from checks as a
                where
                    a.component_name = c.component_name
                    and a.component_type = c.component_type
                    and a.checked_at >= p_to
            ), p_to) as to_at
        from monitoring.component_states as c
    ),

    spells as (
        select
            p.component_name,
            p.component_type,
            p.status,
            p.checked_at as from_at,
            lead(p.checked_at) over (
                partition by p.component_name, p.component_type order by p.checked_at, p.probe_id
            ) as to_at
        from windows as w
        cross join
            lateral (
                select u.*
                from checks as u
                where
                    u.component_name = w.component_name
                    and u.component_type = w.component_type
                    and u.checked_at between w.from_at and w.to_at
                order by u.checked_at asc, u.probe_id asc
                -- Looked up component by component, never joined with all checks there are.
                offset 0
            ) as p
    )

    select
        'uptime' as source,
        s.component_name as name,
        s.status as label,
        s.component_type as component,
        b.resolution,
        b.bucket_at,
        sum(b.seconds) as seconds
    from spells as s
    cross join
        lateral monitoring._spell_buckets(
            greatest(s.from_at, p_from), least(s.to_at, p_to)
        ) as b
    where s.to_at is not null
    group by s.component_name, s.status, s.component_type, b.resolution, b.bucket_at;
end;

-- Raises PV003 for a source that is not known, PV006 for a time that is none or whose rows are
-- gone.
create or replace function monitoring._check_rebuild(
    p_source text, p_from timestamptz, p_to timestamptz
)
returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_complete_since timestamptz;
begin
    select r.complete_since into v_complete_since
    from monitoring.rollup_progress r
    where r.source = p_source;
    if not found then
        perform monitoring._refuse_choice(
            'source', p_source,
            array(select r.source from monitoring.rollup_progress r order by r.source)
        );
    end if;
    if (p_from < p_to) is not true then
        raise exception using
            errcode = 'PV006',
            message = format('the span from %s to %s is empty',
                coalesce(p_from::text, 'null'), coalesce(p_to::text, 'null')),
            hint = 'Give p_from and a later p_to; they are widened to whole days in UTC.';
    end if;
    if date_trunc('day', p_from, 'UTC') < v_complete_since then
        raise exception using
            errcode = 'PV006',
            message = format('rows of %s before %s have been removed', p_source, v_complete_since),
            hint = 'Give a p_from on a later day: the time before is known to the roll-ups alone.';
    end if;
end
$$;

create or replace function monitoring.rebuild_rollups(
    p_source text, p_from timestamptz, p_to timestamptz
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_custom_plan
as $$
declare
    v_table text;
    v_from timestamptz := date_trunc('day', p_from, 'UTC');
    v_to timestamptz := timestamptz 'infinity';
    v_minutes_since timestamptz := monitoring._minutes_kept_since();
    v_sources constant text [] := array[p_source, case p_source when 'health' then 'uptime' end];
    v_written bigint;
    v_uptime bigint;
begin
    if p_to < monitoring.clock() + interval '10 years' then
        v_to := date_trunc('day', p_to + interval '24 hours' - interval '1 microsecond', 'UTC');
    end if;
    -- First, so that neither a roll-up nor a clean-up changes what was checked.
    select r.table_name into v_table
    from monitoring.rollup_progress r
    where r.source = p_source
    for update;
    perform monitoring._check_rebuild(p_source, p_from, p_to);
    perform monitoring._look_again_at_partitions(v_table);
    perform monitoring._unsettle_within(v_from, v_to)
    where p_source = 'tasks';
    perform monitoring._note_rewritten_hours(s.source, v_from, v_to)
    from unnest(v_sources) s (source);
    delete from monitoring.rollups t
    where t.source = any (v_sources) and t.bucket_at >= v_from and t.bucket_at < v_to;

    insert into monitoring.rollups (
        source, name, label, component, resolution, bucket_at, row_count, value_count, value_sum,
        value_sum_squares, value_min, value_max, histogram
    )
    select a.*
    from monitoring._add_up(
        p_source, false, p_from => v_from, p_to => v_to, p_minutes_since => v_minutes_since
    ) a;
    get diagnostics v_written = row_count;
    perform monitoring._unsettle_within(v_from, v_to)
    where p_source = 'tasks';
    if p_source = 'health' then
        insert into monitoring.rollups (
            source, name, label, component, resolution, bucket_at, row_count, value_count,
            value_sum, value_sum_squares
        )
        select u.source, u.name, u.label, u.component, u.resolution, u.bucket_at, 0, 0, u.seconds, 0
        from monitoring._count_uptime(v_from, v_to) u;
        get diagnostics v_uptime = row_count;
    end if;
    perform monitoring._note_rewritten_hours(s.source, v_from, v_to)
    from unnest(v_sources) s (source);
    return v_written + coalesce(v_uptime, 0);
end
$$;

comment on function monitoring.rebuild_rollups(text, timestamptz, timestamptz) is
'Makes the roll-ups of tasks, errors, metrics, queues or health anew from the rows, for the days '
'in UTC that the time touches, and returns how many buckets it wrote. Refused where rows have been '
'removed.';
