package op_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// receiver is a client's back-channel logout endpoint.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	tokens []string
	answer func(n int) int // status of the n-th try
}

func newReceiver(t *testing.T, answer func(n int) int) *receiver {
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.tokens = append(r.tokens, req.PostFormValue("logout_token"))
		if req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/x-www-form-urlencoded" || len(req.PostForm) != 1 {
			t.Errorf("%s %v %v", req.Method, req.Header, req.PostForm)
		}
		status := r.answer(len(r.tokens))
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) heard() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.tokens...)
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(what)
}

func (w *testWorld) runLogouts() {
	ctx, cancel := context.WithCancel(vneid.WithWorld(context.Background(), w.world))
	done := make(chan struct{})
	go func() {
		w.provider.RunLogouts(ctx, func(context.Context, string) (*vneid.World, error) { return w.world, nil })
		close(done)
	}()
	w.t.Cleanup(func() { cancel(); <-done })
}

func (w *testWorld) waiting() (list []vneid.LogoutNotice) {
	w.t.Helper()
	err := w.store.View(context.Background(), w.world.ID, func(tx vneid.Tx) (err error) {
		list, err = tx.LogoutNotices(100)
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

// signedIn is a browser with a session in which these clients got tokens, and
// the ID token of the last.
func (w *testWorld) signedIn(b *browser, clients ...string) (idToken string) {
	w.t.Helper()
	for _, c := range clients {
		a := b.signIn(request(c), an)
		tokens := w.token(c, codeForm(a.param("code"))).json(w.t)
		idToken, _ = tokens["id_token"].(string)
		if idToken == "" {
			w.t.Fatal(tokens)
		}
	}
	return idToken
}

func (w *testWorld) listening(id, uri, alg string) {
	w.client(vneid.ClientMetadata{ClientID: id, Consent: "never", BackchannelLogoutURI: uri, IDTokenSignedAlg: alg})
}

func TestEveryClientOfASessionIsToldOnceThatItEnded(t *testing.T) {
	w := newWorld(t)
	w.runLogouts()
	a, c := newReceiver(t, func(int) int { return 200 }), newReceiver(t, func(int) int { return 204 })
	w.listening("a", a.URL+"/backchannel-logout", "ES256")
	w.listening("c", c.URL+"/?keep=this", "EdDSA")
	b := w.browser()
	w.signedIn(b, "a", "a", "basic", "c")
	hint := w.signedIn(b, "a")
	if got := b.get(w.url + "/end_session?id_token_hint=" + hint); got.StatusCode != 200 {
		t.Fatal(got.Status, got.body)
	}
	eventually(t, "not both heard of it", func() bool { return len(a.heard()) == 1 && len(c.heard()) == 1 })
	eventually(t, "the notices stay", func() bool { return len(w.waiting()) == 0 })

	idToken := map[string]any{}
	parsed, _ := jwt.ParseSigned(hint, []jose.SignatureAlgorithm{jose.ES256})
	parsed.UnsafeClaimsWithoutVerification(&idToken)
	keys := jose.JSONWebKeySet{}
	if err := json.Unmarshal([]byte(w.browser().get(w.url+"/keys").body), &keys); err != nil {
		t.Fatal(err)
	}
	token, err := jwt.ParseSigned(a.heard()[0], []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	claims := map[string]any{}
	if err := token.Claims(keys, &claims); err != nil {
		t.Fatal(err)
	}
	if typ := token.Headers[0].ExtraHeaders["typ"]; typ != "logout+jwt" {
		t.Errorf("typ %v", typ)
	}
	for name, want := range map[string]any{"iss": w.url, "aud": "a", "sub": idToken["sub"], "sid": idToken["sid"]} {
		if claims[name] != want || want == nil {
			t.Errorf("%s: %v, want %v", name, claims[name], want)
		}
	}
	if _, ok := claims["events"].(map[string]any)["http://schemas.openid.net/event/backchannel-logout"]; !ok || claims["jti"] == nil || claims["nonce"] != nil ||
		claims["exp"].(float64) <= claims["iat"].(float64) {
		t.Errorf("%v", claims)
	}

	// A logout token is no ID token: nobody signs out with it, nobody in.
	b2 := w.browser()
	w.signedIn(b2, "a")
	if got := b2.get(w.url + "/end_session?id_token_hint=" + a.heard()[0]); got.StatusCode != 400 {
		t.Errorf("as a hint: %s", got.Status)
	}
}

func TestAClientThatDoesNotListenIsTriedAgainAndThenLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.runLogouts()
	status := func(n int) int { return []int{500, 302, 200}[min(n-1, 2)] }
	r := newReceiver(t, status)
	deaf := newReceiver(t, func(int) int { return 503 })
	w.listening("a", r.URL, "RS256")
	w.listening("deaf", deaf.URL, "RS256")
	b := w.browser()
	w.signedIn(b, "deaf")
	hint := w.signedIn(b, "a")
	b.get(w.url + "/end_session?id_token_hint=" + hint)
	eventually(t, "no first try", func() bool { return len(r.heard()) == 1 && len(deaf.heard()) == 1 })
	for range 12 { // the pauses are on the world's clock
		w.clock.SetOffset(w.clock.Offset() + 61*time.Minute)
		time.Sleep(20 * time.Millisecond)
		b.get(w.url + "/end_session") // nothing; the next look comes within seconds anyway
		w.wakeLogouts()
		time.Sleep(30 * time.Millisecond)
	}
	eventually(t, "not heard in the end", func() bool { return len(r.heard()) == 3 })
	eventually(t, "the deaf one is tried for ever", func() bool { w.wakeLogouts(); return len(w.waiting()) == 0 })
	if n := len(deaf.heard()); n != 7 {
		t.Errorf("the deaf one was tried %d times", n)
	}
	for i, token := range r.heard()[1:] {
		if token == r.heard()[i] {
			t.Error("a token was sent twice: its jti is used up")
		}
	}
	if !strings.Contains(w.log.String(), "503") || strings.Contains(w.log.String(), r.heard()[0]) {
		t.Error("the log does not say why, or says the token")
	}
}

func (w *testWorld) wakeLogouts() {
	w.t.Helper()
	err := w.store.Update(context.Background(), w.world.ID, func(tx vneid.Tx) error { return tx.Wake(vneid.LogoutsWaiting) })
	if err != nil {
		w.t.Fatal(err)
	}
}

func TestALogoutOutlivesARestart(t *testing.T) {
	w := newWorld(t)
	r := newReceiver(t, func(int) int { return 200 })
	w.listening("a", r.URL, "RS256")
	b := w.browser()
	hint := w.signedIn(b, "a")
	b.get(w.url + "/end_session?id_token_hint=" + hint) // nobody sends
	if n := len(w.waiting()); n != 1 {
		t.Fatalf("%d wait", n)
	}
	w.runLogouts()
	eventually(t, "never sent", func() bool { return len(r.heard()) == 1 && len(w.waiting()) == 0 })
}

func TestTwoSendersTellAClientOnce(t *testing.T) {
	w := newWorld(t)
	r := newReceiver(t, func(int) int { time.Sleep(50 * time.Millisecond); return 200 })
	w.listening("a", r.URL, "RS256")
	var hints []string
	var browsers []*browser
	for range 4 {
		b := w.browser()
		hints = append(hints, w.signedIn(b, "a"))
		browsers = append(browsers, b)
		w.clock.SetOffset(w.clock.Offset() + 11*time.Minute) // SMS quota
	}
	w.runLogouts()
	w.runLogouts()
	for i, b := range browsers {
		b.get(w.url + "/end_session?id_token_hint=" + hints[i])
	}
	eventually(t, "not all sent", func() bool { return len(w.waiting()) == 0 })
	time.Sleep(100 * time.Millisecond)
	if n := len(r.heard()); n != 4 {
		t.Errorf("%d tokens for 4 sessions", n)
	}
}

func TestNotMeOnThePhoneIsToldToTheClient(t *testing.T) {
	w := newWorld(t)
	w.runLogouts()
	r := newReceiver(t, func(int) int { return 200 })
	w.listening("a", r.URL, "RS256")
	p := w.activate(an)
	b := w.browser()
	w.signedIn(b, "a")
	home := p.must("home", nil)
	login := home["recent"].([]any)[0].(map[string]any)["login"]
	p.must("disown", members{"login": login})
	eventually(t, "not told", func() bool { return len(r.heard()) == 1 })
}

func TestLinkLocalAddressesAreNeverCalled(t *testing.T) {
	w := newWorld(t)
	w.runLogouts()
	// As if a name that was allowed at the registration resolved to it later.
	c := &vneid.Client{ClientMetadata: vneid.ClientMetadata{ClientID: "meta", RedirectURIs: []string{callback}, Consent: "never"}}
	if bad := c.Normalize(nil); len(bad) > 0 {
		t.Fatal(bad)
	}
	c.SecretHash, c.BackchannelLogoutURI = vneid.SecretHash("meta-secret"), "http://169.254.169.254/latest/meta-data"
	if err := w.store.Update(context.Background(), w.world.ID, func(tx vneid.Tx) error { return tx.PutClient(c) }); err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	hint := w.signedIn(b, "meta")
	b.get(w.url + "/end_session?id_token_hint=" + hint)
	eventually(t, "not refused", func() bool { return strings.Contains(w.log.String(), "connections to 169.254.169.254:80 are refused") })
	for _, uri := range []string{"http://169.254.169.254/", "https://portal.gov.vn/x", "http://example.com/x", "ftp://localhost/", "http://localhost/#f"} {
		m := vneid.ClientMetadata{ClientID: "x", RedirectURIs: []string{callback}, BackchannelLogoutURI: uri}
		if bad := m.Normalize(nil); bad["backchannel_logout_uri"] == "" {
			t.Errorf("%s may be registered", uri)
		}
	}
}
