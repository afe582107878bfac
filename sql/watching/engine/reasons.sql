-- Why alerts fire: the newest of the rows behind each that says so, and how a task goes that takes
-- long. Writes raised_alerts; callers
-- hold _lock_alerts().

-- What kind of trouble a rule finds: failed, stuck, long, late or other.
create or replace function monitoring._alert_kind(p_rule_name text) returns text
language sql
immutable
return case
    when p_rule_name in ('task_failed', 'consecutive_failures', 'job_failed') then 'failed'
    when p_rule_name in ('task_stuck', 'backend_gone') then 'stuck'
    when p_rule_name in ('long_running_task', 'slow_processing') then 'long'
    when p_rule_name in ('step_late', 'step_missed', 'missed_run', 'job_late') then 'late'
    else 'other'
end;

-- What a row behind an alert says of why; null when it says nothing.
create or replace function monitoring._reason_in(p_details jsonb) returns text
language sql
immutable
return nullif(btrim(coalesce(
    p_details ->> 'last_error',
    p_details ->> 'failure_reason',
    p_details ->> 'error_message',
    p_details ->> 'error',
    coalesce(p_details ->> 'error_type' || ': ', '')
    || coalesce(p_details ->> 'message', p_details ->> 'example')
)), '');

-- How a running task goes beside what is expected of it; null when nobody knows.
create or replace function monitoring._pace_of(
    p_task monitoring.active_tasks, p_now timestamptz
)
returns text
language sql
stable
return (
    select
        nullif(concat_ws(
            ', ',
            'expected ' || monitoring._spell_seconds(s.expected_seconds),
            monitoring._figure(
                p_task.items_done / nullif(date_part('epoch', p_now - p_task.started_at), 0)
            )
            || case when s.step_name is null then ' items' else ' records' end
            || ' a second'
            || coalesce(
                ' (threshold '
                || monitoring._figure(
                    coalesce(s.minimum_rate, greatest(t.low, t.medium, t.high, t.critical))
                )
                || ')',
                ''
            )
        ), '')
    from (values (p_task.task_type)) as of_type (task_type)
    left join monitoring.workflow_steps as s on of_type.task_type = s.step_name
    left join monitoring.alert_thresholds as t on t.rule_name = 'low_throughput' and t.labels = '{}'
);

-- Why an alert fires, by the newest row behind it that says so; null when none does.
create or replace function monitoring._reason_of_alert(
    p_alert monitoring.raised_alerts, p_now timestamptz
)
returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_explainer text;
    v_reason text;
begin
    select r.explainer_name into v_explainer
    from monitoring.alert_rules r
    where r.rule_name = p_alert.rule_name;
    if v_explainer is not null then
        execute format(
            'select monitoring._reason_in(e.details) from monitoring.%I($1, $2, 5) e'
            ' where monitoring._reason_in(e.details) is not null'
            ' order by e.happened_at desc limit 1',
            v_explainer
        )
        into v_reason
        using p_alert, p_now;
    end if;
    if monitoring._alert_kind(p_alert.rule_name) in ('long', 'stuck') then
        select concat_ws('; ', v_reason, monitoring._pace_of(a, p_now)) into v_reason
        from monitoring.active_tasks a
        where a.task_id = p_alert.labels ->> 'task_id';
    end if;
    return monitoring._capped_text(nullif(v_reason, ''), 1000);
exception
    -- It is told all the same, without a reason. A cancellation is not swallowed.
    when others then
        return null;
end
$$;

-- Looks for reason and owner of open alerts that are new or have changed, worst first, for half
-- a second and a hundred alerts at most.
create or replace function monitoring._give_reasons(p_now timestamptz) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_began_ms double precision := monitoring._stopwatch_ms();
    v_alert monitoring.raised_alerts;
begin
    for v_alert in
        select a.*
        from monitoring.raised_alerts a
        where a.resolved_at = 'infinity' and a.explained_at is null
        order by a.status = 'firing' desc, monitoring._severity_rank(a.severity) desc, a.alert_id
        limit 100
    loop
        update monitoring.raised_alerts
        set
            reason = coalesce(monitoring._reason_of_alert(v_alert, p_now), reason),
            owner = monitoring._owner_of(
                v_alert.labels || jsonb_build_object('rule', v_alert.rule_name)
            ),
            explained_at = p_now
        where alert_id = v_alert.alert_id;
        -- In a flood the others have theirs with the next evaluations.
        exit when monitoring._stopwatch_ms() > v_began_ms + 500;
    end loop;
end
$$;
