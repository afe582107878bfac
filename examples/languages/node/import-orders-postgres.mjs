// The same over postgres.js: node import-orders-postgres.mjs ../orders.tsv
import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import postgres from 'postgres';

const file = process.argv[2];
const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
const task = `orders ${basename(file)}`;

// Nothing is prepared, so that it works behind a pooler as well.
const sql = postgres({ prepare: false, onnotice: ({ message }) => console.warn(message) });

/** Imports the lines and returns how many orders they were, each committed with its records. */
async function load() {
  let imported = 0, refused = 0;
  for (const [index, line] of lines.entries()) {
    const [customer, amount] = line.split('\t');
    await sql.begin(async (sql) => {
      if (Number.isNaN(Number(amount))) throw new TypeError(`${amount} is not a number, line ${index + 1}`);
      if (amount > 0) {
        await sql`insert into orders (customer, amount) values (${customer}, ${amount})`;
        await sql`select monitoring.record_performance_metric('orders.amount', 'gauge', ${amount}, 'EUR', 'orders.import', p_task_id => ${task})`;
        imported++;
      } else {
        await sql`select monitoring.record_error(${task}, 'AmountRefused', 'low', ${`${customer} orders for ${amount}`}, 'orders.import', ${{ line: index + 1 }})`;
        refused++;
      }
      await sql`select monitoring.update_task_progress(${task}, ${index + 1}, ${lines.length}, ${{ refused }})`;
    });
  }
  return imported;
}

// It encodes JSON itself: give it objects. The functions that take a whole list take a text as well,
// and there it does not: sql.json(list).
const source = { file, source: { bytes: statSync(file).size, is_new: true } };
const [{ attempt }] = await sql`select monitoring.start_task_tracking(${task}, 'orders.import', p_metadata => ${source}, p_items_total => ${lines.length}) as attempt`;
try {
  const begun = performance.now();
  const imported = await load();
  const steps = { load: performance.now() - begun };
  await sql`select monitoring.complete_task_tracking(${task}, 'completed', ${imported}, ${steps}, p_attempt => ${attempt})`;
} catch (error) {
  await sql`select monitoring.record_error(${task}, ${error.name}, 'high', ${error.message}, 'orders.import', p_stack => ${error.stack})`;
  await sql`select monitoring.complete_task_tracking(${task}, 'failed', p_attempt => ${attempt})`;
  throw error;
} finally {
  await sql.end();
}
