-- The daily summary of a channel: worst first, what is open, what has been resolved, and how tasks
-- and errors went. Reads alerts and the figures of the dashboard; writes queued_notifications and
-- notification_channels.

-- Whether the time of day of a channel's summary has passed and none was made that day.
create or replace function monitoring._is_summary_due(
    p_channel monitoring.notification_channels, p_now timestamptz
)
returns boolean
language sql
stable
-- Null, and so not due, without a time of day.
return monitoring._local_time(p_now, p_channel.time_zone)::time >= p_channel.summary_time::time
and (
    p_channel.summarized_at is null
    or monitoring._local_time(p_channel.summarized_at, p_channel.time_zone)::date
    < monitoring._local_time(p_now, p_channel.time_zone)::date
    -- Made by a clock that has been put back by more than a day.
    or p_channel.summarized_at > p_now + '24 hours'::interval
);

-- How many notices there are of each severity, worst first: 1 critical, 2 low.
create or replace function monitoring._count_severities(p_notices jsonb) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select string_agg(s.count || ' ' || s.severity, ', ' order by s.rank desc)
        from (
            select
                n.notice ->> 'severity' as severity,
                monitoring._severity_rank(n.notice ->> 'severity') as rank,
                count(*) as count
            from jsonb_array_elements(p_notices) n (notice)
            group by 1, 2
        ) s
    );
end
$$;

-- Alerts of a channel that fire, or have resolved in the last 24 hours, and whether they began
-- in that time.
create or replace function monitoring._alerts_of_day(
    p_channel monitoring.notification_channels, p_now timestamptz
)
returns table (alert_id bigint, status text, has_opened boolean, rank integer)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select
        a.alert_id,
        a.status,
        a.fired_at > p_now - interval '24 hours',
        monitoring._notice_rank('firing', a.severity)
    from monitoring.raised_alerts a
    left join monitoring.alert_rules r on r.rule_name = a.rule_name
    where a.fired_at <= p_now
        and (
            a.resolved_at = 'infinity' and a.status = 'firing'
            or a.resolved_at > p_now - interval '24 hours' and a.resolved_at <= p_now
        )
        and monitoring._is_told_through(
            a.rule_name, monitoring._all_labels(a, r.family), p_channel
        );
end
$$;

-- What the summary says of an alert.
create or replace function monitoring._summary_line(p_notice jsonb, p_now timestamptz)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return concat_ws(
        ', ',
        case p_notice ->> 'status'
            when 'resolved' then monitoring._notice_title(p_notice, p_now)
            else format('%s for %s: %s',
                upper(p_notice ->> 'severity' collate "C"),
                monitoring._spell_seconds(
                    date_part('epoch', p_now - (p_notice ->> 'fired_at')::timestamptz)
                ),
                monitoring._one_line(p_notice ->> 'summary'))
        end,
        'acknowledged by ' || monitoring._one_line(p_notice ->> 'acknowledged_by')
    );
end
$$;

-- How many alerts of a kind there are and the worst twenty of them.
create or replace function monitoring._summary_section(
    p_title text, p_notices jsonb, p_now timestamptz
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_limit constant integer := 20;
    v_count integer := jsonb_array_length(p_notices);
    v_lines text;
begin
    select string_agg(E'\n  ' || monitoring._summary_line(n.notice, p_now), '' order by n.position)
    into v_lines
    from jsonb_array_elements(p_notices) with ordinality n (notice, position)
    where n.position <= v_limit;
    return concat(
        p_title, ': ', v_count,
        ' (' || monitoring._count_severities(p_notices) || ')',
        v_lines,
        case when v_count > v_limit then format(E'\n  and %s more', v_count - v_limit) end
    );
end
$$;

-- Tasks that ended and failed and errors that happened in the last 24 hours, as numbers and as
-- text.
create or replace function monitoring._summary_figures() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_tasks jsonb;
    v_errors jsonb;
begin
    v_tasks := monitoring._summarize_tasks();
    v_errors := monitoring._summarize_errors();
    return jsonb_build_object(
        'tasks_ended', v_tasks -> 'ended',
        'tasks_failed', v_tasks -> 'failed',
        'errors', v_errors -> 'occurrences',
        'text', concat_ws(
            E'\n',
            format('Tasks: %s ended, %s failed', v_tasks ->> 'ended', v_tasks ->> 'failed'),
            (
                select string_agg(
                    format('  %s: %s of %s failed', monitoring._one_line(w.task_type), w.failed,
                        w.tasks),
                    E'\n' order by w.failed desc, w.task_type
                )
                from (
                    select t.*
                    from jsonb_to_recordset(v_tasks -> 'by_type')
                        t (task_type text, tasks bigint, failed bigint)
                    where t.failed > 0
                    order by t.failed desc, t.task_type
                    limit 10
                ) w
            ),
            E'\n' || format('Errors: %s', v_errors ->> 'occurrences'),
            (
                select string_agg(
                    format('  %s %s: %s%s', upper(e.severity collate "C"), e.occurrences,
                        monitoring._one_line(e.error_type),
                        ' in ' || monitoring._one_line(e.component)),
                    E'\n' order by e.position
                )
                from (
                    select t.*, row_number() over () as position
                    from jsonb_to_recordset(v_errors -> 'top')
                        t (error_type text, severity text, component text, occurrences bigint)
                ) e
            )
        )
    );
exception
    -- Alerts are told all the same, and the summary says why it has no figures.
    when others then
        return jsonb_build_object(
            'text', 'Tasks and errors could not be counted: ' || monitoring._one_line(sqlerrm)
        );
end
$$;

-- Queues the daily summary of a channel when it is due, and returns how many messages that
-- makes; hourly limits do not count it.
create or replace function monitoring._summarize_day(
    p_channel monitoring.notification_channels, p_now timestamptz
)
returns integer
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_open jsonb;
    v_ended jsonb;
    v_opened bigint;
    v_figures jsonb;
begin
    if not coalesce(monitoring._is_summary_due(p_channel, p_now), false) then
        return 0;
    end if;
    update monitoring.notification_channels
    set summarized_at = p_now
    where channel_name = p_channel.channel_name;

    with alerts as materialized (
        select d.* from monitoring._alerts_of_day(p_channel, p_now) d
    )
    select
        monitoring._notices_of(
            array_agg(d.alert_id order by d.rank desc, d.alert_id) filter (where d.status = 'firing'),
            array_fill('firing'::text, array[count(*) filter (where d.status = 'firing')::integer])
        ),
        monitoring._notices_of(
            array_agg(d.alert_id order by d.rank desc, d.alert_id)
                filter (where d.status = 'resolved'),
            array_fill('resolved'::text, array[count(*) filter (where d.status = 'resolved')::integer])
        ),
        count(*) filter (where d.has_opened)
    into v_open, v_ended, v_opened
    from alerts d;
    v_figures := monitoring._summary_figures();
    return monitoring._queue_message(
        p_channel, p_now, 'summary',
        monitoring._shortened(concat_ws(
            ', ',
            format('Daily summary: %s open', jsonb_array_length(v_open))
                || coalesce(' (' || monitoring._count_severities(v_open) || ')', ''),
            v_figures ->> 'tasks_failed' || ' tasks failed',
            v_figures ->> 'errors' || ' errors'
        ), 120),
        concat_ws(
            E'\n\n',
            format('The 24 hours up to %s', monitoring._spell_time(p_now, p_channel.time_zone)),
            monitoring._summary_section('Alerts open', v_open, p_now),
            format('Alerts opened: %s', v_opened),
            monitoring._summary_section('Alerts resolved', v_ended, p_now),
            v_figures ->> 'text'
        ),
        jsonb_build_object(
            'alerts', v_open,
            'held_back', p_channel.held_back,
            'opened', v_opened,
            'resolved', jsonb_array_length(v_ended),
            'tasks_ended', v_figures -> 'tasks_ended',
            'tasks_failed', v_figures -> 'tasks_failed',
            'errors', v_figures -> 'errors'
        )
    );
end
$$;
