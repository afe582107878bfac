-- Whose alerts are, and where people find them. Writes alert_owners and page_addresses.

-- Whose an alert with these labels is: as its rule says in a label owner, as people have set,
-- else its component or workflow; null when nobody said.
create or replace function monitoring._owner_of(p_labels jsonb) returns text
language sql
stable
return coalesce(
    p_labels ->> 'owner',
    (
        select o.owner
        from monitoring.alert_owners as o
        where p_labels @> o.labels
        order by
            (select count(*) from jsonb_object_keys(o.labels)) desc,
            o.labels asc
        limit 1
    ),
    p_labels ->> 'component',
    p_labels ->> 'workflow',
    (
        select s.workflow_name from monitoring.workflow_steps as s
        where s.step_name = p_labels ->> 'task_type'
    )
);

create or replace function monitoring.set_alert_owner(p_owner text, p_labels jsonb default '{}')
returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    perform monitoring._checked_labels(p_labels);
    perform monitoring._lock_alerts();
    delete from monitoring.alert_owners o where o.labels = p_labels;
    if p_owner is not null then
        insert into monitoring.alert_owners (labels, owner, changed_by, changed_at)
        values (
            p_labels, monitoring._checked_name('owner', p_owner), session_user, monitoring.clock()
        );
    end if;
    update monitoring.raised_alerts a
    set owner = monitoring._owner_of(a.labels || jsonb_build_object('rule', a.rule_name))
    where a.resolved_at = 'infinity';
end
$$;

comment on function monitoring.set_alert_owner(text, jsonb) is
'Sets the owner of alerts with these labels (rule among them) instead of the one before; null '
'removes it. Where several owners match, the one with the most labels counts.';

create or replace function monitoring.set_page_url(p_url text) returns void
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    if p_url !~ '^https?://[^[:space:]@]+$' or length(p_url) > 500 then
        raise exception using
            errcode = 'PV005',
            message = format('page_url has the wrong shape: "%s"', left(p_url, 60)),
            hint = 'Give the address of the page without user and password, such as '
                'https://monitor.example/pgvigil, or null for none.';
    end if;
    delete from monitoring.page_addresses a where a.page_name = 'page';
    if p_url is not null then
        insert into monitoring.page_addresses (page_name, url, changed_by, changed_at)
        values ('page', rtrim(p_url, '/'), session_user, monitoring.clock());
    end if;
end
$$;

comment on function monitoring.set_page_url(text) is
'Says where people find the page of pgvigil: messages then link to it. Null for nowhere.';

-- Address of an alert on the page; null when nobody said where that is.
create or replace function monitoring._alert_link(p_alert_id bigint) returns text
language plpgsql
stable
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    return (
        select a.url || '/alerts/' || p_alert_id::text
        from monitoring.page_addresses a
        where a.page_name = 'page'
    );
end
$$;
