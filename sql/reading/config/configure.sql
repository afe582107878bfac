-- One entry of a configuration each, given as it was and as it is to be. Writes alert_rules where a
-- query changes, and everything else through the functions that people call.

-- Gives an own rule another query, which is checked like that of a new one.
create or replace function monitoring._replace_rule_query(p_rule_name text, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    update monitoring.alert_rules
    set query = monitoring._checked_rule_query(
        p_new ->> 'query', p_new -> 'thresholds' <> 'null',
        (p_new ->> 'time_limit_seconds')::double precision
    )
    where rule_name = p_rule_name and family = 'own';
    if not found then
        raise exception using
            errcode = 'PV003',
            message = format('rule "%s" is built in and has no query', p_rule_name),
            hint = 'Take another name for a rule of your own.';
    end if;
end
$$;

-- Sets the thresholds of a rule for certain labels, and no others.
create or replace function monitoring._set_overrides(p_rule_name text, p_overrides jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.set_alert_thresholds(p_rule_name, null, t.labels)
    from monitoring.alert_thresholds t
    where t.rule_name = p_rule_name and t.labels <> '{}';
    perform monitoring.set_alert_thresholds(p_rule_name, o.wanted -> 'thresholds', o.wanted -> 'labels')
    from jsonb_array_elements(p_overrides) o (wanted);
end
$$;

-- Makes, changes or drops a rule; built-in rules can be neither made nor dropped.
create or replace function monitoring._configure_rule(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_changed jsonb;
begin
    if p_new is null then
        perform monitoring.drop_alert_rule(p_name);
        return;
    end if;
    if p_old is null then
        if not p_new ? 'query' then
            perform monitoring._found_rule(p_name);
        end if;
        perform monitoring.create_alert_rule(
            p_name, p_new ->> 'query', p_new -> 'thresholds',
            p_comparison => coalesce(p_new ->> 'comparison', '>'),
            p_time_limit => make_interval(
                secs => coalesce((p_new ->> 'time_limit_seconds')::double precision, 10)
            )
        );
        p_old := monitoring._config_entry('rules', p_name);
        p_new := p_old || p_new || jsonb_build_object('query', p_old -> 'query');
    end if;
    select coalesce(jsonb_object_agg(n.key, n.value), '{}') into v_changed
    from jsonb_each(p_new) n
    where n.value is distinct from p_old -> n.key;
    -- Thresholds go first, the comparison that they must fit goes with them.
    if v_changed ? 'comparison' then
        perform monitoring.set_alert_thresholds(p_name, null);
        perform monitoring._set_overrides(p_name, '[]');
        v_changed := v_changed || jsonb_build_object(
            'thresholds', p_new -> 'thresholds', 'overrides', p_new -> 'overrides'
        );
    end if;
    perform monitoring.change_alert_rule(p_name, v_changed - array['query', 'thresholds', 'overrides']);
    if v_changed ? 'thresholds' then
        perform monitoring.set_alert_thresholds(p_name, v_changed -> 'thresholds');
    end if;
    if v_changed ? 'overrides' then
        perform monitoring._set_overrides(p_name, coalesce(nullif(v_changed -> 'overrides', 'null'), '[]'));
    end if;
    if v_changed ? 'query' then
        perform monitoring._replace_rule_query(p_name, p_new);
    end if;
end
$$;

-- Makes, changes or removes a channel.
create or replace function monitoring._configure_channel(p_name text, p_new jsonb) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_new jsonb := '{
        "kind": "apprise", "matchers": {}, "minimum_severity": "low", "has_resolved_notices": true,
        "repeat_seconds": 14400, "max_per_hour": 60, "max_attempts": 12, "time_zone": "UTC",
        "is_enabled": true
    }'::jsonb || p_new;
begin
    if p_new is null then
        perform monitoring.remove_notification_channel(p_name);
        return;
    end if;
    perform monitoring.set_notification_channel(
        p_name,
        array(select jsonb_array_elements_text(v_new -> 'targets')),
        v_new ->> 'kind',
        v_new -> 'matchers',
        v_new ->> 'minimum_severity',
        (v_new ->> 'has_resolved_notices')::boolean,
        make_interval(secs => (v_new ->> 'repeat_seconds')::double precision),
        (v_new ->> 'max_per_hour')::numeric::integer,
        v_new ->> 'summary_time',
        v_new ->> 'time_zone',
        (v_new ->> 'max_attempts')::numeric::integer
    );
    perform monitoring.enable_notification_channel(p_name, (v_new ->> 'is_enabled')::boolean);
end
$$;

-- Expects runs of a task type, or expects them no longer.
create or replace function monitoring._configure_expected_run(p_name text, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_new is null then
        perform monitoring.forget_expected_runs(p_name);
        return;
    end if;
    perform monitoring.expect_runs(
        p_name,
        p_new ->> 'schedule',
        coalesce(p_new ->> 'time_zone', 'UTC'),
        make_interval(secs => coalesce((p_new ->> 'grace_seconds')::double precision, 300)),
        make_interval(secs => coalesce((p_new ->> 'early_seconds')::double precision, 60)),
        coalesce((p_new ->> 'is_enabled')::boolean, true)
    );
end
$$;

-- Changes the plan of a job that exists.
create or replace function monitoring._configure_job(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_old is null then
        perform monitoring._refuse_unknown_job(p_name);
    end if;
    if p_old - 'is_enabled' <> p_new - 'is_enabled' then
        perform monitoring.schedule_job(
            p_name,
            p_new ->> 'schedule',
            (select j.procedure_name from monitoring.jobs j where j.job_name = p_name),
            p_new ->> 'time_zone',
            make_interval(secs => (p_new ->> 'timeout_seconds')::double precision)
        );
    end if;
    if p_old -> 'is_enabled' <> p_new -> 'is_enabled' then
        perform monitoring.enable_job(p_name, (p_new ->> 'is_enabled')::boolean);
    end if;
end
$$;
