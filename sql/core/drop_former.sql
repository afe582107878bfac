-- How functions and procedures of an earlier release go that have other parameters or another
-- result by now: the file that makes one anew drops the former just before, so that no call finds
-- it missing. A migration must not: it ends before the code comes, and programs call on in between.

-- Drops those of the functions that are there, in this order; a fresh installation has none.
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
            execute 'drop routine monitoring.' || v_signature;
        end if;
    end loop;
end
$$;
