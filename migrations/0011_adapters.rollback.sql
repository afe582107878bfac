-- Views and functions that adoptions have made; their sources cannot be read from then on.
do $$
declare
    v_name text;
begin
    for v_name in select a.adoption_name from monitoring.adoptions as a loop
        execute format('drop view if exists monitoring.%I', 'v_adopted_' || v_name || '_queues');
        execute format('drop view if exists monitoring.%I', 'v_adopted_' || v_name || '_runs');
        execute format('drop function if exists monitoring.%I', '_adopted_' || v_name || '_depths');
        execute format('drop function if exists monitoring.%I', '_adopted_' || v_name || '_runs');
    end loop;
end
$$;
drop table monitoring.adoptions cascade;
drop table monitoring.adapters cascade;
delete from monitoring.installed_migrations where migration_id = '0011_adapters';
