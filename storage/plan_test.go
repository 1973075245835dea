package storage

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// explainer is a connection that asks SQLite how it would run each statement,
// before it runs it. So the plans are those of the very statements of the
// store, not of copies in a test.
type explainer struct {
	conn
	t     *testing.T
	what  string
	plans map[string][]string
}

func (e *explainer) explain(query string, args []any) {
	rows, err := e.conn.QueryContext(context.Background(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		e.t.Errorf("%s: %v", query, err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			e.t.Fatal(err)
		}
		if !strings.Contains(detail, "VALUES CLAUSE") { // of an INSERT of several rows: its own values
			e.plans[e.what] = append(e.plans[e.what], detail)
		}
	}
}

func (e *explainer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	e.explain(query, args)
	return e.conn.QueryContext(ctx, query, args...)
}

func (e *explainer) exec(ctx context.Context, query string, args ...any) (int64, error) {
	e.explain(query, args)
	return e.conn.exec(ctx, query, args...)
}

func (e *explainer) scan(ctx context.Context, query string, args, into []any) error {
	e.explain(query, args)
	return e.conn.scan(ctx, query, args, into)
}

func (e *explainer) each(ctx context.Context, query string, args []any, next func() []any) error {
	e.explain(query, args)
	return e.conn.each(ctx, query, args, next)
}

func (e *explainer) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	e.explain(query, args)
	return e.conn.ExecContext(ctx, query, args...)
}

// byKey is the index of a primary key: in SQLite of a table without, or with
// rowid, and in PostgreSQL.
const byKey = "PRIMARY KEY|sqlite_autoindex|_pkey"

// hotStatement names the index that a statement has to use.
type hotStatement struct {
	what, index string
	run         func()
}

// hotStatements are all that may meet a million accounts or a hundred thousand
// tokens.
func hotStatements(tx *tx) []hotStatement {
	at := time.UnixMilli(1)
	return []hotStatement{
		{"Account", byKey, func() { tx.Account("1") }},
		{"PutAccount", byKey, func() { tx.PutAccount(&vneid.Account{Persona: vneid.Persona{CCCD: "1", Name: "An"}}) }},
		{"PutAccount with another name", byKey, func() { tx.PutAccount(&vneid.Account{Persona: vneid.Persona{CCCD: "1", Name: "Bình"}}) }},
		{"Accounts", byKey, func() { tx.Accounts("", 20) }},
		{"Accounts by name", byKey, func() { tx.Accounts("an", 20) }},
		{"AccountsAfter", byKey, func() { tx.AccountsAfter("", "1", 20) }},
		{"AccountsAfter by name", byKey, func() { tx.AccountsAfter("an", "1", 20) }},
		{"Devices", byKey, func() { tx.Devices("1", 20) }},
		{"AccountsByCMND", "accounts_by_cmnd", func() { tx.AccountsByCMND("1", 2) }},
		{"RegisterEntry", byKey, func() { tx.RegisterEntry("1") }},
		{"RegisterConsumer", byKey, func() { tx.RegisterConsumer("k") }},
		{"Client", byKey, func() { tx.Client("c") }},
		{"Login", byKey, func() { tx.Login("l") }},
		{"LoginByCode", "logins_by_code", func() { tx.LoginByCode("c") }},
		{"SaveLogin", byKey, func() { tx.InsertLogin(&vneid.Login{ID: "l"}); tx.SaveLogin(&vneid.Login{ID: "l"}) }},
		{"LoginWith", byKey, func() { tx.LoginWith("l2") }},
		{"LoginStarting", byKey, func() { tx.LoginStarting("l") }},
		{"LoginByCodeWith", "logins_by_code", func() { tx.LoginByCodeWith("c") }},
		{"TokenWith", byKey, func() { tx.TokenWith("t2") }},
		{"DeviceWith", "devices_by_id", func() { tx.DeviceWith("d") }},
		{"LoginByQRShort", "logins_by_qr_short", func() { tx.LoginByQRShort("s") }},
		{"LoginsOf", "logins_by_person", func() { tx.LoginsOf("1", at, 20) }},
		{"LoginVersions", byKey, func() { tx.LoginVersions([]string{"1", "2"}) }},
		{"Device", "devices_by_id", func() { tx.Device("d") }},
		{"DeviceOf", byKey, func() { tx.DeviceOf("1") }},
		{"Activation", byKey, func() { tx.Activation("a") }},
		{"DeleteActivation", byKey, func() { tx.DeleteActivation("a") }},
		{"Handset", byKey, func() { tx.Handset("h") }},
		{"HandsetOf", "handsets_by_device", func() { tx.HandsetOf("d") }},
		{"Session", "sessions_by_secret", func() { tx.Session("s") }},
		{"SessionByID", byKey, func() { tx.SessionByID("s") }},
		{"SessionsOfBrowser", "sessions_by_browser", func() { tx.SessionsOfBrowser("b") }},
		{"SaveSession", byKey, func() { tx.InsertSession(&vneid.Session{ID: "s"}); tx.SaveSession(&vneid.Session{ID: "s"}) }},
		{"Consent", byKey, func() { tx.Consent("1", "c") }},
		{"Token", byKey, func() { tx.Token("t") }},
		{"UseToken", byKey, func() { tx.UseToken("t", at) }},
		{"RevokeToken", byKey, func() { tx.RevokeToken("t", at) }},
		{"RevokeGrant", "tokens_by_grant", func() { tx.RevokeGrant("g", at) }},
		{"RevokeSessionTokens", "tokens_by_session", func() { tx.RevokeSessionTokens("s", at) }},
		{"ClientsOfSession", "tokens_by_session", func() { tx.ClientsOfSession("s") }},
		{"LogoutNotices", "logout_notices_by_due", func() { tx.LogoutNotices(9) }},
		{"DeleteLogoutNotice", byKey, func() { tx.DeleteLogoutNotice("c", "s") }},
		{"Throttle", byKey, func() { tx.Throttle("k") }},
		{"SMSTo", "sms_by_number", func() { tx.SMSTo("0950000001", at, 20) }},
		{"collect tokens", "tokens_by_expiry", func() { tx.collect("tokens", "hash", "expires_ms < ?", 1) }},
		{"collect logins", "logins_by_end", func() { tx.collectLogins(1) }},
		{"collect sessions", "sessions_by_expiry", func() { tx.collect("sessions", "id", "expires_ms < ?", 1) }},
		{"collect activations", "activations_by_expiry", func() { tx.collect("activations", "id", "expires_ms < ?", 1) }},
		{"collect handsets", "handsets_unused", func() { tx.collect("handsets", "id", "device_id = '' AND seen_ms < ?", 1) }},
		{"collect throttles", "throttles_by_last", func() { tx.collect("throttles", "name", "last_ms < ?", 1) }},
		{"collect sms", "sms_by_time", func() { tx.collect("sms", "id", "visible_ms < ? AND sent_ms < ?", 1, 1) }},
		{"delete rows", byKey, func() { tx.deleteRows("logins", "id", []string{"1", "2"}) }},
		{"SMSTo anybody", "sms_by_time", func() { tx.SMSTo("", at, 20) }},
	}
}

// TestHotStatementsUseAnIndex runs them and asks for their plans.
func TestHotStatementsUseAnIndex(t *testing.T) {
	s := open(t, "sqlite::memory:")
	e := &explainer{conn: sqliteOf(s).writer.conn, t: t, plans: map[string][]string{}}
	tx := newTx(context.Background(), s.db, e, "w", true)
	for _, c := range hotStatements(tx) {
		e.what = c.what
		c.run()
		plan := strings.Join(e.plans[c.what], "; ")
		used := false
		for name := range strings.SplitSeq(c.index, "|") {
			used = used || strings.Contains(plan, name)
		}
		if !used || strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE") {
			t.Errorf("%s runs as %q, want a search in %s, nothing scanned, nothing sorted", c.what, plan, c.index)
		}
	}
	if tx.failed != nil {
		t.Fatal(tx.failed)
	}
}
