-- What is wrong with sources and their rows: told once as an error, and for as long as it matters
-- through the rule source_trouble. Writes source_troubles and errors.

-- Notes troubles of a source, and records as errors the first 100 of those that are new.
create or replace function monitoring._tell_troubles(
    p_source_name text, p_troubles jsonb, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_most constant integer := 100;
    v_errors jsonb;
begin
    with told as (
        insert into monitoring.source_troubles (
            source_name, trouble, subject, message, begun_at, ended_at
        )
        select distinct on (t.trouble, t.subject)
            p_source_name, t.trouble, coalesce(t.subject, ''), t.message, p_now,
            -- These happen; the others last.
            case when t.trouble in ('vanished', 'went_backwards') then p_now else 'infinity' end
        from jsonb_to_recordset(p_troubles) t (trouble text, subject text, message text)
        order by t.trouble, t.subject
        on conflict (source_name, trouble, subject) where ended_at = 'infinity' do nothing
        returning *
    )
    select jsonb_agg(jsonb_build_object(
        'task_id', case
            when t.trouble in ('vanished', 'went_backwards') then t.source_name || ':' || t.subject
        end,
        'error_type', 'SourceTrouble', 'severity', 'medium', 'component', 'source ' || t.source_name,
        'message', left(t.message, 8000), 'occurred_at', p_now,
        'fingerprint', left(format('source %s: %s', t.source_name, t.trouble), 255),
        'details', jsonb_build_object('trouble', t.trouble, 'subject', t.subject)
    ))
    into v_errors
    from (select * from told order by told.trouble_id limit v_most) t;
    if v_errors is not null then
        perform monitoring._record_rows('errors', 'error_tracking', 'occurred_at', v_errors);
    end if;
end
$$;

-- Ends the troubles of a source that no longer are there.
create or replace function monitoring._end_troubles(
    p_source_name text, p_troubles jsonb, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.source_troubles t
    set ended_at = greatest(p_now, t.begun_at)
    where t.source_name = p_source_name
        and t.ended_at = 'infinity'
        and (t.trouble, t.subject) not in (
            select g.trouble, coalesce(g.subject, '')
            from jsonb_to_recordset(p_troubles) g (trouble text, subject text)
        );
end
$$;

-- The rows of a source of which nothing can be made, as an array of troubles.
create or replace function monitoring._troubles_of_rows(p_runs monitoring.source_run[])
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_agg(jsonb_build_object(
            'trouble', r.trouble, 'subject', r.subject, 'message', r.message
        )), '[]')
        from (
            select u.trouble,
                coalesce(left(u.run_id, 255), '') as subject,
                format('run %s: %s', left(coalesce(u.run_id, '(without run_id)'), 255),
                    min(u.fault)) as message
            from unnest(p_runs) u
            where u.trouble = 'bad_row'
            group by u.trouble, u.run_id
            union all
            -- A code that nobody explained is one trouble, however many runs have it.
            select u.trouble, left(monitoring._status_code(u.status_code), 255),
                format('%s (runs that have it: %s, such as %s)', min(u.fault), count(*), min(u.run_id))
            from unnest(p_runs) u
            where u.trouble = 'unknown_status'
            group by u.trouble, left(monitoring._status_code(u.status_code), 255)
        ) r
    );
end
$$;

-- Whether the work of a run of a source has been done since a time, by that run or another.
create or replace function monitoring._is_made_up_for(
    p_source_name text, p_run_id text, p_since timestamptz, p_now timestamptz
)
returns boolean
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_task_id text := p_source_name || ':' || p_run_id;
    v_run monitoring.source_runs;
    v_metadata jsonb;
    v_begun_at timestamptz;
begin
    select r.* into v_run
    from monitoring.source_runs r
    where r.source_name = p_source_name and r.run_id = p_run_id;
    if v_run.status = 'completed' and v_run.ended_at between p_since and p_now then
        return true;
    end if;
    select t.metadata, t.started_at into v_metadata, v_begun_at
    from monitoring.unsuccessful_attempts u
    inner join monitoring._all_finished_tasks t
        on t.task_id = u.task_id and t.finished_at = u.finished_at and t.attempt = u.attempt
    where u.task_id = v_task_id;
    return monitoring._work_done_at(
        v_run.task_type,
        monitoring._work_of(
            v_task_id, v_run.task_type, v_metadata, coalesce(v_begun_at, v_run.started_at, p_since)
        ),
        p_since, p_now
    ) is not null;
end
$$;

-- How many troubles of each kind a source has: those that last, and those that happened in the
-- window and whose work has not been done since.
create or replace function monitoring._find_source_troubles(
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
        left(format('%s: %s', t.source_name, t.trouble), 255),
        count(*)::double precision,
        jsonb_build_object('source', t.source_name, 'trouble', t.trouble),
        left(format(
            'source %s: %s', t.source_name,
            case
                when count(*) = 1 then min(t.message)
                else format(
                    '%s %s, %s first', count(*),
                    case t.trouble
                        when 'bad_row' then 'rows that cannot be interpreted'
                        when 'unknown_status' then 'status codes without a meaning'
                        when 'vanished' then 'runs that vanished while running'
                        when 'went_backwards' then 'runs that went backwards'
                        else 'troubles'
                    end,
                    min(t.subject)
                )
            end
        ), 500),
        null::text,
        null::double precision
    from monitoring.source_troubles t
    where t.begun_at <= p_now
        and (
            t.ended_at > p_now
            or (
                t.trouble in ('vanished', 'went_backwards')
                and t.ended_at > p_now - monitoring._span_of(p_rule, 'window_minutes')
                and not monitoring._is_made_up_for(t.source_name, t.subject, t.begun_at, p_now)
            )
        )
    group by t.source_name, t.trouble;
end
$$;

call monitoring._ship_rule(
    'source_trouble', 'processing',
    'A source cannot be read, has rows that cannot be interpreted, or runs that vanished or went '
    'backwards within the window: v_source_troubles says which.',
    p_finder => '_find_source_troubles',
    p_explainer => '_explain_source_troubles',
    p_alert_for_each => 'source and kind of trouble',
    p_comparison => '>=',
    p_unit => 'troubles',
    p_thresholds => '{"medium": 1}',
    p_parameters => '{"window_minutes": 1440}'
);
call monitoring._ship_thresholds(
    'source_trouble', '{"high": 1}', '{"trouble": "unreadable"}'
);
call monitoring._ship_thresholds(
    'source_trouble', '{"high": 1}', '{"trouble": "vanished"}'
);

-- The newest troubles of the kind that an alert is about.
create or replace function monitoring._explain_source_troubles(
    p_alert monitoring.raised_alerts, p_now timestamptz, p_limit integer
)
returns table (source text, happened_at timestamptz, details jsonb)
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return query
    select 'source_troubles', t.begun_at,
        jsonb_build_object(
            'subject', t.subject, 'message', t.message,
            'ended_at', nullif(t.ended_at, 'infinity')
        )
    from monitoring.source_troubles t
    where t.source_name = p_alert.labels ->> 'source'
        and t.trouble = p_alert.labels ->> 'trouble'
        and t.begun_at <= p_now
    order by t.begun_at desc, t.trouble_id desc
    limit p_limit;
end
$$;

-- Tells, once while it lasts, why a source or a query cannot be read.
create or replace function monitoring._tell_unreadable(
    p_source_name text, p_error text, p_now timestamptz
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._tell_troubles(
        p_source_name,
        jsonb_build_array(jsonb_build_object(
            'trouble', 'unreadable', 'subject', '', 'message', 'cannot be read: ' || p_error
        )),
        p_now
    );
end
$$;

call monitoring._ship_retention('source_troubles', '90 days');
