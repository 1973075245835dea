//go:build postgres

package op_test

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vneid-sandbox/vneid-sandbox/op"
	"github.com/vneid-sandbox/vneid-sandbox/op/password"
	"github.com/vneid-sandbox/vneid-sandbox/storage"
	"github.com/vneid-sandbox/vneid-sandbox/storage/storagetest/pgtest"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// The browser waits at one process, the phone talks to another: PostgreSQL
// carries the wake-up.
func TestAPhoneAtOneProcessTellsTheBrowserAtAnother(t *testing.T) {
	url := pgtest.New(t, "fsync=off").Database(t)
	w := newWorldOn(t, url)
	p := w.phoneOf(an)

	store, err := storage.Open(t.Context(), url, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	second, err := op.New(t.Context(), op.Config{Store: store, Hasher: password.New(password.Cheap(), 2), SMS: w.phones, Rand: rand.Reader,
		HelpURL: sandboxURL, ScanPath: scanPath, CodePath: codePath, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	there := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		second.ServeHTTP(rw, r.WithContext(vneid.WithWorld(r.Context(), w.world)))
	}))
	defer there.Close()
	time.Sleep(500 * time.Millisecond) // until it listens to the database

	b := w.browser()
	page, code := w.begun(b)
	here := w.url
	w.url = strings.Replace(there.URL, "127.0.0.1", "localhost", 1) // the browser's cookies are those of the host
	e := b.listen(page)
	w.url = here
	e.wantNothing()
	begun := time.Now()
	login := p.must("scan", members{"code": code})["login"]
	e.want("scanned")
	p.must("confirm", members{"login": login})
	e.want("go")
	// Well under the pace at which lost wake-ups are found.
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	if a := b.get(there.URL + page); a.StatusCode != http.StatusForbidden { // another host name: no cookies
		t.Errorf("%s", a.Status)
	}
	if a := b.get(strings.Replace(there.URL, "127.0.0.1", "localhost", 1) + page); a.param("code") == "" {
		t.Errorf("%s %s", a.Status, a.body)
	}
}
