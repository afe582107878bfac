-- Whether partitions, late rows, roll-ups and clean-ups keep up, for self_check(). Reads
-- rollup_progress, retention_policies, the late tables and the catalogue.

-- One row: late while a table lacks the partition of the next day, failed while it lacks that of
-- today. Recording goes on all the same, into late tables.
create or replace function monitoring._check_partitions()
returns table (check_name text, status text, lateness interval, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'partitions',
        case
            when p.without_today is not null then 'failed'
            when p.without_tomorrow is not null then 'late'
            else 'ok'
        end,
        case
            when p.without_tomorrow is null then interval '0'
            else p.now - date_trunc('day', p.now, 'UTC')
        end,
        coalesce(
            'without today''s: ' || p.without_today,
            'without tomorrow''s: ' || p.without_tomorrow,
            'today''s and tomorrow''s are there'
        )
    from (
        select
            n.now,
            string_agg(t.table_name, ', ' order by t.table_name) filter (
                where not monitoring._has_partition(t.table_name, n.now)
            ) as without_today,
            string_agg(t.table_name, ', ' order by t.table_name) filter (
                where not monitoring._has_partition(t.table_name, n.now + interval '24 hours')
            ) as without_tomorrow
        from monitoring.partitioned_tables t
        cross join (select monitoring.clock() as now) n
        group by n.now
    ) p;
end
$$;

-- One row when late rows wait whose days are too many to be made, else none.
create or replace function monitoring._check_late_rows()
returns table (check_name text, status text, lateness interval, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'late rows',
        'late',
        interval '0',
        format(
            '%s have more days with late rows than are made by themselves (%s): make them with '
            'prepare_backfill(), or keep less',
            string_agg(t.table_name, ', ' order by t.table_name), monitoring._most_days()
        )
    from monitoring.partitioned_tables t
    where (select count(*) from monitoring._days(t.table_name)) >= monitoring._most_days()
        and exists (
            select from monitoring._waiting_days(t.table_name) w where not w.has_partition
        )
    having count(*) > 0;
end
$$;

-- One row: late when a table was last rolled up more than three minutes ago. What views show
-- stays whole, but takes longer to read.
create or replace function monitoring._check_rollups()
returns table (check_name text, status text, lateness interval, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'roll-ups',
        case
            when p.late > interval '3 minutes' or monitoring._is_to_come(p.rolled_up_at) then 'late'
            else 'ok'
        end,
        p.late,
        coalesce('rolled up at ' || to_char(p.rolled_up_at, 'YYYY-MM-DD HH24:MI:SSOF'), 'never rolled up')
    from (
        select
            min(r.rolled_up_at) as rolled_up_at,
            case
                -- Before the first time it is late when there is something to roll up.
                when bool_or(r.rolled_up_at is null) and not exists (
                    select from monitoring.rollup_progress t
                    where monitoring._has_new_rows(t.table_name, '-infinity', 'infinity')
                ) then interval '0'
                else greatest(
                    monitoring.clock() - coalesce(min(r.rolled_up_at), (
                        select m.installed_at from monitoring.installed_migrations m
                        where m.migration_id = '0003_rollups'
                    )),
                    interval '0'
                )
            end as late
        from monitoring.rollup_progress r
    ) p;
end
$$;

-- One row: late when rows are still there a day after they were due to go.
create or replace function monitoring._check_retention()
returns table (check_name text, status text, lateness interval, detail text)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        'retention',
        case when p.behind > interval '1 day' then 'late' else 'ok' end,
        p.behind,
        coalesce('behind with ' || p.tables, 'all that is due has been removed')
    from (
        select
            coalesce(make_interval(secs => max(r.seconds_behind)), interval '0') as behind,
            string_agg(distinct r.table_name, ', ') filter (where r.seconds_behind > 86400) as tables
        from monitoring.v_retention r
    ) p;
end
$$;
