-- Recording which version of a component is in operation. Writes releases, a row where the version
-- is another one than before, so that each of many programs may tell at its start what it is.

call monitoring._ship_retention('releases', '5 years');

-- Whether a component has had as many releases within the day before as can be meant; tells it.
create or replace function monitoring._has_too_many_releases(
    p_component text, p_version text, p_at timestamptz
)
returns boolean
language plpgsql
volatile
set search_path = pg_catalog, pg_temp
as $$
declare
    v_most constant integer := 100;
begin
    if (
        select count(*) < v_most
        from (
            select from monitoring.releases r
            where r.component = p_component
                and r.released_at > p_at - interval '1 day'
                and r.released_at <= p_at
            limit v_most
        ) n
    ) then
        return false;
    end if;
    -- Such as one that gives the time of its start as its version.
    perform monitoring._tell_repair(
        'version',
        array[
            'PV004',
            format(
                'component "%s" has had %s releases within a day before version "%s"',
                p_component, v_most, p_version
            ),
            'Give as version what changes with a release, not with each start.'
        ],
        'left out'
    );
    return true;
end
$$;

create or replace function monitoring.record_release(
    p_component text,
    p_version text,
    p_details jsonb default null,
    p_released_at timestamptz default null
)
returns bigint
language plpgsql
volatile
security definer
set search_path = pg_catalog, pg_temp
as $$
declare
    v_component constant text := monitoring._mended_name('component', p_component);
    v_version constant text := monitoring._mended_name('version', p_version);
    v_details constant jsonb := monitoring._capped_json(p_details);
    v_released_at constant timestamptz := monitoring._event_time(p_released_at);
    v_version_before text;
    v_release_id bigint;
begin
    select r.version, r.release_id into v_version_before, v_release_id
    from monitoring.releases r
    where r.component = v_component and r.released_at <= v_released_at
    order by r.released_at desc, r.release_id desc
    limit 1;
    if v_version_before = v_version then
        return v_release_id;
    end if;
    if monitoring._has_too_many_releases(v_component, v_version, v_released_at) then
        return null;
    end if;
    -- Without a unique key, on which this would wait for another session that tells the same.
    insert into monitoring.releases (component, version, released_at, details, recorded_by)
    values (v_component, v_version, v_released_at, v_details, session_user)
    returning release_id into v_release_id;
    return v_release_id;
end
$$;

comment on function monitoring.record_release(text, text, jsonb, timestamptz) is
'Records that a component runs in a version from now on, or from p_released_at, and returns its '
'release_id; that of the newest release when it has that version already, so that each program may '
'say at its start what it is.';
