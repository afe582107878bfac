<?php
// Imports orders and records how that goes, over PDO: php import-orders.php ../orders.tsv
// The database is that of PGHOST, PGDATABASE and so on.

declare(strict_types=1);

/** Calls a function of pgvigil and returns what it answers. */
function ask(PDO $db, string $call, mixed ...$values): mixed
{
    $statement = $db->prepare("select monitoring.$call");
    $statement->execute($values);
    return $statement->fetchColumn();
}

/** Makes JSON; an empty array becomes [], which is taken for an empty object. */
function encode(array $value): string
{
    return json_encode($value, JSON_THROW_ON_ERROR);
}

/** Imports the lines and returns how many orders they were, each committed with its records. */
function load(PDO $db, string $task, array $lines): int
{
    $imported = $refused = 0;
    foreach ($lines as $index => $line) {
        [$customer, $amount] = explode("\t", $line);
        if (!is_numeric($amount)) {
            throw new UnexpectedValueException("$amount is not a number, line " . $index + 1);
        }
        $db->beginTransaction();
        if ($amount > 0) {
            $db->prepare('insert into orders (customer, amount) values (?, ?)')->execute([$customer, $amount]);
            ask($db, "record_performance_metric('orders.amount', 'gauge', ?, 'EUR', 'orders.import', p_task_id => ?)",
                $amount, $task);
            $imported++;
        } else {
            ask($db, "record_error(?, 'AmountRefused', 'low', ?, 'orders.import', ?)",
                $task, "$customer orders for $amount", encode(['line' => $index + 1]));
            $refused++;
        }
        ask($db, 'update_task_progress(?, ?, ?, ?)', $task, $index + 1, count($lines), encode(['refused' => $refused]));
        $db->commit();
    }
    return $imported;
}

$file = $argv[1];
$task = 'orders ' . basename($file);
$lines = file($file, FILE_IGNORE_NEW_LINES);

// Nothing is prepared in the server, so that it works behind a pooler as well.
$db = new PDO('pgsql:', options: [PDO::PGSQL_ATTR_DISABLE_PREPARES => true]);

$source = encode(['file' => $file, 'source' => ['bytes' => filesize($file), 'is_new' => true]]);
$attempt = ask($db, "start_task_tracking(?, 'orders.import', p_metadata => ?, p_items_total => ?)",
    $task, $source, count($lines));
try {
    $begun = hrtime(true);
    $imported = load($db, $task, $lines);
    $steps = encode(['load' => (hrtime(true) - $begun) / 1e6]);
    ask($db, "complete_task_tracking(?, 'completed', ?, ?, p_attempt => ?)", $task, $imported, $steps, $attempt);
} catch (Throwable $trouble) {
    if ($db->inTransaction()) {
        $db->rollBack();
    }
    ask($db, "record_error(?, ?, 'high', ?, 'orders.import', p_stack => ?)",
        $task, get_class($trouble), $trouble->getMessage(), (string) $trouble);
    ask($db, "complete_task_tracking(?, 'failed', p_attempt => ?)", $task, $attempt);
    throw $trouble;
}
