package main

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"testing"
	"time"
)

// somebody acts in one browser and knows their own passwords only.
type somebody struct {
	who       citizen
	usernames []string
	passwords map[string]string
	b         *browser
	filed     []string
}

// People do anything in any order, some of it with evil intent: they declare
// each other's numbers, guess passwords, forge choices. Whatever they do, nobody
// sees a dossier of somebody else, and no dossier is lost or there twice.
func TestNoWalkThroughThePortalReachesOrLosesADossier(t *testing.T) {
	did := map[string]int{}
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := walk(t, rand.New(rand.NewPCG(seed, 2026)), 120)
			for _, what := range []string{"joins.join", "unlinks.unlink", "refuses.remember", "dancu.match", "joins.no-password"} {
				if w.audited(what) {
					did[what]++
				}
			}
		})
	}
	if len(did) != 5 {
		t.Errorf("the walks did only %v", did)
	}
}

func walk(t *testing.T, random *rand.Rand, steps int) *world {
	w := newWorld(t)
	people := []*somebody{{who: an, usernames: []string{"an.nguyen", "an.cu"}}, {who: binh, usernames: []string{"binh.le"}}, {who: hai, usernames: []string{"hai.vu"}},
		{who: linh}, {who: citizen{sub: "gia", cccd: "038079000044", name: "Phan Văn Giả", birth: "1979-04-04", level: "2"}, usernames: []string{"gia.mao"}}}
	mine := map[string][]string{} // username → its dossiers of the seed
	for _, d := range seededDossiers {
		mine[d.username] = append(mine[d.username], w.seeded(d.end))
	}
	for _, p := range people {
		p.b, p.passwords = w.browser(), map[string]string{}
		for _, u := range p.usernames {
			p.passwords[u] = seedPassword
			p.filed = append(p.filed, mine[u]...)
		}
	}
	everyUsername := []string{"an.nguyen", "an.cu", "binh.le", "hai.vu", "gia.mao", "minh.canbo"}
	any := func(list []string) string { return list[random.IntN(len(list))] }
	filed := len(seededDossiers)
	for step := range steps {
		p := people[random.IntN(len(people))]
		username := any(everyUsername)
		if len(p.usernames) > 0 && random.IntN(4) > 0 {
			username = any(p.usernames)
		}
		password := or(p.passwords[username], "a guess")
		did := ""
		switch random.IntN(12) {
		case 0, 1:
			did = "vneid"
			if away := p.b.get("/login/vneid"); away.status == 303 && away.location != "/" {
				p.b.at(away, p.who)
			}
		case 2:
			did = "local " + username
			p.b.localWith(username, password, "/")
		case 3, 4, 5:
			did = "link " + username
			p.b.post("/link", url.Values{"do": {"update"}, "username": {username}, "password": {password}, "confirm": {any([]string{"yes", ""})}})
		case 6:
			did = "skip"
			p.b.post("/link", url.Values{"do": {"skip"}})
		case 7:
			did = "declare"
			p.b.post("/identity/cccd", url.Values{"do": {"update"}, "cccd": {any([]string{an.cccd, binh.cccd, hai.cccd, linh.cccd, p.who.cccd})}})
		case 8:
			did = "link/start"
			if away := p.b.post("/link/start", nil); away.status == 303 && away.location[0] == 'h' {
				p.b.at(away, p.who)
			}
		case 9:
			did = "who"
			p.b.post("/who", url.Values{"do": {any([]string{"new", "stay"})}})
		case 10:
			fresh := fmt.Sprintf("Moi@Khau%d", step)
			did = "unlink " + username
			if away := p.b.post("/identity/unlink/start", nil); away.status == 303 && away.location[0] == 'h' {
				p.b.at(away, p.who)
			}
			if done := p.b.post("/identity/unlink", url.Values{"username": {username}, "password": {fresh}, "again": {fresh}}); done.status == 303 && done.location == "/profile/identity" {
				p.passwords[username] = fresh
			}
		case 11:
			did = "file or sign out or wait"
			switch random.IntN(4) {
			case 0:
				p.b.post("/logout", nil)
			case 1:
				w.advance(time.Duration(random.IntN(20)) * time.Hour)
			default:
				if got := p.b.post(anApply, filled("bước")); got.status == 303 && len(got.location) > 12 && got.location[:10] == "/dossiers/" {
					p.filed = append(p.filed, got.location[10:])
					filed++
				}
			}
		}
		for _, q := range people {
			if q.b.signedInAs() == "" {
				continue
			}
			seen := q.b.dossiers()
			for _, id := range seen {
				if !slices.Contains(q.filed, id) {
					t.Fatalf("step %d, %s by %s: %s sees %s", step, did, p.who.sub, q.who.sub, id)
				}
			}
			if slices.Sort(seen); len(slices.Compact(seen)) != len(seen) {
				t.Fatalf("step %d, %s: a dossier twice: %v", step, did, seen)
			}
		}
		var rows, orphans int
		db := w.portal.store.db
		if err := db.QueryRow("SELECT count(*), count(*) FILTER (WHERE account_id NOT IN (SELECT account_id FROM identities UNION SELECT account_id FROM local_logins)) FROM dossiers").Scan(&rows, &orphans); err != nil || rows != filed || orphans != 0 {
			t.Fatalf("step %d, %s: %d of %d dossiers, %d out of reach, %v", step, did, rows, filed, orphans, err)
		}
		for username, ids := range mine { // an old account and its dossiers never part
			for _, id := range ids {
				var together bool
				if err := db.QueryRow("SELECT d.account_id = l.account_id FROM dossiers d, local_logins l WHERE d.id = ? AND l.username = ?", id, username).Scan(&together); err != nil || !together {
					t.Fatalf("step %d, %s: %s lost %s, %v", step, did, username, id, err)
				}
			}
		}
	}
	return w
}
