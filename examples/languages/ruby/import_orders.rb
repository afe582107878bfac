# Imports orders and records how that goes, over the gem pg: ruby import_orders.rb ../orders.tsv
# The database is that of PGHOST, PGDATABASE and so on.

require 'json'
require 'pg'

# Calls a function of pgvigil and returns what it answers, as a string.
def ask(db, call, *values)
  # A Hash would be taken for a parameter's description: documents go as JSON.generate(hash).
  db.exec_params("select monitoring.#{call}", values).getvalue(0, 0)
end

# Imports the lines and returns how many orders they were, each committed with its records.
def load_orders(db, task, lines)
  imported = refused = 0
  lines.each.with_index(1) do |line, number|
    customer, amount = line.split("\t")
    db.transaction do
      if Float(amount).positive?
        db.exec_params('insert into orders (customer, amount) values ($1, $2)', [customer, amount])
        ask(db, "record_performance_metric('orders.amount', 'gauge', $1, 'EUR', 'orders.import', p_task_id => $2)",
            amount, task)
        imported += 1
      else
        ask(db, "record_error($1, 'AmountRefused', 'low', $2, 'orders.import', $3)",
            task, "#{customer} orders for #{amount}", JSON.generate({ line: number }))
        refused += 1
      end
      ask(db, 'update_task_progress($1, $2, $3, $4)', task, number, lines.size, JSON.generate({ refused: refused }))
    end
  end
  imported
end

file = ARGV.fetch(0)
task = "orders #{File.basename(file)}"
lines = File.readlines(file, chomp: true, encoding: 'UTF-8')
db = PG.connect

source = JSON.generate({ file: file, source: { bytes: File.size(file), is_new: true } })
attempt = ask(db, "start_task_tracking($1, 'orders.import', p_metadata => $2, p_items_total => $3)",
              task, source, lines.size)
begin
  begun = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  imported = load_orders(db, task, lines)
  steps = { load: (Process.clock_gettime(Process::CLOCK_MONOTONIC) - begun) * 1000 }
  ask(db, "complete_task_tracking($1, 'completed', $2, $3, p_attempt => $4)",
      task, imported, JSON.generate(steps), attempt)
rescue Exception => e # an interrupt ends the task as well
  ask(db, "record_error($1, $2, 'high', $3, 'orders.import', p_stack => $4)",
      task, e.class.name, e.message, e.full_message(highlight: false))
  ask(db, "complete_task_tracking($1, 'failed', p_attempt => $2)", task, attempt)
  raise
ensure
  db.close
end
