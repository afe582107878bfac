-- What outside schema monitoring needs something in it, and would go with it or stand in its way.
with inside (classid, objid) as (
    select 'pg_class'::regclass::oid, oid from pg_class
    where relnamespace = to_regnamespace('monitoring')
    union all
    select 'pg_type'::regclass::oid, oid from pg_type
    where typnamespace = to_regnamespace('monitoring')
    union all
    select 'pg_proc'::regclass::oid, oid from pg_proc
    where pronamespace = to_regnamespace('monitoring')
    union all
    select 'pg_constraint'::regclass::oid, oid from pg_constraint
    where connamespace = to_regnamespace('monitoring')
    union all
    select 'pg_rewrite'::regclass::oid, r.oid from pg_rewrite r
    inner join pg_class c on c.oid = r.ev_class
    where c.relnamespace = to_regnamespace('monitoring')
    union all
    select 'pg_trigger'::regclass::oid, t.oid from pg_trigger t
    inner join pg_class c on c.oid = t.tgrelid
    where c.relnamespace = to_regnamespace('monitoring')
    union all
    select 'pg_attrdef'::regclass::oid, a.oid from pg_attrdef a
    inner join pg_class c on c.oid = a.adrelid
    where c.relnamespace = to_regnamespace('monitoring')
    union all
    select 'pg_policy'::regclass::oid, p.oid from pg_policy p
    inner join pg_class c on c.oid = p.polrelid
    where c.relnamespace = to_regnamespace('monitoring')
)
select distinct
    case
        when r.ev_class is null then pg_describe_object(d.classid, d.objid, d.objsubid)
        else pg_describe_object('pg_class'::regclass, r.ev_class, 0)
    end
    || ' depends on ' || pg_describe_object(d.refclassid, d.refobjid, 0)
from pg_depend d
inner join inside needed on needed.classid = d.refclassid and needed.objid = d.refobjid
left join inside i on i.classid = d.classid and i.objid = d.objid
left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
where d.deptype = 'n' and i.objid is null
order by 1
