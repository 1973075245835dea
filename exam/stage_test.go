package exam_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/exam"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// stage is a sandbox and a relying party, both as small as an exam needs them:
// the ID token is plain JSON, so that what is judged is the exam alone.
type stage struct {
	sandbox, portal *httptest.Server

	mu        sync.Mutex
	catalogue []exam.Fault
	does      map[string]func(*stage, *visit, object) // what a fault does to a token response
	logins    []*visit
	armed     []armed
	disarmed  int
	arming    []string // every fault that was armed, in order
	sessions  map[string]bool
	count     int

	hits                                []object // what came to the attacker
	noAttacker                          bool
	checksIssuer, checksState, tolerant bool // the portal's virtues
	loops, keepsSession                 bool // its vices: an error leads to another sign-in; a session id is what the browser says
	broken, whoBroken                   bool
}

type object = map[string]any

type armed struct {
	ID      string `json:"id"`
	Variant string `json:"variant"`
	Times   int    `json:"times"`
}

// visit is a login at the provider.
type visit struct {
	ID, state, nonce, redirect string
	confirmed, refused, lost   bool
	steps                      []object
}

const client, needle = "tiny", "Nguyễn Văn An"

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{does: map[string]func(*stage, *visit, object){}, sessions: map[string]bool{}, checksIssuer: true, checksState: true, tolerant: true}
	provider := http.NewServeMux()
	provider.HandleFunc("GET /authorize", s.authorize)
	provider.HandleFunc("GET /login/{id}", s.loginPage)
	provider.HandleFunc("GET /login/{id}/return", s.loginPage)
	provider.HandleFunc("POST /token", s.token)
	provider.HandleFunc("GET /userinfo", s.userinfo)
	provider.HandleFunc("GET /api/v1/faults", func(w http.ResponseWriter, _ *http.Request) { answer(w, s.catalogue) })
	provider.HandleFunc("/api/v1/clients/tiny/faults", s.faults)
	provider.HandleFunc("GET /api/v1/clients/tiny/lint", func(w http.ResponseWriter, _ *http.Request) { answer(w, object{"findings": []any{}}) })
	provider.HandleFunc("GET /api/v1/worlds", func(w http.ResponseWriter, _ *http.Request) { answer(w, []any{object{"issuer": s.sandbox.URL}}) })
	provider.HandleFunc("GET /api/v1/canaries", s.canaries)
	provider.HandleFunc("GET /api/v1/logins", s.list)
	provider.HandleFunc("GET /api/v1/logins/{id}", s.record)
	provider.HandleFunc("POST /api/v1/phones/{cccd}/{act}", s.phone)
	s.sandbox = httptest.NewServer(s.locked(provider))
	portal := http.NewServeMux()
	portal.HandleFunc("GET /login", s.portalLogin)
	portal.HandleFunc("GET /callback", s.portalCallback)
	portal.HandleFunc("GET /who", s.portalWho)
	portal.HandleFunc("GET "+exam.ConsentPath, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "vneid-sandbox-consent: "+s.sandbox.URL)
	})
	s.portal = httptest.NewServer(portal)
	t.Cleanup(s.sandbox.Close)
	t.Cleanup(s.portal.Close)
	return s
}

// locked lets one request in at a time; the portal's own calls are requests of
// their own.
func (s *stage) locked(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		h.ServeHTTP(w, r)
	})
}

func (s *stage) options(faults ...string) exam.Options {
	return exam.Options{LoginURL: s.portal.URL + "/login", WhoamiURL: s.portal.URL + "/who", Needle: needle, API: s.sandbox.URL + "/api/v1", Faults: faults}
}

// offer adds a fault to the catalogue; does may be nil.
func (s *stage) offer(f exam.Fault, does func(*stage, *visit, object)) {
	if f.Seam == "" {
		f.Seam = "token_response"
	}
	f.Section, f.Title, f.Spec = f.ID[:1], exam.Text{Vi: "Lỗi " + f.ID, En: "Fault " + f.ID}, []string{"OIDC Core §2"}
	s.catalogue = append(s.catalogue, f)
	s.does[f.ID] = does
}

// hold holds an exam of everything and gives back the findings by id.
func (s *stage) hold(t *testing.T, faults ...string) (*exam.Report, map[string]exam.Finding) {
	t.Helper()
	r, err := exam.Run(t.Context(), s.options(faults...), vneid.SystemClock{}.Now, nil)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]exam.Finding{}
	for _, f := range r.Findings {
		found[f.ID] = f
	}
	return r, found
}

// The provider.

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (s *stage) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.count++
	v := &visit{ID: "login" + strconv.Itoa(s.count), state: q.Get("state"), nonce: q.Get("nonce"), redirect: q.Get("redirect_uri")}
	v.steps = append(v.steps, object{"kind": "authorize", "status": 303, "request": []object{{"name": "state", "value": v.state}, {"name": "nonce", "value": v.nonce}}})
	s.logins = append(s.logins, v)
	if _, err := r.Cookie("idp"); err == nil {
		http.Redirect(w, r, v.back(url.Values{"code": {v.ID}}), http.StatusSeeOther)
		return
	}
	http.Redirect(w, r, "/login/"+v.ID, http.StatusSeeOther)
}

func (v *visit) back(q url.Values) string {
	q.Set("state", v.state)
	return v.redirect + "?" + q.Encode()
}

func (s *stage) find(id string) *visit {
	i := slices.IndexFunc(s.logins, func(v *visit) bool { return v.ID == id })
	if i < 0 {
		return &visit{}
	}
	return s.logins[i]
}

func (s *stage) loginPage(w http.ResponseWriter, r *http.Request) {
	v := s.find(r.PathValue("id"))
	switch {
	case v.refused:
		http.Redirect(w, r, v.back(url.Values{"error": {"access_denied"}}), http.StatusSeeOther)
	case v.confirmed:
		http.SetCookie(w, &http.Cookie{Name: "idp", Value: "an", Path: "/"})
		http.Redirect(w, r, v.back(url.Values{"code": {v.ID}}), http.StatusSeeOther)
	default:
		fmt.Fprintf(w, `<h1>Đăng nhập</h1><code id="qr-code">%s</code>`, v.ID)
	}
}

func (s *stage) phone(w http.ResponseWriter, r *http.Request) {
	var body struct{ Code, Login string }
	if json.NewDecoder(r.Body).Decode(&body) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	switch r.PathValue("act") {
	case "scan":
		answer(w, object{"login": body.Code, "allowed": true})
		return
	case "confirm":
		s.find(body.Login).confirmed = true
	case "refuse":
		s.find(body.Login).refused = true
	}
	answer(w, object{})
}

// strike lets the armed fault do its wrong.
func (s *stage) strike(v *visit, o object) (checks []object) {
	for i := range s.armed {
		a := &s.armed[i]
		if does := s.does[a.ID]; does != nil {
			a.Times--
			does(s, v, o)
			checks = append(checks, object{"name": "fault", "detail": a.ID, "ok": true})
		}
	}
	return checks
}

func (s *stage) token(w http.ResponseWriter, r *http.Request) {
	v := s.find(r.FormValue("code"))
	o := object{"iss": s.sandbox.URL, "nonce": v.nonce, "access_token": v.ID}
	v.steps = append(v.steps, object{"kind": "token", "status": 200, "checks": s.strike(v, o)})
	answer(w, o)
}

func (s *stage) userinfo(w http.ResponseWriter, r *http.Request) {
	v := s.find(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	v.steps = append(v.steps, object{"kind": "userinfo", "status": 200})
	answer(w, object{"name": needle})
}

// Its API.

func (s *stage) faults(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPut:
		var body struct{ Faults []armed }
		if json.NewDecoder(r.Body).Decode(&body) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if s.noAttacker {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		s.armed = body.Faults
		s.arming = append(s.arming, body.Faults[0].ID)
	case http.MethodDelete:
		s.armed = nil
		s.disarmed++
	}
	answer(w, s.armed)
}

func (s *stage) canaries(w http.ResponseWriter, r *http.Request) {
	after, _ := strconv.Atoi(r.URL.Query().Get("after"))
	answer(w, s.hits[min(after, len(s.hits)):])
}

func (s *stage) list(w http.ResponseWriter, _ *http.Request) {
	list := []object{}
	for i := len(s.logins) - 1; i >= 0 && len(list) < 3; i-- {
		list = append(list, object{"id": s.logins[i].ID})
	}
	answer(w, list)
}

func (s *stage) record(w http.ResponseWriter, r *http.Request) {
	v := s.find(r.PathValue("id"))
	if v.ID == "" || v.lost {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	answer(w, object{"id": v.ID, "client_id": client, "steps": v.steps})
}

// The portal.

func (s *stage) portalLogin(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.count++
	state := fmt.Sprintf("a-state-of-some-length-%06d", s.count)
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "tx", Value: state, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	q := url.Values{"client_id": {client}, "response_type": {"code"}, "scope": {"openid"}, "state": {state}, "nonce": {"nonce-of-" + state}, "redirect_uri": {s.portal.URL + "/callback"}}
	http.Redirect(w, r, s.sandbox.URL+"/authorize?"+q.Encode(), http.StatusSeeOther)
}

func (s *stage) portalCallback(w http.ResponseWriter, r *http.Request) {
	refuse := func(why string) {
		if s.loops {
			http.Redirect(w, r, "/login", http.StatusSeeOther)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "<title>%s</title>", why)
	}
	tx, err := r.Cookie("tx")
	q := r.URL.Query()
	switch {
	case s.broken, q.Has("error"):
		refuse("error")
		return
	case s.checksState && (err != nil || tx.Value != q.Get("state")):
		refuse("state")
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "tx", Path: "/", MaxAge: -1})
	resp, err := http.PostForm(s.sandbox.URL+"/token", url.Values{"code": {q.Get("code")}})
	if err != nil {
		refuse("token")
		return
	}
	defer resp.Body.Close()
	var tokens struct {
		Iss    string
		Token  string `json:"access_token"`
		Extra  string
		Broken bool
	}
	switch err := json.NewDecoder(resp.Body).Decode(&tokens); {
	case err != nil, s.checksIssuer && tokens.Iss != s.sandbox.URL, !s.tolerant && tokens.Extra != "":
		refuse("tokens")
		return
	case tokens.Broken:
		s.broken = true
		refuse("broken")
		return
	}
	req, err := http.NewRequest(http.MethodGet, s.sandbox.URL+"/userinfo", nil)
	if err != nil {
		refuse("userinfo")
		return
	}
	req.Header.Set("Authorization", "Bearer "+tokens.Token)
	info, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		refuse("userinfo")
		return
	}
	info.Body.Close()
	s.mu.Lock()
	s.count++
	session := "session" + strconv.Itoa(s.count)
	if c, err := r.Cookie("rp_session"); err == nil && s.keepsSession {
		session = c.Value
	}
	s.sessions[session] = true
	s.mu.Unlock()
	http.SetCookie(w, &http.Cookie{Name: "rp_session", Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, "/who", http.StatusSeeOther)
}

func (s *stage) portalWho(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := r.Cookie("rp_session")
	switch {
	case s.whoBroken:
		s.whoBroken = false
		w.WriteHeader(http.StatusBadGateway)
	case err == nil && s.sessions[c.Value]:
		fmt.Fprint(w, "<h1>Xin chào "+needle+"</h1>")
	default:
		fmt.Fprint(w, "<h1>Xin chào, khách</h1>")
	}
}
