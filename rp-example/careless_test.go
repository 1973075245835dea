//go:build careless

package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// without is a portal that makes no mistake, careless the one that makes some.
func careless(t *testing.T, names ...string) *world {
	t.Helper()
	w := newWorld(t)
	w.edition = edition{chosen: names, said: strings.Join(names, ",")}
	w.restart()
	return w
}

func (w *world) identity(c citizen) (accountID string) {
	w.t.Helper()
	if err := w.portal.store.db.QueryRow("SELECT account_id FROM identities WHERE sub = ?", c.sub).Scan(&accountID); err != nil {
		w.t.Fatal(err)
	}
	return accountID
}

// comesIn: the lie goes unnoticed and somebody is signed in.
func comesIn(lie func(*fakeOP)) func(*testing.T, *world) bool {
	return func(_ *testing.T, w *world) bool {
		w.lie(lie)
		b := w.browser()
		b.get(b.begin("/"))
		return b.signedInAs() != ""
	}
}

// reissued makes the ID token anew with another header and signature.
func reissued(header map[string]any, sign func(input string) []byte) func(*fakeOP) {
	return func(op *fakeOP) {
		op.token = func(resp map[string]any) {
			h, _ := json.Marshal(header)
			input := base64.RawURLEncoding.EncodeToString(h) + "." + strings.Split(resp["id_token"].(string), ".")[1]
			resp["id_token"] = input + "." + base64.RawURLEncoding.EncodeToString(sign(input))
		}
	}
}

// sameAccount: a second person with one thing in common gets the first one's account.
func sameAccount(second func(*citizen)) func(*testing.T, *world) bool {
	return func(t *testing.T, w *world) bool {
		first := an.with(func(c *citizen) {
			c.more = map[string]any{"phone_number": "+84950000001", "email": "an@example.test"}
		})
		w.browser().vneid(first, "/")
		account := w.identity(first)
		other := citizen{sub: "other", cccd: "038290000077", name: "Người Khác", birth: "1999-09-09", level: "2"}.with(second)
		w.browser().vneid(other, "/")
		return w.identity(other) == account
	}
}

// attacks: each works against a portal with the mistake and not against one
// without.
var attacks = map[string]func(*testing.T, *world) bool{
	"no-state": func(_ *testing.T, w *world) bool { // login CSRF
		attacker, victim := w.browser(), w.browser()
		victim.get(attacker.begin("/"))
		return victim.signedInAs() != ""
	},
	"state-reusable": func(_ *testing.T, w *world) bool {
		b := w.browser()
		cb := b.begin("/")
		b.get(cb)
		before := w.op.tokens
		b.get(cb)
		return w.op.tokens > before
	},
	"state-url": func(_ *testing.T, w *world) bool {
		b := w.browser()
		p := b.get(b.begin("https://evil.example/collect"))
		c := w.browser()
		q := c.get(changed(c.begin("/profile"), func(q url.Values) { // the same, altered on its way
			b, err := base64.StdEncoding.DecodeString(q.Get("state"))
			if err == nil {
				q.Set("state", base64.StdEncoding.EncodeToString([]byte(strings.Replace(string(b), w.url, "http://evil.example", 1))))
			}
		}))
		return p.location == "https://evil.example/collect" && q.location == "http://evil.example/profile"
	},
	"no-nonce": func(_ *testing.T, w *world) bool {
		sent := func() bool {
			u, _ := url.Parse(w.browser().get("/login/vneid").location)
			return u.Query().Has("nonce")
		}
		return !sent() && comesIn(claim("nonce", "of another sign-in"))(nil, w)
	},
	"nonce-unchecked": func(_ *testing.T, w *world) bool {
		u, _ := url.Parse(w.browser().get("/login/vneid").location)
		return u.Query().Has("nonce") && comesIn(claim("nonce", "of another sign-in"))(nil, w)
	},
	"no-pkce": func(t *testing.T, w *world) bool {
		w.lie(func(op *fakeOP) { op.noPKCE = true })
		return comesIn(func(*fakeOP) {})(t, w) && !w.op.authorize.Has("code_challenge") && !w.op.authorize.Has("code_challenge_method")
	},
	"iss-param-ignored": func(_ *testing.T, w *world) bool {
		b, c := w.browser(), w.browser()
		b.get(changed(b.begin("/"), func(q url.Values) { q.Set("iss", "http://other.test") }))
		c.get(changed(c.begin("/"), func(q url.Values) { q.Del("iss") }))
		return b.signedInAs() != "" && c.signedInAs() != ""
	},
	"error-loop": func(_ *testing.T, w *world) bool {
		w.lie(func(op *fakeOP) {
			op.answer = func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }
		})
		b := w.browser()
		at, hops := "/login/vneid", 0
		for ; hops < 20 && at != ""; hops++ {
			at = b.get(at).location
		}
		return hops == 20
	},
	"error-markup": func(_ *testing.T, w *world) bool {
		p := w.browser().get("/callback?error=access_denied&error_description=" + url.QueryEscape("<script>alert(1)</script>"))
		return p.has("<script>alert(1)</script>") && p.header.Get("Content-Security-Policy") == ""
	},
	"signature-unchecked": comesIn(func(op *fakeOP) { op.signWith = newKey(op.t) }),
	"alg-from-header": func(t *testing.T, w *world) bool {
		if !comesIn(unsigned)(t, w) {
			return false
		}
		der, err := x509.MarshalPKIXPublicKey(w.op.key.Public())
		if err != nil {
			t.Fatal(err)
		}
		public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		return comesIn(reissued(map[string]any{"alg": "HS256", "kid": "k1"}, func(input string) []byte {
			mac := hmac.New(sha256.New, public)
			mac.Write([]byte(input))
			return mac.Sum(nil)
		}))(t, w)
	},
	"key-from-header": func(t *testing.T, w *world) bool {
		mine := newKey(t)
		set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: mine.Public(), KeyID: "evil", Algorithm: "ES256", Use: "sig"}}}
		there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, set) }))
		defer there.Close()
		sign := func(extra jose.HeaderKey, value any) func(*fakeOP) {
			return func(op *fakeOP) {
				op.token = func(resp map[string]any) {
					signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: mine}, (&jose.SignerOptions{}).WithHeader(extra, value))
					if err != nil {
						t.Error(err)
						return
					}
					payload, _ := base64.RawURLEncoding.DecodeString(strings.Split(resp["id_token"].(string), ".")[1])
					signed, err := signer.Sign(payload)
					if err != nil {
						t.Error(err)
						return
					}
					resp["id_token"], _ = signed.CompactSerialize()
				}
			}
		}
		return comesIn(sign("jwk", set.Keys[0]))(t, w) && comesIn(sign("jku", there.URL))(t, w)
	},
	"iss-unchecked": comesIn(claim("iss", "http://other.test")),
	"aud-unchecked": func(t *testing.T, w *world) bool {
		return comesIn(claim("aud", "my-portal"))(t, w) && comesIn(claim("aud", []string{"thanhhoa-portal", "x"}))(t, w) && comesIn(claim("azp", "my-portal"))(t, w)
	},
	"exp-unchecked": comesIn(claim("exp", 1_000_000_000)),
	"iat-unchecked": func(t *testing.T, w *world) bool {
		return comesIn(claim("iat", time.Now().Add(48*time.Hour).Unix()))(t, w) && comesIn(claim("iat", nil))(t, w)
	},
	"userinfo-sub": func(t *testing.T, w *world) bool {
		return comesIn(info("sub", "somebody-else"))(t, w) && comesIn(info("sub", nil))(t, w) && comesIn(info("sub", []string{"a"}))(t, w)
	},
	"userinfo-only": comesIn(tokenField("id_token", nil)),
	"token-storm": func(_ *testing.T, w *world) bool {
		w.lie(tokenError(500, "<h1>boom</h1>"))
		b := w.browser()
		b.get(b.begin("/"))
		return w.op.tokens == 10
	},
	"no-limits": func(t *testing.T, w *world) bool {
		return comesIn(func(op *fakeOP) { op.userinfo = set("padding", strings.Repeat("x", 2*bodyLimit)) })(t, w) && w.portal.op.client.Timeout == 0
	},
	"tls-unverified": func(t *testing.T, w *world) bool {
		self := httptest.NewUnstartedServer(http.NotFoundHandler())
		self.Config.ErrorLog = nil
		self.StartTLS()
		defer self.Close()
		resp, err := w.portal.op.client.Get(self.URL)
		if err == nil {
			resp.Body.Close()
		}
		return err == nil
	},
	"discovery-issuer": func(_ *testing.T, w *world) bool {
		w.lie(func(op *fakeOP) { op.discovery = map[string]any{"issuer": "http://other.test"} })
		return strings.HasPrefix(w.browser().get("/login/vneid").location, w.op.srv.URL+"/authorize")
	},
	"logout-unchecked": func(_ *testing.T, w *world) bool {
		b := w.browser()
		b.vneid(cuong, "/")
		c, _ := json.Marshal(map[string]any{"sub": cuong.sub, "nonce": "n", "iss": "http://evil.test"})
		p := w.tell("e30." + base64.RawURLEncoding.EncodeToString(c) + ".")
		return p.status == 200 && b.signedInAs() == ""
	},
	"session-kept": func(t *testing.T, w *world) bool {
		attacker, victim := w.browser(), w.browser()
		attacker.begin("/")
		u, _ := url.Parse(w.url)
		planted := attacker.sessionCookie()
		victim.client.Jar.SetCookies(u, []*http.Cookie{{Name: "portal_session", Value: planted, Path: "/"}})
		victim.vneid(linh, "/")
		if victim.signedInAs() == "" {
			t.Error("the victim could not sign in")
		}
		return attacker.signedInAs() == linh.name
	},
	"cookie-flags": func(_ *testing.T, w *world) bool {
		line := w.browser().get("/login/vneid").header.Get("Set-Cookie")
		return strings.HasPrefix(line, "portal_session=") && !strings.Contains(line, "HttpOnly") && !strings.Contains(line, "SameSite")
	},
	"token-in-browser": func(_ *testing.T, w *world) bool {
		b := w.browser()
		for _, line := range b.get(b.begin("/")).header.Values("Set-Cookie") {
			if strings.HasPrefix(line, "vneid_token=eyJ") && !strings.Contains(line, "HttpOnly") {
				return true
			}
		}
		return false
	},
	"level-unchecked": func(t *testing.T, w *world) bool {
		b := w.browser()
		b.vneid(cuong.with(func(c *citizen) { c.acr = "LoA1" }), "/")
		p := b.get("/procedures/9.000503/apply")
		return p.has(`name="once"`)
	},
	"key-by-cccd":   sameAccount(func(c *citizen) { c.cccd = an.cccd }),
	"link-by-phone": sameAccount(func(c *citizen) { c.more = map[string]any{"phone_number": "+84950000001"} }),
	"link-by-email": sameAccount(func(c *citizen) {
		c.more = map[string]any{"email": "an@example.test", "email_verified": false}
	}),
	"name-as-key": sameAccount(func(c *citizen) { c.name = an.name }),
	"link-by-cccd": func(_ *testing.T, w *world) bool { // gia.mao typed Linh's number and waits
		b := w.browser()
		b.vneid(linh, "/")
		var owner string
		w.portal.store.db.QueryRow("SELECT account_id FROM local_logins WHERE username = 'gia.mao'").Scan(&owner)
		return owner == w.identity(linh)
	},
	"link-without-proof": func(_ *testing.T, w *world) bool { // a link in a mail, opened by who is signed in
		attacker, victim := w.browser(), w.browser()
		victim.local("an.nguyen", "/")
		cb := attacker.begin("/")
		victim.get(cb)
		var owner string
		w.portal.store.db.QueryRow("SELECT account_id FROM local_logins WHERE username = 'an.nguyen'").Scan(&owner)
		var attackers string
		w.portal.store.db.QueryRow("SELECT account_id FROM identities WHERE sub = 'pairwise-1'").Scan(&attackers)
		return owner == attackers && owner != ""
	},
	"identity-from-browser": func(_ *testing.T, w *world) bool {
		w.browser().vneid(linh, "/")
		b := w.browser()
		b.post("/sso/userinfo", url.Values{"user": {`{"cccd": "` + linh.cccd + `", "name": "` + linh.name + `"}`}})
		var owners int
		w.portal.store.db.QueryRow("SELECT count(*) FROM identities").Scan(&owners)
		return b.signedInAs() == linh.name && owners == 1
	},
	"cccd-loose": func(t *testing.T, w *world) bool {
		for i, odd := range []any{"O38 190.000.002", "０３８１９００００００２", 38190000002} {
			c := binh.with(func(c *citizen) { c.sub, c.cccd, c.more = fmt.Sprint("odd", i), "", map[string]any{"cccd": odd} })
			b := w.browser()
			b.vneid(c, "/")
			var number string
			w.portal.store.db.QueryRow("SELECT cccd FROM identities WHERE sub = ?", c.sub).Scan(&number)
			if number != binh.cccd {
				return false
			}
		}
		return true
	},
	"name-markup": func(_ *testing.T, w *world) bool {
		b := w.browser()
		b.vneid(an.with(func(c *citizen) { c.name = `<img src=x onerror="alert('+')">` }), "/")
		p := b.get("/profile")
		return p.has(`<img src=x onerror="alert('+')">`) && p.header.Get("Content-Security-Policy") == ""
	},
	"role-from-claims": func(_ *testing.T, w *world) bool {
		b := w.browser()
		b.vneid(cuong.with(func(c *citizen) { c.more = map[string]any{"is_admin": true} }), "/")
		return b.get("/officer").status == 200
	},
	"picture-fetched": func(_ *testing.T, w *world) bool {
		var fetched atomic.Int32
		canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { fetched.Add(1) }))
		defer canary.Close()
		b := w.browser()
		b.vneid(cuong.with(func(c *citizen) { c.more = map[string]any{"picture": canary.URL + "/p.png"} }), "/")
		return fetched.Load() == 1 && b.signedInAs() != ""
	},
}

func TestEachMistakeAloneLetsItsAttackInAndNoneLetsNoneIn(t *testing.T) {
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			attack := attacks[m.name]
			if attack == nil {
				t.Fatal("no attack shows that this is a mistake")
			}
			if !attack(t, careless(t, m.name)) {
				t.Error("with the mistake the attack does not work")
			}
			if attack(t, careless(t)) {
				t.Error("without the mistake the attack works")
			}
		})
	}
	if len(attacks) != len(mistakes) {
		t.Errorf("%d attacks for %d mistakes", len(attacks), len(mistakes))
	}
}

func TestWithEveryMistakeTheAttacksStillWork(t *testing.T) {
	all, hidden := everyMistake(), []string{}
	for _, m := range mistakes {
		w := careless(t, all...)
		w.lie(func(op *fakeOP) { op.noPKCE = true })
		if !attacks[m.name](t, w) {
			hidden = append(hidden, m.name)
		}
	}
	if got := strings.Join(hidden, " "); got != "nonce-unchecked" { // where none is sent, none is left unchecked
		t.Errorf("hidden by others: %s", got)
	}
}

func everyMistake() (names []string) {
	for _, m := range mistakes {
		names = append(names, m.name)
	}
	return names
}

func TestPeopleCanUseThePortalThatMakesEveryMistake(t *testing.T) {
	w := careless(t, everyMistake()...)
	w.lie(func(op *fakeOP) { op.noPKCE = true })
	b := w.browser()
	b.vneid(cuong, "/profile").wantAt(t, "/profile")
	b.vneidIsHere(t, cuong.name)
	if p := w.tell(w.op.signAs("logout+jwt", w.logoutClaims(cuong))); p.status != 200 || b.signedInAs() != "" {
		t.Errorf("logout from afar: %d", p.status)
	}
	b.vneid(linh, "/").wantAt(t, "/")
	b.post("/logout", nil)
	if who := b.signedInAs(); who != "" {
		t.Errorf("after signing out: %q", who)
	}
	c := w.browser()
	c.local("an.nguyen", "/").wantAt(t, "/identity/cccd")
}

func TestEveryPageOfTheCarelessPortalSaysSo(t *testing.T) {
	for _, chosen := range [][]string{nil, {"error-markup"}} {
		w := careless(t, chosen...)
		for _, path := range []string{"/", "/login", "/nowhere", "/callback?error=x&error_description=%3Cb%3E", "/linking-rules"} {
			if p := w.browser().get(path); !p.has("CỔNG CẨU THẢ") || !p.has("CARELESS PORTAL") || !p.has("MÔI TRƯỜNG THỬ NGHIỆM") {
				t.Errorf("%v %s: a banner is missing", chosen, path)
			}
		}
	}
}

func TestTheCarelessPortalStartsOnLoopbackOnlyAndKnowsItsMistakes(t *testing.T) {
	start := func(mistakes string, args ...string) (int, string, string) {
		env := func(name string) (string, bool) { return mistakes, name == "PORTAL_MISTAKES" }
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var out, errs syncBuffer
		args = append([]string{"--portal-listen", "127.0.0.1:0", "--portal-database", "sqlite:" + filepath.Join(t.TempDir(), "p.db")}, args...)
		ended := make(chan int, 1)
		go func() { ended <- run(ctx, args, env, &out, &errs) }()
		for {
			select {
			case code := <-ended:
				return code, out.String(), errs.String()
			case <-time.After(5 * time.Millisecond):
				if out.String() != "" { // it has started and says so
					stop()
				}
			}
		}
	}
	for _, listen := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "[::]:0", "portal.example:0"} {
		if code, _, errs := start("none", "--portal-listen", listen); code != 2 || !strings.Contains(errs, "loopback") {
			t.Errorf("%s: exit %d, %s", listen, code, errs)
		}
	}
	if code, _, errs := start("none", "--portal-url", "https://portal.example"); code != 2 || !strings.Contains(errs, "PORTAL_URL") {
		t.Errorf("another address: exit %d, %s", code, errs)
	}
	if code, _, errs := start("no-state,no-brakes"); code != 2 || !strings.Contains(errs, `"no-brakes"`) || !strings.Contains(errs, "userinfo-only") || strings.Contains(errs, `"no-state"`) {
		t.Errorf("unknown name: exit %d, %s", code, errs)
	}
	if _, out, _ := start("no-state, no-nonce"); !strings.Contains(out, "CỔNG CẨU THẢ") || !strings.Contains(out, "PORTAL_MISTAKES=no-state, no-nonce") {
		t.Errorf("start: %s", out)
	}
	if _, out, _ := start("all", "--version"); !strings.Contains(out, "careless on purpose") {
		t.Errorf("version: %s", out)
	}
	if _, out, _ := start("all", "--help"); !strings.Contains(out, "PORTAL_MISTAKES") || !strings.Contains(out, "link-by-cccd") {
		t.Errorf("help: %s", out)
	}
	e, err := edition{}.read(config{Listen: "localhost:1"}, func(string) (string, bool) { return "", false })
	if err != nil || len(e.chosen) != len(mistakes) {
		t.Errorf("by default %d mistakes, %v", len(e.chosen), err)
	}
}

func TestEachMistakeHasAFileThatExplainsIt(t *testing.T) {
	var files []string
	for _, m := range mistakes {
		file := "careless_" + strings.ReplaceAll(m.name, "-", "_") + ".go"
		files = append(files, file)
		b, err := os.ReadFile(file)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, must := range []string{"// Mistake " + m.name + ".", "// Real code: ", "// Gain: ", "// Found by: ", "// Right: ", m.faults} {
			if !strings.Contains(string(b), must) {
				t.Errorf("%s lacks %q", file, must)
			}
		}
	}
	all, err := filepath.Glob("careless_*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if !slices.Contains(files, f) && f != "careless_tools.go" && f != "careless_test.go" {
			t.Errorf("%s is no mistake's", f)
		}
	}
}

// docs/careless.md has the list; go test -tags careless -run TheDocument -update writes it.
func TestTheDocumentListsEveryMistake(t *testing.T) {
	const begin, end = "<!-- the list: made by a test -->\n", "<!-- end of the list -->"
	const file = "../docs/careless.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(b), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatal("the marks of the list are missing")
	}
	var list strings.Builder
	io.WriteString(&list, "| `PORTAL_MISTAKES` | Sai gì | Mistake | Faults |\n| --- | --- | --- | --- |\n")
	for _, m := range mistakes {
		fmt.Fprintf(&list, "| [`%s`](../rp-example/careless_%s.go) | %s | %s | %s |\n", m.name, strings.ReplaceAll(m.name, "-", "_"), m.does.VI, m.does.EN, m.faults)
	}
	want := head + begin + list.String() + end + tail
	if string(b) == want {
		return
	}
	if !*update {
		t.Error("docs/careless.md is not what the code says; run with -update")
		return
	}
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Error(err)
	}
}
