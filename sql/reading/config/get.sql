-- The configuration as one document. Reads all that apply_config() writes.

-- Settings of a rule as they are in a configuration.
create or replace function monitoring._rule_config(p_rule monitoring.alert_rules) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return jsonb_build_object(
        'description', p_rule.description,
        'unit', p_rule.unit,
        'comparison', p_rule.comparison,
        'for_seconds', p_rule.for_seconds,
        'for_evaluations', p_rule.for_evaluations,
        'keep_firing_seconds', p_rule.keep_firing_seconds,
        'no_data', p_rule.no_data,
        'on_error', p_rule.on_error,
        'time_limit_seconds', p_rule.time_limit_seconds,
        'is_enabled', p_rule.is_enabled,
        'thresholds', (
            select jsonb_strip_nulls(to_jsonb(t) - 'rule_name' - 'labels')
            from monitoring.alert_thresholds t
            where t.rule_name = p_rule.rule_name and t.labels = '{}'
        ),
        'overrides', (
            select coalesce(jsonb_agg(
                jsonb_build_object(
                    'labels', t.labels,
                    'thresholds', jsonb_strip_nulls(to_jsonb(t) - 'rule_name' - 'labels')
                )
                order by t.labels
            ), '[]')
            from monitoring.alert_thresholds t
            where t.rule_name = p_rule.rule_name and t.labels <> '{}'
        )
    ) || case
        when p_rule.query is null then jsonb_build_object('parameters', p_rule.parameters)
        else jsonb_build_object('query', p_rule.query)
    end;
end
$$;

-- Settings of a channel as they are in a configuration.
create or replace function monitoring._channel_config(p_channel monitoring.notification_channels)
returns jsonb
language sql
stable
return jsonb_build_object(
    'targets', (p_channel).targets,
    'kind', (p_channel).kind,
    'matchers', (p_channel).matchers,
    'minimum_severity', (p_channel).minimum_severity,
    'has_resolved_notices', (p_channel).has_resolved_notices,
    'repeat_seconds', (p_channel).repeat_seconds,
    'max_per_hour', (p_channel).max_per_hour,
    'max_attempts', (p_channel).max_attempts,
    'summary_time', (p_channel).summary_time,
    'time_zone', (p_channel).time_zone,
    'is_enabled', (p_channel).is_enabled
);

-- How long rows of a table are kept, by category, as it is in a configuration.
create or replace function monitoring._retention_config(p_table_name text) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_object_agg(p.category, monitoring._length_in_words(p.keep))
        from monitoring.retention_policies p
        where p.table_name = p_table_name
    );
end
$$;

-- What is expected of a task type as it is in a configuration.
create or replace function monitoring._expected_run_config(p_expected monitoring.expected_runs)
returns jsonb
language sql
stable
return jsonb_build_object(
    'schedule', (p_expected).schedule,
    'time_zone', (p_expected).time_zone,
    'grace_seconds', (p_expected).grace_seconds,
    'early_seconds', (p_expected).early_seconds,
    'is_enabled', (p_expected).is_enabled
);

-- Plan of a job as it is in a configuration.
create or replace function monitoring._job_config(p_job monitoring.jobs) returns jsonb
language sql
stable
return jsonb_build_object(
    'schedule', (p_job).schedule,
    'time_zone', (p_job).time_zone,
    'is_enabled', (p_job).is_enabled,
    'timeout_seconds', (p_job).timeout_seconds
);

-- A time as text, the same in every session.
create or replace function monitoring._time_in_utc(p_at timestamptz) returns text
language sql
stable
return regexp_replace(
    to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), '[.]?0*$', ''
) || 'Z';

-- A silence as it is in a configuration.
create or replace function monitoring._silence_config(p_silence monitoring.alert_silences)
returns jsonb
language sql
stable
return jsonb_build_object(
    'matchers', (p_silence).matchers,
    'starts_at', monitoring._time_in_utc((p_silence).starts_at),
    'ends_at', monitoring._time_in_utc(nullif((p_silence).ends_at, 'infinity')),
    'is_until_resolved', (p_silence).is_until_resolved,
    'note', (p_silence).note,
    'created_by', (p_silence).created_by
);

-- One entry of a section of objects; null when there is none of that name.
create or replace function monitoring._config_entry(p_section text, p_name text) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    case p_section
        when 'rules' then
            return (
                select monitoring._rule_config(r)
                from monitoring.alert_rules r where r.rule_name = p_name
            );
        when 'channels' then
            return (
                select monitoring._channel_config(c)
                from monitoring.notification_channels c where c.channel_name = p_name
            );
        when 'retention' then
            return monitoring._retention_config(p_name);
        when 'expected_runs' then
            return (
                select monitoring._expected_run_config(e)
                from monitoring.expected_runs e where e.task_type = p_name
            );
        else
            return (
                select monitoring._job_config(j) from monitoring.jobs j where j.job_name = p_name
            );
    end case;
end
$$;

-- Rules whose thresholds have a section of their own, by their names there.
create or replace function monitoring._best_known_rules() returns jsonb
language sql
immutable
return '{
    "error_rates": "errors_per_hour",
    "processing_times": "slow_processing",
    "queue_backlog": "queue_backlog"
}'::jsonb;

-- Section rules of a configuration; thresholds that have a section of their own are left out.
create or replace function monitoring._rules_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                r.rule_name,
                monitoring._rule_config(r) - array(
                    select 'thresholds'
                    from jsonb_each_text(monitoring._best_known_rules()) k
                    where k.value = r.rule_name
                )
            ),
            '{}'
        )
        from monitoring.alert_rules r
    );
end
$$;

create or replace function monitoring.get_config() returns jsonb
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return jsonb_build_object(
        'alert_thresholds', (
            select jsonb_object_agg(k.key, monitoring._config_entry('rules', k.value) -> 'thresholds')
            from jsonb_each_text(monitoring._best_known_rules()) k
        ),
        'rules', monitoring._rules_config(),
        'channels', (
            select coalesce(jsonb_object_agg(c.channel_name, monitoring._channel_config(c)), '{}')
            from monitoring.notification_channels c
        ),
        'silences', (
            select coalesce(jsonb_agg(monitoring._silence_config(s) order by s.silence_id), '[]')
            from monitoring.alert_silences s
            where s.ends_at > monitoring.clock() and s.ended_by is null
        ),
        'inhibitions', (
            select coalesce(jsonb_agg(to_jsonb(i) order by i.source_rule, i.target_rule), '[]')
            from monitoring.alert_inhibitions i
        ),
        'retention', (
            select coalesce(
                jsonb_object_agg(
                    t.table_name,
                    case
                        when t.policies = 1 and t.kept ? '' then t.kept -> ''
                        else t.kept
                    end
                ),
                '{}'
            )
            from (
                select
                    p.table_name,
                    count(*) as policies,
                    monitoring._retention_config(p.table_name) as kept
                from monitoring.retention_policies p
                group by p.table_name
            ) t
        ),
        'expected_runs', (
            select coalesce(jsonb_object_agg(e.task_type, monitoring._expected_run_config(e)), '{}')
            from monitoring.expected_runs e
        ),
        'jobs', (
            select coalesce(jsonb_object_agg(j.job_name, monitoring._job_config(j)), '{}')
            from monitoring.jobs j
        )
    );
end
$$;

comment on function monitoring.get_config() is
'Everything that can be configured, as one document; apply_config() of it changes nothing, and '
'makes another database the same.';

create or replace view monitoring.monitoring_config as
select
    s.key as section,
    e.name,
    e.settings
from jsonb_each(monitoring.get_config()) as s
cross join lateral (
    select
        o.key as name,
        o.value as settings
    from jsonb_each(case jsonb_typeof(s.value) when 'object' then s.value end) as o
    union all
    select
        (a.position - 1)::text as name,
        a.value as settings
    from jsonb_array_elements(case jsonb_typeof(s.value) when 'array' then s.value end)
        with ordinality as a (value, position)
) as e;

comment on view monitoring.monitoring_config is
'What get_config() says, one row an entry.';
comment on column monitoring.monitoring_config.section is
'Section of the document, such as rules.';
comment on column monitoring.monitoring_config.name is
'Name of the entry within its section; its place, counted from 0, where it has no name.';
comment on column monitoring.monitoring_config.settings is
'Settings of the entry.';
