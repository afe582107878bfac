-- What we ship is code: beside the code that serves it, one call of _ship_...() for each rule, job,
-- policy and name of ours, run at every deploy. What people decide is state: it lies in columns of
-- its own (decided, changed_by, changed_at) that no deploy touches, and counts more.
-- A deploy that changes nothing here writes no row and locks none. What a deploy no longer ships is
-- withdrawn at its end (sql/withdraw.sql), and so has to be told from a file that is loaded alone.

-- From here on it is noted what this deploy ships.
do $$
begin
    perform set_config('monitoring.shipped', E'\n', false);
end
$$;

-- Notes that this deploy ships a thing.
create or replace function monitoring._note_shipped(p_kind text, p_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_shipped constant text := current_setting('monitoring.shipped', true);
begin
    -- Empty where a file is loaded by itself.
    if v_shipped <> '' then
        perform set_config(
            'monitoring.shipped', v_shipped || p_kind || ' ' || p_name || E'\n', false
        );
    end if;
end
$$;

-- Whether this deploy ships a thing; true as well where nobody noted what it ships.
create or replace function monitoring._is_shipped(p_kind text, p_name text) returns boolean
language sql
stable
return coalesce(
    strpos(
        nullif(current_setting('monitoring.shipped', true), ''),
        E'\n' || p_kind || ' ' || p_name || E'\n'
    ) > 0,
    true
);

-- One name of an inhibition or of thresholds, of which several go with a rule.
create or replace function monitoring._shipped_name(p_first text, p_second text) returns text
language sql
immutable
return p_first || ' ' || p_second;

-- Ships a table that is partitioned by UTC day, with the key that its primary key begins with,
-- and makes the view of all its rows.
create or replace procedure monitoring._ship_partitioned_table(
    p_table_name text, p_key_column text, p_time_column text, p_days_ahead integer default 7
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._note_shipped('partitioned table', p_table_name);
    update monitoring.partitioned_tables t
    set
        key_column = p_key_column,
        time_column = p_time_column,
        shipped_days_ahead = p_days_ahead
    where t.table_name = p_table_name
        and (t.key_column, t.time_column, t.shipped_days_ahead)
            is distinct from (p_key_column, p_time_column, p_days_ahead);
    if not exists (
        select from monitoring.partitioned_tables t where t.table_name = p_table_name
    ) then
        insert into monitoring.partitioned_tables (
            table_name, key_column, time_column, shipped_days_ahead
        )
        values (p_table_name, p_key_column, p_time_column, p_days_ahead);
    end if;
    perform monitoring._unite_late_rows(p_table_name);
end
$$;

-- Ships a source of roll-ups, which are made of the rows of a table.
create or replace procedure monitoring._ship_rollup(p_source text, p_table_name text)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._note_shipped('roll-up', p_table_name);
    if not exists (
        select from monitoring.rollup_progress r where r.table_name = p_table_name
    ) then
        insert into monitoring.rollup_progress (table_name, source) values (p_table_name, p_source);
    end if;
end
$$;

-- Ships how many names of a kind are told apart.
create or replace procedure monitoring._ship_name_limit(
    p_kind text, p_description text, p_at_most integer
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._note_shipped('name limit', p_kind);
    update monitoring.name_limits l
    set description = p_description, shipped_at_most = p_at_most
    where l.kind = p_kind
        and (l.description, l.shipped_at_most) is distinct from (p_description, p_at_most);
    if not exists (select from monitoring.name_limits l where l.kind = p_kind) then
        insert into monitoring.name_limits (kind, description, shipped_at_most)
        values (p_kind, p_description, p_at_most);
    end if;
end
$$;

-- Ships how long rows of a table, or those of a category, are kept; null is for ever.
create or replace procedure monitoring._ship_retention(
    p_table_name text, p_keep interval, p_category text default ''
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._note_shipped(
        'retention', monitoring._shipped_name(p_table_name, p_category)
    );
    update monitoring.retention_policies p
    set is_shipped = true, shipped_keep = p_keep
    where p.table_name = p_table_name
        and p.category = p_category
        and (p.is_shipped, p.shipped_keep) is distinct from (true, p_keep);
    if not exists (
        select from monitoring.retention_policies p
        where p.table_name = p_table_name and p.category = p_category
    ) then
        insert into monitoring.retention_policies (table_name, category, is_shipped, shipped_keep)
        values (p_table_name, p_category, true, p_keep);
    end if;
end
$$;

-- Ships a kind of source of changes of statuses.
create or replace procedure monitoring._ship_change_source(
    p_change_source text, p_description text
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._note_shipped('change source', p_change_source);
    update monitoring.change_sources s
    set shipped_description = p_description
    where s.change_source = p_change_source
        and s.shipped_description is distinct from p_description;
    if not exists (
        select from monitoring.change_sources s where s.change_source = p_change_source
    ) then
        insert into monitoring.change_sources (change_source, shipped_description)
        values (p_change_source, p_description);
    end if;
end
$$;

-- Ships a job, due at once when it is new. One of the same name that people added stays theirs.
create or replace procedure monitoring._ship_job(
    p_job_name text,
    p_description text,
    p_schedule text,
    p_procedure text,
    p_timeout interval default '10 minutes',
    p_time_zone text default 'UTC'
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_shipped constant jsonb := jsonb_build_object(
        'description', p_description,
        'schedule', p_schedule,
        'time_zone', p_time_zone,
        'procedure_name', p_procedure,
        'timeout_seconds', date_part('epoch', p_timeout)
    );
    v_job monitoring.jobs;
    v_schedule text;
    v_time_zone text;
begin
    perform monitoring._note_shipped('job', p_job_name);
    select j.* into v_job from monitoring.jobs j where j.job_name = p_job_name;
    if not found then
        insert into monitoring.jobs (job_name, shipped, next_run_at)
        values (p_job_name, v_shipped, monitoring.clock());
    elsif v_job.shipped = '{}' then
        perform monitoring._warn_of_name('job', p_job_name);
    elsif v_job.shipped <> v_shipped then
        v_schedule := v_job.schedule;
        v_time_zone := v_job.time_zone;
        update monitoring.jobs set shipped = v_shipped where job_name = p_job_name
        returning * into v_job;
        -- By a new schedule it is due at another time.
        if (v_job.schedule, v_job.time_zone) <> (v_schedule, v_time_zone) then
            update monitoring.jobs set next_run_at = monitoring._first_run_at(v_job)
            where job_name = p_job_name;
        end if;
    end if;
end
$$;

-- Ships thresholds of a rule for findings with certain labels, or {} for all.
create or replace procedure monitoring._ship_thresholds(
    p_rule_name text, p_thresholds jsonb, p_labels jsonb default '{}'
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._note_shipped(
        'thresholds', monitoring._shipped_name(p_rule_name, p_labels::text)
    );
    update monitoring.alert_thresholds t
    set shipped = p_thresholds
    where t.rule_name = p_rule_name
        and t.labels = p_labels
        and t.shipped is distinct from p_thresholds;
    if not exists (
        select from monitoring.alert_thresholds t
        where t.rule_name = p_rule_name and t.labels = p_labels
    ) then
        insert into monitoring.alert_thresholds (rule_name, labels, shipped)
        values (p_rule_name, p_labels, p_thresholds);
    end if;
end
$$;

do $$
begin
    perform monitoring._drop_former(
        '_ship_rule(text,text,text,text,text,text,text,jsonb,jsonb,text,boolean,text)'
    );
end
$$;

-- Ships an alert rule with its thresholds. One of the same name that people made stays theirs.
-- What there is an alert for each of is for docs/alert-rules.md alone. A backtest goes by what is
-- known of the past: all of it, all but what is named, or nothing.
create or replace procedure monitoring._ship_rule(
    p_rule_name text,
    p_family text,
    p_description text,
    p_finder text,
    p_explainer text,
    p_comparison text,
    p_unit text default null,
    p_thresholds jsonb default null,
    p_parameters jsonb default null,
    p_no_data text default null,
    p_is_enabled boolean default null,
    p_alert_for_each text default null,
    p_unknown_past text default null,
    p_has_past boolean default null
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
    v_shipped constant jsonb := jsonb_strip_nulls(jsonb_build_object(
        'description', p_description,
        'alert_for_each', p_alert_for_each,
        'unit', p_unit,
        'comparison', p_comparison,
        'parameters', p_parameters,
        'no_data', p_no_data,
        'is_enabled', p_is_enabled,
        'unknown_past', p_unknown_past,
        'has_past', p_has_past
    ));
    v_rule monitoring.alert_rules;
begin
    perform monitoring._note_shipped('rule', p_rule_name);
    select r.* into v_rule from monitoring.alert_rules r where r.rule_name = p_rule_name;
    if not found then
        insert into monitoring.alert_rules (
            rule_name, family, finder_name, explainer_name, shipped
        )
        values (p_rule_name, p_family, p_finder, p_explainer, v_shipped);
    elsif v_rule.family = 'own' then
        perform monitoring._warn_of_name('rule', p_rule_name);
        return;
    elsif (v_rule.family, v_rule.finder_name, v_rule.explainer_name, v_rule.shipped)
        is distinct from (p_family, p_finder, p_explainer, v_shipped) then
        update monitoring.alert_rules
        set
            family = p_family,
            finder_name = p_finder,
            explainer_name = p_explainer,
            shipped = v_shipped
        where rule_name = p_rule_name;
    end if;
    if p_thresholds is not null then
        call monitoring._ship_thresholds(p_rule_name, p_thresholds);
    end if;
end
$$;

-- Ships that alerts of one rule make notices of another's superfluous.
create or replace procedure monitoring._ship_inhibition(
    p_source_rule text, p_target_rule text, p_equal_labels text[] default '{}'
)
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._note_shipped(
        'inhibition', monitoring._shipped_name(p_source_rule, p_target_rule)
    );
    update monitoring.alert_inhibitions i
    set shipped_labels = p_equal_labels
    where i.source_rule = p_source_rule
        and i.target_rule = p_target_rule
        and i.shipped_labels is distinct from p_equal_labels;
    if not exists (
        select from monitoring.alert_inhibitions i
        where i.source_rule = p_source_rule and i.target_rule = p_target_rule
    ) then
        insert into monitoring.alert_inhibitions (source_rule, target_rule, shipped_labels)
        values (p_source_rule, p_target_rule, p_equal_labels);
    end if;
end
$$;

-- Tells whoever deploys that a name of ours is taken, so that what we ship under it is not there.
create or replace function monitoring._warn_of_name(p_kind text, p_name text) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    raise warning using
        message = format('pgvigil ships a %s "%s", but there is one of yours with that name',
            p_kind, p_name),
        hint = 'Yours stays. To have that of pgvigil, remove yours and deploy again.';
end
$$;
