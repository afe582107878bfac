// Imports orders and records how that goes, over database/sql and lib/pq: go run . ../orders.tsv
// The database is that of PGHOST, PGDATABASE and so on; PGSSLMODE=disable where it has no TLS.
package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	_ "github.com/lib/pq"
)

func main() {
	// Statement and values travel together, so that it works behind a pooler as well.
	db, err := sql.Open("postgres", "binary_parameters=yes")
	if err == nil {
		defer db.Close()
		err = run(db, os.Args[1])
	}
	if err != nil {
		log.Fatal(err)
	}
}

func run(db *sql.DB, file string) (err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	task := "orders " + filepath.Base(file)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	source := encode(map[string]any{
		"file": file, "source": map[string]any{"bytes": len(text), "is_new": true},
	})
	var attempt int
	err = db.QueryRow(`select monitoring.start_task_tracking(
		$1, 'orders.import', p_metadata => $2, p_items_total => $3)`, task, source, len(lines)).Scan(&attempt)
	if err != nil {
		return err
	}
	// However the rest ends, the task does. An error has no stack: it gets that of this place.
	defer func() {
		trouble := recover()
		if err == nil && trouble == nil {
			return
		}
		name, message := fmt.Sprintf("%T", err), fmt.Sprint(err)
		if trouble != nil {
			name, message = "panic", fmt.Sprint(trouble)
		}
		_, failed := db.Exec(`select monitoring.record_error($1, $2, 'high', $3, 'orders.import', p_stack => $4),
			monitoring.complete_task_tracking($1, 'failed', p_attempt => $5)`,
			task, name, message, string(debug.Stack()), attempt)
		if failed != nil {
			log.Print(failed)
		}
		if trouble != nil {
			panic(trouble)
		}
	}()

	begun := time.Now()
	imported, err := load(db, task, lines)
	if err != nil {
		return err
	}
	// A Duration would be recorded as its nanoseconds: make milliseconds of it.
	steps := encode(map[string]any{"load": time.Since(begun).Seconds() * 1000})
	_, err = db.Exec("select monitoring.complete_task_tracking($1, 'completed', $2, $3, p_attempt => $4)",
		task, imported, steps, attempt)
	return err
}

// load imports the lines and returns how many orders they were, each committed with its records.
func load(db *sql.DB, task string, lines []string) (imported int, err error) {
	refused := 0
	for index, line := range lines {
		customer, number, _ := strings.Cut(line, "\t")
		amount, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return imported, err
		}
		err = inTransaction(db, func(tx *sql.Tx) error {
			if amount > 0 {
				_, err := tx.Exec("insert into orders (customer, amount) values ($1, $2)", customer, number)
				if err != nil {
					return err
				}
				_, err = tx.Exec(`select monitoring.record_performance_metric(
					'orders.amount', 'gauge', $1, 'EUR', 'orders.import', p_task_id => $2)`, amount, task)
				if err != nil {
					return err
				}
				imported++
			} else {
				_, err := tx.Exec(`select monitoring.record_error(
					$1, 'AmountRefused', 'low', $2, 'orders.import', $3)`,
					task, customer+" orders for "+number, encode(map[string]any{"line": index + 1}))
				if err != nil {
					return err
				}
				refused++
			}
			_, err := tx.Exec("select monitoring.update_task_progress($1, $2, $3, $4)",
				task, index+1, len(lines), encode(map[string]any{"refused": refused}))
			return err
		})
		if err != nil {
			return imported, err
		}
	}
	return imported, nil
}

func inTransaction(db *sql.DB, work func(*sql.Tx) error) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback() // does nothing after a commit
	if err := work(tx); err != nil {
		return err
	}
	return tx.Commit()
}

// encode makes JSON a string: with binary_parameters, bytes would be taken for jsonb in binary.
func encode(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}
