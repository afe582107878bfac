-- What people say about records in the configuration: sections change_sources and datasets. Writes
-- nothing but through the functions that people call.

-- Section change_sources of a configuration: what people have decided.
create or replace function monitoring._change_sources_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(s.change_source, s.decided_description), '{}')
        from monitoring.change_sources s
        where s.decided_description is not null
    );
end
$$;

-- The same with those that are as shipped.
create or replace function monitoring._whole_change_sources_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(s.change_source, s.description), '{}')
        from monitoring.change_sources s
    );
end
$$;

-- Adds a kind of source of changes, or describes one anew.
create or replace function monitoring._configure_change_sources(
    p_name text, p_old jsonb, p_new jsonb
)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring.define_change_source(p_name, p_new #>> '{}');
end
$$;

-- Changes of status that a dataset allows, by the status before, as they are in a configuration.
create or replace function monitoring._transitions_config(p_dataset text) returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(jsonb_object_agg(f.from_status, f.allowed), '{}')
        from (
            select t.from_status, jsonb_agg(t.to_status order by t.to_status) as allowed
            from monitoring.allowed_transitions t
            where t.dataset = p_dataset
            group by t.from_status
        ) f
    );
end
$$;

-- Section datasets of a configuration.
create or replace function monitoring._datasets_config() returns jsonb
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select coalesce(
            jsonb_object_agg(
                n.dataset,
                case
                    when d.dataset is not null
                        then jsonb_build_object(
                            'description', d.description,
                            'time_zone', d.time_zone,
                            'pending_statuses', d.pending_statuses,
                            'bot_task_type', d.bot_task_type
                        )
                    else '{}'
                end
                || jsonb_build_object(
                    'allowed_transitions', monitoring._transitions_config(n.dataset)
                )
            ),
            '{}'
        )
        from (
            select dataset from monitoring.datasets
            union
            select dataset from monitoring.allowed_transitions
        ) n
        left join monitoring.datasets d on d.dataset = n.dataset
    );
end
$$;

-- Says what a dataset is and which changes of status it allows, or forgets what was said.
create or replace function monitoring._configure_datasets(p_name text, p_old jsonb, p_new jsonb)
returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_settings jsonb := p_new - 'allowed_transitions';
begin
    if p_new is null then
        perform monitoring.remove_dataset(p_name);
        return;
    end if;
    if v_settings <> '{}' or not p_new ? 'allowed_transitions' then
        perform monitoring.change_dataset(p_name, v_settings);
    end if;
    if p_new ? 'allowed_transitions' then
        perform monitoring.set_allowed_transitions(p_name, p_new -> 'allowed_transitions');
    end if;
end
$$;
