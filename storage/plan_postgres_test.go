//go:build postgres

package storage

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// pgExplainer notes the statements, to ask for their plans afterwards.
type pgExplainer struct {
	conn
	queries []string
}

func (e *pgExplainer) exec(ctx context.Context, query string, args ...any) (int64, error) {
	e.queries = append(e.queries, query)
	return e.conn.exec(ctx, query, args...)
}

func (e *pgExplainer) scan(ctx context.Context, query string, args, into []any) error {
	e.queries = append(e.queries, query)
	return e.conn.scan(ctx, query, args, into)
}

func (e *pgExplainer) each(ctx context.Context, query string, args []any, next func() []any) error {
	e.queries = append(e.queries, query)
	return e.conn.each(ctx, query, args, next)
}

func (e *pgExplainer) later(string, []any) bool                     { return false }
func (e *pgExplainer) ahead(string, []any, []any, func(error)) bool { return false }

// TestHotStatementsUseAnIndexOfAnEmptyPostgreSQL asks for the plans that a
// connection keeps, at the moment at which they are worst: the tables are new,
// and nobody has analysed them.
func TestHotStatementsUseAnIndexOfAnEmptyPostgreSQL(t *testing.T) {
	u := shared(t).Database(t)
	s := open(t, u)
	c, err := pgx.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.Background())
	if _, err := c.Exec(t.Context(), "SET plan_cache_mode = force_generic_plan"); err != nil {
		t.Fatal(err)
	}
	n := 0
	plan := func(query string) string {
		n++
		name := fmt.Sprint("p", n)
		d, err := c.Prepare(t.Context(), name, query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		nulls := strings.TrimSuffix(strings.Repeat("NULL, ", len(d.ParamOIDs)), ", ")
		if nulls != "" {
			nulls = "(" + nulls + ")"
		}
		rows, err := c.Query(t.Context(), "EXPLAIN (COSTS OFF) EXECUTE "+name+nulls)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return strings.Join(lines, "; ")
	}
	err = s.db.update(t.Context(), 1, func(ctx context.Context, c conn) error {
		e := &pgExplainer{conn: c}
		tx := newTx(ctx, s.db, e, "w", true)
		for _, h := range hotStatements(tx) {
			e.queries = nil
			h.run()
			for _, query := range e.queries {
				p := plan(query)
				if strings.HasPrefix(p, "Insert") {
					continue
				}
				used := false
				for name := range strings.SplitSeq(h.index, "|") {
					used = used || strings.Contains(p, name)
				}
				if !used || strings.Contains(p, "Seq Scan") || strings.Contains(h.what, "With") && strings.Contains(p, "Join Filter") {
					t.Errorf("%s runs as %q, want a search in %s, nothing scanned", h.what, p, h.index)
				}
			}
		}
		return tx.failed
	})
	if err != nil {
		t.Fatal(err)
	}
}
