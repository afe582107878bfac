# pgvigil_exec runs a command and records its start, its end and the last 8 kB of its output, as
# `pgvigil exec` does, with psql alone. For any POSIX shell; `pgvigil exec --print-sh` prints it.
#
#   . ./pgvigil-exec.sh
#   pgvigil_exec [--type TYPE] [--id ID] [--timeout TIME] [--kill-after TIME]
#                [--expect SCHEDULE] [--time-zone NAME] [--quiet] -- COMMAND [ARGUMENT]...
#
# or, with the same options, sh pgvigil-exec.sh --type TYPE -- COMMAND
#
# The database is that of PGVIGIL_DSN, or of PGHOST, PGDATABASE and so on. psql shows PGVIGIL_DSN
# to whoever lists processes: keep passwords in ~/.pgpass or PGPASSWORD.

_pgvigil_exec() {
    set +eu
    type='' id='' limit='' grace=10s schedule='' zone='' quiet='' asked=''

    say() {
        [ -n "$quiet" ] || printf 'pgvigil: %s\n' "$*" >&2
    }

    now() {
        now=$(date +%s.%N)
        case $now in *[!0-9.]*) now=$(date +%s) ;; esac
        printf '%s' "$now"
    }

    local_zone() {
        if [ -n "${TZ-}" ]; then
            zone=${TZ#:}
        else
            zone=$(readlink -f /etc/localtime 2> /dev/null)
        fi
        zone=${zone##*/zoneinfo/}
        case $zone in '' | /*) zone=UTC ;; esac
    }

    # Values reach SQL as variables of psql, which quotes them; nothing is put into a statement.
    sql() {
        (
            PGAPPNAME=${PGAPPNAME:-pgvigil exec} PGCLIENTENCODING=UTF8
            PGCONNECT_TIMEOUT=${PGCONNECT_TIMEOUT:-5} PGVIGIL_OUTPUT=$dir/output
            export PGAPPNAME PGCLIENTENCODING PGCONNECT_TIMEOUT PGVIGIL_OUTPUT
            if command -v timeout > /dev/null; then set -- timeout 20 psql "$@"; else set -- psql "$@"; fi
            "$@" -XqAtw -v ON_ERROR_STOP=1 -v id="$id" -v type="$type" -v command="$name" \
                -v parent="${PGVIGIL_TASK_ID-}" -v host="$(uname -n)" -v pid="$$" \
                -v started="$started" -v schedule="$schedule" -v zone="$zone" \
                ${PGVIGIL_DSN:+-d "$PGVIGIL_DSN"}
        )
    }

    start_sql() {
        cat << 'SQL'
select monitoring.start_task_tracking(
    p_task_id => :'id', p_task_type => :'type', p_worker_id => :'host' || ':' || :'pid',
    p_parent_task_id => nullif(:'parent', ''),
    p_metadata => jsonb_build_object(
        'work', :'type'::text, 'command', :'command'::text, 'host', :'host'::text
    ),
    p_started_at => to_timestamp(:'started'::float8)
) as attempt
SQL
    }

    record_start() {
        {
            start_sql
            cat << 'SQL'
;
select :'schedule' <> '' as is_expected \gset
\if :is_expected
select 'expected ' || monitoring.define_expected_runs(
    p_task_type => :'type', p_schedule => :'schedule', p_time_zone => :'zone'
)
where not exists (
    select from monitoring.v_expected_runs e
    where e.task_type = :'type' and e.schedule = :'schedule' and e.time_zone = :'zone'
);
\endif
SQL
        } | sql > "$dir/attempt" 2> "$dir/trouble"
        failed=$?
        # Where the start is not recorded it is tried once more at the end.
        if [ -s "$dir/attempt" ] && [ -s "$dir/trouble" ]; then
            say "cannot define when runs of $type are expected: $(head -n 1 "$dir/trouble")"
        fi
        return "$failed"
    }

    # The start as well, where the database could not be told of it. Where it is not known whether
    # it was, the end finds out.
    record_end() {
        {
            printf '\\if :is_begun\n\\else\n'
            start_sql
            cat << 'SQL'
\gset
\endif
\if :is_error
\set output `cat "$PGVIGIL_OUTPUT"`
select monitoring.record_error(
    p_task_id => :'id', p_error_type => :'kind', p_severity => 'high', p_message => :'message',
    p_component => :'type', p_details => :'outcome'::jsonb, p_stack => nullif(:'output', ''),
    p_occurred_at => to_timestamp(:'ended'::float8)
);
\endif
select monitoring.complete_task_tracking(
    p_task_id => :'id', p_status => :'status', p_metadata => :'outcome'::jsonb,
    p_finished_at => to_timestamp(:'ended'::float8), p_attempt => nullif(:'attempt', '')::bigint
) as was_running
\gset
select :'attempt' = '' and not :'was_running' as is_without_start
\gset
\if :is_without_start
SQL
            start_sql
            printf ';\n\\endif\n'
        } | sql -v ended="$ended" -v status="$status" -v kind="$kind" -v message="$message" \
            -v outcome="$outcome" -v is_error="$is_error" -v is_begun="$is_begun" \
            -v attempt="$attempt" > /dev/null 2> "$dir/trouble" && return
        why=$(head -n 1 "$dir/trouble")
        say "cannot record this run${why:+: $why}"
    }

    # What PostgreSQL takes as text: a character may have been cut, and output may be of any kind.
    readable_output() {
        LC_ALL=C tr -d '\000' < "$dir/kept" | iconv -c -f UTF-8 -t UTF-8 > "$dir/output" 2> /dev/null
        if ! iconv -f UTF-8 -t UTF-8 < "$dir/output" > /dev/null 2>&1 ||
            { [ -s "$dir/kept" ] && [ ! -s "$dir/output" ]; }; then
            LC_ALL=C tr -cd '\011\012\015\040-\176' < "$dir/kept" > "$dir/output"
        fi
    }

    # Sets status, kind, outcome and message by the exit code.
    judge() {
        signal=''
        [ "$code" -le 128 ] || signal=$(kill -l "$code" 2> /dev/null)
        kind=ExitStatus
        what="ended with exit status $code"
        outcome="{\"exit_status\": $code}"
        if [ -n "$signal" ]; then
            kind=SIG$signal
            what="was ended by SIG$signal"
            outcome="{\"signal\": \"SIG$signal\"}"
        fi
        if [ "$code" -eq 0 ]; then
            status=completed
        elif [ -n "$limit" ] && { [ "$code" -eq 124 ] || [ "$code" -eq 137 ]; }; then
            status=timeout kind=Timeout code=124
            what="did not end within $limit"
        elif [ -n "$asked" ] && { [ "$asked" != HUP ] || [ "$signal" = HUP ]; }; then
            status=cancelled
        else
            status=failed
        fi
        is_error=off message=''
        case $status in
            failed | timeout)
                is_error=on
                readable_output
                last=$(LC_ALL=C grep '[^[:space:]]' "$dir/output" | tail -n 1 | cut -c 1-200)
                message="$name $what${last:+: $last}"
                ;;
        esac
    }

    # A shell has what it runs beside itself ignore SIGINT and SIGQUIT: SIGTERM stands in for them.
    # shellcheck disable=SC2317 # traps call it
    pass_on() {
        case $1 in HUP | INT | QUIT | TERM) asked=$1 ;; esac
        case $1 in
            INT | QUIT) kill -s TERM "$child" 2> /dev/null ;;
            *) kill -s "$1" "$child" 2> /dev/null ;;
        esac
    }

    wait_for_child() {
        wait "$child" 2> /dev/null
        code=$?
        # A signal that is passed on ends the waiting, not the command.
        while [ "$code" -gt 128 ] && kill -0 "$child" 2> /dev/null; do
            wait "$child" 2> /dev/null
            code=$?
        done
        [ -n "$asked" ] || return 0
        wait "$child" 2> /dev/null
        again=$?
        [ "$again" -eq 127 ] || code=$again
    }

    while [ $# -gt 0 ]; do
        case $1 in
            --type | --id | --timeout | --kill-after | --expect | --time-zone)
                if [ -z "${2-}" ]; then
                    printf 'pgvigil_exec: %s takes a value\n' "$1" >&2
                    exit 2
                fi
                ;;
        esac
        case $1 in
            --type) type=$2 && shift 2 ;;
            --id) id=$2 && shift 2 ;;
            --timeout) limit=$2 && shift 2 ;;
            --kill-after) grace=$2 && shift 2 ;;
            --expect) schedule=$2 && shift 2 ;;
            --time-zone) zone=$2 && shift 2 ;;
            --quiet) quiet=yes && shift ;;
            --) shift && break ;;
            -*)
                printf 'pgvigil_exec: no such option: %s\n' "$1" >&2
                exit 2
                ;;
            *) break ;;
        esac
    done
    if [ $# -eq 0 ]; then
        printf 'pgvigil_exec: give a command to run\n' >&2
        exit 2
    fi
    for length in "$limit" "$grace"; do
        case ${length%[smhd]} in
            *[!0-9.]* | .*)
                printf 'pgvigil_exec: "%s" is not a length of time; write 10s, 2m, 1h or 7d\n' \
                    "$length" >&2
                exit 2
                ;;
        esac
    done

    name=${1##*/}
    type=${type:-$name}
    id=${id:-$type-$(od -An -N6 -tx1 /dev/urandom | tr -d ' \n')}
    [ -n "$zone" ] || local_zone
    if ! command -v psql > /dev/null; then
        say "there is no psql here, so this is not recorded"
    fi
    if [ -n "$limit" ]; then
        if command -v timeout > /dev/null; then
            set -- timeout -k "$grace" "$limit" "$@"
        else
            say "there is no timeout here, so this may run for as long as it likes"
            limit=''
        fi
    fi
    if ! dir=$(mktemp -d "${TMPDIR:-/tmp}/pgvigil.XXXXXX" 2> /dev/null) ||
        ! mkfifo "$dir/1" "$dir/2" "$dir/both"; then
        say "no temporary files can be made, so this is not recorded"
        "$@"
        exit
    fi

    # What the command writes goes on as it comes, and the end of it is kept. Outputs that go to
    # the same place share a pipe, so that their order stays.
    second=$dir/2
    # shellcheck disable=SC3013 # POSIX has it since 2024, and shells since long
    if [ /dev/fd/1 -ef /dev/fd/2 ]; then second=$dir/1; fi
    { tail -c 8192 < "$dir/both" > "$dir/keeping" && mv "$dir/keeping" "$dir/kept"; } 2> /dev/null &
    # Both hold it open by 8, so that it does not end with the one that ends first.
    # shellcheck disable=SC2094 # they read one pipe and write another
    {
        [ "$second" = "$dir/1" ] || tee "$dir/both" < "$second" >&2 2> /dev/null &
        tee "$dir/both" < "$dir/1" 2> /dev/null &
    } 8> "$dir/both"
    # What runs beside a shell has no standard input unless it is given one.
    if { true <&0; } 2> /dev/null; then exec 9<&0; else exec 9< /dev/null; fi
    started=$(now)
    PGVIGIL_TASK_ID=$id "$@" <&9 9<&- > "$dir/1" 2> "$second" &
    child=$!
    exec 9<&-
    for signal in HUP INT QUIT TERM USR1 USR2; do
        # shellcheck disable=SC2064 # which signal it is, is known now
        trap "pass_on $signal" "$signal"
    done
    begun=''
    if command -v psql > /dev/null; then
        record_start < /dev/null &
        begun=$!
    fi
    wait_for_child
    ended=$(now)

    # What is left in the background may have the outputs for long; they go on without us then.
    tries=0
    until [ -e "$dir/kept" ] || [ "$tries" -ge 50 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    if [ ! -e "$dir/kept" ]; then
        say "the end of its output is not kept: something still has it open, or the disk is full"
        : > "$dir/kept"
    fi
    judge
    if [ -n "$begun" ]; then
        wait "$begun"
        # With 3 psql ends when a statement fails, and when the disk is full.
        case $? in 0 | 3) is_begun=on ;; *) is_begun=off ;; esac
        attempt=$(sed -n '/^[0-9][0-9]*$/{p;q;}' "$dir/attempt")
        record_end
    fi
    rm -rf "$dir"
    exit "$code"
}

# In a subshell, so that traps, options and variables of the caller stay as they are. That it sets
# a limit to what it is makes it a process with ksh93, which else could not wait for the command.
pgvigil_exec() (
    # shellcheck disable=SC3045 # where there is no such limit there is no need of it
    ulimit -t "$(ulimit -t 2> /dev/null)" 2> /dev/null
    _pgvigil_exec "$@"
)

# Run as a program it passes signals on, too; those that a calling shell gets stay with that.
case ${0##*/} in
    pgvigil-exec | pgvigil-exec.sh) _pgvigil_exec "$@" ;;
esac
