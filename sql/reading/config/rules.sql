-- Rules in the configuration: sections alert_thresholds and rules. Writes alert_rules where a query
-- changes, and everything else through the functions that people call.

-- Rules whose thresholds have a section of their own, by their names there.
create or replace function monitoring._best_known_rules() returns jsonb
language sql
immutable
return '{
    "error_rates": "errors_per_hour",
    "processing_times": "slow_processing",
    "queue_backlog": "queue_backlog"
}'::jsonb;

-- Section alert_thresholds of a configuration, of decisions or complete.
create or replace function monitoring._best_known_thresholds(p_is_complete boolean)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(k.key, t.thresholds), '{}')
        from jsonb_each_text(monitoring._best_known_rules()) k
        cross join lateral monitoring._thresholds_config(k.value, p_is_complete) t (thresholds)
        where t.thresholds is not null
    );
end
$$;

-- Section alert_thresholds of a configuration.
create or replace function monitoring._alert_thresholds_config() returns jsonb
language sql
stable
return monitoring._best_known_thresholds(false);

-- The same with all that counts.
create or replace function monitoring._whole_alert_thresholds_config() returns jsonb
language sql
stable
return monitoring._best_known_thresholds(true);

-- Sets the thresholds of one of the best known rules, or for null as they are shipped.
create or replace function monitoring._configure_alert_thresholds(
    p_name text, p_old jsonb, p_new jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._decide_thresholds(
        monitoring._found_rule(monitoring._best_known_rules() ->> p_name),
        case when p_new is not null then coalesce(p_old, '{}') || p_new end,
        '{}'
    );
end
$$;

-- Settings of a rule as people decided them; {} when they decided nothing.
create or replace function monitoring._rule_config(p_rule monitoring.alert_rules) returns jsonb
language sql
stable
return p_rule.decided || jsonb_strip_nulls(jsonb_build_object(
    'query', p_rule.query,
    'overrides', monitoring._overrides_config(p_rule.rule_name, false)
)) || coalesce(
    (
        select jsonb_build_object('thresholds', t.decided)
        from monitoring.alert_thresholds as t
        where t.rule_name = p_rule.rule_name and t.labels = '{}' and t.decided is not null
    ),
    '{}'
);

-- Rules without thresholds that have a section of their own.
create or replace function monitoring._without_best_known(p_rules jsonb) returns jsonb
language plpgsql
immutable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(r.key, r.settings), '{}')
        from (
            select
                e.key,
                e.value - array(
                    select 'thresholds'
                    from jsonb_each_text(monitoring._best_known_rules()) k
                    where k.value = e.key
                ) as settings
            from jsonb_each(p_rules) e
        ) r
        where r.settings <> '{}'
    );
end
$$;

-- Section rules of a configuration: own ones, and what people decided about others.
create or replace function monitoring._rules_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select monitoring._without_best_known(
            jsonb_object_agg(r.rule_name, monitoring._rule_config(r))
        )
        from monitoring.alert_rules r
    );
end
$$;

-- The same with all rules and all that counts.
create or replace function monitoring._whole_rules_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select monitoring._without_best_known(
            jsonb_object_agg(r.rule_name, monitoring._whole_rule_config(r))
        )
        from monitoring.alert_rules r
    );
end
$$;

-- Gives an own rule another query, which is checked like that of a new one.
create or replace function monitoring._replace_rule_query(
    p_rule monitoring.alert_rules, p_query text
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_old constant jsonb := monitoring._whole_rule_config(p_rule);
begin
    if p_rule.family <> 'own' then
        raise exception using
            errcode = 'PV003',
            message = format('rule "%s" is built in and has no query', p_rule.rule_name),
            hint = 'Take another name for a rule of your own.';
    end if;
    update monitoring.alert_rules
    set
        query = monitoring._checked_rule_query(
            p_query,
            exists (
                select from monitoring.alert_thresholds t
                where t.rule_name = p_rule.rule_name and t.labels = '{}' and not t.is_empty
            ),
            p_rule.time_limit_seconds
        ),
        changed_by = session_user,
        changed_at = monitoring.clock()
    where rule_name = p_rule.rule_name;
    perform monitoring._note_rule_change(p_rule.rule_name, v_old);
end
$$;

-- Sets the thresholds of a rule for certain labels; for others they are as shipped.
create or replace function monitoring._set_overrides(
    p_rule monitoring.alert_rules, p_overrides jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._decide_thresholds(p_rule, null, t.labels)
    from monitoring.alert_thresholds t
    where t.rule_name = p_rule.rule_name
        and t.labels <> '{}'
        and t.decided is not null
        and not exists (
            select from jsonb_array_elements(p_overrides) o (wanted)
            where o.wanted -> 'labels' = t.labels
        );
    perform monitoring.set_alert_thresholds(
        p_rule.rule_name, o.wanted -> 'thresholds', o.wanted -> 'labels'
    )
    from jsonb_array_elements(p_overrides) o (wanted);
end
$$;

-- Makes an own rule, with what it needs at once; PV007 for one without a query that is not there.
create or replace function monitoring._make_rule(p_name text, p_new jsonb) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
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
end
$$;

-- Changes what people decided about a rule. Thresholds must fit the comparison that they get with
-- them, and so are taken away before it changes.
create or replace function monitoring._change_rule(p_name text, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules := monitoring._found_rule(p_name);
    v_thresholds jsonb := monitoring._thresholds_config(p_name, false);
    v_overrides jsonb := coalesce(monitoring._overrides_config(p_name, false), '[]');
begin
    if p_new -> 'thresholds' = 'null' then
        v_thresholds := null;
    elsif p_new ? 'thresholds' then
        v_thresholds := coalesce(v_thresholds, '{}') || (p_new -> 'thresholds');
    end if;
    if p_new ? 'overrides' then
        v_overrides := coalesce(nullif(p_new -> 'overrides', 'null'), '[]');
    end if;
    if p_new ? 'comparison' then
        perform monitoring.set_alert_thresholds(p_name, '{}', t.labels)
        from monitoring.alert_thresholds t
        where t.rule_name = p_name;
    end if;
    perform monitoring.change_alert_rule(p_name, p_new - array['query', 'thresholds', 'overrides']);
    v_rule := monitoring._found_rule(p_name);
    if p_new ?| array['thresholds', 'comparison'] then
        perform monitoring._decide_thresholds(v_rule, v_thresholds, '{}');
    end if;
    if p_new ?| array['overrides', 'comparison'] then
        perform monitoring._set_overrides(v_rule, v_overrides);
    end if;
    if p_new ? 'query' then
        perform monitoring._replace_rule_query(v_rule, p_new ->> 'query');
    end if;
end
$$;

-- Makes, changes or drops an own rule, or changes a built-in one; null takes back what was decided
-- about that.
create or replace function monitoring._configure_rules(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules;
begin
    select r.* into v_rule from monitoring.alert_rules r where r.rule_name = p_name;
    if p_new is null and v_rule.family <> 'own' then
        perform monitoring.reset_alert_rule(p_name);
    elsif p_new is null then
        perform monitoring.remove_alert_rule(p_name);
    elsif v_rule.rule_name is null then
        perform monitoring._make_rule(p_name, p_new);
        perform monitoring._change_rule(
            p_name, p_new - array['query', 'thresholds', 'comparison']
        );
    else
        select jsonb_object_agg(n.key, n.value) into p_new
        from jsonb_each(p_new) n
        where n.value is distinct from p_old -> n.key;
        perform monitoring._change_rule(p_name, coalesce(p_new, '{}'));
    end if;
end
$$;
