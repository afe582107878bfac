-- What earlier code shipped and this does not is withdrawn, with what people decided about it, of
-- which they are told: in a warning to whoever deploys, and as an error of component pgvigil.
-- A default that goes while what it is about stays (thresholds, an inhibition, a policy) leaves a
-- decision of people's standing: from then on that is theirs alone.
-- Lock order: rows of what is shipped, then _lock_alerts(), and that only where a rule goes.

-- Tells that a thing is no longer shipped, and what had been decided about it.
create or replace function monitoring._tell_withdrawn(
    p_kind text, p_name text, p_decided jsonb default '{}'
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_decided constant jsonb := jsonb_strip_nulls(coalesce(p_decided, '{}'));
    v_message constant text := format('pgvigil has no %s "%s" any more', p_kind, p_name);
begin
    if v_decided = '{}' then
        raise notice '%', v_message;
        return;
    end if;
    raise warning using
        message = v_message,
        -- The command shows hints, and no details.
        hint = format('What had been decided about it goes with it: %s', v_decided);
    perform monitoring._record_error(
        'pgvigil.deploy', 'decision_withdrawn', 'medium',
        v_message || '; what had been decided about it has gone with it', 'pgvigil',
        jsonb_build_object('kind', p_kind, 'name', p_name, 'decided', v_decided), null, null, null
    );
end
$$;

-- What people decided about a rule, as an object; {} when that is nothing.
create or replace function monitoring._decisions_about(p_rule monitoring.alert_rules)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return jsonb_strip_nulls(jsonb_build_object(
        'settings', nullif(p_rule.decided, '{}'),
        'thresholds', (
            select jsonb_agg(
                jsonb_build_object('labels', t.labels, 'thresholds', t.decided) order by t.labels
            )
            from monitoring.alert_thresholds t
            where t.rule_name = p_rule.rule_name and t.decided is not null
        ),
        'inhibitions', (
            select jsonb_agg(
                jsonb_build_object('source_rule', i.source_rule, 'target_rule', i.target_rule)
                order by i.source_rule, i.target_rule
            )
            from monitoring.alert_inhibitions i
            where p_rule.rule_name in (i.source_rule, i.target_rule) and i.changed_at is not null
        )
    ));
end
$$;

-- Withdraws rules, and resolves their open alerts.
create or replace function monitoring._withdraw_rules() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_rule monitoring.alert_rules;
    v_decided jsonb;
begin
    for v_rule in
        select r.* from monitoring.alert_rules r
        where r.query is null and not monitoring._is_shipped('rule', r.rule_name)
        order by r.rule_name
    loop
        perform monitoring._lock_alerts();
        v_decided := monitoring._decisions_about(v_rule);
        perform monitoring._forget_rule(v_rule.rule_name);
        perform monitoring._resolve_cleared(monitoring.clock(), v_rule.rule_name);
        perform monitoring._tell_withdrawn('alert rule', v_rule.rule_name, v_decided);
    end loop;
end
$$;

-- Withdraws what is nothing without its code: jobs, roll-ups, kinds of names, partitioned tables.
create or replace function monitoring._withdraw_things() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_job monitoring.jobs;
    v_limit monitoring.name_limits;
    v_table monitoring.partitioned_tables;
begin
    for v_job in
        delete from monitoring.jobs j
        where j.shipped <> '{}' and not monitoring._is_shipped('job', j.job_name)
        returning j.*
    loop
        perform monitoring._tell_withdrawn('job', v_job.job_name, v_job.decided);
    end loop;
    for v_limit in
        delete from monitoring.name_limits l
        where not monitoring._is_shipped('name limit', l.kind)
        returning l.*
    loop
        perform monitoring._tell_withdrawn(
            'kind of names', v_limit.kind, jsonb_build_object('at_most', v_limit.at_most)
        );
    end loop;
    delete from monitoring.rollup_progress r
    where not monitoring._is_shipped('roll-up', r.table_name);
    for v_table in
        delete from monitoring.partitioned_tables t
        where not monitoring._is_shipped('partitioned table', t.table_name)
        returning t.*
    loop
        perform monitoring._tell_withdrawn(
            'table with partitions by day', v_table.table_name,
            jsonb_build_object('days_ahead', v_table.decided_days_ahead)
        );
    end loop;
end
$$;

-- Withdraws policies: what people decided stays where the table still has rows that are removed.
create or replace function monitoring._withdraw_retention() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_policy monitoring.retention_policies;
begin
    for v_policy in
        delete from monitoring.retention_policies p
        where not exists (
            select from monitoring._retained_tables r where r.table_name = p.table_name
        )
        returning p.*
    loop
        perform monitoring._tell_withdrawn(
            'policy of retention', concat_ws(' ', v_policy.table_name, nullif(v_policy.category, '')),
            case when v_policy.changed_at is not null
                then jsonb_build_object('keep', coalesce(v_policy.keep::text, 'forever')) end
        );
    end loop;
    delete from monitoring.retention_policies p
    where p.changed_at is null and not monitoring._is_shipped(
        'retention', monitoring._shipped_name(p.table_name, p.category)
    );
    update monitoring.retention_policies p
    set is_shipped = false, shipped_keep = null
    where p.is_shipped and not monitoring._is_shipped(
        'retention', monitoring._shipped_name(p.table_name, p.category)
    );
end
$$;

-- Withdraws defaults of thresholds, inhibitions and change sources; what people decided stays.
create or replace function monitoring._withdraw_defaults() returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    delete from monitoring.alert_thresholds t
    where t.decided is null and not monitoring._is_shipped(
        'thresholds', monitoring._shipped_name(t.rule_name, t.labels::text)
    );
    update monitoring.alert_thresholds t
    set shipped = null
    where t.shipped is not null and not monitoring._is_shipped(
        'thresholds', monitoring._shipped_name(t.rule_name, t.labels::text)
    );
    delete from monitoring.alert_inhibitions i
    where (i.decided_labels is null or not i.is_enabled) and not monitoring._is_shipped(
        'inhibition', monitoring._shipped_name(i.source_rule, i.target_rule)
    );
    update monitoring.alert_inhibitions i
    set shipped_labels = null
    where i.shipped_labels is not null and not monitoring._is_shipped(
        'inhibition', monitoring._shipped_name(i.source_rule, i.target_rule)
    );
    delete from monitoring.change_sources s
    where s.decided_description is null
        and not monitoring._is_shipped('change source', s.change_source);
    update monitoring.change_sources s
    set shipped_description = null
    where s.shipped_description is not null
        and not monitoring._is_shipped('change source', s.change_source);
end
$$;

do $$
begin
    perform monitoring._withdraw_rules();
    perform monitoring._withdraw_things();
    perform monitoring._withdraw_retention();
    perform monitoring._withdraw_defaults();
    perform set_config('monitoring.shipped', '', false);
end
$$;
