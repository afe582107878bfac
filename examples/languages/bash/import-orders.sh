#!/usr/bin/env bash
# Imports orders and records how that goes, over psql: bash import-orders.sh ../orders.tsv
# The database is that of PGHOST, PGDATABASE and so on.
set -Eeuo pipefail

file=$1
task="orders ${file##*/}"
errors=$(mktemp)
trap 'rm -f "$errors"' EXIT

# Runs the statements on standard input, with name=value as variables of psql, which :'name' quotes.
# Never put a value into the statement itself, nor a variable into -c, where psql knows none.
run() {
    local value options=()
    for value in "$@"; do options+=(-v "$value"); done
    psql -XAtq -v ON_ERROR_STOP=1 "${options[@]}" 2> "$errors" ||
        { cat "$errors" >&2; return 1; }
}

# Whatever fails from here on ends the task.
failed() {
    local message stack="line $1 of $0, in ${FUNCNAME[*]:1}: $BASH_COMMAND"
    trap - ERR
    message=$(head -n 1 "$errors")
    run task="$task" attempt="$attempt" message="${message:-$stack}" stack="$stack"$'\n'"$(< "$errors")" << 'SQL'
select monitoring.record_error(:'task', 'CommandFailed', 'high', :'message', 'orders.import', p_stack => :'stack');
select monitoring.complete_task_tracking(:'task', 'failed', p_attempt => :attempt);
SQL
    exit 1
} > /dev/null

# A line is an order: customer and amount with a tab between them.
load() {
    local customer amount
    while IFS=$'\t' read -r customer amount; do
        done=$((done + 1))
        [[ $amount == -* ]] && refused=$((refused + 1))
        # The order is committed with its records, or none of them is.
        run task="$task" customer="$customer" amount="$amount" done="$done" lines="$lines" refused="$refused" << 'SQL'
begin;
select :'amount'::numeric > 0 as is_good \gset
\if :is_good
insert into orders (customer, amount) values (:'customer', :'amount');
select monitoring.record_performance_metric('orders.amount', 'gauge', :'amount', 'EUR', 'orders.import', p_task_id => :'task');
\else
select monitoring.record_error(:'task', 'AmountRefused', 'low', concat(:'customer', ' orders for ', :'amount'), 'orders.import', jsonb_build_object('line', :done));
\endif
select monitoring.update_task_progress(:'task', :done, :lines, jsonb_build_object('refused', :refused));
commit;
SQL
    done < "$file"
} > /dev/null

lines=$(wc -l < "$file") done=0 refused=0
# The server makes the JSON, so that nothing has to be quoted here.
attempt=$(run task="$task" file="$file" bytes="$(wc -c < "$file")" lines="$lines" << 'SQL'
select monitoring.start_task_tracking(:'task', 'orders.import', p_items_total => :lines,
    p_metadata => jsonb_build_object('file', :'file', 'source', jsonb_build_object('bytes', :bytes, 'is_new', true)));
SQL
)
trap 'failed $LINENO' ERR

begun=${EPOCHREALTIME/[.,]/}
load
milliseconds=$(((${EPOCHREALTIME/[.,]/} - begun) / 1000))
run task="$task" imported=$((done - refused)) milliseconds="$milliseconds" attempt="$attempt" << 'SQL' > /dev/null
select monitoring.complete_task_tracking(:'task', 'completed', :imported, jsonb_build_object('load', :milliseconds), p_attempt => :attempt);
SQL
