package main

import (
	"context"
	"database/sql"

	_ "modernc.org/sqlite"
)

// schema is one row per payment that was booked, and what the users own. The
// primary key of payments is what makes a repeat harmless.
const schema = `
CREATE TABLE IF NOT EXISTS payments (
	key     TEXT PRIMARY KEY,  -- of callback.Payment.Key
	user    TEXT NOT NULL,
	product TEXT NOT NULL,
	booked  TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE IF NOT EXISTS goods (
	user    TEXT NOT NULL,
	product TEXT NOT NULL,
	count   INTEGER NOT NULL,
	PRIMARY KEY (user, product))`

const (
	insertPayment = `INSERT INTO payments (key, user, product) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`
	insertGoods   = `INSERT INTO goods (user, product, count) VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1`
	selectGoods   = `SELECT product, count FROM goods WHERE user = ?`
)

// A book keeps the payments.
type book struct{ db *sql.DB }

// openBook opens the file and makes the tables. A transaction takes the lock for
// writing at its beginning, because SQLite cannot make it wait for the lock
// later. What is committed is on disk, even if the machine fails: that is
// synchronous=FULL.
func openBook(ctx context.Context, file string) (*book, error) {
	db, err := sql.Open("sqlite", "file:"+file+"?_txlock=immediate&_pragma=busy_timeout(4000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		db.Close()
		return nil, err
	}
	return &book{db}, nil
}

func (b *book) close() error { return b.db.Close() }

// add books the payment with this key and gives the user the product, both or
// none. It does nothing if the payment is already booked, by an earlier request
// or by one at the same time: the database lets one transaction insert the key.
func (b *book) add(ctx context.Context, key, user, product string) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // without effect after Commit
	result, err := tx.ExecContext(ctx, insertPayment, key, user, product)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); n == 0 || err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, insertGoods, user, product); err != nil {
		return err
	}
	return tx.Commit()
}

// goods returns how many of each product the user has.
func (b *book) goods(ctx context.Context, user string) (map[string]int, error) {
	rows, err := b.db.QueryContext(ctx, selectGoods, user)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	goods := make(map[string]int)
	for rows.Next() {
		var product string
		var count int
		if err := rows.Scan(&product, &count); err != nil {
			return nil, err
		}
		goods[product] = count
	}
	return goods, rows.Err()
}
