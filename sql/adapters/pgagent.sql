-- pgAgent, the scheduler of pgAdmin. Its log has no index on the time: of the newest 20,000 entries
-- those that are new are looked for, by their numbers.

select monitoring.define_adapter(
    'pgagent',
    'pgAgent 4.2',
    '{"pga_job": ["jobid", "jobname"],
        "pga_joblog": ["jlgid", "jlgjobid", "jlgstatus", "jlgstart", "jlgduration"],
        "pga_jobsteplog": ["jslid", "jsljlgid", "jslstatus", "jslresult", "jsloutput"]}',
    p_runs => $$
        select
            l.jlgid as run_id,
            null as queue,
            j.jobname as task_type,
            l.jlgstatus as status,
            l.jlgstart as started_at,
            case when l.jlgstatus <> 'r' then l.jlgstart + coalesce(l.jlgduration, interval '0') end
                as finished_at,
            null as attempt,
            null as max_attempts,
            f.message as error_message
        from (
            select g.jlgid, g.jlgjobid, g.jlgstatus, g.jlgstart, g.jlgduration
            from {schema}.pga_joblog as g
            order by g.jlgid desc
            limit 20000
        ) as l
        inner join {schema}.pga_job as j on j.jobid = l.jlgjobid
        left join lateral (
            select coalesce(
                nullif(btrim(s.jsloutput, E' \t\r\n'), ''), 'step ended with ' || s.jslresult
            ) as message
            from {schema}.pga_jobsteplog as s
            where l.jlgstatus = 'f' and s.jsljlgid = l.jlgid and s.jslstatus = 'f'
            order by s.jslid
            limit 1
        ) as f on true
        where l.jlgstatus = 'r' or l.jlgstart + coalesce(l.jlgduration, interval '0') >= p_since
            or l.jlgid::text = any(p_known)
    $$,
    p_statuses => '{"r": "running", "s": "completed", "i": "completed", "f": "failed",
        "d": "cancelled"}',
    p_work => 'type'
);
