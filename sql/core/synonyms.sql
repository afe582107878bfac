-- The words that programs use for severities, ends of tasks, health and log levels, and what they
-- mean here. Every logger, queue and monitor has its own. docs/words.md shows the same table.

-- What other systems' words mean here, in small letters and without what stands between them.
create or replace function monitoring._known_words()
returns table (kind text, meaning text, words text)
language sql
stable
begin atomic
    select
        w.kind,
        w.meaning,
        w.words
    from (
        values
        (
            'severity', 'low',
            'low lowest debug dbg trace trc verbose info information informational inf notice '
            'note log hint success minor trivial cosmetic negligible sample notclassified p4 '
            'p5 sev4 sev5 s4 s5 10 20'
        ),
        (
            'severity', 'medium',
            'medium med mid middle moderate normal average default warning warn wrn caution '
            'p3 sev3 s3 30'
        ),
        (
            'severity', 'high',
            'high error err major severe serious important significant fail failed failure '
            'exception p2 sev2 s2 40'
        ),
        (
            'severity', 'critical',
            'critical crit crt fatal ftl emergency emerg alert panic dpanic disaster '
            'catastrophic blocker showstopper urgent immediate highest veryhigh extreme p0 p1 '
            'sev0 sev1 s0 s1 50'
        ),
        (
            'status', 'completed',
            'completed complete success succeeded successful successfully '
            'completedsuccessfully ok okay done finished finish passed pass processed '
            'fulfilled acked true yes'
        ),
        (
            'status', 'failed',
            'failed failure fail failing unsuccessful error errored errors err exception '
            'crashed crash crashloopbackoff aborted abort killed oomkilled outofmemory '
            'evicted fault faulted faulty broken bad rejected declined dead died discarded '
            'deadletter deadlettered fatal critical panic unstable bootfail startupfailure '
            'upstreamfailed backofflimitexceeded imagepullbackoff actionrequired retry '
            'retrying retryable upforretry false no nok notok ko'
        ),
        (
            'status', 'cancelled',
            'cancelled canceled cancel cancelling canceling skipped skip upstreamskipped '
            'revoked stopped stop interrupted preempted superseded snoozed neutral notrun '
            'notbuilt omitted ignored removed dismissed withdrawn'
        ),
        (
            'status', 'timeout',
            'timeout timedout timelimit timelimitexceeded timelimitreached deadline '
            'deadlineexceeded activedeadlineexceeded expired expire toolong walltime'
        ),
        (
            'status', 'lost',
            'lost orphaned orphan abandoned vanished gone missing zombie stalled stale '
            'unknown unreachable disappeared nodefail nodefailure nodelost workerlost '
            'workerlosterror'
        ),
        (
            'health', 'healthy',
            'healthy ok okay up pass passed passing green alive live good running operational '
            'available online active ready serving connected reachable responding working '
            'normal nominal fine clear recovered success succeeded true yes on 1'
        ),
        (
            'health', 'degraded',
            'degraded degradedperformance warning warn yellow amber orange slow partial '
            'partialoutage minor impaired limited reduced atrisk unstable flapping busy '
            'overloaded throttled maintenance undermaintenance'
        ),
        (
            'health', 'unhealthy',
            'unhealthy down dead red critical crit fatal fail failed failing failure error '
            'err outage majoroutage major severe offline unavailable outofservice notserving '
            'notready inactive unreachable unresponsive disconnected refused stopped exited '
            'terminated killed crashed broken bad lost timeout timedout alert emergency '
            'disaster panic nok notok ko false no off 0'
        ),
        (
            'health', 'unknown',
            'unknown undetermined indeterminate undefined none null na nodata notchecked '
            'unchecked serviceunknown pending starting initializing initialising'
        ),
        (
            'level', 'DEBUG',
            'debug dbg d trace trc t verbose vrb v fine finer finest silly all 5 10'
        ),
        (
            'level', 'INFO',
            'info information informational inf i notice note n log config success message '
            'http normal hint 20 25'
        ),
        (
            'level', 'WARNING',
            'warning warn wrn w caution deprecated deprecation 30'
        ),
        (
            'level', 'ERROR',
            'error err e severe exception failure failed fail 40'
        ),
        (
            'level', 'CRITICAL',
            'critical crit crt c fatal ftl f emergency emerg alert panic dpanic disaster 50 '
            '60'
        )
    ) as w (kind, meaning, words);
end;

-- What the letters and digits of a word in small letters mean; null when nobody knows.
create or replace function monitoring._meaning_of_letters(p_kind text, p_word text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_word text := regexp_replace(p_word collate "C", '[^a-z0-9]+', '', 'g');
begin
    if coalesce(v_word, '') = '' then
        return null;
    end if;
    return (
        select k.meaning
        from monitoring._known_words() k
        where k.kind = p_kind
            and strpos(' ' || k.words || ' ' collate "C", ' ' || v_word || ' ') > 0
        limit 1
    );
end
$$;

-- What a word of a kind (severity, status, health or level) means here, whatever its case and
-- what stands between its parts; null when nobody knows.
create or replace function monitoring._meaning(p_kind text, p_word text) returns text
language plpgsql
stable
set search_path = pg_catalog, pg_temp
as $$
declare
    v_word text := lower(p_word collate "C");
begin
    v_word := left(v_word, 100) collate "C";
    return coalesce(
        monitoring._meaning_of_letters(p_kind, v_word),
        -- "CANCELLED by 1000", as Slurm has it
        monitoring._meaning_of_letters(
            p_kind,
            substring(
                v_word collate "C"
                from '^(.*[^[:space:]])[[:space:]]+by[[:space:]]+[^[:space:]]+$'
            )
        ),
        -- "TaskStatus.SUCCESS", as languages print an enumeration
        monitoring._meaning_of_letters(
            p_kind, substring(v_word collate "C" from '[a-z0-9_][.:]+([a-z_]+)[^a-z0-9_]*$')
        ),
        -- "debug2" of PostgreSQL, "error4" of OpenTelemetry
        monitoring._meaning_of_letters(
            p_kind, substring(v_word collate "C" from '^(.*[a-z]{4})[0-9][^a-z0-9_]*$')
        )
    );
end
$$;
