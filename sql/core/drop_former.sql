-- How functions of an earlier pgvigil go, of which a fresh installation has none to tell about.

-- Drops those of the functions that are there, in this order.
create or replace function monitoring._drop_former(variadic p_signatures text[]) returns void
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
-- Signatures are ours, and to_regprocedure() knows them:
-- @plpgsql_check_options: security_warnings = off
declare
    v_signature text;
begin
    foreach v_signature in array p_signatures loop
        if to_regprocedure('monitoring.' || v_signature) is not null then
            execute 'drop function monitoring.' || v_signature;
        end if;
    end loop;
end
$$;
