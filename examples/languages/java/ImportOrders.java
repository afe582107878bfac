import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;

/**
 * Imports orders and records how that goes, over JDBC:
 * java -cp postgresql.jar ImportOrders.java ../orders.tsv
 */
public class ImportOrders {
    private final Connection connection;
    private final String task;
    private final List<String> lines;

    ImportOrders(Connection connection, Path file) throws Exception {
        this.connection = connection;
        task = "orders " + file.getFileName();
        lines = Files.readAllLines(file);
    }

    public static void main(String[] arguments) throws Exception {
        // JDBC knows nothing of libpq's variables. Nothing is prepared in the server, so that it works
        // behind a pooler as well.
        String url = "jdbc:postgresql://" + System.getenv("PGHOST") + ":" + System.getenv("PGPORT") + "/"
            + System.getenv("PGDATABASE") + "?prepareThreshold=0";
        Path file = Path.of(arguments[0]);
        try (Connection connection =
                DriverManager.getConnection(url, System.getenv("PGUSER"), System.getenv("PGPASSWORD"))) {
            new ImportOrders(connection, file).run(file);
        }
    }

    private void run(Path file) throws Exception {
        // The server makes the JSON, so that nothing has to be quoted here.
        Object attempt = ask("start_task_tracking(?, 'orders.import', p_items_total => ?, p_metadata => "
            + "jsonb_build_object('file', ?, 'source', jsonb_build_object('bytes', ?, 'is_new', true)))",
            task, lines.size(), file.toString(), Files.size(file));
        try {
            long begun = System.nanoTime();
            int imported = load();
            // A String is sent as varchar, which no function takes for jsonb: hence the cast.
            String steps = "{\"load\": " + (System.nanoTime() - begun) / 1e6 + "}";
            ask("complete_task_tracking(?, 'completed', ?, ?::jsonb, p_attempt => ?)",
                task, imported, steps, attempt);
        } catch (Throwable trouble) {
            try {
                if (!connection.getAutoCommit()) {
                    connection.rollback();
                    connection.setAutoCommit(true);
                }
                StringWriter stack = new StringWriter();
                trouble.printStackTrace(new PrintWriter(stack));
                ask("record_error(?, ?, 'high', ?, 'orders.import', p_stack => ?)",
                    task, trouble.getClass().getName(), trouble.getMessage(), stack.toString());
                ask("complete_task_tracking(?, 'failed', p_attempt => ?)", task, attempt);
            } catch (SQLException more) {
                trouble.addSuppressed(more);
            }
            throw trouble;
        }
    }

    /** Imports the lines and returns how many orders they were, each committed with its records. */
    private int load() throws SQLException {
        int imported = 0;
        int refused = 0;
        for (int done = 1; done <= lines.size(); done++) {
            String[] fields = lines.get(done - 1).split("\t");
            double amount = Double.parseDouble(fields[1]);
            connection.setAutoCommit(false);
            if (amount > 0) {
                try (PreparedStatement row =
                        connection.prepareStatement("insert into orders (customer, amount) values (?, ?)")) {
                    row.setString(1, fields[0]);
                    row.setDouble(2, amount);
                    row.executeUpdate();
                }
                ask("record_performance_metric('orders.amount', 'gauge', ?, 'EUR', 'orders.import', p_task_id => ?)",
                    amount, task);
                imported++;
            } else {
                ask("record_error(?, 'AmountRefused', 'low', ?, 'orders.import', jsonb_build_object('line', ?))",
                    task, fields[0] + " orders for " + fields[1], done);
                refused++;
            }
            ask("update_task_progress(?, ?, ?, ?::jsonb)",
                task, done, lines.size(), "{\"refused\": " + refused + "}");
            connection.commit();
            connection.setAutoCommit(true);
        }
        return imported;
    }

    /** Calls a function of pgvigil and returns what it answers. */
    private Object ask(String call, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("select monitoring." + call)) {
            for (int index = 0; index < values.length; index++) {
                statement.setObject(index + 1, values[index]);
            }
            // A select with executeUpdate() is carried out, and then throws.
            try (ResultSet answer = statement.executeQuery()) {
                answer.next();
                return answer.getObject(1);
            }
        }
    }
}
