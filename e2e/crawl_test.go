//go:build e2e

package e2e_test

import (
	"net/url"
	"strings"
	"testing"
)

// Every page that links lead to, from the front doors on, signed out and signed in. What each must hold (the banner,
// noindex, a strict policy, nothing from elsewhere) the visitor checks on every page it sees.
func TestACrawlFindsNoPageWithoutTheRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withPortal)
	for name, signedIn := range map[string]bool{"signed out": false, "signed in": true} {
		t.Run(name, func(t *testing.T) {
			v := w.visitor(t)
			if signedIn {
				v.signInAtPortal(an)
				v.wantSignedIn(an)
			}
			r := w.request(myPortal)
			seen := map[string]bool{}
			queue := []string{w.Portal + "/", w.Sandbox + "/", w.Issuer + "/", w.Sandbox + "/sms", w.Sandbox + "/console", r.URL(), w.Issuer + "/end_session",
				w.Portal + "/callback?error=access_denied", w.Portal + "/no/such", w.Sandbox + "/no/such", w.Issuer + "/no/such", w.Issuer + "/authorize?client_id=nobody"}
			for len(queue) > 0 && len(seen) < mostCrawled {
				address := queue[0]
				queue = queue[1:]
				// Of addresses that differ in their query one is enough, in each language.
				u, err := url.Parse(address)
				if err != nil {
					t.Fatal(err)
				}
				page := origin(u) + u.Path + " " + u.Query().Get("lang")
				if seen[page] {
					continue
				}
				seen[page] = true
				p := v.Open(address)
				for _, e := range p.Pressables() {
					if e.tag != "a" {
						continue
					}
					next, err := p.URL.Parse(e.attrs["href"])
					if err != nil {
						t.Errorf("%s links to %q: %v", p.URL, e.attrs["href"], err)
						continue
					}
					next.Fragment = ""
					if w.isPage(next) {
						queue = append(queue, next.String())
					}
				}
			}
			if len(queue) > 0 || len(seen) < 25 {
				t.Errorf("%d pages seen, %d links left, to %v first", len(seen), len(queue), queue[:min(len(queue), 5)])
			}
			t.Logf("%d pages", len(seen))
		})
	}
}

// mostCrawled stops a crawl that finds no end.
const mostCrawled = 1000

// isPage tells the pages of this world from documents for machines and from other hosts.
func (w *world) isPage(u *url.URL) bool {
	for _, machine := range []string{"/.well-known/", "/api/", "/ca.pem", "/metrics", "/keys", "/healthz", "/ready", "/console/personas/export"} {
		if strings.HasPrefix(u.Path, machine) {
			return false
		}
	}
	if strings.HasSuffix(u.Path, "/export.md") { // of a record, for a bug report
		return false
	}
	return origin(u) == w.Issuer || origin(u) == w.Sandbox || origin(u) == w.Portal
}
