-- A rule as one document, and what became of it: who changed what, when and why. Writes
-- alert_rule_changes.

-- Thresholds of a rule as people decided them, or as they count, for all its findings; null when
-- there are none such.
create or replace function monitoring._thresholds_config(p_rule_name text, p_is_complete boolean)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select case
            when p_is_complete
                then jsonb_build_object(
                    'low', t.low, 'medium', t.medium, 'high', t.high, 'critical', t.critical
                )
            else t.decided
        end
        from monitoring.alert_thresholds t
        where t.rule_name = p_rule_name and t.labels = '{}'
    );
end
$$;

-- Thresholds for certain labels, as people decided them or as they count, as an array; null when
-- there are none such.
create or replace function monitoring._overrides_config(p_rule_name text, p_is_complete boolean)
returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select jsonb_agg(
            jsonb_build_object('labels', t.labels, 'thresholds', monitoring._thresholds_of(t))
            order by t.labels
        )
        from monitoring.alert_thresholds t
        where t.rule_name = p_rule_name
            and t.labels <> '{}'
            and (p_is_complete or t.decided is not null)
    );
end
$$;

-- Settings of a rule as they count.
create or replace function monitoring._whole_rule_config(p_rule monitoring.alert_rules)
returns jsonb
language sql
stable
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
    'thresholds', monitoring._thresholds_config(p_rule.rule_name, true),
    'overrides', coalesce(monitoring._overrides_config(p_rule.rule_name, true), '[]')
) || case
    when p_rule.query is null then jsonb_build_object('parameters', p_rule.parameters)
    else jsonb_build_object('query', p_rule.query)
end;

-- Notes what became of a rule, given how it was; null where there was none. What one transaction
-- does to a rule is one change, and none where in the end the rule is as it was.
create or replace function monitoring._note_rule_change(
    p_rule_name text, p_old jsonb, p_by text default null, p_note text default null
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_by constant text := coalesce(
        monitoring._checked_optional_name('by', p_by), session_user::text
    );
    v_note constant text := monitoring._capped_text(p_note, 8000);
    v_new jsonb;
    v_change monitoring.alert_rule_changes;
begin
    select monitoring._whole_rule_config(r) into v_new
    from monitoring.alert_rules r
    where r.rule_name = p_rule_name;
    update monitoring.alert_rule_changes c
    set new_settings = v_new, changed_by = v_by, note = coalesce(v_note, c.note)
    where c.rule_name = p_rule_name and c.recorded_xid = pg_current_xact_id()
    returning c.* into v_change;
    if found and v_change.old_settings is not distinct from v_new then
        delete from monitoring.alert_rule_changes c where c.change_id = v_change.change_id;
    elsif not found and p_old is distinct from v_new then
        insert into monitoring.alert_rule_changes (
            rule_name, old_settings, new_settings, changed_by, changed_at, note
        )
        values (p_rule_name, p_old, v_new, v_by, monitoring.clock(), v_note);
    end if;
end
$$;

-- What of a document is not so in another; all of it where there is no other.
create or replace function monitoring._difference(p_document jsonb, p_other jsonb)
returns jsonb
language sql
immutable
return (
    select jsonb_object_agg(e.key, e.value)
    from jsonb_each(p_document) as e
    where e.value is distinct from p_other -> e.key
);

create or replace view monitoring.v_alert_rule_changes as
select
    c.change_id,
    c.rule_name,
    case
        when c.old_settings is null then 'created'
        when c.new_settings is null then 'removed'
        else 'changed'
    end as change,
    monitoring._difference(c.old_settings, c.new_settings) as old_settings,
    monitoring._difference(c.new_settings, c.old_settings) as new_settings,
    c.changed_by,
    c.login_name,
    c.changed_at,
    c.note
from monitoring.alert_rule_changes as c;

comment on view monitoring.v_alert_rule_changes is
'What people changed about alert rules and their thresholds: one row a rule and transaction.';
comment on column monitoring.v_alert_rule_changes.change_id is
'Number of the change, in order.';
comment on column monitoring.v_alert_rule_changes.rule_name is
'Rule that was changed.';
comment on column monitoring.v_alert_rule_changes.change is
'created, changed or removed.';
comment on column monitoring.v_alert_rule_changes.old_settings is
'Object of the settings that are others since, as they counted before; null for a rule that was '
'created.';
comment on column monitoring.v_alert_rule_changes.new_settings is
'The same as they count since; null for a rule that was removed.';
comment on column monitoring.v_alert_rule_changes.changed_by is
'Who did it.';
comment on column monitoring.v_alert_rule_changes.login_name is
'Database user whose session did it, whatever name was given.';
comment on column monitoring.v_alert_rule_changes.changed_at is
'When it was done.';
comment on column monitoring.v_alert_rule_changes.note is
'Why; null when nobody said.';

call monitoring._ship_retention('alert_rule_changes', '2 years');
