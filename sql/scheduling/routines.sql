-- What a job calls: a function or procedure of the database, named with its schema. It is looked up
-- when the job is scheduled and again at every run.

-- Raises PV007 unless a routine belongs to somebody who has the rights that jobs are called
-- with: others could put anything into it.
create or replace function monitoring._check_job_owner(p_routine regprocedure) returns void
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_owner oid;
    v_caller oid;
begin
    select p.proowner into v_owner from pg_proc p where p.oid = p_routine;
    -- With whose rights it is called.
    select p.proowner into v_caller
    from pg_proc p where p.oid = 'monitoring._run_job(text)'::regprocedure;
    -- Superusers are members of every role.
    if not pg_has_role(v_owner, v_caller, 'member') then
        raise exception using
            errcode = 'PV007',
            message = format('%s belongs to %s and would be called with the rights of %s',
                p_routine, v_owner::regrole, v_caller::regrole),
            hint = format('Make a function of your own that calls it as that role may, or give it '
                'to one of your own: alter routine %s owner to %s;', p_routine, v_caller::regrole);
    end if;
end
$$;

-- The function or procedure of that name, given with its schema, that can be called without
-- arguments and belongs to one of the admins or a superuser; or PV007.
create or replace function monitoring._find_job_routine(p_procedure_name text) returns regprocedure
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_parts text [];
    v_routine regprocedure;
begin
    perform monitoring._checked_name('procedure_name', p_procedure_name);
    begin
        v_parts := parse_ident(
            regexp_replace(p_procedure_name, '[(][[:space:]]*[)][[:space:]]*$', '')
        );
    exception
        when invalid_parameter_value then
            v_parts := '{}';
    end;
    -- An argument with a default is left out; an "out" argument of a procedure cannot be.
    select p.oid::regprocedure into v_routine
    from pg_proc p
    inner join pg_namespace n on n.oid = p.pronamespace
    where cardinality(v_parts) = 2
        and n.nspname = v_parts[1]
        and p.proname = v_parts[2]
        and p.prokind in ('f', 'p')
        and p.pronargs = p.pronargdefaults
        and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
        and not (p.prokind = 'p' and 'o' = any (coalesce(p.proargmodes, '{}')))
    order by p.pronargs
    limit 1;
    if v_routine is null then
        perform monitoring._refuse_unknown(
            'function or procedure without arguments', p_procedure_name,
            'Name one that exists, with its schema, such as monitoring.roll_up.'
        );
    end if;
    perform monitoring._check_job_owner(v_routine);
    return v_routine;
end
$$;

-- Calls a function or procedure and returns what it returned: a value, an array of rows, or null
-- when it returns nothing.
create or replace function monitoring._call_job_routine(p_procedure_name text) returns jsonb
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_routine regprocedure := monitoring._find_job_routine(p_procedure_name);
    v_schema name;
    v_name name;
    v_kind "char";
    v_is_set boolean;
    v_is_void boolean;
    v_result jsonb;
begin
    select n.nspname, p.proname, p.prokind, p.proretset, p.prorettype = 'void'::regtype
    into v_schema, v_name, v_kind, v_is_set, v_is_void
    from pg_proc p
    inner join pg_namespace n on n.oid = p.pronamespace
    where p.oid = v_routine;

    if v_kind = 'p' then
        execute format('call %I.%I()', v_schema, v_name);
    elsif v_is_void then
        execute format('select %I.%I()', v_schema, v_name);
    elsif v_is_set then
        execute format(
            'select jsonb_agg(to_jsonb(r.result)) from (select %I.%I() as result) r',
            v_schema, v_name
        )
        into v_result;
    else
        execute format('select to_jsonb(%I.%I())', v_schema, v_name) into v_result;
    end if;
    return v_result;
end
$$;
