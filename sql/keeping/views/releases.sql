-- Reading releases: where the version of a component changed. Reads releases.

create or replace view monitoring.v_releases as
select
    r.release_id,
    r.component,
    r.version,
    b.version as previous_version,
    r.released_at,
    r.details,
    r.recorded_by
from monitoring.releases as r
left join
    lateral (
        select b.version
        from monitoring.releases as b
        where b.component = r.component
            and (b.released_at, b.release_id) < (r.released_at, r.release_id)
        order by b.released_at desc, b.release_id desc
        limit 1
    ) as b
    on true
-- What was told twice at once is one release.
where b.version is distinct from r.version;

comment on view monitoring.v_releases is
'Releases: when a component went over to another version.';
comment on column monitoring.v_releases.release_id is
'Number of the release.';
comment on column monitoring.v_releases.component is
'Program or service that was released.';
comment on column monitoring.v_releases.version is
'Version that it has had since.';
comment on column monitoring.v_releases.previous_version is
'Version that it had before; null when none is known.';
comment on column monitoring.v_releases.released_at is
'When that was.';
comment on column monitoring.v_releases.details is
'What else was told, such as commit, author or a link.';
comment on column monitoring.v_releases.recorded_by is
'Database user whose session told it.';

create or replace function monitoring.get_releases(
    p_component text default null,
    p_from timestamptz default null,
    p_to timestamptz default null,
    p_limit integer default 100
)
returns table (
    release_id bigint,
    component text,
    version text,
    previous_version text,
    released_at timestamptz,
    details jsonb,
    recorded_by text
)
language sql
stable
begin atomic
    select
        v.release_id,
        v.component,
        v.version,
        v.previous_version,
        v.released_at,
        v.details,
        v.recorded_by
    from monitoring.v_releases as v
    where (p_component is null or v.component = p_component)
        and (p_from is null or v.released_at >= p_from)
        and (p_to is null or v.released_at < p_to)
    order by v.released_at desc, v.release_id desc
    limit case when p_limit < 0 then 0 else p_limit end;
end;

comment on function monitoring.get_releases(text, timestamptz, timestamptz, integer) is
'The newest releases, of a component if given, from p_from until before p_to.';
