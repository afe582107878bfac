-- Rules about how attempts end, by task type. Reads finished_tasks and their roll-ups, and
-- unsuccessful_attempts.

create or replace function monitoring._find_failed_tasks(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_is_by_task boolean := coalesce(p_rule.parameters ->> 'by' = 'task', false);
    v_hours text := monitoring._figure(date_part('epoch', monitoring._minutes_of(p_rule)) / 3600);
begin
    return query
    with failed as (
        select
            u.task_id,
            u.task_type,
            u.status,
            case when v_is_by_task then u.task_id else u.task_type end as what,
            row_number() over (
                partition by u.task_type, case when v_is_by_task then u.task_id end
                order by u.finished_at desc, u.task_id
            ) as place
        from monitoring.unsuccessful_attempts u
        where u.finished_at > p_now - monitoring._minutes_of(p_rule)
            and u.finished_at <= p_now
            and u.status in ('failed', 'timeout', 'lost')
    )

    select
        -- The name of a task may be that of a type as well.
        monitoring._short_name(f.what),
        count(*)::double precision,
        jsonb_build_object('task_type', f.task_type)
            || case
                when v_is_by_task then jsonb_build_object('task_id', f.what)
                else '{}'::jsonb
            end,
        case
            when v_is_by_task then format(
                'task %s of type %s: %s', left(f.what, 200), left(f.task_type, 200),
                case min(f.status)
                    when 'failed' then 'failed'
                    when 'timeout' then 'timed out'
                    else 'got lost'
                end
            )
            else format(
                'task type %s: %s failed in %s hours and %s not completed since: %s%s',
                left(f.task_type, 150),
                case when count(*) = 1 then '1 task' else count(*) || ' tasks' end,
                v_hours,
                case when count(*) = 1 then 'has' else 'have' end,
                string_agg(left(f.task_id, 60), ', ' order by f.place) filter (where f.place <= 3),
                case when count(*) > 3 then ' …' else '' end
            )
        end,
        null::text,
        null::double precision
    from failed f
    group by f.task_type, f.what;
end
$$;

comment on function monitoring._find_failed_tasks(monitoring.alert_rules, timestamptz) is
'How many tasks failed, timed out or got lost in the window before p_now and have not completed to '
'this day, by type or each by itself. Tasks told of by record_finished_tasks() alone, or without a '
'start, are not among them.';

create or replace function monitoring._ended_by_type(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns table (
    task_type text, ended double precision, completed double precision,
    failed double precision
)
language sql
stable
begin atomic
    select
        w.name as task_type,
        sum(w.row_count)::double precision as ended,
        coalesce(sum(w.row_count) filter (where w.label = 'completed'), 0)::double precision
            as completed,
        coalesce(
            sum(w.row_count) filter (where w.label in ('failed', 'timeout', 'lost')), 0
        )::double precision as failed
    from monitoring._counted_between('tasks', p_now - monitoring._minutes_of(p_rule), p_now) as w
    group by w.name
    having sum(w.row_count)::double precision >= monitoring._number_in(p_rule, 'min_tasks', 10);
end;

comment on function monitoring._ended_by_type(monitoring.alert_rules, timestamptz) is
'How many attempts ended in a rule''s window before p_now and how, by task type, where there are '
'enough to speak of a rate.';

create or replace function monitoring._find_low_success_rates(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        monitoring._short_name(e.task_type),
        100 * e.completed / e.ended,
        jsonb_build_object('task_type', e.task_type),
        format(
            'task type %s: %s %% of attempts completed, %s of %s',
            e.task_type, monitoring._figure(100 * e.completed / e.ended), e.completed, e.ended
        ),
        null::text,
        null::double precision
    from monitoring._ended_by_type(p_rule, p_now) e;
end
$$;

comment on function monitoring._find_low_success_rates(monitoring.alert_rules, timestamptz) is
'Percent of the attempts that ended in the window before p_now that completed, by task type.';

create or replace function monitoring._find_high_error_rates(
    p_rule monitoring.alert_rules, p_now timestamptz
)
returns setof monitoring.finding
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        monitoring._short_name(e.task_type),
        100 * e.failed / e.ended,
        jsonb_build_object('task_type', e.task_type),
        format(
            'task type %s: %s %% of attempts failed, %s of %s',
            e.task_type, monitoring._figure(100 * e.failed / e.ended), e.failed, e.ended
        ),
        null::text,
        null::double precision
    from monitoring._ended_by_type(p_rule, p_now) e;
end
$$;

comment on function monitoring._find_high_error_rates(monitoring.alert_rules, timestamptz) is
'Percent of the attempts that ended in the window before p_now that failed, timed out or got lost, '
'by task type.';
