-- Drops every view and function of schema monitoring, and the note of which code is loaded. What
-- needs another of them goes first, found by trying: each round drops what nothing needs any more.
-- Nothing outside the schema is dropped along; what uses our code there ends it all, and is named.
do $$
declare
    v_statement text;
    v_tried integer;
    v_dropped integer;
    v_detail text;
begin
    loop
        v_tried := 0;
        v_dropped := 0;
        for v_statement in
            select format('drop view %s', c.oid::regclass)
            from pg_catalog.pg_class c
            where c.relnamespace = 'monitoring'::regnamespace and c.relkind = 'v'
            union all
            select format('drop routine %s', p.oid::regprocedure)
            from pg_catalog.pg_proc p
            where p.pronamespace = 'monitoring'::regnamespace
        loop
            v_tried := v_tried + 1;
            begin
                execute v_statement;
                v_dropped := v_dropped + 1;
            exception
                when dependent_objects_still_exist then
                    get stacked diagnostics v_detail = pg_exception_detail;
            end;
        end loop;
        exit when v_tried = v_dropped;
        if v_dropped = 0 then
            raise exception using
                errcode = 'dependent_objects_still_exist',
                message = 'something outside schema monitoring uses its functions or views',
                detail = v_detail,
                hint = 'Drop what is named first, and make it again after the next migrate.';
        end if;
    end loop;
    delete from monitoring.installed_code;
end
$$;
