-- Datasets as people look at them: how many records are invalid, for how long, and day by day.

-- Datasets that anything is known of: names are skipped through by indexes that begin with them.
create or replace function monitoring._known_datasets() returns setof text
language sql
stable
begin atomic
    with recursive by_status as (
        (select r.dataset from monitoring.record_states as r order by r.dataset limit 1)
        union all
        select (
            select r.dataset from monitoring.record_states as r
            where r.dataset > b.dataset
            order by r.dataset limit 1
        )
        from by_status as b
        where b.dataset is not null
    ),

    by_validation as (
        (select i.dataset from monitoring.invalid_record_states as i order by i.dataset limit 1)
        union all
        select (
            select i.dataset from monitoring.invalid_record_states as i
            where i.dataset > b.dataset
            order by i.dataset limit 1
        )
        from by_validation as b
        where b.dataset is not null
    ),

    by_run as (
        (select p.dataset from monitoring.program_runs as p order by p.dataset limit 1)
        union all
        select (
            select p.dataset from monitoring.program_runs as p
            where p.dataset > b.dataset
            order by p.dataset limit 1
        )
        from by_run as b
        where b.dataset is not null
    )

    select b.dataset from by_status as b
    where b.dataset is not null
    union
    select b.dataset from by_validation as b
    where b.dataset is not null
    union
    select b.dataset from by_run as b
    where b.dataset is not null
    union
    select d.dataset from monitoring.datasets as d;
end;

create or replace view monitoring.v_invalid_ages as
select
    s.dataset,
    s.validation_type,
    count(*) as open_records,
    count(*) filter (where s.opened_at > c.now - interval '1 day') as open_below_1_day,
    count(*) filter (
        where s.opened_at <= c.now - interval '1 day' and s.opened_at > c.now - interval '7 days'
    ) as open_1_to_7_days,
    count(*) filter (
        where s.opened_at <= c.now - interval '7 days' and s.opened_at > c.now - interval '30 days'
    ) as open_7_to_30_days,
    count(*) filter (where s.opened_at <= c.now - interval '30 days') as open_above_30_days,
    count(s.alerted_at) as alerted_records,
    min(s.opened_at) as oldest_opened_at,
    max(s.last_detected_at) as last_detected_at
from monitoring.invalid_record_states as s
cross join (select monitoring.clock() as now) as c
where s.resolved_at = 'infinity'
group by s.dataset, s.validation_type;

comment on view monitoring.v_invalid_ages is
'Invalid records that are open, by dataset, type of validation and how long they have been open.';
comment on column monitoring.v_invalid_ages.dataset is
'Dataset of the records.';
comment on column monitoring.v_invalid_ages.validation_type is
'Validation that they failed.';
comment on column monitoring.v_invalid_ages.open_records is
'Number of records.';
comment on column monitoring.v_invalid_ages.open_below_1_day is
'Those opened within the last 24 hours.';
comment on column monitoring.v_invalid_ages.open_1_to_7_days is
'Those that have been open for a day or more, but for less than 7.';
comment on column monitoring.v_invalid_ages.open_7_to_30_days is
'Those that have been open for 7 days or more, but for less than 30.';
comment on column monitoring.v_invalid_ages.open_above_30_days is
'Those that have been open for 30 days or more.';
comment on column monitoring.v_invalid_ages.alerted_records is
'Number of those that people were notified of.';
comment on column monitoring.v_invalid_ages.oldest_opened_at is
'When the one that is open for longest was opened.';
comment on column monitoring.v_invalid_ages.last_detected_at is
'When one of them was last found.';

create or replace function monitoring.get_datasets(
    p_search text default null,
    p_dataset text default null,
    p_limit integer default 100,
    p_after_trouble integer default null,
    p_after_open bigint default null,
    p_after_dataset text default null
)
returns table (
    dataset text,
    description text,
    time_zone text,
    bot_task_type text,
    open_records bigint,
    open_below_1_day bigint,
    open_1_to_7_days bigint,
    open_7_to_30_days bigint,
    open_above_30_days bigint,
    alerted_records bigint,
    oldest_opened_at timestamptz,
    last_detected_at timestamptz,
    alerts bigint,
    worst_severity text,
    trouble integer
)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
-- Planned for whether one is asked for or all.
set plan_cache_mode = force_custom_plan
as $$
begin
    if p_limit is null or p_limit not between 0 and 10000 then
        perform monitoring._refuse_number('limit', p_limit::text, 'a number from 0 to 10000');
    end if;
    return query
    with invalid as materialized (
        select v.dataset, sum(v.open_records)::bigint as open_records,
            sum(v.open_below_1_day)::bigint as below_1, sum(v.open_1_to_7_days)::bigint as to_7,
            sum(v.open_7_to_30_days)::bigint as to_30,
            sum(v.open_above_30_days)::bigint as above_30,
            sum(v.alerted_records)::bigint as alerted, min(v.oldest_opened_at) as oldest,
            max(v.last_detected_at) as last_detected
        from monitoring.v_invalid_ages v
        where p_dataset is null or v.dataset = p_dataset
        group by v.dataset
    )
    select
        k.dataset, d.description, coalesce(d.time_zone, 'UTC'), d.bot_task_type,
        coalesce(i.open_records, 0), coalesce(i.below_1, 0), coalesce(i.to_7, 0),
        coalesce(i.to_30, 0), coalesce(i.above_30, 0), coalesce(i.alerted, 0), i.oldest,
        i.last_detected, coalesce(a.alerts, 0), a.worst_severity, coalesce(a.trouble, 0)
    from monitoring._known_datasets() k (dataset)
    left join invalid i on i.dataset = k.dataset
    left join monitoring.datasets d on d.dataset = k.dataset
    left join monitoring._alerts_about(array['dataset']) a on a.about = array[k.dataset]
    where (p_dataset is null or k.dataset = p_dataset)
        and (
            p_search is null
            or position(lower(p_search collate "C") in lower(k.dataset collate "C")) > 0
            or position(lower(p_search collate "C") in lower(d.description collate "C")) > 0
        )
        and (p_after_dataset is null or (
            -coalesce(a.trouble, 0), -coalesce(i.open_records, 0), k.dataset
        ) > (
            -coalesce(p_after_trouble::bigint, 0), -coalesce(p_after_open::numeric, 0),
            p_after_dataset
        ))
    order by coalesce(a.trouble, 0) desc, coalesce(i.open_records, 0) desc, k.dataset
    limit p_limit;
end
$$;

comment on function monitoring.get_datasets(text, text, integer, integer, bigint, text) is
'Datasets, those in trouble first, then those with the most invalid records, with how long these '
'have been open. p_after_... say where the page before ended: its last trouble, open_records and '
'dataset.';

-- From what is open, and what was resolved since: what was open on a day is what is open now, less
-- what was opened later, and what was resolved later.
create or replace function monitoring.get_invalid_by_day(p_dataset text, p_days integer default 30)
returns table (day date, opened bigint, resolved bigint, open_records bigint)
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
set jit = off
set plan_cache_mode = force_custom_plan
as $$
declare
    v_today date := (monitoring.clock() at time zone 'UTC')::date;
    v_from timestamptz;
begin
    if p_days is null or p_days not between 1 and 366 then
        perform monitoring._refuse_number('days', p_days::text, 'a number from 1 to 366');
    end if;
    v_from := (v_today - (p_days - 1))::timestamp at time zone 'UTC';
    return query
    with changes as (
        select (s.opened_at at time zone 'UTC')::date as day, count(*) as opened,
            0::bigint as resolved
        from monitoring.invalid_record_states s
        where s.dataset = p_dataset and s.resolved_at = 'infinity'
        group by 1
        union all
        select (e.opened_at at time zone 'UTC')::date, count(*), 0
        from monitoring.invalid_record_spells e
        where e.dataset = p_dataset and e.resolved_at >= v_from
        group by 1
        union all
        select (e.resolved_at at time zone 'UTC')::date, 0, count(*)
        from monitoring.invalid_record_spells e
        where e.dataset = p_dataset and e.resolved_at >= v_from
        group by 1
    ),
    sums as (
        select c.day, sum(c.opened) as opened, sum(c.resolved) as resolved
        from changes c
        group by c.day
    )
    select
        d.day::date, coalesce(s.opened, 0)::bigint, coalesce(s.resolved, 0)::bigint,
        (
            select coalesce(sum(b.opened - b.resolved), 0)::bigint from sums b
            where b.day <= d.day::date
        )
    from generate_series(v_from at time zone 'UTC', v_today::timestamp, interval '1 day') d (day)
    left join sums s on s.day = d.day::date
    order by d.day;
end
$$;

comment on function monitoring.get_invalid_by_day(text, integer) is
'How many records of a dataset became invalid on each of the last p_days UTC days, how many were '
'resolved, and how many were open when the day ended, or are now.';
