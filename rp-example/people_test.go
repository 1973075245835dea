package main

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// citizen is somebody who signs in at the fake provider.
type citizen struct {
	sub, sid, cccd, cmnd, name, birth, level string
	acr                                      string        // LoA2 unless said otherwise
	loggedInAgo                              time.Duration // auth_time lies so long ago
	more                                     map[string]any
}

var (
	an    = citizen{sub: "an", cccd: "038090000001", name: "Nguyễn Văn An", birth: "1990-03-15", level: "2"}
	binh  = citizen{sub: "binh", cccd: "038190000002", name: "Lê Thị Bình", birth: "1990-07-02", level: "2"}
	cuong = citizen{sub: "cuong", cccd: "038095000003", name: "Trần Văn Cường", birth: "1995-11-20", level: "1"}
	hai   = citizen{sub: "hai", cccd: "038060000007", cmnd: "171234567", name: "Vũ Văn Hải", birth: "1960", level: "2"}
	linh  = citizen{sub: "linh", cccd: "038198000008", name: "Ngô Thị Khánh Linh", birth: "1998-08-08", level: "2"}
	minh  = citizen{sub: "minh", cccd: "038075000009", name: "Bùi Văn Minh", birth: "1975-09-30", level: "2"}
)

func (c citizen) with(change func(*citizen)) citizen { change(&c); return c }

func (c citizen) idToken(now time.Time) map[string]any {
	return map[string]any{"sub": c.sub, "sid": or(c.sid, "sid-"+c.sub), "acr": or(c.acr, "LoA2"), "auth_time": now.Add(-c.loggedInAgo).Unix()}
}

func (c citizen) userinfo() map[string]any {
	m := map[string]any{"sub": c.sub, "name": c.name, "birthdate": c.birth, "account_type": "citizen"}
	for claim, v := range map[string]string{"cccd": c.cccd, "cmnd": c.cmnd, "account_level": c.level} {
		if v != "" {
			m[claim] = v
		}
	}
	maps.Copy(m, c.more)
	return m
}

// vneid signs this browser in as somebody and returns the answer to the callback.
func (b *browser) vneid(c citizen, wanted string) page {
	b.w.t.Helper()
	away := b.get(withNext("/login/vneid", wanted))
	if away.status != http.StatusSeeOther || !strings.HasPrefix(away.location, b.w.op.srv.URL) {
		b.w.t.Fatalf("did not leave for the provider: %d %q %s", away.status, away.location, away.problem())
	}
	return b.at(away, c)
}

// at signs in at the provider that the portal sent us to.
func (b *browser) at(away page, c citizen) page {
	b.w.t.Helper()
	if !strings.HasPrefix(away.location, b.w.op.srv.URL+"/authorize?") {
		b.w.t.Fatalf("not sent to the provider but %d %q %s", away.status, away.location, away.problem())
	}
	peopleAtTheProvider.Lock()
	defer peopleAtTheProvider.Unlock()
	b.w.lie(func(op *fakeOP) { op.who = &c })
	back := b.get(away.location)
	b.w.lie(func(op *fakeOP) { op.who = nil })
	return b.get(back.location)
}

var peopleAtTheProvider sync.Mutex

func (b *browser) local(name, wanted string) page {
	b.w.t.Helper()
	return b.localWith(name, seedPassword, wanted)
}

func (b *browser) localWith(name, password, wanted string) page {
	b.w.t.Helper()
	return b.post("/login/local", url.Values{"username": {name}, "password": {password}, "next": {wanted}})
}

// wantAt fails unless the answer sends the browser to a path.
func (p page) wantAt(t *testing.T, path string) {
	t.Helper()
	if p.status != http.StatusSeeOther || p.location != path {
		t.Fatalf("%d to %q %s, want %q\n%s", p.status, p.location, p.problem(), path, readable(p.body))
	}
}

// wantPage fails unless the page is there and holds every text.
func (p page) wantPage(t *testing.T, status int, texts ...string) {
	t.Helper()
	if p.status != status {
		t.Fatalf("status %d to %q %s, want %d\n%s", p.status, p.location, p.problem(), status, readable(p.body))
	}
	for _, s := range texts {
		if !p.has(s) {
			t.Errorf("the page lacks %q\n%s", s, readable(p.body))
		}
	}
}

func readable(html string) string {
	if _, main, ok := strings.Cut(html, "<main"); ok {
		html = main
	}
	s := strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(html, " ")), " ")
	if len(s) > 1500 {
		s = s[:1500]
	}
	return s
}

var dossierLink = regexp.MustCompile(`href="/dossiers/([^"]+)"`)

// dossiers are the numbers on Hồ sơ của tôi.
func (b *browser) dossiers() []string {
	b.w.t.Helper()
	p := b.get("/dossiers")
	p.wantPage(b.w.t, 200)
	var list []string
	for _, m := range dossierLink.FindAllStringSubmatch(p.body, -1) {
		list = append(list, m[1])
	}
	return list
}

// declares gives a local account a number that CSDL Dân cư knows.
func (w *world) declares(username, cccd string) {
	w.t.Helper()
	b := w.browser()
	b.local(username, "/")
	b.post("/identity/cccd", url.Values{"do": {"update"}, "cccd": {cccd}}).wantAt(w.t, "/")
	b.post("/logout", nil)
}

// links joins an old account to somebody, in a browser of its own.
func (w *world) links(c citizen, username string) *browser {
	w.t.Helper()
	b := w.browser()
	b.vneid(c, "/dossiers").wantAt(w.t, "/link")
	b.post("/link", url.Values{"do": {"update"}, "username": {username}, "password": {seedPassword}, "confirm": {"yes"}}).wantAt(w.t, "/dossiers")
	return b
}

// seeded is the whole number of a dossier of the seed.
func (w *world) seeded(end string) (id string) {
	w.t.Helper()
	if err := w.portal.store.db.QueryRow("SELECT id FROM dossiers WHERE id LIKE '%-' || ?", end).Scan(&id); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// audited tells whether the log has a line of this kind.
func (w *world) audited(what string) bool {
	w.t.Helper()
	var n int
	if err := w.portal.store.db.QueryRow("SELECT count(*) FROM audit WHERE what = ?", what).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n > 0
}

// fakeDanCu is CSDL Dân cư on a good day, unless it misbehaves.
type fakeDanCu struct {
	srv       *httptest.Server
	mu        sync.Mutex
	asked     []map[string]string
	misbehave func(http.ResponseWriter)
}

func newFakeDanCu(t *testing.T) *fakeDanCu {
	known := map[string][2]string{}
	for _, c := range []citizen{an, binh, cuong, hai, linh, minh} {
		known[c.cccd] = [2]string{matchForm(c.name), c.birth}
	}
	d := &fakeDanCu{}
	d.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q map[string]string
		if r.Method != "POST" || r.URL.Path != "/dancu/v1/match" || r.Header.Get("Authorization") != "Bearer thanhhoa-dancu-key" || json.NewDecoder(r.Body).Decode(&q) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		d.mu.Lock()
		d.asked = append(d.asked, q)
		bad := d.misbehave
		d.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if bad != nil {
			bad(w)
			return
		}
		who, ok := known[q["cccd"]]
		switch {
		case !ok:
			writeJSON(w, map[string]any{"match": false, "reason": "unknown_number"})
		case who[0] != matchForm(q["name"]):
			writeJSON(w, map[string]any{"match": false, "reason": "other_name"})
		case q["birthdate"] != who[1] && q["birth_year"] != who[1][:4]:
			writeJSON(w, map[string]any{"match": false, "reason": "other_birthdate"})
		default:
			writeJSON(w, map[string]any{"match": true, "reason": ""})
		}
	}))
	t.Cleanup(d.srv.Close)
	return d
}

func (d *fakeDanCu) on(misbehave func(http.ResponseWriter)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.misbehave, d.asked = misbehave, nil
}

func (d *fakeDanCu) questions() []map[string]string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}
