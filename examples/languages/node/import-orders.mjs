// Imports orders and records how that goes, over node-postgres: node import-orders.mjs ../orders.tsv
// The database is that of PGHOST, PGDATABASE and so on.
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import pg from 'pg';

const file = process.argv[2];
const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
const task = `orders ${basename(file)}`;

const client = new pg.Client();
client.on('notice', ({ message }) => console.warn(message)); // what pgvigil had to repair
await client.connect();

/** Calls a function of pgvigil and returns what it answers. */
async function ask(call, ...values) {
  // bigint comes back as a string, everything else as one expects.
  return (await client.query(`select monitoring.${call} as answer`, values)).rows[0].answer;
}

/** Imports the lines and returns how many orders they were, each committed with its records. */
async function load() {
  let imported = 0, refused = 0;
  for (const [index, line] of lines.entries()) {
    const [customer, amount] = line.split('\t');
    await inTransaction(async () => {
      if (Number.isNaN(Number(amount))) throw new TypeError(`${amount} is not a number, line ${index + 1}`);
      if (amount > 0) {
        await client.query('insert into orders (customer, amount) values ($1, $2)', [customer, amount]);
        await ask("record_performance_metric('orders.amount', 'gauge', $1, 'EUR', 'orders.import', p_task_id => $2)", amount, task);
        imported++;
      } else {
        await ask("record_error($1, 'AmountRefused', 'low', $2, 'orders.import', $3)", task, `${customer} orders for ${amount}`, { line: index + 1 });
        refused++;
      }
      await ask('update_task_progress($1, $2, $3, $4)', task, index + 1, lines.length, { refused });
    });
  }
  return imported;
}

async function inTransaction(work) {
  await client.query('begin');
  try {
    await work();
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
  await client.query('commit');
}

// An object becomes JSON. An array becomes one of PostgreSQL: JSON.stringify() it.
const source = { file, source: { bytes: statSync(file).size, is_new: true } };
const attempt = await ask("start_task_tracking($1, 'orders.import', p_metadata => $2, p_items_total => $3)", task, source, lines.length);
try {
  const begun = performance.now();
  const imported = await load();
  const steps = { load: performance.now() - begun };
  await ask("complete_task_tracking($1, 'completed', $2, $3, p_attempt => $4)", task, imported, steps, attempt);
} catch (error) {
  await ask("record_error($1, $2, 'high', $3, 'orders.import', p_stack => $4)", task, error.name, error.message, error.stack);
  await ask("complete_task_tracking($1, 'failed', p_attempt => $2)", task, attempt);
  throw error;
} finally {
  await client.end();
}
