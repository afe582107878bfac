-- Inhibitions in the configuration: section inhibitions. Writes nothing but through the functions
-- that people call.

-- Inhibitions as they are in a configuration: those that people decided about, or all.
create or replace function monitoring._known_inhibitions(p_is_complete boolean) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'source_rule', i.source_rule,
                    'target_rule', i.target_rule,
                    'equal_labels', i.equal_labels
                ) || case when i.is_enabled then '{}' else '{"is_enabled": false}' end::jsonb
                order by i.source_rule, i.target_rule
            ),
            '[]'
        )
        from monitoring.alert_inhibitions i
        where p_is_complete or i.changed_at is not null
    );
end
$$;

-- Section inhibitions of a configuration.
create or replace function monitoring._inhibitions_config() returns jsonb
language sql
stable
return monitoring._known_inhibitions(false);

-- The same with those that are as shipped.
create or replace function monitoring._whole_inhibitions_config() returns jsonb
language sql
stable
return monitoring._known_inhibitions(true);

-- Makes, changes or lifts an inhibition, or takes back what was decided about it.
create or replace function monitoring._configure_inhibitions(
    p_name text, p_old jsonb, p_new jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_new is null then
        perform monitoring.reset_inhibition(p_old ->> 'source_rule', p_old ->> 'target_rule');
        return;
    elsif p_new -> 'is_enabled' = 'false' then
        perform monitoring.remove_inhibition(p_new ->> 'source_rule', p_new ->> 'target_rule');
        return;
    end if;
    perform monitoring.define_inhibition(
        p_new ->> 'source_rule', p_new ->> 'target_rule', array(
            select jsonb_array_elements_text(coalesce(p_new -> 'equal_labels', '[]'))
        )
    );
end
$$;
