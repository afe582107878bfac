-- What a configuration may look like, as a JSON Schema. Python puts the same together from these
-- files, for whoever has no database at hand.

create or replace function monitoring.get_config_schema() returns jsonb
language sql
immutable
begin atomic
    select
        a.part || jsonb_build_object(
            'properties', (a.part -> 'properties') || (s.part -> 'properties'),
            '$defs', (a.part -> '$defs') || (s.part -> '$defs') || jsonb_build_object(
                -- Its name is that of the entry, and what is not named stays.
                'workflow', (
                    w.part - array['$schema', 'title', 'required']
                    #- '{properties,$schema}'
                    #- '{properties,workflow}'
                ) || (s.part #> '{$defs,workflow}')
            )
        )
    from (
        select monitoring._config_schema_of_alerts() as part
    ) as a
    cross join (
        select monitoring._config_schema_of_systems() as part
    ) as s
    cross join (
        select monitoring.get_workflow_schema() as part
    ) as w;
end;

comment on function monitoring.get_config_schema() is
'JSON Schema (draft 2020-12) of the document that apply_config() takes.';
